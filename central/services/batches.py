"""Orders to one supplier for one storeroom sent together: what waits, what it saves, and the sending in one act.

The rules are in core. The rules that must not be broken: each order stays a document of its own with its own history;
a batch is sent whole or not at all.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from central.core.freight import Freight, Saved, freight_of, saved
from central.core.purchasing import OrderState, OrderStep, order_after
from central.core.rights import Caller, Right, Scope
from central.errors import BadInput, NotNow
from central.services.documents import Documents, check_text, number_of
from central.store import queries_purchasing as kept
from central.store.queries_agreements import agreements
from central.store.queries_batches import orders_waiting, steps_sent
from central.store.queries_work import Order, orders
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money, times

BATCH_MAX = 100
NUMBER_MAX = 64
KPI_DAYS = 90


@dataclass(frozen=True, slots=True)
class Batch:
    """Orders that may be sent together; `freight` is None where no agreement's terms are read."""

    supplier: str
    place: str
    orders: tuple[Order, ...]
    value: Money
    freight: Saved | None


def value_of(order: Order) -> Money:
    """Return what an order comes to."""
    return Money(sum(times(line.price, line.qty) for line in order.lines))


def waiting(connection: Connection, hospital: HospitalId, scope: Scope, now: Instant) -> list[Batch]:
    """Return the orders that were approved and not sent, by supplier and storeroom."""
    terms = terms_on(connection, hospital, business_day(now))
    found: defaultdict[tuple[str, str], list[Order]] = defaultdict(list)
    numbers = orders_waiting(connection, hospital, scope, BATCH_MAX)
    for one in sorted(orders(connection, hospital, scope, named=numbers), key=lambda one: one.order_no):
        found[one.supplier, one.place].append(one)
    return [
        Batch(
            supplier, place, tuple(several), Money(sum(map(value_of, several))), _saving(terms.get(supplier), several)
        )
        for (supplier, place), several in sorted(found.items())
    ]


def _saving(terms: Freight | None, several: Sequence[Order]) -> Saved | None:
    return None if terms is None else saved([(terms, [value_of(one) for one in several])])


def terms_on(connection: Connection, hospital: HospitalId, day: date) -> Mapping[str, Freight]:
    """Return each supplier's freight under its agreement in force; of two, the later begun."""
    found: dict[str, Freight] = {}
    for one in sorted(agreements(connection, hospital), key=lambda one: one.first):
        terms = freight_of(one.freight)
        if terms is not None and one.supplier and one.first <= day <= one.last:
            found[one.supplier] = terms
    return found


def freight_saved(connection: Connection, hospital: HospitalId, since: Instant) -> Saved:
    """Return what sending together has saved since an instant, over the orders whose freight is known (A6)."""
    sent, steps = sent_together(connection, hospital, since), steps_sent(connection, hospital, since)
    known = {one.order_no: one for numbers in sent.values() for one in orders(connection, hospital, named=numbers)}
    if not steps:
        return Saved(Money(0), Money(0))
    terms = terms_on(connection, hospital, business_day(steps[-1][1]))
    return saved(
        (terms[known[numbers[0]].supplier], [value_of(known[number]) for number in numbers if number in known])
        for numbers in sent.values()
        if numbers[0] in known and known[numbers[0]].supplier in terms
    )


def sent_together(connection: Connection, hospital: HospitalId, since: Instant) -> Mapping[str, list[str]]:
    """Return the orders sent since an instant by batch, each where it last was; one sent alone is its own."""
    last = {
        number: str(json.loads(detail).get("batch", number))
        for number, _, detail in steps_sent(connection, hospital, since)
    }
    found: defaultdict[str, list[str]] = defaultdict(list)
    for number, batch in last.items():
        found[batch].append(number)
    return found


@dataclass(frozen=True, slots=True)
class Batches:
    """The sending of one hospital's orders."""

    documents: Documents

    def send(self, caller: Caller, numbers: Sequence[str], platform_order_no: str = "") -> str:
        """Send orders of one supplier for one storeroom together; returns the batch's number.

        Raises `NotAllowed`, `BadInput` for none, too many or orders that do not go together, `NotNow` for one that was
        sent or cancelled meanwhile: then none is sent.
        """
        caller.need(Right.PURCHASE)
        check_text("platform order number", platform_order_no, NUMBER_MAX, empty=True)
        asked = sorted(set(numbers))
        if not 1 <= len(asked) <= BATCH_MAX:
            raise BadInput(f"batch: expected 1 to {BATCH_MAX} orders, got {len(asked)}")
        hospital = self.documents.hospital
        batch = number_of("BS", *asked)
        detail: dict[str, Any] = {"batch": batch} | (
            {"platform_order_no": platform_order_no.strip()} if platform_order_no.strip() else {}
        )
        with self.documents.store.write() as connection:
            found = [self.documents.order(connection, caller, Right.PURCHASE, number) for number in asked]
            if len({(one.supplier, one.place) for one in found}) != 1 or not found[0].supplier:
                raise BadInput("batch: expected orders to one supplier for one storeroom; choose them again")
            for one in found:
                state = kept.order_state(connection, hospital, one.order_no)
                if state is not OrderState.APPROVED:
                    raise NotNow(f"order {one.order_no}: expected one not sent yet, it is {state}; reload the page")
                after = order_after(state, OrderStep.SEND)
                version = kept.version_in_force(connection, hospital, one.order_no)
                told = detail | ({"version": version} if version > 1 else {})
                self.documents.write(connection, caller, one.order_no, "order", OrderStep.SEND, after, told)
        return batch
