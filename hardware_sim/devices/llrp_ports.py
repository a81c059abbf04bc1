"""The inputs and outputs of a simulated LLRP reader: a door's contact, a light (LLRP 1.1 chapter 12).

An input tells of its changes only where the client asked for it. It knows no wire: the reader says what changed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import number_at, number_of, rows_at

PORTS = 4
"""Inputs and outputs each, as on a common reader."""


def show_nobody(port: int, lit: bool) -> None:
    """Nobody looks at the lights."""


@dataclass(slots=True)
class Ports:
    """Levels of the inputs, which of them tell, and what the outputs show; `show` is told when a light changes."""

    high: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(range(1, PORTS + 1), False))
    tells: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(range(1, PORTS + 1), False))
    lit: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(range(1, PORTS + 1), False))

    show: Callable[[int, bool], None] = show_nobody

    def reset(self) -> None:
        """After a reboot nothing tells and no light is on; contacts stand as doors do."""
        for port in self.tells:
            self.tells[port] = False
            self._light(port, on=False)

    def fault(self, params: Params) -> str:
        """Return what is wrong with the ports a SET_READER_CONFIG names, or ""."""
        named = [number_at(row, "GPOPortNumber") for row in rows_at(params, "GPOWriteData")]
        named += [number_at(row, "GPIPortNum") for row in rows_at(params, "GPIPortCurrentState")]
        wrong = [port for port in named if port not in self.high]
        return f"expected ports of 1..{PORTS}, got {wrong[0]}" if wrong else ""

    def change(self, params: Params) -> None:
        """Take the ports of a SET_READER_CONFIG without fault."""
        for row in rows_at(params, "GPOWriteData"):
            self._light(number_at(row, "GPOPortNumber") or 0, on=bool(number_at(row, "GPOData")))
        for row in rows_at(params, "GPIPortCurrentState"):
            self.tells[number_at(row, "GPIPortNum") or 0] = bool(number_at(row, "Config"))

    def _light(self, port: int, *, on: bool) -> None:
        if self.lit[port] != on:
            self.lit[port] = on
            self.show(port, on)

    def shown(self) -> dict[str, Value]:
        """Return the ports as GET_READER_CONFIG answers."""
        levels = {True: number_of("GPIPortState", "High"), False: number_of("GPIPortState", "Low")}
        return {
            "GPIPortCurrentState": [
                {"GPIPortNum": port, "Config": self.tells[port], "State": levels[high]}
                for port, high in self.high.items()
            ],
            "GPOWriteData": [{"GPOPortNumber": port, "GPOData": lit} for port, lit in self.lit.items()],
        }
