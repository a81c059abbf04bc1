"""The life of a purchase order and of an invoice: two state tables, and the match of order, receipt and invoice.

An order goes from approval over sending and the supplier's word to its receipts; what arrives is told by the ledger,
never by a step here. An invoice is matched line by line against what was ordered, at what price, and what was accepted.
The rules that could not be put into the tables: an order is amended before anything of it has arrived; a price over the
order's never matches; payment is due so many days after the acceptance, not after the invoice.

Sources: A8, A9 (S0, S3) the purchase cycle and its steps; H1 (S0, S4) payment within 30 days, three-way match;
C6, A11 a platform order number on every line that goes outside.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import TypeVar
from unicodedata import normalize

from central.core.workdays import NONE_OWN, OwnDays, working_days
from central.errors import BadInput, NotNow
from protocols.values.money import Money, times

TEXT_MAX = 500
LINES_MAX = 500
"""Lines of one invoice or of one receipt."""
PRICE_MAX = 10_000_000_000
"""A million yuan a base unit, in 1e-4 yuan."""
LINE_VALUE_MAX = 10_000_000_000_000
"""A billion yuan a line: 500 lines of it are an exact number everywhere, and half a million of them fit 64 bits."""
PROMISED_DAYS_MAX = 366
"""Days from today within which a supplier's promise, or a day wanted, must lie; no order is waited for much longer."""
PAPER_DAYS_MAX = 1_830
"""Days back that the day printed on a paper may lie whose order nobody knows: five years."""


class OrderState(StrEnum):
    """Where a purchase order stands with its supplier."""

    APPROVED = "approved"
    SENT = "sent"
    CONFIRMED = "confirmed"
    ANNOUNCED = "announced"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class OrderStep(StrEnum):
    """What may happen to a purchase order."""

    SEND = "send"
    CONFIRM = "confirm"
    ANNOUNCE = "announce"
    CLOSE = "close"
    CANCEL = "cancel"
    AMEND = "amend"


_O, _S = OrderState, OrderStep
ORDER_STEPS: Mapping[tuple[OrderState, OrderStep], OrderState] = MappingProxyType(
    {
        (_O.APPROVED, _S.SEND): _O.SENT,
        (_O.APPROVED, _S.CANCEL): _O.CANCELLED,
        (_O.APPROVED, _S.AMEND): _O.APPROVED,
        (_O.SENT, _S.AMEND): _O.APPROVED,
        (_O.CONFIRMED, _S.AMEND): _O.APPROVED,
        (_O.SENT, _S.CONFIRM): _O.CONFIRMED,
        (_O.SENT, _S.ANNOUNCE): _O.ANNOUNCED,
        (_O.SENT, _S.CLOSE): _O.CLOSED,
        (_O.SENT, _S.CANCEL): _O.CANCELLED,
        (_O.CONFIRMED, _S.CONFIRM): _O.CONFIRMED,
        (_O.CONFIRMED, _S.ANNOUNCE): _O.ANNOUNCED,
        (_O.CONFIRMED, _S.CLOSE): _O.CLOSED,
        (_O.CONFIRMED, _S.CANCEL): _O.CANCELLED,
        (_O.ANNOUNCED, _S.ANNOUNCE): _O.ANNOUNCED,
        (_O.ANNOUNCED, _S.CLOSE): _O.CLOSED,
    }
)
"""What is admitted. Confirmed (again with another day) and announced (a further delivery note) may repeat;
closed and cancelled are ends. An amended order is approved and sent anew, so that the supplier's word is on the version
in force; goods under way are amended no more. What was announced is not cancelled but closed, what is still owed
being given up."""


class InvoiceState(StrEnum):
    """Where an invoice stands."""

    MATCHED = "matched"
    DISPUTED = "disputed"
    PAID = "paid"
    WITHDRAWN = "withdrawn"


class InvoiceStep(StrEnum):
    """What may happen to an invoice; entering it makes it matched or disputed."""

    MATCH = "match"
    PAY = "pay"
    WITHDRAW = "withdraw"


_I, _T = InvoiceState, InvoiceStep
INVOICE_STEPS: Mapping[tuple[InvoiceState, InvoiceStep], InvoiceState] = MappingProxyType(
    {
        (_I.DISPUTED, _T.MATCH): _I.MATCHED,
        (_I.DISPUTED, _T.WITHDRAW): _I.WITHDRAWN,
        (_I.MATCHED, _T.PAY): _I.PAID,
        (_I.MATCHED, _T.WITHDRAW): _I.WITHDRAWN,
    }
)
"""What is admitted; paid and withdrawn are ends."""


class TakenIn(StrEnum):
    """How goods are taken in where an order sends them."""

    BY_HAND = "by-hand"
    """On the order's page, with inspection: the hospital's own store."""
    BY_SCAN = "by-scan"
    """With the storeroom's own scanner: a ward that has a device."""
    ON_PHONE = "on-phone"
    """On central's page for wards: one without a device."""


def taken_in(*, own_store: bool, device: str) -> TakenIn:
    """Return how a storeroom takes in goods, by whether it is the hospital's own store and has a device."""
    if own_store:
        return TakenIn.BY_HAND
    return TakenIn.BY_SCAN if device else TakenIn.ON_PHONE


S = TypeVar("S", OrderState, InvoiceState)
E = TypeVar("E", OrderStep, InvoiceStep)


def order_after(state: OrderState, event: OrderStep) -> OrderState:
    """Return an order's state after an event. Raises `NotNow` naming both when the table does not admit it."""
    after = ORDER_STEPS.get((state, event))
    if after is None:
        raise NotNow(f"order: cannot {event} one that is {state}; it can {_admitted(ORDER_STEPS, state)}")
    return after


def invoice_after(state: InvoiceState, event: InvoiceStep) -> InvoiceState:
    """Return an invoice's state after an event. Raises `NotNow` naming both when the table does not admit it."""
    after = INVOICE_STEPS.get((state, event))
    if after is None:
        raise NotNow(f"invoice: cannot {event} one that is {state}; it can {_admitted(INVOICE_STEPS, state)}")
    return after


def _admitted(steps: Mapping[tuple[S, E], S], state: S) -> str:
    return ", ".join(event for before, event in steps if before == state) or "do nothing more"


def open_to_arrivals(state: OrderState) -> bool:
    """Tell whether an order is still waited for: it counts as on order, and arrivals may fill it."""
    return state not in {OrderState.CLOSED, OrderState.CANCELLED}


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """One order line with what became of it: base units ordered, accepted and invoiced before, price a base unit."""

    order_no: str
    line_no: int
    ordered: int
    price: Money
    accepted: int
    invoiced: int


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """One line of an invoice: base units at a price a base unit."""

    order_no: str
    line_no: int
    qty: int
    price: Money

    def __post_init__(self) -> None:
        if self.qty <= 0:
            raise BadInput(f"invoice line {self.order_no}/{self.line_no}: expected a quantity above 0, got {self.qty}")
        if self.price < 0:
            raise BadInput(f"invoice line {self.order_no}/{self.line_no}: expected a price of 0 or more")

    @property
    def amount(self) -> Money:
        """What the line asks for."""
        return times(self.price, self.qty)


class Mismatch(StrEnum):
    """Why an invoice line does not match."""

    NO_SUCH_LINE = "no-such-line"
    OVER_PRICE = "over-price"
    NOT_ACCEPTED = "not-accepted"
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class Difference:
    """One line that does not match, with the number allowed and the number that came."""

    order_no: str
    line_no: int
    why: Mismatch
    allowed: int
    came: int


def three_way_match(
    lines: Sequence[InvoicedLine], ordered: Mapping[tuple[str, int], OrderedLine]
) -> tuple[Difference, ...]:
    """Return what of an invoice does not fit order and receipt; nothing when all of it does.

    A line matches when its price is at most the order's and its quantity at most what was accepted and not invoiced
    before. A line told twice in one invoice is a difference of its own.
    """
    if not 0 < len(lines) <= LINES_MAX:
        raise BadInput(f"invoice: expected 1 to {LINES_MAX} lines, got {len(lines)}")
    found: list[Difference] = []
    seen: set[tuple[str, int]] = set()
    for line in lines:
        key = (line.order_no, line.line_no)
        if key in seen:
            found.append(Difference(*key, Mismatch.TWICE, 1, 2))
            continue
        seen.add(key)
        found.extend(_differences(line, ordered.get(key)))
    return tuple(found)


def _differences(line: InvoicedLine, ordered: OrderedLine | None) -> list[Difference]:
    if ordered is None:
        return [Difference(line.order_no, line.line_no, Mismatch.NO_SUCH_LINE, 0, line.qty)]
    found = []
    if line.price > ordered.price:
        found.append(Difference(line.order_no, line.line_no, Mismatch.OVER_PRICE, ordered.price, line.price))
    left = max(0, ordered.accepted - ordered.invoiced)
    if line.qty > left:
        found.append(Difference(line.order_no, line.line_no, Mismatch.NOT_ACCEPTED, left, line.qty))
    return found


def check_value(qty: int, price: Money) -> None:
    """Check what one line of an order or invoice is worth, so that sums stay exact. Raises `BadInput`."""
    if not 0 <= price <= PRICE_MAX or qty * price > LINE_VALUE_MAX:
        raise BadInput(
            f"value: expected a price of 0 to {PRICE_MAX} (1e-4 yuan) and a line of at most {LINE_VALUE_MAX}, got "
            f"{qty} at {price}"
        )


def promised_day(said: str, ordered: date, today: date) -> date:
    """Read the day a supplier promises. Raises `BadInput` for what is no day, or none the order can be waited for."""
    first, last = ordered, today + timedelta(days=PROMISED_DAYS_MAX)
    try:
        day = date.fromisoformat(said.strip())
    except ValueError:
        day = date.min
    if not first <= day <= last:
        raise BadInput(f"promised: expected a day from {first} to {last}, such as {today}, got {said!r:.40}")
    return day


def check_printed(day: date, ordered: Collection[date], today: date) -> None:
    """Check the day printed on an invoice or credit note against the days its orders were made.

    Raises `BadInput` for one to come, or before the first of the orders.
    """
    first = min(ordered, default=today - timedelta(days=PAPER_DAYS_MAX))
    if not first <= day <= today:
        raise BadInput(f"dated: expected a day from {first} to {today}, after its order and not to come, got {day}")


def plain_number(typed: str) -> str:
    """Return what of a number typed from a supplier's papers names it: case, width and blanks do not count."""
    return "".join(normalize("NFKC", typed).casefold().split())


def due_on(accepted: date, days: int) -> date:
    """Return the last day of payment: so many calendar days after the acceptance (H1: 30)."""
    return accepted + timedelta(days=days)


def overdue_days(due: date, today: date) -> int:
    """Return how many days a payment is late; 0 on its last day."""
    return max(0, (today - due).days)


@dataclass(frozen=True, slots=True)
class Stages:
    """Working days each stage of one order took, None for a stage that is not over: which of them is slow (A8)."""

    request_to_approval: int | None
    approval_to_sent: int | None
    sent_to_confirmed: int | None
    sent_to_received: int | None

    @property
    def request_to_sent(self) -> int | None:
        """The figure that has a limit: at most 3 working days."""
        if self.request_to_approval is None or self.approval_to_sent is None:
            return None
        return self.request_to_approval + self.approval_to_sent


def stages(
    *,
    requested: date,
    approved: date | None,
    sent: date | None,
    confirmed: date | None,
    received: date | None,
    own: OwnDays = NONE_OWN,
) -> Stages:
    """Return how long each stage took, from the days on which it ended; `own` are days the hospital said itself."""

    def between(first: date | None, last: date | None) -> int | None:
        return None if first is None or last is None else working_days(first, last, own)

    return Stages(
        between(requested, approved), between(approved, sent), between(sent, confirmed), between(sent, received)
    )


def share_in_time(taken: Sequence[int], limit: int) -> Fraction | None:
    """Return the share of orders whose stage took at most `limit` working days, None without any."""
    return Fraction(sum(days <= limit for days in taken), len(taken)) if taken else None
