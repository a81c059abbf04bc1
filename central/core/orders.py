"""Proposals and orders: one open proposal for an item at a place, one approval, one order.

A proposal stands open while the need does; each run of the policy brings it up to date, or withdraws it when the need
is gone. A person's approval makes it an order; a second approval finds the same order. A person's refusal holds for
some days: until then the same need is not proposed again. The rule that could not be put
into the table: a proposal gets one number, at its first approval, made of that day and the proposal's id, so it is the
key by which sending twice sends once.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from central.errors import NotNow
from protocols.values.ids import OrderNo, order_no
from protocols.values.instant import Instant
from protocols.values.money import Money

ID_DIGITS = 16
ORDER_DIGITS = 8


class State(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    ORDERED = "ordered"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


class Step(StrEnum):
    """What may happen to a proposal."""

    RENEW = "renew"
    APPROVE = "approve"
    WITHDRAW = "withdraw"
    REJECT = "reject"


STEPS: Mapping[tuple[State, Step], State] = MappingProxyType(
    {
        (State.OPEN, Step.RENEW): State.OPEN,
        (State.OPEN, Step.APPROVE): State.ORDERED,
        (State.OPEN, Step.WITHDRAW): State.WITHDRAWN,
        (State.OPEN, Step.REJECT): State.REJECTED,
        (State.ORDERED, Step.APPROVE): State.ORDERED,
    }
)
"""What is admitted; ordered, withdrawn and rejected are ends."""


def step(state: State, event: Step) -> State:
    """Return the state after an event. Raises `NotNow` naming both when the table does not admit it."""
    after = STEPS.get((state, event))
    if after is None:
        raise NotNow(f"proposal: cannot {event} one that is {state}; reload the page, it has changed since")
    return after


class Progress(StrEnum):
    """How far an order has come: told by what arrived and by its last step, never stored."""

    APPROVED = "approved"
    SENT = "sent"
    CONFIRMED = "confirmed"
    ANNOUNCED = "announced"
    PART_RECEIVED = "part_received"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order line of an item for a place: its key, when it was ordered, base units, and when it was given up."""

    key: tuple[str, int]
    at: Instant
    qty: int
    until: Instant | None = None

    def fills(self, at: Instant) -> bool:
        """Tell whether what comes at an instant may be of this line."""
        return self.at <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Arrived:
    """Base units of that item that came into that place from outside, at an instant.

    `of` is the order line its receipt names, line 0 where only the order is named; None where nothing is.
    """

    at: Instant
    qty: int
    of: tuple[str, int] | None = None


def proposal_id(run: str, place: str, item: str) -> str:
    """Return the id of a proposal: a function of the run that first made it, the place and the item."""
    return hashlib.sha256(f"{run}\n{place}\n{item}".encode()).hexdigest()[:ID_DIGITS]


def version_of(source: str, qty: int, price: Money) -> str:
    """Return the name of what an approver agrees to: another source, quantity or price of a base unit has another."""
    return hashlib.sha256(f"{source}\n{qty}\n{price}".encode()).hexdigest()[:ID_DIGITS]


def order_number(proposal: str, day: date, *, internal: bool) -> OrderNo:
    """Return the number of the order a proposal becomes when it is first approved, on the business day `day`.

    `PO-` to a supplier, `IR-` to the hospital's own store.
    """
    return order_no(f"{'IR' if internal else 'PO'}-{day:%Y%m%d}-{proposal[:ORDER_DIGITS].upper()}")


@dataclass(frozen=True, slots=True)
class Filled:
    """Base units of one arrival that went to one order line."""

    arrival: Arrived
    key: tuple[str, int]
    qty: int


def fillings(lines: Iterable[Ordered], arrivals: Iterable[Arrived]) -> list[Filled]:
    """Return which order line each arrival fills: the one its receipt names, else the oldest that was ordered before.

    What a receipt names is settled before anything is left to age, so that no late supplier gets another's delivery.
    """
    owed = sorted(lines, key=lambda line: (line.at, line.key))
    left = {line.key: line.qty for line in owed}
    found: list[Filled] = []
    for arrival in sorted(arrivals, key=lambda one: (one.of is None, one.at)):
        rest = arrival.qty
        named = [line for line in owed if arrival.of is not None and _names(arrival.of, line.key)]
        for line in named or owed:
            taken = min(rest, left[line.key]) if named or line.fills(arrival.at) else 0
            left[line.key] -= taken
            rest -= taken
            found += [Filled(arrival, line.key, taken)] if taken else []
    return sorted(found, key=lambda one: one.arrival.at)


def _names(of: tuple[str, int], key: tuple[str, int]) -> bool:
    return of == key or of == (key[0], 0)


def outstanding(lines: Iterable[Ordered], arrivals: Iterable[Arrived]) -> dict[tuple[str, int], int]:
    """Return what each order line still owes. A line given up is filled by what came before, and owes nothing."""
    listed = list(lines)
    left = {line.key: line.qty for line in listed}
    for one in fillings(listed, arrivals):
        left[one.key] -= one.qty
    return left | {line.key: 0 for line in listed if line.until is not None}


def progress(qty: int, owed: int, state: str = Progress.APPROVED) -> Progress:
    """Return how far an order has come: given up, received, or else where it stands with its supplier."""
    if state in {Progress.CLOSED, Progress.CANCELLED}:
        return Progress(state)
    if owed == 0:
        return Progress.RECEIVED
    return Progress(state) if owed == qty else Progress.PART_RECEIVED
