"""How much was bought, received, used and is held, by item: orders and purchases before them, the ledger, the books.

Reading only, no rule. The rules that must not be broken: every query names the hospital; what is received or used is
told by the ledger, what is bought by orders that were not cancelled.
"""

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from central.core.agreements import Purchase
from central.core.purchasing import OrderState, OrderStep
from central.store.ledger import month_of
from central.store.named_orders import KINDS, orders_named
from central.store.queries_book import USED_ROLES
from central.store.tables.agreements import PURCHASE_DAY
from central.store.tables.ledger import BALANCE, EVENT, LEDGER, POSTING_LINE
from central.store.tables.master import PLACE, USE_DAY
from central.store.tables.purchasing import DOCUMENT_STEP, RECEIPT_LINE
from central.store.tables.work import ORDER_LINE, PURCHASE_ORDER
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, day_start
from protocols.values.money import Money, times


def purchases(
    connection: Connection, hospital: HospitalId, first: date, last: date, items: Collection[str] | None = None, *,
    known: Instant | None = None,
) -> list[Purchase]:  # fmt: skip
    """Return what was bought from a day to a day, both included: orders not cancelled, and purchases before them.

    `known` asks for what was known before that instant: an order cancelled later is one still.
    """
    order, line = PURCHASE_ORDER.c, ORDER_LINE.c
    rows = connection.execute(
        select(order.order_no, order.supplier, order.created_at, line.item, line.qty, line.price)
        .join(ORDER_LINE, (line.hospital == order.hospital) & (line.order_no == order.order_no))
        .where(order.hospital == hospital, order.supplier != "", *_between(order.created_at, first, last))
        .where(order.order_no.not_in(_cancelled(hospital, known)))
    )
    found = [
        Purchase(
            row.item, row.supplier, business_day(Instant(row.created_at)), row.qty, times(row.price, row.qty),
            row.order_no,
        )
        for row in rows
    ]  # fmt: skip
    day = PURCHASE_DAY.c
    before = connection.execute(
        select(PURCHASE_DAY).where(day.hospital == hospital, day.day.between(first, last), day.qty > 0)
    )
    found += [Purchase(row.item, row.supplier, row.day, row.qty, Money(row.amount)) for row in before]
    return found if items is None else [one for one in found if one.item in items]


def _between(column: ColumnElement[int], first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    return column >= day_start(first), column < day_start(last + timedelta(days=1))


def _cancelled(hospital: HospitalId, known: Instant | None) -> Select[tuple[str]]:
    step = DOCUMENT_STEP.c
    said = [step.at < known] if known is not None else []
    return select(step.document).where(step.hospital == hospital, step.state == OrderState.CANCELLED.value, *said)


def _arrived(hospital: HospitalId, known: Instant | None) -> list[ColumnElement[bool]]:
    """Return the conditions by which a posting line's entry had come before an instant; none where it is not asked."""
    if known is None:
        return []
    event, entry = EVENT.c, LEDGER.c
    later = (
        select(event.event_id)
        .join(
            LEDGER,
            and_(
                entry.hospital == event.hospital, entry.incarnation == event.incarnation, entry.seq == event.seq,
                entry.event_id == event.event_id,
            ),
        )
        .where(entry.hospital == hospital, entry.received_month >= month_of(known), entry.received_at >= known)
    )  # fmt: skip
    return [POSTING_LINE.c.event_id.not_in(later)]


def received(
    connection: Connection, hospital: HospitalId, first: date, last: date, *, known: Instant | None = None
) -> Counter[str]:
    """Return base units that came from suppliers from a day to a day, less what went back, by item.

    `known` counts the entries that had come before that instant.

    What a storeroom took in by the note of an order to a supplier came from there, though the entry says transit.
    """
    line = POSTING_LINE.c
    came, went = line.source.startswith("supplier@"), line.target.startswith("supplier@")
    rows = connection.execute(
        select(line.item, func.sum(case((came, line.qty), else_=-line.qty)).label("qty"))
        .where(line.hospital == hospital, or_(came, went), *_between(line.at, first, last), *_arrived(hospital, known))
        .group_by(line.item)
    )
    found = Counter({row.item: int(row.qty) for row in rows})
    found.update(_by_note(connection, hospital, first, last, known))
    day = PURCHASE_DAY.c
    before = select(day.item, func.sum(day.qty).label("qty")).where(
        day.hospital == hospital, day.day.between(first, last)
    )
    for row in connection.execute(before.group_by(day.item)):
        found[row.item] += int(row.qty)
    return found


def _by_note(
    connection: Connection, hospital: HospitalId, first: date, last: date, known: Instant | None
) -> Counter[str]:
    line, event, order = POSTING_LINE.c, EVENT.c, PURCHASE_ORDER.c
    firms = connection.scalars(select(order.order_no).where(order.hospital == hospital, order.supplier != ""))
    to_suppliers = set(firms)
    rows = connection.execute(
        select(line.event_id, line.item, line.qty)
        .join(EVENT, and_(event.hospital == line.hospital, event.event_id == line.event_id))
        .where(
            event.hospital == hospital,
            event.kind.in_(KINDS),
            line.source.startswith("transit@"),
            *_between(event.at, first, last),
            *_arrived(hospital, known),
        )
    ).all()
    named = orders_named(connection, hospital, {row.event_id for row in rows})
    found: Counter[str] = Counter()
    for row in rows:
        if named.get(row.event_id) in to_suppliers:
            found[row.item] += row.qty
    return found


def used(
    connection: Connection, hospital: HospitalId, first: date, last: date, *, known: Instant | None = None
) -> Counter[str]:
    """Return base units taken from storerooms to be used from a day to a day, less what came back, by item.

    `known` counts the entries that had come before that instant.
    """
    line = POSTING_LINE.c
    went = and_(_beside(line.target), ~line.source.contains("@"))
    back = and_(_beside(line.source), ~line.target.contains("@"))
    rows = connection.execute(
        select(line.item, func.sum(case((went, line.qty), else_=-line.qty)).label("qty"))
        .where(line.hospital == hospital, or_(went, back), *_between(line.at, first, last), *_arrived(hospital, known))
        .group_by(line.item)
    )
    found = Counter({row.item: int(row.qty) for row in rows})
    day = USE_DAY.c
    before = select(day.item, func.sum(day.qty).label("qty")).where(
        day.hospital == hospital, day.day.between(first, last)
    )
    for row in connection.execute(before.group_by(day.item)):
        found[row.item] += int(row.qty)
    return found


def _beside(place: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(place.startswith(f"{role}@") for role in USED_ROLES))


def held(connection: Connection, hospital: HospitalId, *, known: Instant | None = None) -> Counter[str]:
    """Return base units that the books of all storerooms hold, by item.

    `known` asks for what they held at that instant, by the entries that had come before it.
    """
    if known is not None:
        return _held_at(connection, hospital, known)
    rooms = select(PLACE.c.place).where(PLACE.c.hospital == hospital)
    rows = connection.execute(
        select(BALANCE.c.item, func.sum(BALANCE.c.qty).label("qty"))
        .where(BALANCE.c.hospital == hospital, BALANCE.c.place.in_(rooms))
        .group_by(BALANCE.c.item)
    )
    return Counter({row.item: int(row.qty) for row in rows})


def _held_at(connection: Connection, hospital: HospitalId, known: Instant) -> Counter[str]:
    line, found = POSTING_LINE.c, Counter[str]()
    rooms = select(PLACE.c.place).where(PLACE.c.hospital == hospital)
    had = (line.hospital == hospital, line.at < known, *_arrived(hospital, known))
    for place, sign in ((line.target, 1), (line.source, -1)):
        chosen = select(line.item, func.sum(line.qty).label("qty")).where(*had, place.in_(rooms)).group_by(line.item)
        for row in connection.execute(chosen):
            found[row.item] += sign * int(row.qty)
    return found


@dataclass(frozen=True, slots=True)
class Unnumbered:
    """One line of a receipt whose order was sent without a platform order number."""

    order_no: str
    receipt: str
    supplier: str
    item: str
    accepted: int
    at: Instant


def unnumbered(
    connection: Connection, hospital: HospitalId, first: date, last: date, *, known: Instant | None = None
) -> list[Unnumbered]:
    """Return what was accepted from a day to a day of orders that carry no platform order number (C6).

    `known` counts the numbers that were said before that instant.
    """
    line, order, step = RECEIPT_LINE.c, PURCHASE_ORDER.c, DOCUMENT_STEP.c
    rows = connection.execute(
        select(line.order_no, line.receipt, line.item, line.accepted, line.at, order.supplier)
        .join(PURCHASE_ORDER, (order.hospital == line.hospital) & (order.order_no == line.order_no))
        .where(line.hospital == hospital, line.accepted > 0, *_between(line.at, first, last))
        .order_by(line.at.desc(), line.receipt, line.line_no)
    ).all()
    sent = connection.execute(
        select(step.document, step.detail).where(
            step.hospital == hospital,
            step.kind == "order",
            step.step == OrderStep.SEND.value,
            *([step.at < known] if known is not None else []),
        )
    )
    numbered = {row.document for row in sent if json.loads(row.detail).get("platform_order_no")}
    return [
        Unnumbered(row.order_no, row.receipt, row.supplier, row.item, row.accepted, Instant(row.at))
        for row in rows
        if row.order_no not in numbered
    ]


def first_arrival(connection: Connection, hospital: HospitalId, item: str, since: Instant) -> Instant | None:
    """Return when an item first came from a supplier after an instant."""
    line = POSTING_LINE.c
    came = connection.scalar(
        select(func.min(line.at)).where(
            line.hospital == hospital, line.item == item, line.source.startswith("supplier@"), line.at > since
        )
    )
    return None if came is None else Instant(came)
