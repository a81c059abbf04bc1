"""What needs a person, read back: discrepancies, matches, proposals, orders; and the writes that renew them.

No rule lives here; a page's lists have a named limit. The rule that must not be broken: every query names the hospital,
and what is over is never removed.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, ScalarSelect, Select, func, select, true

from central.core.discrepancies import Kind, Open
from central.core.match import Match
from central.core.orders import Ordered, State, version_of
from central.core.purchasing import OrderState, open_to_arrivals
from central.core.rights import EVERYWHERE, Scope
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.tables.purchasing import DOCUMENT_STEP
from central.store.tables.work import DISCREPANCY, IS_OPEN, ORDER_LINE, PROPOSAL, PURCHASE_ORDER, STOREROOM_MATCH
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money

LISTED_MAX = 500
"""Rows a list gives at most: more than a person reads, and a page stays small."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One discrepancy as it stands."""

    id: str
    kind: str
    device: str
    place: str
    item: str
    lot: str
    unit: str
    opened_at: Instant
    found_at: Instant
    since: Instant
    found_event: str
    status: str
    closed_at: Instant | None
    cause: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal as it stands."""

    id: str
    run: str
    place: str
    item: str
    source: str
    internal: bool
    qty: int
    price: Money
    reason: Mapping[str, Any]
    policy: str
    policy_version: str
    status: State
    made_at: Instant
    order_no: str
    refusal: str = ""
    refusal_text: str = ""

    @property
    def version(self) -> str:
        """Return the name of what would be ordered: another source, quantity or price has another."""
        return version_of(self.source, self.qty, self.price)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order; price a base unit."""

    line_no: int
    item: str
    qty: int
    price: Money
    proposal: str
    reason: Mapping[str, Any]
    requisition: str


@dataclass(frozen=True, slots=True)
class Order:
    """One approved order with its lines."""

    order_no: str
    supplier: str
    source: str
    place: str
    created_at: Instant
    approved_by: str
    lines: tuple[OrderLine, ...]


def within(place: Column[str], scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a column names a storeroom in a scope."""
    return true() if scope.everywhere else place.in_(sorted(scope.places))


def discrepancies(
    connection: Connection,
    hospital: HospitalId,
    *,
    status: str = "",
    place: str = "",
    id: str = "",
    scope: Scope = EVERYWHERE,
) -> list[Discrepancy]:
    """Return the newest discrepancies in a scope, of one status, storeroom or id where they are named."""
    query = _discrepancies(hospital, status=status, place=place, id=id, scope=scope)
    rows = connection.execute(
        query.order_by(DISCREPANCY.c.opened_at.desc(), DISCREPANCY.c.discrepancy).limit(LISTED_MAX)
    )
    return [_discrepancy(row) for row in rows]


DISCREPANCIES = Keyset("discrepancies", (Key(DISCREPANCY.c.opened_at, falling=True), Key(DISCREPANCY.c.discrepancy)))


def discrepancies_page(
    connection: Connection,
    hospital: HospitalId,
    asked: PageAsked,
    *,
    status: str = "",
    place: str = "",
    scope: Scope = EVERYWHERE,
    among: Select[Any] | None = None,
) -> Page[Discrepancy]:
    """Return a page of the discrepancies in a scope, the newest first; of those `among` some ids where it is given.

    Raises `BadInput` for its cursor.
    """
    query = _discrepancies(hospital, status=status, place=place, id="", scope=scope)
    if among is not None:
        query = query.where(DISCREPANCY.c.discrepancy.in_(among))
    rows, cursor = DISCREPANCIES.rows(connection, query, asked)
    return Page(tuple(_discrepancy(row) for row in rows), cursor)


def _discrepancies(hospital: HospitalId, *, status: str, place: str, id: str, scope: Scope) -> Select[Any]:
    query = select(DISCREPANCY).where(DISCREPANCY.c.hospital == hospital, within(DISCREPANCY.c.place, scope))
    if id:
        query = query.where(DISCREPANCY.c.discrepancy == id)
    if status:
        query = query.where(DISCREPANCY.c.status == status)
    if place:
        query = query.where(DISCREPANCY.c.place == place)
    return query


def _discrepancy(row: Any) -> Discrepancy:  # noqa: ANN401 # a row of Core has no type of its own
    return Discrepancy(
        row.discrepancy,
        row.kind,
        row.device,
        row.place,
        row.item,
        row.lot,
        row.unit,
        row.opened_at,
        row.found_at,
        row.since,
        row.found_event_id.hex(),
        row.status,
        row.closed_at,
        row.cause,
        json.loads(row.evidence),
    )


def standing(connection: Connection, hospital: HospitalId, place: str) -> list[Open]:
    """Return every open discrepancy of a storeroom."""
    rows = connection.execute(
        select(DISCREPANCY.c.discrepancy, DISCREPANCY.c.kind, DISCREPANCY.c.unit).where(
            DISCREPANCY.c.hospital == hospital, DISCREPANCY.c.status == "open", DISCREPANCY.c.place == place
        )
    )
    return [Open(row.discrepancy, Kind(row.kind), place, row.unit) for row in rows]


def open_counts(connection: Connection, hospital: HospitalId) -> dict[str, int]:
    """Return how many discrepancies stand open in each storeroom."""
    rows = connection.execute(
        select(DISCREPANCY.c.place, func.count().label("standing"))
        .where(DISCREPANCY.c.hospital == hospital, DISCREPANCY.c.status == "open")
        .group_by(DISCREPANCY.c.place)
    )
    return {row.place: row.standing for row in rows}


def matches(connection: Connection, hospital: HospitalId) -> dict[str, tuple[Instant, Match]]:
    """Return, by storeroom, when it was last looked at and how far record and physical agreed."""
    rows = connection.execute(select(STOREROOM_MATCH).where(STOREROOM_MATCH.c.hospital == hospital))
    return {
        row.place: (row.at, Match(row.lines, row.lines_right, row.book, row.differing, unobserved=row.unobserved))
        for row in rows
    }


def proposals(
    connection: Connection, hospital: HospitalId, *, status: str = "", id: str = "", scope: Scope = EVERYWHERE
) -> list[Proposal]:
    """Return the newest proposals in a scope, of one status or one id where it is given."""
    query = _proposals(hospital, status=status, id=id, scope=scope)
    ordered_query = query.order_by(PROPOSAL.c.made_at.desc(), PROPOSAL.c.place, PROPOSAL.c.item)
    return [_proposal(row) for row in connection.execute(ordered_query.limit(LISTED_MAX))]


PROPOSALS = Keyset(
    "proposals",
    (Key(PROPOSAL.c.made_at, falling=True), Key(PROPOSAL.c.place), Key(PROPOSAL.c.item), Key(PROPOSAL.c.proposal)),
)


def proposals_page(
    connection: Connection, hospital: HospitalId, asked: PageAsked, *, status: str = "", scope: Scope = EVERYWHERE
) -> Page[Proposal]:
    """Return a page of the proposals in a scope, the newest first. Raises `BadInput` for its cursor."""
    query = _proposals(hospital, status=status, id="", scope=scope)
    rows, cursor = PROPOSALS.rows(connection, query, asked)
    return Page(tuple(_proposal(row) for row in rows), cursor)


def _proposals(hospital: HospitalId, *, status: str, id: str, scope: Scope) -> Select[Any]:
    query = select(PROPOSAL).where(PROPOSAL.c.hospital == hospital, within(PROPOSAL.c.place, scope))
    if status:
        query = query.where(PROPOSAL.c.status == status)
    return query.where(PROPOSAL.c.proposal == id) if id else query


def open_proposals(connection: Connection, hospital: HospitalId, scope: Scope = EVERYWHERE) -> list[Proposal]:
    """Return every open proposal in a scope."""
    standing_open = (PROPOSAL.c.hospital == hospital, IS_OPEN, within(PROPOSAL.c.place, scope))
    rows = connection.execute(select(PROPOSAL).where(*standing_open))
    return [_proposal(row) for row in rows]


def open_proposal_counts(connection: Connection, hospital: HospitalId) -> dict[str, int]:
    """Return how many proposals stand open for each storeroom."""
    rows = connection.execute(
        select(PROPOSAL.c.place, func.count().label("standing"))
        .where(PROPOSAL.c.hospital == hospital, IS_OPEN)
        .group_by(PROPOSAL.c.place)
    )
    return {row.place: row.standing for row in rows}


def refused_since(connection: Connection, hospital: HospitalId, since: Instant) -> set[tuple[str, str]]:
    """Return place and item of the proposals that a person refused after an instant."""
    rows = connection.execute(
        select(PROPOSAL.c.place, PROPOSAL.c.item).where(
            PROPOSAL.c.hospital == hospital,
            PROPOSAL.c.status == State.REJECTED.value,
            PROPOSAL.c.closed_at > since,
        )
    )
    return {(row.place, row.item) for row in rows}


def _proposal(row: Any) -> Proposal:  # noqa: ANN401 # a row of Core has no type of its own
    return Proposal(
        row.proposal,
        row.run,
        row.place,
        row.item,
        row.source,
        row.internal,
        row.qty,
        row.price,
        json.loads(row.reason),
        row.policy,
        row.policy_version,
        State(row.status),
        row.made_at,
        row.order_no,
        row.refusal,
        row.refusal_text,
    )


def orders(
    connection: Connection, hospital: HospitalId, scope: Scope = EVERYWHERE, *, named: Collection[str] | None = None
) -> list[Order]:
    """Return orders for storerooms in a scope with their lines, the newest first: the last ones, or those named."""
    chosen = _orders(hospital, scope)
    if named is not None:
        chosen = chosen.where(PURCHASE_ORDER.c.order_no.in_(sorted(named)))
    newest = chosen.order_by(PURCHASE_ORDER.c.created_at.desc(), PURCHASE_ORDER.c.order_no)
    return _with_lines(connection, hospital, connection.execute(newest.limit(LISTED_MAX)).all())


ORDERS = Keyset("orders", (Key(PURCHASE_ORDER.c.created_at, falling=True), Key(PURCHASE_ORDER.c.order_no)))


def orders_page(
    connection: Connection, hospital: HospitalId, asked: PageAsked, *, scope: Scope = EVERYWHERE
) -> Page[Order]:
    """Return a page of the orders for storerooms in a scope, the newest first. Raises `BadInput` for its cursor."""
    heads, cursor = ORDERS.rows(connection, _orders(hospital, scope), asked)
    return Page(tuple(_with_lines(connection, hospital, heads)), cursor)


def _orders(hospital: HospitalId, scope: Scope) -> Select[Any]:
    return select(PURCHASE_ORDER).where(PURCHASE_ORDER.c.hospital == hospital, within(PURCHASE_ORDER.c.place, scope))


def _with_lines(connection: Connection, hospital: HospitalId, heads: Sequence[Row[Any]]) -> list[Order]:
    numbers = [head.order_no for head in heads]
    lines: dict[str, list[OrderLine]] = {number: [] for number in numbers}
    for row in connection.execute(
        select(ORDER_LINE)
        .where(ORDER_LINE.c.hospital == hospital, ORDER_LINE.c.order_no.in_(numbers))
        .order_by(ORDER_LINE.c.order_no, ORDER_LINE.c.line_no)
    ):
        lines[row.order_no].append(
            OrderLine(row.line_no, row.item, row.qty, row.price, row.proposal, json.loads(row.reason), row.requisition)
        )
    return [
        Order(
            head.order_no,
            head.supplier,
            head.source,
            head.place,
            head.created_at,
            head.approved_by,
            tuple(lines[head.order_no]),
        )
        for head in heads
    ]


def _ended_at() -> ScalarSelect[Any]:
    """Return when an order was closed or cancelled, NULL while it stands."""
    step = DOCUMENT_STEP.c
    return (
        select(step.at)
        .where(
            step.hospital == PURCHASE_ORDER.c.hospital,
            step.document == PURCHASE_ORDER.c.order_no,
            step.state.in_([state for state in OrderState if not open_to_arrivals(state)]),
        )
        .limit(1)
        .correlate(PURCHASE_ORDER)
        .scalar_subquery()
    )


def ordered(
    connection: Connection,
    hospital: HospitalId,
    since: Instant,
    *,
    rooms: Collection[str] | None = None,
    items: Collection[str] | None = None,
) -> list[tuple[str, str, str, Ordered]]:
    """Return the order lines made since an instant as (place, item, source, what was ordered when).

    Those for some storerooms or of some items where they are named.
    """
    chosen = (
        select(
            PURCHASE_ORDER.c.place, PURCHASE_ORDER.c.source, PURCHASE_ORDER.c.created_at, ORDER_LINE.c.order_no,
            ORDER_LINE.c.line_no, ORDER_LINE.c.item, ORDER_LINE.c.qty, _ended_at().label("until"),
        )
        .join(
            ORDER_LINE,
            (ORDER_LINE.c.hospital == PURCHASE_ORDER.c.hospital)
            & (ORDER_LINE.c.order_no == PURCHASE_ORDER.c.order_no),
        )
        .where(PURCHASE_ORDER.c.hospital == hospital)
    )  # fmt: skip
    made = PURCHASE_ORDER.c.created_at
    chosen = chosen.where((made if items is None else made + 0) >= since)  # where items are named, they are the way in
    if rooms is not None:
        chosen = chosen.where(PURCHASE_ORDER.c.place.in_(rooms))
    if items is not None:
        having = select(ORDER_LINE.c.order_no).where(ORDER_LINE.c.hospital == hospital, ORDER_LINE.c.item.in_(items))
        chosen = chosen.where(ORDER_LINE.c.item.in_(items), PURCHASE_ORDER.c.order_no.in_(having))
    return [
        (row.place, row.item, row.source, Ordered((row.order_no, row.line_no), row.created_at, row.qty, row.until))
        for row in connection.execute(chosen)
    ]


def order_mark(connection: Connection, hospital: HospitalId) -> int:
    """Return a number that is another one whenever an order was added: how many there are."""
    count = connection.execute(
        select(func.count()).select_from(PURCHASE_ORDER).where(PURCHASE_ORDER.c.hospital == hospital)
    ).scalar_one()
    return int(count)
