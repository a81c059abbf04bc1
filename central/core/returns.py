"""Goods that go back to a supplier (退货) and claims against one (索赔): what may happen, and what is due. Pure.

A return names lines of receipts; what was accepted of them leaves the book when it is handed to the supplier, and the
supplier's credit note ends it. A claim asks for money alone. The rules that could not be put into the table: who asks
does not approve, who approves does not hand the goods out; never more of a receipt line goes back than was accepted; a
credit note says how much of it is for goods, at the price they came at, and how much for the claim.

Sources: H1 (S0, S4) three-way match; B1 (S0) quality; D9 and G3, recalls; field practice of red invoices (红字发票).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from central.errors import BadInput, NotAllowed, NotNow
from protocols.values.money import Money, times
from protocols.values.quantity import LINE_QTY_MAX

LINES_MAX = 100
SAID_MAX = 500
CLAIM_MAX = 1_000_000_000_000
"""A hundred million yuan: more than any hospital claims of one supplier at once."""


class ReturnKind(StrEnum):
    """Whether goods go back, or money alone is asked for."""

    RETURN = "return"
    CLAIM = "claim"


class Why(StrEnum):
    """Why goods go back, or money is asked for."""

    DAMAGED = "damaged"
    WRONG = "wrong"
    RECALLED = "recalled"
    NEAR_EXPIRY = "near-expiry"
    SHORT = "short"
    OTHER = "other"


class ReturnState(StrEnum):
    """Where it stands."""

    ASKED = "asked"
    APPROVED = "approved"
    SHIPPED = "shipped"
    CREDITED = "credited"
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ReturnStep(StrEnum):
    """What may happen to it; asking makes it."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    SHIP = "ship"
    CREDIT = "credit"
    CLOSE = "close"


_K, _R, _S = ReturnKind, ReturnState, ReturnStep
RETURN_STEPS: Mapping[tuple[ReturnKind, ReturnState, ReturnStep], ReturnState] = MappingProxyType(
    {
        (_K.RETURN, _R.ASKED, _S.APPROVE): _R.APPROVED,
        (_K.RETURN, _R.ASKED, _S.REFUSE): _R.REFUSED,
        (_K.RETURN, _R.ASKED, _S.WITHDRAW): _R.WITHDRAWN,
        (_K.RETURN, _R.APPROVED, _S.SHIP): _R.SHIPPED,
        (_K.RETURN, _R.APPROVED, _S.WITHDRAW): _R.WITHDRAWN,
        (_K.RETURN, _R.SHIPPED, _S.CREDIT): _R.CREDITED,
        (_K.RETURN, _R.SHIPPED, _S.CLOSE): _R.CLOSED,
        (_K.CLAIM, _R.ASKED, _S.APPROVE): _R.APPROVED,
        (_K.CLAIM, _R.ASKED, _S.REFUSE): _R.REFUSED,
        (_K.CLAIM, _R.ASKED, _S.WITHDRAW): _R.WITHDRAWN,
        (_K.CLAIM, _R.APPROVED, _S.CREDIT): _R.CREDITED,
        (_K.CLAIM, _R.APPROVED, _S.CLOSE): _R.CLOSED,
    }
)
"""What is admitted. Closed: no credit note comes, because the goods were never invoiced or the claim was given up."""

GONE = frozenset({ReturnState.SHIPPED, ReturnState.CREDITED, ReturnState.CLOSED})
"""States in which a return's goods are back with the supplier."""
VOID = frozenset({ReturnState.REFUSED, ReturnState.WITHDRAWN})
"""States in which it asks for nothing any more."""


def return_after(kind: ReturnKind, state: ReturnState, event: ReturnStep) -> ReturnState:
    """Return the state after an event. Raises `NotNow` naming both when the table does not admit it."""
    after = RETURN_STEPS.get((kind, state, event))
    if after is None:
        can = ", ".join(step for one, before, step in RETURN_STEPS if (one, before) == (kind, state))
        raise NotNow(f"{kind}: cannot {event} one that is {state}; it can {can or 'do nothing more'}")
    return after


def check_people(event: ReturnStep, person: str, asked_by: str, approved_by: str) -> None:
    """Check that two people meet. Raises `NotAllowed`."""
    if event in {ReturnStep.APPROVE, ReturnStep.REFUSE} and person == asked_by:
        raise NotAllowed("return: expected somebody who did not ask for it")
    if event is ReturnStep.WITHDRAW and person != asked_by:
        raise NotAllowed("return: expected who asked for it; only they take it back")
    if event is ReturnStep.SHIP and person == approved_by:
        raise NotAllowed("return: expected somebody who did not approve it; another person hands the goods out")


@dataclass(frozen=True, slots=True)
class Back:
    """So many base units of one line of a receipt."""

    receipt: str
    line_no: int
    qty: int

    def __post_init__(self) -> None:
        if not 0 < self.qty <= LINE_QTY_MAX:
            raise BadInput(f"quantity of {self.receipt}/{self.line_no}: expected 1 to {LINE_QTY_MAX}, got {self.qty}")


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is asked of a supplier: goods to take back, money beside their price in 1e-4 yuan, and why."""

    kind: ReturnKind
    why: Why
    lines: tuple[Back, ...]
    claim: Money
    said: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.lines) <= LINES_MAX or len({(one.receipt, one.line_no) for one in self.lines}) != len(
            self.lines
        ):
            raise BadInput(f"return: expected 1 to {LINES_MAX} different lines of receipts, got {len(self.lines)}")
        if not 0 <= self.claim <= CLAIM_MAX or (self.kind is ReturnKind.CLAIM and not self.claim):
            raise BadInput(f"claim: expected an amount up to {CLAIM_MAX} (1e-4 yuan), above 0 for a claim")
        if not 1 <= len(self.said.strip()) <= SAID_MAX:
            raise BadInput(f"said: expected 1 to {SAID_MAX} characters, got {len(self.said.strip())}")


def check_left(name: str, wanted: int, accepted: int, before: int) -> None:
    """Raise `NotNow` where more of a receipt line would go back than was accepted and is not on its way already."""
    if wanted > accepted - before:
        raise NotNow(f"return: expected at most {accepted - before} of {name}, got {wanted}; the rest went back before")


def goods_value(lines: Sequence[tuple[int, Money]]) -> Money:
    """Return what goods that go back came at: base units and price of each line."""
    return Money(sum(times(price, qty) for qty, price in lines))


def set_off(credits: Sequence[tuple[str, Money]], amount: Money) -> tuple[list[str], Money]:
    """Return the credit notes, the oldest first, that an invoice's payment takes off, and what is left to pay.

    A note is taken off whole or waits for a larger invoice.
    """
    used, left = [], amount
    for name, credit in credits:
        if credit <= left:
            used.append(name)
            left = Money(left - credit)
    return used, left
