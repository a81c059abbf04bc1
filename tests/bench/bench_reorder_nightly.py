"""A whole night's run over 400,000 place-items: facts, outlines from tables, transfers, rations, reasons of what is
due.

400 wards of 1,000 items each, simulated, beside a central store; only reading and writing the database is left out. One
process, so that its peak of memory is the run's own, the hospital's facts included; time is of its processor. The rule
that must not be broken: nothing is decided here, the run is `services.replenish`'s.
"""

import json
import resource
import sys
import time
from datetime import date, timedelta

import numpy as np

from central.core.demand import Demand
from central.core.orders import Ordered
from central.core.policy import rules_on
from central.core.reorder import SYSTEM, outlines
from central.core.reorder.moments import WINDOW_DAYS, Floats, sums_of
from central.core.reorder.receipts import LeadBook
from central.services.doubts import Doubts
from central.services.foresight import Foresight, with_worth
from central.services.policy import shipped_rows
from central.services.positions import Owed, Scene, Storeroom
from central.services.replenish import decide_together
from central.store.queries_master import Item, Place, Terms
from protocols.values.instant import day_start, plus
from protocols.values.money import Money
from tests.bench.place_items import BLOCK, LINES, requests

TODAY, DAYS = date(2026, 3, 2), 90
ITEMS = 1_000
SUPPLIERS = 20
"""A steady state: a line's position is anywhere from its reorder point to its level, less one day's requests."""

STORE = "main-store"


def lead_book() -> LeadBook:
    """Return lead times seen of each supplier: some thirty orders."""
    chance, book, start = np.random.default_rng(3), LeadBook(), day_start(TODAY - timedelta(days=200))
    for number in range(SUPPLIERS):
        mean = chance.choice([1, 2, 3, 5, 8])
        lines = [Ordered((f"{number}-{one}", 1), plus(start, one * 86_400.0 * 5), 10) for one in range(30)]
        when = {line.key: plus(line.at, float(chance.poisson(mean)) * 86_400) for line in lines}
        book.enter(f"S{number:02}", "", lines, when, day_start(TODAY))
    return book


def hospital() -> Foresight:
    """Return the facts of a simulated hospital of so many place-items."""
    chance = np.random.default_rng(5)
    names = [f"I{number:04}" for number in range(ITEMS)]
    catalogue = {
        name: Item(name, name, name, "", "", "", int(chance.choice([1, 1, 5, 10])), "normal") for name in names
    }
    prices = np.asarray(chance.lognormal(1, 1.5, ITEMS) * 10_000, np.int64)
    terms = {
        name: [Terms(name, f"S{at % SUPPLIERS:02}", "", "", 1, Money(int(prices[at])), catalogue[name].pack, 0, 3)]
        for at, name in enumerate(names)
    }
    rules = rules_on(TODAY, shipped_rows())
    scene = Scene(rules, catalogue, terms, {}, Owed({}, {}), {})
    sight = Foresight(scene, leads=lead_book())
    store = {name: int(chance.integers(0, 4_000)) for name in names}
    scene.storerooms[STORE] = Storeroom(Place(STORE, 1, "", "", "", ""), store, {}, frozenset(names), TODAY)
    blocks = [requests(seed) for seed in range(2)]
    for number in range(LINES // ITEMS):
        block, row = blocks[number * ITEMS // BLOCK % 2], number * ITEMS % BLOCK
        add_ward(sight, f"ward-{number:03}", block[row : row + ITEMS], names)
    return sight


def add_ward(sight: Foresight, place: str, daily: Floats, names: list[str]) -> None:
    """Add a ward with its use, sums and shelf."""
    since, last = TODAY - timedelta(days=DAYS), TODAY - timedelta(days=1)
    demand, physical = {}, dict.fromkeys(names, 0)
    for item, row in zip(names, daily, strict=True):
        sizes = tuple(int(qty) for qty in row[-DAYS:] if qty)
        demand[item] = Demand(since, last, sum(sizes), sizes)
        sight.sums.setdefault(item, {})[place] = sums_of([int(qty) for qty in row if qty], WINDOW_DAYS)
    sight.known_days[place] = WINDOW_DAYS
    room = Storeroom(Place(place, 2, "", "", STORE, ""), physical, demand, frozenset(names), TODAY)
    sight.scene.storerooms[place] = room


def fill_shelves(policy: str, sight: Foresight) -> None:
    """Put each ward's line somewhere between its reorder point and its level, and take a day's requests off."""
    chance = np.random.default_rng(7)
    wards = list(sight.scene.storerooms.values())[1:]
    if policy == SYSTEM:
        sight = with_worth(sight, ([sight.facts(room.place, item) for item in room.demand] for room in wards))
    for room in wards:
        found = outlines(policy, [sight.facts(room.place, item) for item in room.demand])
        for (item, demand), outline in zip(room.demand.items(), found, strict=True):
            if outline.plan is None or not outline.plan.order_up_to:
                continue
            at = int(chance.integers(int(outline.plan.trigger), outline.plan.order_up_to + 1))
            asked = int(chance.choice(demand.sizes)) if chance.random() < len(demand.sizes) / DAYS else 0
            room.physical[item] = max(0, at - asked)


def peak_mb() -> int:
    """Return the most memory this process has held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Measure and print."""
    sight = hospital()
    line: dict[str, object] = {"bench": "reorder-nightly", "lines": LINES, "simulated": True, "facts_mb": peak_mb()}
    for policy in ("engine-item", SYSTEM):
        fill_shelves(policy, sight)
        start_ns = time.process_time_ns()
        thought = decide_together(policy, sight, Doubts())
        spent = (time.process_time_ns() - start_ns) / 1e9
        line[policy] = {"cpu_s": round(spent, 1), "proposed": len(thought.wanted), "aside": dict(thought.aside)}
        del thought
    sys.stdout.write(json.dumps(line | {"peak_mb": peak_mb()}) + "\n")


main()
