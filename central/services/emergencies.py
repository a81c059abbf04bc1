"""Emergencies as they stand: what was asked for in one, its orders, and its clocks; those that need somebody first.

It decides nothing; the clocks are in core. The rule that must not be broken: every instant is a document's or the
ledger's own.

Source: G2 (S0), B1 (S0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.policy import Rules
from central.core.purchasing import OrderState, OrderStep, open_to_arrivals
from central.core.requisitions import (
    Emergency,
    Hours,
    RequisitionState,
    RequisitionStep,
    Timer,
    is_late,
    timers,
)
from central.core.rights import EVERYWHERE, Scope
from central.core.suppliers import CaseKind, Clock
from central.services.orders import first_arrivals
from central.services.policy import rules_at
from central.services.positions import DAY_S
from central.store.queries_purchasing import DocumentStep, histories
from central.store.queries_requisitions import Requisition, requisitions
from central.store.queries_work import Order, orders
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus

SHOWN_DAYS = 90
"""Emergencies older than this are history: no clock of theirs runs any more that anybody could stop."""
OVER = frozenset({RequisitionState.REFUSED, RequisitionState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Running:
    """One emergency with its clocks."""

    requisition: Requisition
    clocks: Mapping[Timer, Clock]

    @property
    def late(self) -> bool:
        """Tell whether a clock that runs is over its limit."""
        return is_late(self.clocks)

    @property
    def over(self) -> bool:
        """Tell whether every clock has stopped."""
        return not any(one.running for one in self.clocks.values())


def emergencies(
    connection: Connection, hospital: HospitalId, now: Instant, scope: Scope = EVERYWHERE, *, named: str = ""
) -> list[Running]:
    """Return the emergencies of the last days, those that are late first, then those that run; or the one named."""
    since = None if named else plus(now, -SHOWN_DAYS * DAY_S)
    found = requisitions(connection, hospital, scope, named=[named] if named else None, emergency=True, since=since)
    asked = [one for one in found if one.state not in OVER]
    if not asked:
        return []
    made = orders(connection, hospital, named={number for one in asked for number in one.orders.values()})
    by_number = {one.order_no: one for one in made}
    steps = histories(connection, hospital, [*(one.requisition for one in asked), *by_number])
    came = first_arrivals(connection, hospital, made, now)
    hours = hours_of(rules_at(connection, hospital, now))
    running = [
        Running(one, timers(_facts(one, [by_number[each] for each in one.orders.values()], steps, came), now, hours))
        for one in asked
    ]
    return sorted(running, key=rank)


def rank(one: Running) -> tuple[int, int, int, str]:
    """Return by what emergencies are listed: late first, then running, the newest first."""
    return int(not one.late), int(one.over), -one.requisition.asked_at, one.requisition.requisition


def hours_of(rules: Rules) -> Hours:
    """Return how long each may take."""
    return Hours(
        rules.whole("case.hours", CaseKind.EMERGENCY),
        rules.whole("case.hours", CaseKind.DISRUPTION),
        rules.whole("emergency.paper_hours"),
    )


def _facts(
    one: Requisition,
    made: Sequence[Order],
    steps: Mapping[str, Sequence[DocumentStep]],
    came: Mapping[str, Instant],
) -> Emergency:
    """Return when what happened; of several orders the last counts, and one that was given up is over."""
    ended = {order.order_no: _ended(steps.get(order.order_no, ())) for order in made}
    supplied = [came.get(order.order_no, ended[order.order_no]) for order in made]
    bought = [order for order in made if order.supplier]
    answered = [
        _at(steps.get(order.order_no, ()), OrderStep.CONFIRM) or ended[order.order_no] or came.get(order.order_no)
        for order in bought
    ]
    own = steps.get(one.requisition, ())
    return Emergency(
        one.asked_at, _at(own, RequisitionStep.PLACE), _last(answered), _last(supplied),
        _at(own, RequisitionStep.COMPLETE), outside=bool(bought),
    )  # fmt: skip


def _at(steps: Sequence[DocumentStep], step: str) -> Instant | None:
    return next((one.at for one in steps if one.step == step), None)


def _ended(steps: Sequence[DocumentStep]) -> Instant | None:
    return next((one.at for one in steps if not open_to_arrivals(OrderState(one.state))), None)


def _last(instants: Sequence[Instant | None]) -> Instant | None:
    """Return the last of some instants, None when there is none or one is still awaited."""
    known = [one for one in instants if one is not None]
    return max(known) if known and len(known) == len(instants) else None
