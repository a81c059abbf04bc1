"""What needs somebody now, by the rights they hold: how many of each thing wait for a person like them, and where.

It decides nothing and changes nothing. The rules that must not be broken: what somebody may not see or do is not
counted for them; and the page a count leads to lists just what was counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, func, select

from central.core.charging import day_lines
from central.core.purchasing import InvoiceState
from central.core.rights import Caller, Right, Scope
from central.services.asking import asked_now
from central.services.awaited import at_wards, to_accept, to_hand_out
from central.services.batches import BATCH_MAX
from central.services.desk import Desk
from central.services.emergencies import emergencies
from central.services.requisitions import to_decide
from central.services.rules import to_agree
from central.store import queries_charges as charges
from central.store.queries_batches import orders_waiting
from central.store.queries_permits import standings
from central.store.queries_purchasing import states
from central.store.queries_settling import awaited
from central.store.queries_work import open_proposals, within
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
    waiting = awaited(desk.hospital, caller.person)
    query = (
        select(func.count())
        .select_from(DISCREPANCY)
        .where(
            *(DISCREPANCY.c.hospital == desk.hospital, DISCREPANCY.c.status == "open"),
            *(DISCREPANCY.c.discrepancy.in_(waiting), within(DISCREPANCY.c.place, scope)),
        )
    )
    return int(connection.scalar(query) or 0)


def _counts(connection: Connection, desk: Desk, _caller: Caller, scope: Scope) -> int:
    return len(asked_now(connection, desk.hospital, desk.now(), scope=scope))


def _to_send(connection: Connection, desk: Desk, _caller: Caller, scope: Scope) -> int:
    """Count the orders to suppliers on the page of orders to send; what goes between storerooms is not sent."""
    return len(orders_waiting(connection, desk.hospital, scope, BATCH_MAX))


def _to_accept(connection: Connection, desk: Desk, caller: Caller, _scope: Scope) -> int:
    return len(to_accept(connection, desk.hospital, caller, desk.now()))


def _to_hand_out(connection: Connection, desk: Desk, caller: Caller, _scope: Scope) -> int:
    return len(to_hand_out(connection, desk.hospital, caller, desk.now()))


def _at_wards(connection: Connection, desk: Desk, caller: Caller, _scope: Scope) -> int:
    return len(at_wards(connection, desk.hospital, caller, desk.now()))


def _invoices_in(wanted: InvoiceState) -> Count:
    def count(connection: Connection, desk: Desk, _caller: Caller, _scope: Scope) -> int:
        return len(states(connection, desk.hospital, "invoice", standing=[wanted]))

    return count


def _rules(connection: Connection, desk: Desk, caller: Caller, _scope: Scope) -> int:
    return len(to_agree(connection, desk.hospital, caller))


def _permits(connection: Connection, desk: Desk, caller: Caller, scope: Scope) -> int:
    """Count the wards whose permit somebody else asks to move."""
    found = standings(connection, desk.hospital).items()
    return sum(
        1 for place, one in found if place in scope and one.waits is not None and one.waits.person != caller.person
    )


def _items(connection: Connection, desk: Desk, _caller: Caller, _scope: Scope) -> int:
    return len(states(connection, desk.hospital, "item", standing=["evidence"]))


def _charges(connection: Connection, desk: Desk, _caller: Caller, scope: Scope) -> int:
    """Count the lines of the days before today on which use and charges differ."""
    today = business_day(desk.now())
    since, until = day_start(today - timedelta(days=CHARGE_DAYS)), day_start(today)
    charged = charges.charged_by_day(connection, desk.hospital, scope, since, until)
    if not charged:
        return 0  # nothing was ever charged here: the other system is not connected, and every use would differ
    used = charges.used_by_day(connection, desk.hospital, scope, since, until)
    return sum(1 for one in day_lines(used, charged) if one.difference)


def _asked(connection: Connection, desk: Desk, caller: Caller, _scope: Scope) -> int:
    return len(to_decide(connection, desk.hospital, caller))


def _late(connection: Connection, desk: Desk, _caller: Caller, scope: Scope) -> int:
    return sum(1 for one in emergencies(connection, desk.hospital, desk.now(), scope) if one.late)


COUNTS: Mapping[str, tuple[Right, str, Count]] = {
    "late-emergencies": (Right.PURCHASE, "/requisitions?state=late", _late),
    "decide-requisitions": (Right.APPROVE, "/requisitions?state=decide", _asked),
    "approve-proposals": (Right.APPROVE, "/proposals", _proposals),
    "agree-to-settle": (Right.SETTLE, "/discrepancies?status=waiting", _second),
    "count-lines": (Right.MOVE_STOCK, "/counts", _counts),
    "send-orders": (Right.PURCHASE, "/batches", _to_send),
    "accept-deliveries": (Right.RECEIVE, "/orders?waits=accept", _to_accept),
    "hand-out": (Right.RECEIVE, "/orders?waits=hand-out", _to_hand_out),
    "receive-at-ward": (Right.MOVE_STOCK, "/orders?waits=ward", _at_wards),
    "settle-invoices": (Right.INVOICE, "/invoices?state=disputed", _invoices_in(InvoiceState.DISPUTED)),
    "pay-invoices": (Right.PAY, "/invoices?state=matched", _invoices_in(InvoiceState.MATCHED)),
    "agree-to-rules": (Right.SEE_STOCK, "/rules?waits=1", _rules),
    "confirm-permits": (Right.JUDGE_WARDS, "/permits?waits=1", _permits),
    "approve-items": (Right.APPROVE_HIGH, "/catalogue?show=evidence", _items),
    "compare-charges": (Right.SETTLE, "/charges?differing=1", _charges),
}
"""What may wait, in the order in which it is told: the right that makes it somebody's, its page, how it is counted."""
