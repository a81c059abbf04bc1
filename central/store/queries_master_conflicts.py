"""What conflicts of master data are found in: changes of items, acts with them since, goods that came for an order.

No rule lives here. The rule that must not be broken: every query names the hospital, is bounded by a time and a limit.
"""

import json
from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, and_, func, select

from central.core.agreements import Dated, groups_in_force, price_on, winning_prices
from central.core.conflicts.master import Bought, ItemChange, Seen
from central.store.named_orders import orders_named
from central.store.queries_agreements import agreements, framework_prices, groups
from central.store.queries_costs import order_lines, receipts_by_event
from central.store.tables.feed import FEED_VERSION
from central.store.tables.ledger import DEVICE, EVENT, LEDGER, POSTING_LINE
from central.store.tables.master_history import MASTER_CHANGE
from central.store.tables.purchasing import RECEIPT_LINE
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money

ACTS_MAX = 5_000
"""Acts with one item after one change, and arrivals in all, that one look reads."""
ITEM, EVERYWHERE = "item", "global"
"""The kind of master data that edges count by, and the scope in which they are told of it."""


def item_changes(connection: Connection, hospital: HospitalId, since: Instant) -> list[ItemChange]:
    """Return the changes of items that took effect since an instant."""
    row = MASTER_CHANGE.c
    query = MASTER_CHANGE.select().where(row.hospital == hospital, row.kind == ITEM, row.applied_at >= since)
    return [
        ItemChange(
            one.key, one.seq, Instant(one.applied_at), json.loads(one.before), json.loads(one.after),
            _told_in(connection, hospital, Instant(one.applied_at)),
        )
        for one in connection.execute(query.order_by(row.applied_at, row.key).limit(ACTS_MAX))
        if one.before != "{}"
    ]  # fmt: skip


def _told_in(connection: Connection, hospital: HospitalId, at: Instant) -> int | None:
    row = FEED_VERSION.c
    query = select(func.min(row.version)).where(row.hospital == hospital, row.scope == EVERYWHERE, row.made_at >= at)
    found = connection.scalar(query)
    return None if found is None else int(found)


def acts_since(connection: Connection, hospital: HospitalId, item: str, since: Instant) -> list[Seen]:
    """Return the first acts with an item since an instant, with the version of the data their device said it knew."""
    line = POSTING_LINE.c
    query = (
        select(EVENT.c.event_id, EVENT.c.at, DEVICE.c.place, LEDGER.c.body)
        .join(EVENT, and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id))
        .join(DEVICE, and_(DEVICE.c.hospital == EVENT.c.hospital, DEVICE.c.device == EVENT.c.device))
        .join(
            LEDGER,
            and_(
                LEDGER.c.hospital == EVENT.c.hospital, LEDGER.c.incarnation == EVENT.c.incarnation,
                LEDGER.c.seq == EVENT.c.seq,
            ),
        )
        .where(line.hospital == hospital, line.item == item, line.at >= since, DEVICE.c.place != "")
        .order_by(line.at, line.event_id)
        .limit(ACTS_MAX)
    )  # fmt: skip
    acts: dict[str, Seen] = {}
    for row in connection.execute(query):
        try:
            version = read_body(row.body, MovementBody).master
        except ProtocolsError:
            continue  # set aside; it says nothing of what was known
        event = row.event_id.hex()
        acts[event] = Seen(event, row.place, item, Instant(row.at), version)
    return list(acts.values())


def bought_since(connection: Connection, hospital: HospitalId, since: Instant) -> list[Bought]:
    """Return what came for orders to suppliers since an instant, of which another price is agreed than was ordered."""
    came = [*_by_receipts(connection, hospital, since), *_by_notes(connection, hospital, since)]
    prices = _Agreed(connection, hospital)
    found = []
    for event, at, place, item, lot, order, supplier, qty, price in came:
        agreed = prices.on(item, supplier, business_day(at))
        if agreed is not None and agreed != price:
            found.append(Bought(event, place, item, lot, order, qty, price, agreed))
    return found


_Came = tuple[str, Instant, str, str, str, str, str, int, Money]
"""Event, when, storeroom, item, lot, order, supplier, base units, the order's price a base unit."""


def _by_receipts(connection: Connection, hospital: HospitalId, since: Instant) -> Iterable[_Came]:
    receipt, line = RECEIPT_LINE.c, POSTING_LINE.c
    query = (
        select(receipt.event_id, line.at, line.target)
        .join(POSTING_LINE, and_(line.hospital == receipt.hospital, line.event_id == receipt.event_id))
        .where(receipt.hospital == hospital, receipt.at >= since, receipt.accepted > 0)
    )
    events = {row.event_id.hex(): row for row in connection.execute(query.distinct().limit(ACTS_MAX))}
    for event, parts in receipts_by_event(connection, hospital, events.keys()).items():
        for part in parts:
            order, supplier = part.origin
            row = events[event]
            yield event, Instant(row.at), row.target, part.item, part.lot, order, supplier, part.qty, part.price


def _by_notes(connection: Connection, hospital: HospitalId, since: Instant) -> Iterable[_Came]:
    """Give what storerooms took in by the note of an order to a supplier."""
    line = POSTING_LINE.c
    query = (
        select(line.event_id, line.at, line.target, line.item, line.lot, line.qty)
        .join(EVENT, and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id))
        .where(line.hospital == hospital, EVENT.c.kind == "ward_receipt", line.at >= since)
        .order_by(line.at, line.event_id, line.line_no)
        .limit(ACTS_MAX)
    )
    rows = connection.execute(query).all()
    named = orders_named(connection, hospital, {row.event_id for row in rows})
    parts = order_lines(connection, hospital, Instant(0), set(named.values())) if named else {}
    priced = {(order, part.item): part for (order, _), part in parts.items()}
    for row in rows:
        part = priced.get((named.get(row.event_id, ""), row.item))
        if part is not None:
            order, supplier = part.origin
            event = row.event_id.hex()
            yield event, Instant(row.at), row.target, row.item, row.lot, order, supplier, row.qty, part.price


class _Agreed:
    """The prices agreed with suppliers, read once."""

    def __init__(self, connection: Connection, hospital: HospitalId) -> None:
        self._agreements, self._groups = agreements(connection, hospital), groups(connection, hospital)
        self._frameworks = framework_prices(connection, hospital)
        self._winning: dict[date, dict[str, Money]] = {}

    def on(self, item: str, supplier: str, day: date) -> Money | None:
        """Return the price in force on a day: of the framework agreement, else the winning price."""
        held: list[Dated] = [
            one.dated
            for one in self._frameworks
            if (one.item, one.agreement.supplier) == (item, supplier) and one.agreement.holds(day)
        ]
        if day not in self._winning:
            self._winning[day] = winning_prices(groups_in_force(self._agreements, self._groups, day))[0]
        price = price_on(held, day)
        return self._winning[day].get(item) if price is None else price
