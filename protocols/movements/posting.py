"""Entries that post: lines, each between two places, so that the sum over places is zero for each item, lot and unit.

Which places a kind may leave and enter is the word of `table`; `lines_of` holds a body to it. Not here: what the book
says, whether stock suffices. The rule that must not be broken: no line reaches a book but through `lines_of` or
`posting_of`.
"""

from enum import StrEnum
from functools import lru_cache

import msgspec

from protocols.errors import BadValue
from protocols.movements.bodies import read_body, storable
from protocols.movements.table import Where, movement_of
from protocols.values.ids import NAMES_REMEMBERED, is_virtual, item_id, lot_no, place_id, unit_id
from protocols.values.quantity import LINE_QTY_MAX

LINES_MAX = 400
"""Posting lines of one entry: one lot's units on one delivery; the body's byte limit stands behind it."""


class Flag(StrEnum):
    """What was unusual about an act that was recorded all the same."""

    EMERGENCY = "emergency"
    EXPIRED = "expired"
    HELD = "held"
    NOT_FIRST = "not_first_to_expire"
    SUSPENDED = "suspended"
    CLAIMED = "claimed"
    IMPLIED = "implied"
    SHADOW = "shadow"
    UNKNOWN_LOT = "unknown_lot"
    CONTRADICTED = "contradicted"


class PostingLine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """`qty` base units of one item and lot going from place to place; `unit` names the piece when it has a name."""

    item: str
    qty: int
    source: str
    target: str
    lot: str = ""
    owner: str = "hospital"
    unit: str = ""
    source_position: str = ""
    target_position: str = ""

    def __post_init__(self) -> None:
        item_id(self.item)
        lot_no(self.lot)
        unit_id(self.unit)
        place_id(self.source)
        place_id(self.target)
        if not 1 <= self.qty <= LINE_QTY_MAX:
            raise BadValue(f"posting line: expected 1..{LINE_QTY_MAX} base units, got {self.qty}")
        if self.unit and self.qty != 1:
            raise BadValue(f"posting line: expected quantity 1 for the single unit {self.unit:.40}, got {self.qty}")
        if (self.source, self.source_position) == (self.target, self.target_position):
            raise BadValue(f"posting line: expected two different places, got {self.source} twice")


class MovementBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of a kind that posts: its lines, when it happened if not now (µs UTC), what it names.

    `reverses` is the hex event id of the entry a `reversal` undoes; `refs` are hex event ids or document numbers.
    `flags` say what was unusual (`Flag`), `reason` why in the card's word, `proposed` the lot that should have gone
    first, `patient` a keyed hash and never the id, `policy` the version of the policy that the device knew, `master`
    that of the hospital's data, -1 where it knew none.
    """

    lines: tuple[PostingLine, ...]
    occurred_at: int | None = None
    reverses: str = ""
    refs: tuple[str, ...] = ()
    visit: str = ""
    label: str = ""
    flags: tuple[str, ...] = ()
    reason: str = ""
    proposed: str = ""
    patient: str = ""
    policy: str = ""
    master: int = -1

    def __post_init__(self) -> None:
        if self.occurred_at is not None:
            storable("occurred_at", self.occurred_at)


@lru_cache(NAMES_REMEMBERED)
def place_sort(place: str) -> Where:
    """Return the sort of place a place is."""
    return Where(place.split("@", 1)[0]) if is_virtual(place_id(place)) else Where.STORE


def lines_of(kind: str, raw_body: bytes) -> tuple[PostingLine, ...]:
    """Return the checked posting lines of an entry's body; empty for a kind that posts nothing.

    Raises `BadValue` for an unknown kind or a line the table does not admit, `PeerBroke` for a body in no such form.
    """
    return posting_of(kind, raw_body).lines if movement_of(kind).posts else ()


def posting_of(kind: str, raw_body: bytes) -> MovementBody:
    """Return the checked body of a kind that posts. Raises as `lines_of` does."""
    movement_of(kind)
    body = read_body(raw_body, MovementBody)
    if not 1 <= len(body.lines) <= LINES_MAX:
        raise BadValue(f"{kind}: expected 1..{LINES_MAX} posting lines, got {len(body.lines)}")
    for line in body.lines:
        fault = _ends_fault(kind, line.source, line.target)
        if fault:
            raise BadValue(fault)
    return body


@lru_cache(NAMES_REMEMBERED)
def _ends_fault(kind: str, source: str, target: str) -> str:
    """Return why a line of a kind may not go from one place to another, empty when it may."""
    row = movement_of(kind)
    for name, place, admitted in (("from", source, row.leaves), ("to", target, row.enters)):
        if Where.ANY not in admitted and place_sort(place) not in admitted:
            return f"{kind}: expected to go {name} {' or '.join(admitted)}, got {place}"
    return ""
