"""What one entry says, read out of its bytes: posting lines, a belief, bindings, and when it happened.

Pure reading by the table of movements; no rule about stock. The rule that must not be broken: what cannot be read
raises, so that ingest can put the entry into quarantine; nothing is guessed.
"""

from dataclasses import dataclass

from protocols.entry import SCHEMA_NOW, Entry
from protocols.errors import BadValue
from protocols.movements.bodies import read_body
from protocols.movements.posting import PostingLine, posting_of
from protocols.movements.table import movement_of
from protocols.movements.tags import BindBody, Binding, ObserveBody
from protocols.values.ids import EventId, epc, item_id, lot_no
from protocols.values.instant import Instant, instant


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry's meaning. `at` is when it happened: the body's `occurred_at`, else the entry's wall time."""

    event_id: EventId
    at: Instant
    lines: tuple[PostingLine, ...] = ()
    belief: ObserveBody | None = None
    bindings: tuple[Binding, ...] = ()


def read_fact(entry: Entry) -> Fact:
    """Read an entry. Raises `BadValue` or `PeerBroke` for a kind, a body or a time this version cannot post."""
    if entry.schema > SCHEMA_NOW:
        raise BadValue(f"entry schema: expected 1..{SCHEMA_NOW}, got {entry.schema}; update central, it is kept")
    row, wall = movement_of(entry.kind), instant(entry.wall)
    if row.posts:
        body = posting_of(entry.kind, entry.body)
        at = wall if body.occurred_at is None else instant(body.occurred_at)
        return Fact(entry.event_id, at, body.lines)
    if entry.kind == "observe":
        belief = read_body(entry.body, ObserveBody)
        epc(belief.epc)
        instant(belief.since)
        return Fact(entry.event_id, wall, belief=belief)
    if entry.kind == "bind_tag":
        bindings = read_body(entry.body, BindBody).bindings
        for binding in bindings:
            epc(binding.epc), item_id(binding.item), lot_no(binding.lot)
        return Fact(entry.event_id, wall, bindings=bindings)
    return Fact(entry.event_id, wall)
