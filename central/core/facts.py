"""What one entry says, read out of its bytes: posting lines, a belief, bindings, and when it happened.

Pure reading by the table of movements; no rule about stock. The rule that must not be broken: what cannot be read
raises, so that ingest can put the entry into quarantine; nothing is guessed.
"""

from dataclasses import dataclass

from protocols.entry import Entry
from protocols.errors import BadValue
from protocols.movements import (
    BindBody,
    Binding,
    MovementBody,
    ObserveBody,
    PostingLine,
    lines_of,
    movement_of,
    read_body,
)
from protocols.values.ids import EventId, epc, item_id, lot_no
from protocols.values.instant import Instant

INSTANT_MAX = 2**62
"""Instants beyond this cannot be compared safely in a 64-bit column."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry's meaning. `at` is when it happened: the body's `occurred_at`, else the entry's wall time."""

    event_id: EventId
    at: Instant
    lines: tuple[PostingLine, ...] = ()
    belief: ObserveBody | None = None
    bindings: tuple[Binding, ...] = ()


def read_fact(entry: Entry) -> Fact:
    """Read an entry. Raises `BadValue` or `PeerBroke` for a kind or body this version cannot post."""
    row = movement_of(entry.kind)
    if row.posts:
        lines = lines_of(entry.kind, entry.body)
        occurred = read_body(entry.body, MovementBody).occurred_at
        return Fact(entry.event_id, _instant(entry.wall if occurred is None else occurred), lines)
    if entry.kind == "observe":
        belief = read_body(entry.body, ObserveBody)
        epc(belief.epc)
        _instant(belief.since)
        return Fact(entry.event_id, _instant(entry.wall), belief=belief)
    if entry.kind == "bind_tag":
        bindings = read_body(entry.body, BindBody).bindings
        for binding in bindings:
            epc(binding.epc), item_id(binding.item), lot_no(binding.lot)
        return Fact(entry.event_id, _instant(entry.wall), bindings=bindings)
    return Fact(entry.event_id, _instant(entry.wall))


def _instant(value: int) -> Instant:
    if not -INSTANT_MAX <= value <= INSTANT_MAX:
        raise BadValue(f"instant: expected microseconds within 62 bits, got {value}")
    return Instant(value)
