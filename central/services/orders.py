"""Approve a proposal: the one approval by which it becomes an order.

The number carries the business day of that first approval and is kept with the proposal. The rule that must not be
broken: approving twice, from two windows, after a lost answer or on another day, finds the same order.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.orders import (
    Arrived,
    Ordered,
    Progress,
    State,
    Step,
    fillings,
    order_number,
    outstanding,
    progress,
    step,
)
from central.core.purchasing import check_value
from central.core.rights import EVERYWHERE, Scope
from central.errors import NotNow, NotThere
from central.services.order_checks import keep_alerts, known_at, let_pass
from central.services.positions import DAY_S, ORDERS_COUNTED_DAYS
from central.store.audit import note
from central.store.engine import Store
from central.store.queries_book import arrivals_in
from central.store.queries_purchasing import states
from central.store.queries_work import Order, Proposal, ordered, orders, proposals
from central.store.tables.work import ORDER_LINE, PROPOSAL, PURCHASE_ORDER
from protocols.values.ids import ActorId, HospitalId, OrderNo
from protocols.values.instant import Instant, business_day, plus


@dataclass(frozen=True, slots=True)
class Approved:
    """The order a proposal became; `fresh` tells whether this approval made it."""

    order_no: OrderNo
    fresh: bool


def approve(
    store: Store, hospital: HospitalId, proposal: str, actor: ActorId, now: Instant, *, seen: str | None = None
) -> Approved:
    """Make a proposal an order, or find the order it already is.

    `seen` is the version the approver saw, where that is known: the order goes to that source, in that quantity and at
    that price. Raises `NotThere`; `NotNow` when it was withdrawn or says another of the three since it was seen;
    `Stopped` when a check stands in its way; `NotAllowed` for who waived that check.
    """
    with store.write() as connection:
        found = proposals(connection, hospital, id=proposal)
        if not found:
            raise NotThere(f"proposal: expected one that exists, got {proposal!r:.40}; reload the page")
        (one,) = found
        after = step(one.status, Step.APPROVE)
        if one.status is State.ORDERED:
            return Approved(OrderNo(one.order_no), fresh=False)
        if seen not in {None, one.version}:
            raise NotNow(
                f"proposal: expected version {one.version} ({one.qty} from {one.source}), got {seen!r:.40}; it has "
                "changed since you saw it; reload the page"
            )
        number = place_order(connection, hospital, one, actor, now)
        connection.execute(
            PROPOSAL.update()
            .where(PROPOSAL.c.hospital == hospital, PROPOSAL.c.proposal == one.id)
            .values(status=str(after), closed_at=now, order_no=number)
        )
        detail = {"order": number, "item": one.item, "place": one.place, "qty": one.qty, "source": one.source}
        note(connection, hospital, now, person=actor, act="approve", subject=one.id, detail=detail)
    return Approved(number, fresh=True)


def place_order(
    connection: Connection, hospital: HospitalId, one: Proposal, actor: ActorId, now: Instant, requisition: str = ""
) -> OrderNo:
    """Write the order that a proposal becomes, with what is found of it. Raises `Stopped`, `NotAllowed` as `approve`.

    Raises `BadInput` for one that is worth more than sums can hold. The proposal is marked by the caller, in the same
    transaction.
    """
    check_value(one.qty, one.price)
    judged = (
        [] if one.internal else known_at(connection, hospital, now, item=one.item).of(one.item, one.source, one.price)
    )
    let_pass(judged, actor)
    number = order_number(one.id, business_day(now), internal=one.internal)
    _write_order(connection, hospital, one, number, actor, now, requisition)
    keep_alerts(connection, hospital, number, judged, now)
    return number


def _write_order(
    connection: Connection,
    hospital: HospitalId,
    one: Proposal,
    number: OrderNo,
    actor: ActorId,
    now: Instant,
    requisition: str,
) -> None:
    connection.execute(
        PURCHASE_ORDER.insert().values(
            hospital=hospital,
            order_no=number,
            supplier="" if one.internal else one.source,
            source=one.source,
            place=one.place,
            status=str(Progress.APPROVED),
            created_at=now,
            approved_by=actor,
        )
    )
    connection.execute(
        ORDER_LINE.insert().values(
            hospital=hospital,
            order_no=number,
            line_no=1,
            item=one.item,
            qty=one.qty,
            price=one.price,
            proposal=one.id,
            reason=json.dumps(dict(one.reason), sort_keys=True),
            requisition=requisition,
        )
    )


def first_arrivals(
    connection: Connection, hospital: HospitalId, listed: Sequence[Order], now: Instant
) -> dict[str, Instant]:
    """Return when the first goods of each listed order came; an order of which nothing came is left out."""
    rooms, items = sorted({one.place for one in listed}), sorted({line.item for one in listed for line in one.lines})
    found: dict[str, Instant] = {}
    for lines, came in _waited(connection, hospital, rooms, now, items):
        for one in fillings(lines, came):
            found.setdefault(one.key[0], one.arrival.at)
    return found


def owed_in(connection: Connection, hospital: HospitalId, place: str, now: Instant) -> dict[tuple[str, int], int]:
    """Return what each line of the orders for a storeroom still owes, in base units; too old ones are left out."""
    left: dict[tuple[str, int], int] = {}
    for lines, came in _waited(connection, hospital, [place], now):
        left |= outstanding(lines, came)
    return left


def arrived_in(connection: Connection, hospital: HospitalId, place: str, now: Instant) -> Counter[tuple[str, int]]:
    """Return what came of each line of the orders for a storeroom, given up or not; too old ones are left out."""
    found: Counter[tuple[str, int]] = Counter()
    for lines, came in _waited(connection, hospital, [place], now):
        for one in fillings(lines, came):
            found[one.key] += one.qty
    return found


def promised_by(
    connection: Connection, hospital: HospitalId, source: str, rooms: Collection[str], item: str, now: Instant
) -> int:
    """Return the base units of an item that a storeroom still owes others by its orders."""
    since = plus(now, -ORDERS_COUNTED_DAYS * DAY_S)
    lines = ordered(connection, hospital, since, rooms=rooms, items=[item])
    mine = {line.key for _, _, who, line in lines if who == source}
    return sum(
        qty
        for several, came in _waited(connection, hospital, rooms, now, [item])
        for key, qty in outstanding(several, came).items()
        if key in mine
    )


def _waited(
    connection: Connection,
    hospital: HospitalId,
    rooms: Collection[str],
    now: Instant,
    items: Collection[str] | None = None,
) -> list[tuple[list[Ordered], Sequence[Arrived]]]:
    """Return the order lines for storerooms and what arrived there, by storeroom and item."""
    since = plus(now, -ORDERS_COUNTED_DAYS * DAY_S)
    came = arrivals_in(connection, hospital, rooms, since, items)
    lines: dict[tuple[str, str], list[Ordered]] = {}
    for place, item, _source, line in ordered(connection, hospital, since, rooms=rooms, items=items):
        lines.setdefault((place, item), []).append(line)
    return [(of_item, came[place].get(item, [])) for (place, item), of_item in lines.items()]


def progress_of(connection: Connection, hospital: HospitalId, listed: list[Order], now: Instant) -> dict[str, Progress]:
    """Return how far each of the listed orders has come, by order number, whoever lists them and however many."""
    rooms, items = sorted({one.place for one in listed}), sorted({line.item for one in listed for line in one.lines})
    left: dict[tuple[str, int], int] = {}
    for lines, came in _waited(connection, hospital, rooms, now, items):
        left |= outstanding(lines, came)
    standing = states(connection, hospital, "order", [one.order_no for one in listed])
    return {
        one.order_no: progress(
            sum(line.qty for line in one.lines),
            sum(left.get((one.order_no, line.line_no), line.qty) for line in one.lines),
            standing.get(one.order_no, Progress.APPROVED),
        )
        for one in listed
    }


def orders_now(
    store: Store, hospital: HospitalId, now: Instant, scope: Scope = EVERYWHERE
) -> list[tuple[Order, Progress]]:
    """Return the orders in a scope, the newest first, with how far each has come."""
    return orders_shown(store, hospital, now, scope)[0]


def orders_shown(
    store: Store,
    hospital: HospitalId,
    now: Instant,
    scope: Scope,
    state: str = "",
    part: slice = slice(None),
) -> tuple[list[tuple[Order, Progress]], int]:
    """Return a part of the same list, or of those of it that have come so far, and how many there are.

    Where no state is asked for, only the orders of the part are followed to what came.
    """
    with store.read() as connection:
        listed = orders(connection, hospital, scope)
        followed = listed if state else listed[part]
        come = progress_of(connection, hospital, followed, now)
    found = [(one, come[one.order_no]) for one in followed]
    if not state:
        return found, len(listed)
    chosen = [(one, far) for one, far in found if far == state]
    return chosen[part], len(chosen)
