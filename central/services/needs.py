"""What needs somebody now, by the rights they hold: how many of each thing wait for a person like them, and where.

It decides nothing and changes nothing. The rule that must not be broken: what somebody may not see or do is not counted
for them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, func, select

from central.core.charging import day_lines
from central.core.purchasing import InvoiceState, OrderState
from central.core.rights import Caller, Right, Scope
from central.core.settling import Step
from central.services.desk import Desk
from central.store import queries_charges as charges
from central.store.queries_permits import standings
from central.store.queries_purchasing import states
from central.store.queries_settling import tasks
from central.store.queries_work import open_proposals, orders
from central.store.tables.settling import SETTLEMENT
from central.store.tables.work import DISCREPANCY
from protocols.values.instant import business_day, day_start

CHARGE_DAYS = 3
"""Days of use beside charges that are looked back on: a shift's charges may come the next day."""


@dataclass(frozen=True, slots=True)
class Need:
    """So many things of a kind wait, and the page they stand on."""

    kind: str
    count: int
    address: str


Count = Callable[[Connection, Desk, Caller, Scope], int]


def needs_of(desk: Desk, caller: Caller) -> list[Need]:
    """Return what waits for somebody, in the order of the table; what nothing waits of is left out."""
    found = []
    with desk.store.read() as connection:
        for kind, (right, address, count) in COUNTS.items():
            if caller.may(right):
                number = count(connection, desk, caller, caller.scope(right))
                found += [Need(kind, number, address)] if number else []
    return found


def _proposals(connection: Connection, desk: Desk, caller: Caller, scope: Scope) -> int:
    return len(open_proposals(connection, desk.hospital, scope))


def _second(connection: Connection, desk: Desk, caller: Caller, scope: Scope) -> int:
    """Count the discrepancies whose closing somebody else proposed."""
    step = SETTLEMENT.c
    last = (
        select(step.discrepancy, func.max(step.seq).label("seq"))
        .where(step.hospital == desk.hospital)
        .group_by(step.discrepancy)
        .subquery()
    )
    rows = connection.execute(
        select(DISCREPANCY.c.place)
        .join(last, last.c.discrepancy == DISCREPANCY.c.discrepancy)
        .join(SETTLEMENT, (step.discrepancy == last.c.discrepancy) & (step.seq == last.c.seq))
        .where(
            *(DISCREPANCY.c.hospital == desk.hospital, step.hospital == desk.hospital, DISCREPANCY.c.status == "open"),
            *(step.step == Step.PROPOSE.value, step.person != caller.person),
        )
    )
    return sum(1 for row in rows if row.place in scope)


def _counts(connection: Connection, desk: Desk, _caller: Caller, scope: Scope) -> int:
    return len(tasks(connection, desk.hospital, status="open", scope=scope))


def _orders_in(*wanted: OrderState) -> Count:
    def count(connection: Connection, desk: Desk, _caller: Caller, scope: Scope) -> int:
        known = states(connection, desk.hospital, "order")
        open_orders = orders(connection, desk.hospital, scope)
        return sum(1 for one in open_orders if OrderState(known.get(one.order_no, OrderState.APPROVED)) in wanted)

    return count


def _invoices_in(wanted: InvoiceState) -> Count:
    def count(connection: Connection, desk: Desk, _caller: Caller, _scope: Scope) -> int:
        return sum(1 for state in states(connection, desk.hospital, "invoice").values() if state == wanted.value)

    return count


def _permits(connection: Connection, desk: Desk, caller: Caller, scope: Scope) -> int:
    """Count the wards whose permit somebody else asks to move."""
    found = standings(connection, desk.hospital).items()
    return sum(
        1 for place, one in found if place in scope and one.waits is not None and one.waits.person != caller.person
    )


def _items(connection: Connection, desk: Desk, _caller: Caller, _scope: Scope) -> int:
    return sum(1 for state in states(connection, desk.hospital, "item").values() if state == "evidence")


def _charges(connection: Connection, desk: Desk, _caller: Caller, scope: Scope) -> int:
    """Count the lines of the days before today on which use and charges differ."""
    today = business_day(desk.now())
    since, until = day_start(today - timedelta(days=CHARGE_DAYS)), day_start(today)
    charged = charges.charged_by_day(connection, desk.hospital, scope, since, until)
    if not charged:
        return 0  # nothing was ever charged here: the other system is not connected, and every use would differ
    used = charges.used_by_day(connection, desk.hospital, scope, since, until)
    return sum(1 for one in day_lines(used, charged) if one.difference)


COUNTS: Mapping[str, tuple[Right, str, Count]] = {
    "approve-proposals": (Right.APPROVE, "/proposals", _proposals),
    "agree-to-settle": (Right.SETTLE, "/discrepancies", _second),
    "count-lines": (Right.MOVE_STOCK, "/counts", _counts),
    "send-orders": (Right.PURCHASE, "/orders", _orders_in(OrderState.APPROVED)),
    "accept-deliveries": (Right.RECEIVE, "/orders", _orders_in(OrderState.ANNOUNCED)),
    "settle-invoices": (Right.INVOICE, "/invoices", _invoices_in(InvoiceState.DISPUTED)),
    "pay-invoices": (Right.PAY, "/invoices", _invoices_in(InvoiceState.MATCHED)),
    "confirm-permits": (Right.JUDGE_WARDS, "/permits", _permits),
    "approve-items": (Right.APPROVE_HIGH, "/catalogue", _items),
    "compare-charges": (Right.SETTLE, "/charges?differing=1", _charges),
}
"""What may wait, in the order in which it is told: the right that makes it somebody's, its page, how it is counted."""
