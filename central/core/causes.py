"""Why a discrepancy may be there: its possible causes, weighed by what is known, the likeliest first. Pure.

Each cause starts with how often it happens beside the others, and each thing that is known multiplies it by how much
likelier that thing is under the cause; the products are divided by their sum. It is an ordering for people, not a
verdict: silence alone cannot tell a dead tag from a piece that is gone (PRESENCE.md). The rule that must not be broken:
the same evidence gives the same order, and no cause that can be is left out.

Sources: hazards of PRESENCE.md, model (removal 1e-4 a bin with a visit, next door 2.5e-5, tag death 6e-7, x.002 without
a visit; over a day with some forty minutes of visits a death is to a removal as .2 to 1, less what the filter itself
takes for a dead tag); what they do not name is set by judgement and stands in the tables below.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from central.core.discrepancies import Kind

BELIEF_RATIO_MAX = 200.0
BELIEF_RATIO_MIN = 0.05
DOOR_STRAY = 0.01
"""How seldom the door hears a piece by chance in the very minutes in which its tag dies."""
RECEIPT_KINDS = frozenset({"receive", "ward_receipt", "transfer_in", "opening", "set_brought"})
TAKE_KINDS = frozenset({"issue", "use", "pack_open", "set_used"})


class Why(StrEnum):
    """What may be behind a discrepancy."""

    UNSCANNED_TAKE = "unscanned_take"
    SWAP = "swap"
    NEXT_DOOR = "moved_next_door"
    DEAD_TAG = "dead_tag"
    LATE_ENTRY = "late_entry"
    DOUBLE_ISSUE = "double_issue"
    RECEIPT_ERROR = "receipt_error"


class Sign(StrEnum):
    """One thing that is known and speaks for a cause."""

    SOMEBODY_THERE = "somebody_there"
    NOBODY_THERE = "nobody_there"
    LIVELY = "lively"
    UNCLAIMED = "unclaimed"
    HEARD_ELSEWHERE = "heard_elsewhere"
    BOOKED_ELSEWHERE = "booked_elsewhere"
    COUNTERPART = "counterpart"
    ENTRIES_COMING = "entries_coming"
    NEVER_SEEN = "never_seen"
    NEVER_MOVED = "never_moved"
    TAKEN_TOGETHER = "taken_together"
    AT_DOOR = "at_door"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one discrepancy.

    `somebody_there` around the time it began, None where visits are not recorded; `lively` that somebody was there in
    the hours around it: visits are badges, and who takes without a scan may not badge either; `p_elsewhere` the highest
    belief of another storeroom since, None where none has one; `booked_elsewhere` another storeroom whose book has it;
    `counterparts` open discrepancies of the other kind of the same item here; `coming` entries that devices hold and
    central has not; `last_kind` its last movement; `seen_since` whether it was believed here after that, None where not
    known; `taken_together` other takes of the item by the same hand within minutes of its own; `dead_to_gone` how much
    likelier its readers take its tag for dead than the piece for gone, None where their model does not tell; `at_door`
    that the door heard it as it fell silent: somebody carried it, badge or not, and its tag lived.
    """

    kind: Kind
    somebody_there: bool | None = None
    lively: bool = False
    unclaimed: bool = False
    p_elsewhere: float | None = None
    booked_elsewhere: bool = False
    counterparts: int = 0
    coming: int = 0
    last_kind: str = ""
    seen_since: bool | None = None
    taken_together: int = 0
    dead_to_gone: float | None = None
    at_door: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """One cause, its share of all (0..1), and what speaks for it."""

    why: Why
    weight: float
    signs: tuple[Sign, ...]


PRIORS: Mapping[Kind, Mapping[Why, float]] = {
    Kind.MISSING: {
        Why.UNSCANNED_TAKE: 1.0,
        Why.NEXT_DOOR: 0.25,
        Why.SWAP: 0.15,
        Why.LATE_ENTRY: 0.1,
        Why.RECEIPT_ERROR: 0.05,
        Why.DEAD_TAG: 0.05,
    },
    Kind.UNEXPECTED: {
        Why.SWAP: 0.5,
        Why.DOUBLE_ISSUE: 0.3,
        Why.LATE_ENTRY: 0.3,
        Why.NEXT_DOOR: 0.2,
        Why.RECEIPT_ERROR: 0.2,
    },
}
"""How often each happens beside the others, before anything is known."""


def rank(known: Evidence) -> list[Weighed]:
    """Return every cause a discrepancy of this kind can have, the likeliest first; the weights sum to 1."""
    scored = []
    for why, prior in PRIORS[known.kind].items():
        factor, signs = _factor(why, known)
        scored.append((prior * factor, why, signs))
    total = sum(score for score, _, _ in scored)
    return [
        Weighed(why, score / total, signs) for score, why, signs in sorted(scored, key=lambda one: (-one[0], one[1]))
    ]


def _factor(why: Why, known: Evidence) -> tuple[float, tuple[Sign, ...]]:
    if known.kind is Kind.MISSING:
        factor, sign = _of_missing(why, known)
        presence, there = _presence(why, known)
        return factor * presence, tuple(one for one in (sign, there) if one is not None)
    factor, sign = _of_unexpected(why, known)
    return factor, () if sign is None else (sign,)


def _presence(why: Why, known: Evidence) -> tuple[float, Sign | None]:
    """Weigh whether somebody was in the room: nobody takes anything from a room without going there."""
    by_hand = why in {Why.UNSCANNED_TAKE, Why.SWAP, Why.NEXT_DOOR}
    if known.at_door:
        return (1.0, Sign.AT_DOOR) if by_hand else (DOOR_STRAY if why is Why.DEAD_TAG else 1.0, None)
    if known.somebody_there is None:
        return 1.0, None
    if known.somebody_there:
        return 1.0, Sign.SOMEBODY_THERE if by_hand else None
    if why is Why.LATE_ENTRY:
        return 0.05, None
    if known.lively and why is Why.UNSCANNED_TAKE:
        return 0.3, Sign.LIVELY
    if known.lively and why is Why.NEXT_DOOR:
        return 0.3, None
    return (0.002, None) if by_hand else (1.0, Sign.NOBODY_THERE if why is Why.DEAD_TAG else None)


def _of_missing(why: Why, known: Evidence) -> tuple[float, Sign | None]:
    match why:
        case Why.SWAP:
            return (30.0, Sign.COUNTERPART) if known.counterparts else (0.02, None)
        case Why.NEXT_DOOR:
            return _elsewhere(known)
        case Why.LATE_ENTRY:
            return (20.0, Sign.ENTRIES_COMING) if known.coming else (0.02, None)
        case Why.RECEIPT_ERROR:
            doubted = known.seen_since is False and known.last_kind in RECEIPT_KINDS
            return (60.0, Sign.NEVER_SEEN) if doubted else (0.001, None)
        case Why.UNSCANNED_TAKE:
            return 1.0, Sign.UNCLAIMED if known.unclaimed else None
        case _:
            return _dead(known.dead_to_gone), None


def _dead(ratio: float | None) -> float:
    """Weigh what a model says of the tag itself against a take without a scan, which is the measure of all."""
    if ratio is None:
        return 1.0
    prior = PRIORS[Kind.MISSING]
    return min(BELIEF_RATIO_MAX, ratio) * prior[Why.UNSCANNED_TAKE] / prior[Why.DEAD_TAG]


def _of_unexpected(why: Why, known: Evidence) -> tuple[float, Sign | None]:
    taken = known.last_kind in TAKE_KINDS
    match why:
        case Why.SWAP:
            return (30.0, Sign.COUNTERPART) if taken and known.counterparts else (0.1 if taken else 0.01, None)
        case Why.DOUBLE_ISSUE:
            if not taken:
                return 0.01, None
            return (10.0, Sign.TAKEN_TOGETHER) if known.taken_together else (2.0, None)
        case Why.LATE_ENTRY:
            return (20.0, Sign.ENTRIES_COMING) if known.coming else (0.1, None)
        case Why.NEXT_DOOR:
            return (20.0, Sign.BOOKED_ELSEWHERE) if known.booked_elsewhere else (0.02, None)
        case _:
            unknown = not known.last_kind or known.last_kind in {"transfer_out", "return_to_supplier", "set_returned"}
            return (30.0, Sign.NEVER_MOVED) if unknown else (0.05, None)


def _elsewhere(known: Evidence) -> tuple[float, Sign | None]:
    p = known.p_elsewhere
    if p is None:
        return 0.2, None
    ratio = min(BELIEF_RATIO_MAX, max(BELIEF_RATIO_MIN, p / (1 - p) if p < 1 else BELIEF_RATIO_MAX))
    return ratio, Sign.HEARD_ELSEWHERE if ratio > 1 else None
