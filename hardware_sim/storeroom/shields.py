"""What comes to stand before tags and goes again: a liquid, a pile of boxes, a trolley parked along a shelf.

Three kinds: one tag; several tags of one item on one shelf; and a stretch of a shelf whatever stands there, which no
model that groups by item expects. It is pure. The rule that must not be broken: a shield begins and ends only when
somebody is in the room.
"""

from typing import NamedTuple

import numpy as np

from hardware_sim.storeroom.happenings import Block, Visit
from hardware_sim.storeroom.rates import WorldRates
from hardware_sim.storeroom.room import Room
from hardware_sim.storeroom.stock import SHELVES, Where

BOX = (2, 8)
"""Tags of one item that one box hides."""

STRETCH = (0.2, 0.7)
"""Share of a shelf that something parked before it hides."""


class _Spell(NamedTuple):
    tags: tuple[int, ...]


class Shields:
    """All shields of one storeroom."""

    def __init__(self, rates: WorldRates, room: Room, rng: np.random.Generator) -> None:
        self._rates = rates
        self._room = room
        self._rng = rng
        self._spells: list[_Spell] = []

    def come(self, visit: Visit) -> None:
        """Draw what one visit hides and uncovers."""
        self._uncover(visit)
        here = self._room.at(Where.HERE, visit.since_s)
        if not len(here):
            return
        singles = int(self._rng.poisson(self._rates.block_single * len(here)))
        for tag in self._rng.choice(here, min(singles, len(here)), replace=False).tolist():
            self._hide((tag,), visit)
        if self._rng.random() < self._rates.block_group:
            self._hide(self._box(here), visit)
        if self._rng.random() < self._rates.block_shelf:
            self._hide(self._stretch(here), visit)

    def hide(self, tags: tuple[int, ...], at_s: float, block: Block) -> None:
        """Put one shield before some tags."""
        for tag in tags:
            self._room.shield(tag, at_s, block)
        self._spells.append(_Spell(tags))

    def _hide(self, tags: tuple[int, ...], visit: Visit) -> None:
        total = self._rng.random() < self._rates.block_total
        clear = tuple(tag for tag in tags if self._room.block[tag] == Block.CLEAR)
        if clear:
            self.hide(clear, self._instant(visit), Block.TOTAL if total else Block.LEAKY)

    def _uncover(self, visit: Visit) -> None:
        lasting = []
        for spell in self._spells:
            if self._rng.random() >= self._rates.unblock:
                lasting.append(spell)
                continue
            at_s = self._instant(visit)
            for tag in spell.tags:
                if self._room.block[tag] != Block.CLEAR and self._room.since_s[tag] < visit.since_s:
                    self._room.shield(tag, at_s, Block.CLEAR)
        self._spells = lasting

    def _box(self, here: np.ndarray) -> tuple[int, ...]:
        room = self._room
        first = int(self._rng.choice(here))
        same = here[(room.item[here] == room.item[first]) & (room.shelf[here] == room.shelf[first])]
        return tuple(same[: int(self._rng.integers(*BOX, endpoint=True))].tolist())

    def _stretch(self, here: np.ndarray) -> tuple[int, ...]:
        on_shelf = here[self._room.shelf[here] == int(self._rng.integers(len(SHELVES)))]
        length = round(len(on_shelf) * float(self._rng.uniform(*STRETCH)))
        start = int(self._rng.integers(len(on_shelf) - length + 1))
        return tuple(on_shelf[start : start + length].tolist())

    def _instant(self, visit: Visit) -> float:
        return float(self._rng.uniform(visit.since_s, visit.until_s))
