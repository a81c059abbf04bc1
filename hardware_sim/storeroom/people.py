"""What people do in a storeroom: takes, scanned or not, swaps, returns, moves, receipts, counts.

It decides why a piece moves and what the book hears of it; `room` moves it. It is pure: days of work are drawn from a
generator that comes in. The rule that must not be broken: what the book hears follows from what a person did, never the
other way about.
"""

from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

import numpy as np

from hardware_sim.storeroom.happenings import DAY_S, Visit
from hardware_sim.storeroom.rates import WorldRates
from hardware_sim.storeroom.room import Room, Tags
from hardware_sim.storeroom.stock import SHELVES, Where
from hardware_sim.storeroom.visits import STAY_S

SHIFT_ENDS_H = (7.5, 15.5, 23.5)
"""Unscanned takes are claimed when a shift ends, or at the end of one of the next two."""

RETURN_H = (0.5, 8.0)
DELIVERY_H = (8.5, 11.0)
SAME_ITEM = 0.6
"""Chance that the next piece of a visit is of the same item as the one before."""

Act = Callable[[Visit], None]


class People:
    """Everybody who works in one storeroom."""

    def __init__(self, rates: WorldRates, room: Room, rng: np.random.Generator) -> None:
        self._rates = rates
        self._room = room
        self._rng = rng
        self._full = Counter(room.item[(room.where == Where.HERE) & (room.home == Where.HERE)].tolist())
        self._pieces = sum(self._full.values())
        self._due: list[tuple[float, int, Act]] = []
        self._turn = count()
        visits = max(rates.visits_a_day, 1e-9)
        self._takes_a_visit = rates.takes_a_day * self._pieces / visits
        self._habits: tuple[tuple[float, Act], ...] = (
            (rates.group_takes_a_week / 7 / visits, self._take_handful),
            (rates.shelf_moves_a_day / visits, self._move_shelf),
            (rates.to_next_a_day / visits, self._carry_next),
            (rates.from_next_a_day / visits, self._borrow),
            (rates.line_counts_a_week / 7 / visits, self._count_line),
            (1.0, self._bring_back),
        )

    def plan_deliveries(self, days: int) -> None:
        """Set the times at which goods arrive."""
        for day in range(days):
            if self._rng.random() < self._rates.receipts_a_week / 7:
                self.at(day * DAY_S + self._rng.uniform(*DELIVERY_H) * 3600, self._receive)

    def at(self, due_s: float, act: Act) -> None:
        """Do something at the first visit after an instant."""
        heappush(self._due, (due_s, next(self._turn), act))

    def come(self, visit: Visit) -> None:
        """Do the work of one visit."""
        self.do_due(visit)
        self._take_some(visit)
        for chance, act in self._habits:
            if chance >= 1.0 or self._rng.random() < chance:
                act(visit)

    def do_due(self, visit: Visit) -> None:
        """Do only what is due by now."""
        while self._due and self._due[0][0] <= visit.since_s:
            heappop(self._due)[2](visit)

    def take(self, visit: Visit, tag: int, crowd: int = 0, *, scanned: bool | None = None) -> None:
        """Take one piece away; whether it is scanned is drawn unless it is said."""
        rates, draw = self._rates, self._rng.random
        seen = bool(draw() >= rates.unscanned) if scanned is None else scanned
        swapped = draw() < rates.swapped
        self.leave(visit, tag, scanned=seen and not swapped, crowd=crowd)
        if seen and swapped:
            self._book(self._other(visit, tag), "issue", Where.OUT, visit)
        elif not seen and draw() < rates.claimed:
            self._claim(visit, tag)
        if draw() < rates.returned:
            due = visit.until_s + self._rng.uniform(*RETURN_H) * 3600
            self.at(due, lambda back: self.give_back(back, tag))

    def leave(self, visit: Visit, tag: int, *, scanned: bool, crowd: int = 0) -> None:
        """Carry one piece out, scanned or not."""
        self._room.move(tag, visit.until_s, Where.OUT)
        self._room.pass_door(tag, visit.until_s, outward=True, crowd=crowd)
        if scanned:
            self._book(tag, "issue", Where.OUT, visit)

    def _claim(self, visit: Visit, tag: int) -> None:
        """Name the taker of a piece at the end of a shift; the time that is claimed is about right."""
        said_s = max(0.0, visit.until_s + self._rng.normal(0, 900))
        ends = [day * DAY_S + hour * 3600 for day in range(int(visit.until_s // DAY_S) + 3) for hour in SHIFT_ENDS_H]
        coming = [end for end in ends if end > visit.until_s + 60]
        known_s = coming[int(self._rng.integers(3))] + self._rng.uniform(0, 1200)
        self._room.record(tag, "issue", Where.OUT, at_s=min(said_s, known_s), known_s=known_s)

    def give_back(self, visit: Visit, tag: int, *, scanned: bool | None = None) -> None:
        """Put a piece that was taken back on its shelf."""
        room = self._room
        if room.where[tag] != Where.OUT or room.since_s[tag] >= visit.since_s:
            return
        room.pass_door(tag, visit.since_s, outward=False)
        room.move(tag, visit.since_s + self._stand(visit), Where.HERE, shelf=int(room.own_shelf[tag]))
        if (self._rng.random() < self._rates.return_scanned) if scanned is None else scanned:
            self._book(tag, "return", Where.HERE, visit)

    def to_next(self, visit: Visit, tag: int, *, recorded: bool) -> None:
        """Carry a piece to the neighbouring room."""
        self._room.pass_door(tag, visit.until_s, outward=True)
        self._room.move(tag, visit.until_s, Where.NEXT)
        if recorded:
            self._book(tag, "transfer", Where.NEXT, visit)

    def borrow(self, visit: Visit, tag: int) -> None:
        """Carry a piece of the neighbour's in; nobody records it."""
        self._room.pass_door(tag, visit.since_s, outward=False)
        self._room.move(tag, visit.since_s + self._stand(visit), Where.HERE, shelf=visit.shelf)

    def _take_some(self, visit: Visit) -> None:
        wanted = int(self._rng.poisson(self._takes_a_visit))
        here = self._room.at(Where.HERE, visit.since_s, home=Where.HERE)
        wanted = min(wanted, len(here))
        last: int | None = None
        for crowd in range(wanted):
            near = here[self._room.item[here] == self._room.item[last]] if last is not None else here
            tag = self._one_of(near if len(near) and self._rng.random() < SAME_ITEM else here)
            here = here[here != tag]
            self.take(visit, tag, crowd)
            last = tag

    def _take_handful(self, visit: Visit) -> None:
        here = self._room.at(Where.HERE, visit.since_s, home=Where.HERE)
        if not len(here):
            return
        first = self._one_of(here)
        same = here[(self._room.item[here] == self._room.item[first]) & (self._room.shelf[here] == visit.shelf)]
        same = same if len(same) else here[self._room.item[here] == self._room.item[first]]
        size = 1 + int(self._rng.poisson(self._rates.group_size_mean - 1))
        scanned = bool(self._rng.random() >= self._rates.group_unscanned)
        for crowd, tag in enumerate(same[:size].tolist()):
            self.take(visit, tag, crowd, scanned=scanned)

    def _move_shelf(self, visit: Visit) -> None:
        here = self._room.at(Where.HERE, visit.since_s)
        if len(here):
            tag = self._one_of(here)
            to = (int(self._room.shelf[tag]) + int(self._rng.integers(1, len(SHELVES)))) % len(SHELVES)
            self._room.move(tag, visit.since_s + self._stand(visit), Where.HERE, shelf=to)

    def _carry_next(self, visit: Visit) -> None:
        here = self._room.at(Where.HERE, visit.since_s, home=Where.HERE)
        if len(here):
            recorded = bool(self._rng.random() < self._rates.to_next_recorded)
            self.to_next(visit, self._one_of(here), recorded=recorded)

    def _borrow(self, visit: Visit) -> None:
        there = self._room.at(Where.NEXT, visit.since_s, home=Where.NEXT)
        if len(there):
            self.borrow(visit, self._one_of(there))

    def _bring_back(self, visit: Visit) -> None:
        """Now and then bring a piece of the other room home; nobody records it."""
        room = self._room
        strayed = np.flatnonzero(
            (room.where != Where.OUT) & (room.where != room.home) & room.free & (room.since_s < visit.since_s)
        )
        if not len(strayed) or self._rng.random() >= len(strayed) * self._rates.back_a_day / self._visits_a_day:
            return
        tag = self._one_of(strayed)
        inward = bool(room.home[tag] == Where.HERE)
        at_s = visit.since_s if inward else visit.until_s
        room.pass_door(tag, at_s, outward=not inward)
        moved_s = at_s + self._stand(visit) if inward else at_s
        room.move(tag, moved_s, Where(int(room.home[tag])), shelf=int(room.own_shelf[tag]))

    def _receive(self, visit: Visit) -> None:
        room, draw = self._room, self._rng.random
        mine = (room.where == Where.HERE) & (room.home == Where.HERE)
        lacking = self._full - Counter(room.item[mine].tolist())
        spares = np.flatnonzero(room.fresh & room.free).tolist()
        for crowd, tag in enumerate(spares):
            item = int(room.item[tag])
            if not lacking[item]:
                continue
            lacking[item] -= 1
            came = draw() >= self._rates.receipt_missing
            if came:
                room.pass_door(tag, visit.since_s, outward=False, crowd=crowd)
                room.move(tag, visit.since_s + self._stand(visit), Where.HERE)
            room.fresh[tag] = False
            if not came or draw() >= self._rates.receipt_unbooked:
                self._book(tag, "receipt", Where.HERE, visit)

    def _count_line(self, visit: Visit) -> None:
        room = self._room
        item = int(self._rng.choice(room.item))
        for tag in np.flatnonzero((room.item == item) & (room.home == Where.HERE) & ~room.fresh).tolist():
            seen = bool(room.where[tag] == Where.HERE) != bool(self._rng.random() < self._rates.look_errs)
            room.record(tag, "count", Where.HERE if seen else Where.OUT, at_s=visit.until_s)

    def _book(self, tag: int, kind: str, to: Where, visit: Visit) -> None:
        """Record an act of a visit, at once or late."""
        at_s = visit.since_s + self._stand(visit)
        late = self._rng.random() < self._rates.late_scan
        late_s = self._rates.late_median_min * 60 * float(np.exp(self._rng.normal(0, 0.8))) if late else 0.0
        self._room.record(tag, kind, to, at_s=at_s, known_s=at_s + late_s)

    def _other(self, visit: Visit, tag: int) -> int:
        """Return another piece of the same item that is here, or the same where there is none."""
        here = self._room.at(Where.HERE, visit.since_s, home=Where.HERE)
        others = here[(self._room.item[here] == self._room.item[tag]) & (here != tag)]
        return self._one_of(others) if len(others) else tag

    @property
    def _visits_a_day(self) -> float:
        return max(self._rates.visits_a_day, 1.0)

    def _stand(self, visit: Visit) -> float:
        """Return how long after coming in something is done, in seconds; always before leaving."""
        return float(self._rng.uniform(0.2, 0.8)) * min(visit.until_s - visit.since_s, STAY_S[1])

    def _one_of(self, tags: Tags) -> int:
        return int(tags[int(self._rng.integers(len(tags)))])
