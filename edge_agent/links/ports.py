"""The serial ports of this machine by names that outlive a plug: by-id where that is sure, else by-path.

Two cheap adapters of one make carry no serial number and fight over one by-id name; the one that lost it has only a
by-path name. The rule that must not be broken: while any port has no by-id name, no by-id name is trusted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

SERIAL = Path("/dev/serial")
"""Where udev puts the names."""

PORTS_MAX = 64


@dataclass(frozen=True, slots=True)
class Port:
    """One port: the device as it is called now, and its lasting name."""

    device: Path
    name: Path

    @property
    def url(self) -> str:
        """Return what stands in a configuration for it."""
        return f"serial:{self.name}"


def list_ports(enumeration: Path = SERIAL) -> list[Port]:
    """Return the ports that are plugged in, in the order of their devices; none where there is no such folder."""
    by_id, by_path = _names(enumeration / "by-id"), _names(enumeration / "by-path")
    devices = sorted(set(by_id) | set(by_path))[:PORTS_MAX]
    sure = all(device in by_id for device in devices)
    return [
        Port(device, by_id[device] if sure else by_path.get(device, by_id.get(device, device))) for device in devices
    ]


def lasting_name(port: Path, ports: list[Port]) -> Path | None:
    """Return a better name for a configured port; None when it has none or bears it already."""
    for each in ports:
        if each.device == port.resolve() and each.name != port:
            return each.name
    return None


class Search:
    """The port a module is on, found by trying each that is plugged in and not `taken` by somebody's name.

    `next` is asked before each opening, `settled` says that the module answered there: then it is asked there first,
    until it does not answer any more. Two threads may use it.
    """

    def __init__(self, enumeration: Path, taken: Collection[Path] = ()) -> None:
        self._enumeration, self._taken = enumeration, tuple(taken)
        self._tried: list[Path] = []
        self._last: Path | None = None
        self._settled = False

    def next(self) -> Path:
        """Return the port to open now; where there is none, a name under which none will be found."""
        if self._last is not None and self._settled:
            self._settled = False
            return self._last
        taken = {path.resolve() for path in self._taken}
        free = [port.name for port in list_ports(self._enumeration) if port.device not in taken]
        left = [name for name in free if name not in self._tried]
        if not left:
            self._tried, left = [], free or [self._enumeration / "any"]
        self._last = left[0]
        self._tried.append(self._last)
        return self._last

    @property
    def last(self) -> Path:
        """Return the port that was given last."""
        return self._last or self._enumeration

    def settled(self) -> None:
        """The module answered on the port that was given last."""
        self._settled = True


def _names(folder: Path) -> dict[Path, Path]:
    """Return the links of a folder by what they point to."""
    try:
        links = sorted(folder.iterdir())
    except OSError:
        return {}
    return {link.resolve(): link for link in reversed(links)}
