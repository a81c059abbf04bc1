"""A requisition: what a person of a ward asks for (申领, 申领即采), who may say yes, and an emergency's clocks. Pure.

It is not a proposal of an engine; approved, each of its lines becomes one and is ordered at once. An emergency may be
ordered by a buyer before anybody has approved it; the approval is then given after (补办), within its clock. The rules
that could not be put into the table: nobody approves or orders what they asked for, nor completes the paperwork of what
they ordered; only an emergency is ordered before its approval; a suspended ward asks in an emergency only.

Sources: A9 (S3) the flow from the ward's request; A13 (S0) 即采即用 on request; E6 (S0) suspended wards; G2 (S0) an
emergency is answered within 2 h and supplied within 72 h.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from central.core.suppliers import Clock, clock_of
from central.errors import BadInput, NotAllowed, NotNow
from protocols.values.instant import Instant
from protocols.values.quantity import LINE_QTY_MAX

LINES_MAX = 50
"""Lines of one requisition: more than a ward asks for by hand in one go."""
REASON_MAX = 500
PAPER_MAX = 64


class RequisitionState(StrEnum):
    """Where a requisition stands; how far its orders have come is told by them."""

    ASKED = "asked"
    PLACED = "placed"
    ORDERED = "ordered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class RequisitionStep(StrEnum):
    """What may happen to a requisition; asking makes it."""

    APPROVE = "approve"
    PLACE = "place"
    COMPLETE = "complete"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


_R, _S = RequisitionState, RequisitionStep
REQUISITION_STEPS: Mapping[tuple[RequisitionState, RequisitionStep], RequisitionState] = MappingProxyType(
    {
        (_R.ASKED, _S.APPROVE): _R.ORDERED,
        (_R.ASKED, _S.PLACE): _R.PLACED,
        (_R.ASKED, _S.REFUSE): _R.REFUSED,
        (_R.ASKED, _S.WITHDRAW): _R.WITHDRAWN,
        (_R.PLACED, _S.COMPLETE): _R.ORDERED,
    }
)
"""What is admitted; ordered, refused and withdrawn are ends. Placed: ordered in an emergency, the approval is owed."""


def requisition_after(state: RequisitionState, event: RequisitionStep, *, emergency: bool) -> RequisitionState:
    """Return a requisition's state after an event. Raises `NotNow` naming both when the table does not admit it."""
    after = REQUISITION_STEPS.get((state, event))
    if after is None:
        can = ", ".join(step for before, step in REQUISITION_STEPS if before is state) or "do nothing more"
        raise NotNow(f"requisition: cannot {event} one that is {state}; it can {can}")
    if event is RequisitionStep.PLACE and not emergency:
        raise NotNow("requisition: expected an emergency to be ordered before its approval; approve this one")
    return after


def check_person(event: RequisitionStep, person: str, asked_by: str, placed_by: str) -> None:
    """Check that two people meet: raises `NotAllowed` for who asked, or, completing, for who ordered."""
    if event is RequisitionStep.WITHDRAW:
        if person != asked_by:
            raise NotAllowed("requisition: expected who asked for it; only they take it back")
    elif person == asked_by:
        raise NotAllowed("requisition: expected somebody who did not ask for it")
    elif event is RequisitionStep.COMPLETE and person == placed_by:
        raise NotAllowed("requisition: expected somebody who did not order it; another person completes its paperwork")


@dataclass(frozen=True, slots=True)
class Wish:
    """One line of a requisition: base units of an item."""

    item: str
    qty: int

    def __post_init__(self) -> None:
        if not 0 < self.qty <= LINE_QTY_MAX:
            raise BadInput(f"quantity of {self.item}: expected 1 to {LINE_QTY_MAX} base units, got {self.qty}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for: lines of different items for a storeroom, why, and whether it is an emergency."""

    place: str
    lines: tuple[Wish, ...]
    reason: str
    emergency: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.lines) <= LINES_MAX:
            raise BadInput(f"requisition: expected 1 to {LINES_MAX} lines, got {len(self.lines)}")
        if len({line.item for line in self.lines}) != len(self.lines):
            raise BadInput("requisition: expected each item once, got one twice; put the quantities together")
        if not 1 <= len(self.reason.strip()) <= REASON_MAX:
            raise BadInput(f"reason: expected 1 to {REASON_MAX} characters, got {len(self.reason.strip())}")


def granted(lines: Sequence[Wish], changed: Mapping[int, int]) -> list[tuple[int, Wish]]:
    """Return the lines that are granted by number, with the quantities the approver set; 0 leaves one out.

    Raises `BadInput` for a line that is not there, more than was asked for, or nothing left.
    """
    wrong = sorted(set(changed) - set(range(1, len(lines) + 1)))
    if wrong:
        raise BadInput(f"line {wrong[0]}: expected one of the requisition's {len(lines)}")
    found = []
    for number, line in enumerate(lines, 1):
        qty = changed.get(number, line.qty)
        if not 0 <= qty <= line.qty:
            raise BadInput(f"line {number}: expected 0 to the {line.qty} asked for, got {qty}")
        found += [(number, Wish(line.item, qty))] if qty else []
    if not found:
        raise BadInput("requisition: expected a line that is granted, got none; refuse it instead")
    return found


@dataclass(frozen=True, slots=True)
class Cut:
    """A line of which less was granted than asked for; 0 leaves it out."""

    item: str
    asked: int
    granted: int


def cuts_of(lines: Sequence[Wish], given: Sequence[tuple[int, Wish]]) -> list[Cut]:
    """Return the lines of which less was granted than asked for."""
    qty = {number: line.qty for number, line in given}
    return [
        Cut(line.item, line.qty, qty.get(number, 0))
        for number, line in enumerate(lines, 1)
        if qty.get(number, 0) < line.qty
    ]


def rounded_up(qty: int, pack: int, moq: int) -> int:
    """Return the quantity that is ordered for so many: whole packs, at least the supplier's minimum."""
    least = max(qty, moq)
    return -(-least // max(pack, 1)) * max(pack, 1)


class Timer(StrEnum):
    """The clocks of an emergency."""

    ANSWER = "answer"
    SUPPLY = "supply"
    PAPERS = "papers"


@dataclass(frozen=True, slots=True)
class Hours:
    """How long each may take, from policy (G2)."""

    answer: int
    supply: int
    papers: int


@dataclass(frozen=True, slots=True)
class Emergency:
    """When what happened to an emergency; None where it has not. `outside` tells that a supplier is to answer."""

    asked: Instant
    placed: Instant | None
    answered: Instant | None
    supplied: Instant | None
    papers: Instant | None
    outside: bool


def timers(one: Emergency, now: Instant, hours: Hours) -> dict[Timer, Clock]:
    """Return the clocks that run or ran for an emergency.

    The supplier's answer is awaited from the asking on, so that a slow order counts too; goods that came answer it.
    Paperwork is owed only of what was ordered before its approval.
    """
    found: dict[Timer, Clock] = {}
    if one.outside:
        answers = [at for at in (one.answered, one.supplied) if at is not None]
        found[Timer.ANSWER] = clock_of(one.asked, min(answers, default=None), now, hours.answer)
    found[Timer.SUPPLY] = clock_of(one.asked, one.supplied, now, hours.supply)
    if one.placed is not None:
        found[Timer.PAPERS] = clock_of(one.placed, one.papers, now, hours.papers)
    return found


def is_late(clocks: Mapping[Timer, Clock]) -> bool:
    """Tell whether a clock that still runs is over its limit: somebody is needed now."""
    return any(one.running and not one.in_time for one in clocks.values())
