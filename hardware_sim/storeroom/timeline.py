"""Where every tag is in every bin: what happened, spread out into arrays, a stretch of bins after the other.

It draws nothing. A tag that comes or goes within a bin is there for a share of it. The rule that must not be broken:
in the bins after the one in which a piece left, it is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hardware_sim.storeroom.happenings import BIN_S, Change, Death, Life, Shield, Visit, bin_of
from hardware_sim.storeroom.stock import SHELVES, Stock, Where

STRAY_PLACE, OUT_PLACE = len(SHELVES), len(SHELVES) + 1
"""Places after the shelves: in the neighbour's room, and nowhere near."""

Row = TypeVar("Row", Change, Shield, Death)
Small = NDArray[np.int8]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scene:
    """So many bins of the room. Arrays are [tag, bin]; `shade` is [shelf, bin].

    `place` is a shelf or one of the places after them; `share` the part of the bin that the tag is there, `ends_s` the
    second at which that part ends. `near` and `near_share` are the same for the neighbour's reader and its clock.
    """

    first: int
    place: Small
    share: Shares
    ends_s: Shares
    near: Small
    near_share: Shares
    block: Small
    dead: NDArray[np.bool_]
    shade: Shares

    @property
    def bins(self) -> int:
        """Return how many bins there are."""
        return int(self.place.shape[1])


class Timeline:
    """All happenings of a life in order; `next_scene` goes on from where the last one ended."""

    def __init__(self, stock: Stock, life: Life, deaths: Sequence[Death], *, next_skew_s: float) -> None:
        tags = stock.tags
        self._room = _Track(tags_where=[tag.first for tag in tags], shelves=[tag.shelf for tag in tags])
        self._near = _Track(tags_where=[tag.first for tag in tags], shelves=[tag.shelf for tag in tags])
        self._block = np.zeros(len(tags), np.int8)
        self._dead = np.zeros(len(tags), bool)
        self._changes = sorted(life.changes)
        self._near_changes = sorted(change._replace(at_s=change.at_s + next_skew_s) for change in life.changes)
        self._shields = sorted(life.shields)
        self._deaths = sorted(deaths)
        self._visits = sorted(life.visits)
        self._next = 0

    def next_scene(self, bins: int) -> Scene:
        """Return the next so many bins."""
        first, self._next = self._next, self._next + bins
        place, share, ends_s = self._room.spread(_take(self._changes, self._next), first, bins)
        near, near_share, _ = self._near.spread(_take(self._near_changes, self._next), first, bins)
        return Scene(
            first=first,
            place=place,
            share=share,
            ends_s=ends_s,
            near=near,
            near_share=near_share,
            block=self._blocks(_take(self._shields, self._next), first, bins),
            dead=self._deads(_take(self._deaths, self._next), first, bins),
            shade=_shade(_take_visits(self._visits, self._next), first, bins),
        )

    def _blocks(self, shields: list[Shield], first: int, bins: int) -> Small:
        block = np.repeat(self._block[:, None], bins, axis=1)
        for shield in shields:
            block[shield.tag, max(0, round(shield.at_s / BIN_S) - first) :] = shield.block
            self._block[shield.tag] = shield.block
        return block

    def _deads(self, deaths: list[Death], first: int, bins: int) -> NDArray[np.bool_]:
        dead = np.repeat(self._dead[:, None], bins, axis=1)
        for death in deaths:
            dead[death.tag, max(0, bin_of(death.at_s) - first) :] = True
            self._dead[death.tag] = True
        return dead


class _Track:
    """Where the tags are, as one clock has it."""

    def __init__(self, tags_where: Sequence[Where], shelves: Sequence[int]) -> None:
        self._place = np.array(
            [place_of(where, shelf) for where, shelf in zip(tags_where, shelves, strict=True)], np.int8
        )

    def spread(self, changes: list[Change], first: int, bins: int) -> tuple[Small, Shares, Shares]:
        """Return place, share and end of the share for each tag and bin."""
        place = np.repeat(self._place[:, None], bins, axis=1)
        share = np.ones(place.shape)
        ends_s = np.full(place.shape, float(BIN_S))
        for change in changes:
            at = bin_of(change.at_s) - first
            second = change.at_s - (at + first) * BIN_S
            old, new = int(self._place[change.tag]), place_of(change.where, change.shelf)
            self._place[change.tag] = new
            if at < 0:
                place[change.tag] = new
                continue
            place[change.tag, at + 1 :] = new
            stays = _zone(old) == _zone(new)
            leaves = old < new and not stays
            place[change.tag, at] = old if leaves else new
            if not stays:
                share[change.tag, at] = second / BIN_S if leaves else 1 - second / BIN_S
                ends_s[change.tag, at] = second if leaves else BIN_S
        return place, share, ends_s


def place_of(where: Where, shelf: int) -> int:
    """Return the place of a piece: its shelf, or one of those after the shelves."""
    return shelf if where == Where.HERE else STRAY_PLACE if where == Where.NEXT else OUT_PLACE


def _zone(place: int) -> int:
    return min(max(place, STRAY_PLACE - 1), OUT_PLACE)


def _take(rows: list[Row], before: int) -> list[Row]:
    """Remove and return the rows of all bins before one."""
    count = 0
    while count < len(rows) and bin_of(rows[count].at_s) < before:
        count += 1
    taken, rows[:count] = rows[:count], []
    return taken


def _take_visits(visits: list[Visit], before: int) -> list[Visit]:
    """Return the visits that begin before a bin, and forget those that also end before it."""
    begun = [visit for visit in visits if bin_of(visit.since_s) < before]
    visits[: len(begun)] = [visit for visit in begun if bin_of(visit.until_s) >= before]
    return begun


def _shade(visits: list[Visit], first: int, bins: int) -> Shares:
    """Return the share of each bin in which somebody stands before each shelf."""
    shade = np.zeros((len(SHELVES), bins))
    for visit in visits:
        for at in range(max(first, bin_of(visit.since_s)), min(first + bins, bin_of(visit.until_s) + 1)):
            since, until = max(visit.since_s, at * BIN_S), min(visit.until_s, (at + 1) * BIN_S)
            shade[visit.shelf, at - first] += max(0.0, until - since) / BIN_S
    return np.minimum(shade, 1.0)
