"""Settling a discrepancy by hand: who must agree, and which posting lets the book follow the shelf. Pure.

One person closes what is cheap and changes nothing; two people close what is dear, and whatever changes the book. The
rule that must not be broken: who proposed a closing never approves it, and the book follows only through an entry that
names the discrepancy's own.

Sources: four eyes over adjustments and high-value items, REQUIREMENTS I1 and "Day one"; adjustments cite a count or a
discrepancy, DESIGN "The ledger".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from central.core.causes import PRIORS, Why
from central.core.discrepancies import Kind
from central.errors import BadInput, NotNow
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import PlaceId, is_virtual, place_id, virtual_place
from protocols.values.money import Money

HIGH_CLASS = "high"


class Step(StrEnum):
    """What somebody did about a discrepancy."""

    PROPOSE = "propose"
    APPROVE = "approve"
    REFUSE = "refuse"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody found: the cause, in words why, and whether the book is to follow the shelf."""

    cause: Why
    remark: str
    adjust: bool


@dataclass(frozen=True, slots=True)
class Proposed:
    """A verdict that waits for a second person."""

    verdict: Verdict
    person: str


@dataclass(frozen=True, slots=True)
class Held:
    """Where the book has the piece: a place, a position there, and its owner; `event` is the movement (hex)."""

    place: str
    position: str
    owner: str
    event: str


def needs_two(*, item_class: str, price: Money, limit: Money, adjust: bool) -> bool:
    """Tell whether a second person must agree: for adjustments, high-value items, and pieces dearer than the limit."""
    return adjust or item_class == HIGH_CLASS or price > limit


def check_cause(kind: Kind, cause: str) -> Why:
    """Parse the cause somebody chose. Raises `BadInput` naming those a discrepancy of this kind can have."""
    if cause not in PRIORS[kind]:
        raise BadInput(f"cause: expected one of {', '.join(PRIORS[kind])}, got {cause!r:.40}")
    return Why(cause)


def waiting_for_second(steps: Sequence[tuple[Step, Proposed]]) -> Proposed | None:
    """Return the proposal that waits, the last step being one."""
    return steps[-1][1] if steps and steps[-1][0] is Step.PROPOSE else None


def adjustment(
    kind: Kind, place: PlaceId, item: str, lot: str, unit: str, held: Held | None, cites: Sequence[str]
) -> tuple[str, MovementBody]:
    """Return kind and body of the entry by which the book follows the shelf; `cites` are the entries it rests on.

    A missing piece goes to `unknown@`. An unexpected one comes from there, from the storeroom whose book has it, or
    back from the hand that is said to have it. Raises `NotNow` for a piece on its way: that is taken in, not adjusted.
    """
    unknown = virtual_place("unknown", place)
    refs = tuple(cites)

    def line(source: str, target: str, position: str = "", to: str = "") -> PostingLine:
        owner = "hospital" if held is None else held.owner
        return PostingLine(item, 1, source, target, lot, owner, unit, position, to)

    if kind is Kind.MISSING:
        if held is None or held.place != place:
            raise NotNow("adjustment: expected the piece still in this storeroom's book, it is not; look again")
        return "adjust", MovementBody((line(place, unknown, held.position),), refs=refs)
    if held is None or held.place == unknown:
        return "adjust", MovementBody((line(unknown, place),), refs=refs)
    if not is_virtual(place_id(held.place)):
        lines = (line(held.place, unknown, held.position), line(unknown, place))
        return "adjust", MovementBody(lines, refs=refs)
    if held.place.startswith("issued@"):
        return "reversal", MovementBody((line(held.place, place),), reverses=held.event, refs=refs)
    raise NotNow(f"adjustment: expected a piece that can be booked back, this one is {held.place}; record what it did")
