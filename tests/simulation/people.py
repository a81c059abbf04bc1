"""What people and readers do in one storeroom of the simulation: drafts by chance, nothing written.

The rule that must not be broken: whatever is drawn, is drawn from the chance of the storeroom, so that a seed plays the
same story again.
"""

import random
from collections.abc import Callable

from edge_agent.core.recognise import Draft
from protocols.values.ids import ActorId
from protocols.values.instant import Instant

ITEMS = ("A1", "A2", "A3")
OPENING_QTY = 500
UNITS = 6
FOREIGN = 0.15
"""Share of the pieces taken by name that another storeroom received: two edges say they had one and the same."""


class People:
    """Those of one storeroom, among all the `wards` of the simulation."""

    def __init__(self, device: str, wards: tuple[str, ...], chance: random.Random, now: Callable[[], Instant]) -> None:
        self._device, self._wards, self._chance, self._now = device, wards, chance, now

    def opening(self) -> list[list[Draft]]:
        """Bind what has tags, and post what lies there in the beginning."""
        lines = [
            {"item": item, "lot": "L1", "qty": OPENING_QTY, "source": f"opening@{self._device}", "target": self._device}
            for item in ITEMS
        ]
        units = [
            {
                "item": "A1",
                "lot": "L2",
                "qty": 1,
                "unit": unit,
                "source": f"opening@{self._device}",
                "target": self._device,
            }
            for unit in self._units()
        ]
        bound = [{"epc": unit, "item": "A1", "lot": "L2", "serial": unit[-4:]} for unit in self._units()]
        return [
            [Draft("bind_tag", {"bindings": bound}, ActorId("N0"))],
            [Draft("opening", {"lines": lines + units}, ActorId("N0"))],
        ]

    def poison(self, size: float) -> list[list[Draft]]:
        """Return an act that central must set aside, with a good one behind it."""
        line = {"item": "A1", "lot": "L1", "qty": 1, "source": self._device, "target": f"issued@{self._device}"}
        bad = {"lines": [line], "occurred_at": 2**62 + 1 + int(size * 1000)}
        return [[Draft("issue", bad, ActorId("N1"))], [self.one()]]

    def _units(self, whose: str = "") -> list[str]:
        ward = self._wards.index(whose or self._device)
        return [f"E2{ward:04X}{number:06X}" for number in range(UNITS)]

    def some(self) -> list[list[Draft]]:
        """Return what is done in one visit."""
        return [[self.one()] for _ in range(self._chance.choice((1, 1, 1, 2, 3, 8)))]

    def one(self) -> Draft:
        """Return one act, or a belief, of any kind."""
        chance, here = self._chance, self._device
        actor = ActorId(f"N{chance.randrange(20)}")
        other = chance.choice(self._wards)
        match chance.randrange(9):
            case 0:
                body = {"epc": chance.choice(self._units()), "p": round(chance.random(), 3), "model": "sim-1"}
                return Draft("observe", {**body, "since": int(self._now())}, ActorId(""))
            case 1:
                return Draft("visit", {"phase": chance.choice(("begin", "end"))}, actor)
            case 2:
                return self._move("transfer_out", here, f"transit@{other}", actor)
            case 3:
                return self._move("transfer_in", f"transit@{here}", here, actor)
            case 4:
                return self._move("return_to_store", f"issued@{here}", here, actor)
            case 5:
                unit = chance.choice(self._units(other if chance.random() < FOREIGN else here))
                line = {"item": "A1", "lot": "L2", "qty": 1, "unit": unit}
                return Draft("issue", {"lines": [{**line, "source": here, "target": f"issued@{here}"}]}, actor)
            case 6:
                return self._move("use", f"issued@{here}", f"patient@{here}", actor)
            case _:
                return self._move("issue", here, f"issued@{here}", actor)

    def _move(self, kind: str, source: str, target: str, actor: ActorId) -> Draft:
        line = {"item": self._chance.choice(ITEMS), "lot": "L1", "qty": self._chance.randint(1, 4)}
        return Draft(kind, {"lines": [{**line, "source": source, "target": target}]}, actor)
