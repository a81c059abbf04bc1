"""The world the bench plays in: requests of every series day by day, packs, and the lead time each order will meet.

A request is what one ward asks of one item on one day, returns netted; a series is an item at a site (its wards'
requests one by one) or at a ward. An order placed on a day meets a lead time drawn from the item's receipts, the same
for every policy. What policies know of lead times is a purchase history of as many draws, made with another seed. The
rule that must not be broken: nothing of the second half reaches a policy before its day, and the scope is chosen on
the first.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from central.core.reorder.leads import LEAD_DAYS_MAX, RECEIPTS_MIN, Leads, fixed_leads, leads_of
from central.core.reorder.moments import WINDOW_DAYS, Floats, Whole
from central.core.reorder.scope import DAYS_A_REQUEST_MAX, REQUESTS_MIN
from central.services.reorder_bench.files import History, Level, Receipt, unreadable

SEED_OF_LEADS, SEED_OF_KNOWLEDGE = 7, 11
LEAD_ASSUMED_DAYS = 3
"""Lead time where the folder has no orders."""

DAYS_MIN = 2 * (WINDOW_DAYS + 30)
"""Shortest history: in each half a window to learn from and a month to score."""


@dataclass(frozen=True, slots=True)
class World:
    """Series x days of one kind (sites or wards). `requests` holds, day by day, the running sums of requests.

    `first` is the first day, since 1970.
    """

    keys: tuple[tuple[str, ...], ...]
    daily: Floats
    counts: Whole
    requests: tuple[Floats, ...]
    packs: Whole
    leads: Whole
    known: tuple[Leads, ...]
    own: tuple[Level | None, ...]
    first: int = 0

    @property
    def days(self) -> int:
        """Days of the history."""
        return int(self.daily.shape[1])

    @property
    def half(self) -> int:
        """The day the second half begins."""
        return self.days // 2

    @property
    def warm_up(self) -> int:
        """The day the first half's figures begin: what is new at the start has been met by then."""
        return self.half * 2 // 5


def part_of(world: World, series: Whole) -> World:
    """Return some series of a world."""
    rows = [int(one) for one in series]
    return World(
        tuple(world.keys[row] for row in rows),
        world.daily[rows],
        world.counts[rows],
        tuple(day[rows] for day in world.requests),
        world.packs[rows],
        world.leads[rows],
        tuple(world.known[row] for row in rows),
        tuple(world.own[row] for row in rows),
        world.first,
    )


def sites_and_wards(history: History) -> tuple[World, World]:
    """Return the two worlds of a history. Raises `BadFile` when it is too short."""
    first = min(use.day for use in history.uses)
    days = max(use.day for use in history.uses) - first + 1
    if days < DAYS_MIN:
        raise unreadable(f"past use: expected at least {DAYS_MIN} days, got {days}")
    wards = _daily(history, first, days)
    if not wards:
        raise unreadable("past use: expected requests, but returns outweigh them everywhere")
    sites: defaultdict[tuple[str, ...], list[Floats]] = defaultdict(list)
    for (item, site, _), daily in sorted(wards.items()):
        sites[item, site].append(daily)
    scope = {key: [daily] for key, daily in sorted(wards.items()) if _in_scope(daily)}
    whole = {key: rows for key, rows in sites.items() if _in_scope(np.sum(rows, axis=0))}
    return _world(history, whole, first, days), _world(history, scope, first, days)


def _daily(history: History, first: int, days: int) -> dict[tuple[str, ...], Floats]:
    """Return requests by item, site and ward: a return is taken off the latest requests before it."""
    summed: defaultdict[tuple[str, ...], defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
    for use in history.uses:
        summed[use.item, use.site, use.ward][use.day - first] += use.qty
    found = {}
    for key, by_day in summed.items():
        row = np.zeros(days)
        for day in sorted(by_day):
            _post(row, day, by_day[day])
        if (row := np.rint(row)).any():
            found[key] = row
    return found


def _post(row: Floats, day: int, qty: float) -> None:
    row[day] += max(qty, 0.0)
    back = -min(qty, 0.0)
    while back > 0 and day >= 0:
        taken = min(back, row[day])
        row[day] -= taken
        back -= taken
        day -= 1


def _in_scope(daily: Floats) -> bool:
    """Tell, from the first half alone, whether a series is reordered automatically."""
    half = len(daily) // 2
    lately = np.count_nonzero(daily[half - WINDOW_DAYS : half])
    return bool(np.count_nonzero(daily[:half]) >= REQUESTS_MIN and lately * DAYS_A_REQUEST_MAX >= WINDOW_DAYS)


def _world(history: History, rows: dict[tuple[str, ...], list[Floats]], first: int, days: int) -> World:
    keys = tuple(rows)
    levels = history.levels or {}
    packs = {item: level.pack for (item, _), level in levels.items()}
    receipts = None if history.receipts is None else _by_item(history.receipts)
    chance = np.random.default_rng(SEED_OF_LEADS)
    drawn = [chance.choice(_pool(receipts, key[0]), days) for key in keys]
    daily = np.array([np.sum(parts, axis=0) for parts in rows.values()]).reshape(len(keys), days)
    return World(
        keys,
        daily,
        np.array([np.sum([part > 0 for part in parts], axis=0) for parts in rows.values()]).reshape(len(keys), days),
        _running_sums(list(rows.values()), days),
        np.array([packs.get(key[0], 1) for key in keys], np.int64),
        np.maximum(1, np.array(drawn, np.int64).reshape(len(keys), days)),
        _known(receipts, keys),
        tuple(levels.get((key[0], key[1])) if len(key) == 2 else None for key in keys),
        first,
    )


def _running_sums(rows: Sequence[list[Floats]], days: int) -> tuple[Floats, ...]:
    """Return for each day an array series x requests of running sums; what is no request is infinite."""
    parts = np.array([part for several in rows for part in several]).reshape(-1, days)
    series = np.repeat(np.arange(len(rows)), [len(several) for several in rows])
    found = []
    for day in range(days):
        asking = np.flatnonzero(parts[:, day])
        first = np.unique(series[asking], return_index=True)[1]
        counts = np.diff(np.append(first, len(asking)))
        nth = np.arange(len(asking)) - np.repeat(first, counts)
        sums = np.full((len(rows), int(counts.max(initial=0))), np.inf)
        sums[series[asking], nth] = parts[asking, day]
        found.append(np.cumsum(sums, axis=1))
    return tuple(found)


def _by_item(receipts: Iterable[Receipt]) -> dict[str, list[int]]:
    """Return lead times in days by item; under "" all of them."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for one in receipts:
        if one.received is not None:
            days = min(one.received - one.ordered, LEAD_DAYS_MAX)
            found[one.item].append(days)
            found[""].append(days)
    return dict(found)


def _pool(receipts: dict[str, list[int]] | None, item: str) -> list[int]:
    """Return the lead times an item's orders may meet: its own receipts, or all where it has too few."""
    if not receipts:
        return [LEAD_ASSUMED_DAYS]
    own = receipts.get(item, [])
    return own if len(own) >= RECEIPTS_MIN else receipts[""]


def _known(receipts: dict[str, list[int]] | None, keys: tuple[tuple[str, ...], ...]) -> tuple[Leads, ...]:
    chance = np.random.default_rng(SEED_OF_KNOWLEDGE)
    known: dict[str, Leads] = {}
    for item in sorted({key[0] for key in keys}):
        pool = _pool(receipts, item)
        drawn: npt.NDArray[np.int64] = chance.choice(pool, len(pool))
        known[item] = leads_of([int(days) for days in drawn]) if receipts else fixed_leads(LEAD_ASSUMED_DAYS)
    return tuple(known[key[0]] for key in keys)
