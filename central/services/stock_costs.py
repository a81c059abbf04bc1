"""What documents say that goods cost: receipts first, then the order an arrival fills, then what the lot cost last.

It decides no value; `core.valuation` does. The rule that must not be broken: a price is that of the purchase the goods
came by, never today's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from central.core.agreements import Dated, price_on
from central.core.orders import Arrived, Ordered, fillings
from central.core.valuation import Costs, Layer, Moved
from central.services.positions import DAY_S, ORDERS_COUNTED_DAYS
from central.store import queries_costs as kept
from central.store.queries_master import terms
from central.store.queries_month import lot_costs
from central.store.queries_work import ordered
from protocols.values.ids import HOSPITAL_OWNED, HospitalId
from protocols.values.instant import Instant, plus
from protocols.values.money import Money

Line = tuple[str, int]
"""Entry and line."""


def costs_of(connection: Connection, hospital: HospitalId, lines: Sequence[Moved], begins: Instant) -> Costs:
    """Return what documents say of the prices of some ledger lines of a time that begins at an instant."""
    came = [one for one in lines if _is_bought(one)]
    bought = _by_receipt(connection, hospital, came) | _by_name(connection, hospital, lines)
    left = [one for one in came if (one.event, one.line_no) not in bought]
    bought |= _by_order(connection, hospital, left, min([begins, *(one.at for one in left)]))
    consigned = kept.consigned_prices(connection, hospital)
    items = {item: several[0].price for item, several in terms(connection, hospital).items()}

    def price_of(item: str, supplier: str, day: date) -> Money:
        return _consigned_price(consigned.get((item, supplier), ()), day, items.get(item, Money(0)))

    return Costs(bought, price_of, lot_costs(connection, hospital), items)


def _is_bought(line: Moved) -> bool:
    return line.owner == HOSPITAL_OWNED and line.source.startswith("supplier@")


def _consigned_price(prices: Iterable[Dated], day: date, usual: Money) -> Money:
    """Return the price agreed for a supplier's goods on a day, else the one agreed before it, else the item's."""
    listed = list(prices)
    agreed = price_on(listed, day)
    if agreed is not None:
        return agreed
    before = [one for one in listed if one.first <= day]
    return max(before, key=lambda one: one.first).price if before else usual


def _by_receipt(connection: Connection, hospital: HospitalId, came: Iterable[Moved]) -> dict[Line, list[Layer]]:
    listed = list(came)
    told = kept.receipts_by_event(connection, hospital, {one.event for one in listed})
    found: dict[Line, list[Layer]] = {}
    for line in sorted(listed, key=lambda one: (one.event, one.line_no)):
        several = [part for part in told.get(line.event, ()) if (part.item, part.lot) == (line.item, line.lot)]
        exact = next((part for part in several if part.qty == line.qty), None)
        if exact is not None:
            told[line.event].remove(exact)
            found[line.event, line.line_no] = [Layer(exact.price, exact.qty, exact.origin)]
    return found


def _by_name(connection: Connection, hospital: HospitalId, lines: Sequence[Moved]) -> dict[Line, list[Layer]]:
    """Return the layers of what came into a storeroom by the note of an order to a supplier."""
    named = {one.names for one in lines if one.names}
    if not named:
        return {}
    priced: dict[tuple[str, str], kept.ReceiptPart] = {}
    for (order, _), one in sorted(kept.order_lines(connection, hospital, Instant(0), named).items()):
        priced.setdefault((order, one.item), one)
    found: dict[Line, list[Layer]] = {}
    for line in lines:
        ordered_at = priced.get((line.names, line.item))
        if ordered_at is not None and line.owner == HOSPITAL_OWNED and "@" in line.source:
            found[line.event, line.line_no] = [Layer(ordered_at.price, line.qty, ordered_at.origin)]
    return found


def _by_order(
    connection: Connection, hospital: HospitalId, left: Sequence[Moved], first: Instant
) -> dict[Line, list[Layer]]:
    """Return the layers of arrivals that no receipt tells of: those of the order lines they fill."""
    if not left:
        return {}
    since = plus(first, -ORDERS_COUNTED_DAYS * DAY_S)
    priced = kept.order_lines(connection, hospital, since)
    waited: defaultdict[tuple[str, str], list[Ordered]] = defaultdict(list)
    for place, item, _, one in ordered(connection, hospital, since):
        waited[place, item].append(one)
    wanted = {(one.event, one.line_no): one for one in left}
    found: dict[Line, list[Layer]] = {}
    for place, item in sorted({(one.target, one.item) for one in left}):
        arrivals = kept.arrivals_named(connection, hospital, place, item, since)
        found |= _filled(waited[place, item], arrivals, wanted, priced)
    return found


def _filled(
    waited: Sequence[Ordered],
    arrivals: Sequence[tuple[Line, Arrived]],
    wanted: Mapping[Line, Moved],
    priced: Mapping[tuple[str, int], kept.ReceiptPart],
) -> dict[Line, list[Layer]]:
    named = {id(one): line for line, one in arrivals}
    layers: defaultdict[Line, list[Layer]] = defaultdict(list)
    for one in fillings(waited, [arrival for _, arrival in arrivals]):
        line, order = named[id(one.arrival)], priced.get(one.key)
        if line in wanted and order is not None:
            layers[line].append(Layer(order.price, one.qty, order.origin))
    whole = {}
    for line, several in layers.items():
        rest = wanted[line].qty - sum(one.qty for one in several)
        last = several[-1]
        whole[line] = [*several, Layer(last.price, rest)] if rest > 0 else several
    return whole
