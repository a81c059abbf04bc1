"""What agreements, suppliers, the catalogue, empty bins and consignment say of what may be reordered, beside a scene.

It decides nothing. The rule that must not be broken: it is read in the transaction of the scene.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from central.core.conflicts import Sort
from central.core.conflicts.acts import counted_on, waits_for_count
from central.core.reorder.two_bin import Card, Moved, bins_after, two_bin_need
from central.core.suppliers import Dimension
from central.services.consignment import to_lay_in_now
from central.services.order_checks import vbp_prices
from central.services.positions import DAY_S, ORDERS_COUNTED_DAYS, Admitted, Scene
from central.store.queries_book import arrivals_at
from central.store.queries_catalogue import classes_now, inactive_items, on_request_items
from central.store.queries_conflicts import standing
from central.store.queries_reorder import cards_shown
from central.store.queries_suppliers import blocked_suppliers, grades_on
from central.store.queries_work import ordered
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, plus

VITAL = "vital"


def admit(connection: Connection, hospital: HospitalId, now: Instant, scene: Scene) -> Scene:
    """Return a scene with what may be ordered, the items' classes, and what empty bins ask for."""
    today = business_day(now)
    winning, _ = vbp_prices(connection, hospital, today)
    seen = {
        supplier: one.tallies[Dimension.ON_TIME].share
        for supplier, one in grades_on(connection, hospital, today).items()
    }
    admitted = Admitted(
        winning,
        blocked_suppliers(connection, hospital),
        inactive_items(connection, hospital),
        on_request_items(connection, hospital),
        {supplier: share for supplier, share in seen.items() if share is not None},
        _to_count(connection, hospital, now, scene),
    )
    classes = {item: str(class_) for item, (_, class_, _) in classes_now(connection, hospital).items()}
    bins = bins_at(connection, hospital, now) | to_lay_in_now(connection, hospital, now, scene.owed.waiting)
    return replace(scene, admitted=admitted, bins=bins, classes=classes)


def _to_count(connection: Connection, hospital: HospitalId, now: Instant, scene: Scene) -> frozenset[tuple[str, str]]:
    """Return the lines that are counted before they are reordered; what is below zero is counted on as empty."""
    wait: set[tuple[str, str]] = set()
    for one in standing(connection, hospital, sorts=(Sort.NEGATIVE,)):
        room, item = scene.storerooms.get(one.place), scene.catalogue.get(one.item)
        if room is None or item is None or room.physical.get(one.item, 0) >= 0:
            continue  # of another lot there is enough
        room.physical[one.item] = counted_on(room.physical[one.item])
        if waits_for_count(one.due_at, now, vital=item.criticality == VITAL):
            wait.add((one.place, one.item))
    return frozenset(wait)


def bins_at(connection: Connection, hospital: HospitalId, now: Instant) -> dict[tuple[str, str], int]:
    """Return the base units that empty bins ask for and nobody ordered yet, by place and item kept in bins."""
    since = plus(now, -ORDERS_COUNTED_DAYS * DAY_S)
    happened: defaultdict[tuple[str, str], list[Card | Moved]] = defaultdict(list)
    for place, item, card in cards_shown(connection, hospital, since):
        happened[place, item].append(card)
    if not happened:
        return {}
    for place, item, _, line in ordered(connection, hospital, since):
        if (place, item) in happened and line.until is None:
            happened[place, item].append(Moved(line.at, line.qty, arrived=False))
    for place in {place for place, _ in happened}:
        for item, came in arrivals_at(connection, hospital, place, since).items():
            if (place, item) in happened:
                happened[place, item] += [Moved(one.at, one.qty, arrived=True) for one in came]
    return {key: _asked(several) for key, several in happened.items()}


def _asked(happened: Iterable[Card | Moved]) -> int:
    return sum(two_bin_need(bins) for bins in bins_after(happened))
