"""Play policies over a world: lost sales, FEFO, real lead times, whole packs, a review every day.

A lane is one series under one setting of one policy; all lanes are played at once, day by day. Order of events in a
day: receipt, what expired goes, demand, review, order. All deliveries keep SHELF_LIFE_DAYS, so first-expired is first-
come and what expired is exact from running sums. What cannot be served is lost, and the next request is asked in vain.
The rule that must not be broken: lanes share demand and lead times, so that a difference between policies is theirs.
"""

from dataclasses import dataclass

import numpy as np

from central.core.reorder.moments import Floats, Whole
from central.services.reorder_bench.record import PERFECT, Record, Records
from central.services.reorder_bench.world import World

REFRESH_DAYS = 7
"""Levels are reckoned anew every week from the days before; stock is reviewed every day."""

SHELF_LIFE_DAYS = 365
"""What is left of its shelf life when a delivery comes; the data has none."""

LANES_AT_ONCE = 4096
"""Lanes played together: their running sums take about 60 MB over five years."""

NEVER_LATE = 10**6


@dataclass(frozen=True, slots=True)
class Levels:
    """One setting of one policy: weeks' reorder points and order-up-to levels, series x weeks.

    `late_days`: orders older are no longer counted on; `counts_orders` false is the naive double order.
    `record` is what is known of the shelf.
    """

    name: str
    point: Floats
    upto: Floats
    late_days: Whole
    counts_orders: bool = True
    record: Record = PERFECT


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it, levels x series x halves: units, requests, mean stock, order lines, expired units."""

    names: tuple[str, ...]
    asked: Floats
    served: Floats
    requests: Floats
    answered: Floats
    stock: Floats
    lines: Floats
    expired: Floats


def weeks_of(world: World) -> int:
    """Return how often levels are reckoned."""
    return (world.days - 1) // REFRESH_DAYS + 1


def play(world: World, settings: list[Levels]) -> Played:
    """Play every setting over a world."""
    series, halves = len(world.keys), np.zeros((5, len(settings), len(world.keys), 2))
    at_once = max(1, LANES_AT_ONCE // max(1, series))
    for start in range(0, len(settings), at_once):
        part = settings[start : start + at_once]
        lanes = _Lanes(world, part)
        lanes.run()
        halves[:, start : start + len(part)] = lanes.sums.reshape(5, len(part), series, 2)
    served, answered, stock, lines, expired = halves
    spans = (slice(world.warm_up, world.half), slice(world.half, world.days))
    asked = np.stack([world.daily[:, span].sum(axis=1) for span in spans], axis=-1)
    requests = np.stack([world.counts[:, span].sum(axis=1) for span in spans], axis=-1).astype(np.float64)
    lengths = np.array([span.stop - span.start for span in spans])
    return Played(
        tuple(one.name for one in settings),
        np.broadcast_to(asked, served.shape),
        served,
        np.broadcast_to(requests, served.shape),
        answered,
        stock / lengths,
        lines,
        expired,
    )


class _Lanes:
    """The state of the lanes of some settings while they are played."""

    def __init__(self, world: World, settings: list[Levels]) -> None:
        self._world = world
        times = len(settings)
        self._point = np.concatenate([one.point for one in settings])
        self._upto = np.concatenate([one.upto for one in settings])
        self._packs = np.tile(world.packs, times).astype(np.float64)
        self._late = np.concatenate([one.late_days for one in settings])
        self._counts = np.repeat([one.counts_orders for one in settings], len(world.keys))
        lanes = len(self._packs)
        self._series = np.tile(np.arange(len(world.keys)), times)
        self._lane = np.arange(lanes)
        self._ring = int(world.leads.max(initial=1)) + 2
        self._coming = np.zeros((self._ring, lanes))
        self._uncounted = np.zeros((self._ring, lanes))
        self._on_hand = np.maximum(np.ceil(self._upto[:, 0]), 0.0)
        self._ordered = np.zeros(lanes)
        self._out = np.zeros(lanes)
        self._received = np.zeros((world.days + 1, lanes))
        self._received[0] = self._on_hand
        self._records = Records([one.record for one in settings], len(world.keys))
        self.sums = np.zeros((5, lanes, 2))

    def run(self) -> None:
        """Play all days."""
        for day in range(self._world.days):
            if day == self._world.half:
                self._records.put_right()
            expired = self._receive(day)
            served, answered = self._serve(day)
            lines = self._review(day)
            if day < self._world.warm_up:
                continue
            half = int(day >= self._world.half)
            for row, what in enumerate((served, answered, self._on_hand, lines, expired)):
                self.sums[row, :, half] += what

    def _receive(self, day: int) -> Floats:
        """Put away what comes today, and return what expired: came SHELF_LIFE_DAYS ago and is still there."""
        slot = day % self._ring
        came = self._coming[slot]
        self._on_hand += came
        self._ordered -= self._uncounted[slot]
        self._received[day + 1] = self._received[day] + came
        self._coming[slot] = 0.0
        self._uncounted[slot] = 0.0
        if day < SHELF_LIFE_DAYS:
            return np.zeros_like(came)
        expired: Floats = np.maximum(0.0, self._received[day + 1 - SHELF_LIFE_DAYS] - self._out)
        self._on_hand -= expired
        self._out += expired
        return expired

    def _serve(self, day: int) -> tuple[Floats, Floats]:
        """Return units and requests served today."""
        asked = self._world.daily[self._series, day]
        served = np.minimum(asked, self._on_hand)
        answered = self._world.counts[self._series, day].astype(np.float64)
        short = np.flatnonzero(served < asked)
        if len(short):
            sums = self._world.requests[day][self._series[short]]
            answered[short] = (sums <= self._on_hand[short, None]).sum(axis=1)
        self._on_hand -= served
        self._out += served
        self._records.use(served)
        return served, answered

    def _review(self, day: int) -> Floats:
        """Order what is due and return the order lines."""
        week = day // REFRESH_DAYS
        position = self._records.seen(self._on_hand) + np.where(self._counts, self._ordered, 0.0)
        missing = np.where(position <= self._point[:, week], self._upto[:, week] - position, 0.0)
        qty = np.ceil(np.maximum(missing, 0.0) / self._packs - 1e-9) * self._packs
        due = self._lane[qty > 0]
        lead = self._world.leads[self._series[due], day]
        self._coming[(day + lead) % self._ring, due] += qty[due]
        counted = np.minimum(lead, self._late[due])
        self._uncounted[(day + counted) % self._ring, due] += qty[due]
        self._ordered[due] += qty[due]
        return (qty > 0).astype(np.float64)
