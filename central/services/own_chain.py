"""Central's own entries: an opening, an approval, whatever central itself does to the book.

Central is a device with its own chain, and its entries go through the same writing as everyone's. The rule that must
not be broken: what central does stands in the ledger before anything is said about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from central.clock import Clock
from central.core.facts import read_fact
from central.errors import BadInput
from central.store.chains import OWN_DEVICE, enrol, head_of, keep_device, move_head, note_frame, registered
from central.store.engine import Store
from central.store.ledger import Chain, take_in
from central.store.tables.ledger import LEDGER
from protocols.entry import SCHEMA_NOW, ChainedEntry, Digest, Entry, chain, encode_body, encode_entry
from protocols.errors import BadValue, PeerBroke
from protocols.sync.frames import FRAME_ENTRIES_MAX, Head
from protocols.sync.reception import Link, Registered, Standing
from protocols.values.hlc import Hlc, next_hlc
from protocols.values.ids import ActorId, HospitalId, Incarnation, PlaceId

NOWHERE = PlaceId("")
"""Central speaks for no storeroom."""
NOBODY = ActorId("")
"""The actor of what central does on its own."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What central has to say: a kind of the table of movements, its body, and who said so."""

    kind: str
    body: Mapping[str, object]
    actor: ActorId = NOBODY


def append(store: Store, hospital: HospitalId, drafts: Sequence[Draft], clock: Clock) -> list[ChainedEntry]:
    """Write entries behind central's own chain in one transaction; return them once they are committed.

    Raises `BadInput` for what the table of movements does not admit, `WeBroke` for a body that cannot be said; then
    nothing is written.
    """
    with store.write() as connection:
        return append_within(connection, hospital, drafts, clock)


def append_within(
    connection: Connection, hospital: HospitalId, drafts: Sequence[Draft], clock: Clock
) -> list[ChainedEntry]:
    """Do what `append` does inside the caller's write transaction."""
    own = _own_device(connection, hospital, clock)
    now = clock.now()
    head = head_of(connection, hospital, own)
    entries = _entries(drafts, _last_hlc(connection, hospital, own), clock)
    chained = chain(OWN_DEVICE, own, from_seq=head.seq + 1, prev_hash=Digest(head.hash), entries=entries)
    links = [Link(c.seq, encode_entry(c.entry), c.content_hash, c.prev_hash, c.hash) for c in chained]
    for start in range(0, len(links), FRAME_ENTRIES_MAX):
        part = links[start : start + FRAME_ENTRIES_MAX]
        taken = take_in(connection, Chain(hospital, OWN_DEVICE, own, NOWHERE), part, now)
        if taken.quarantined:
            raise BadInput(f"central's own entries: expected all of them to be posted, {taken.quarantined} were not")
        move_head(connection, hospital, OWN_DEVICE, Head(own, part[-1].seq, part[-1].hash), now)
        note_frame(connection, hospital, OWN_DEVICE, now, part[-1].seq)
    return chained


def _own_device(connection: Connection, hospital: HospitalId, clock: Clock) -> Incarnation:
    known = registered(connection, hospital, OWN_DEVICE)
    if known is not None and known.incarnation is not None:
        return known.incarnation
    enrol(connection, hospital, OWN_DEVICE, NOWHERE)
    born = replace(Registered(OWN_DEVICE), standing=Standing.LIVE, incarnation=clock.new_incarnation())
    keep_device(connection, hospital, born)
    assert born.incarnation is not None
    return born.incarnation


def _last_hlc(connection: Connection, hospital: HospitalId, own: Incarnation) -> Hlc:
    where = (LEDGER.c.hospital == hospital, LEDGER.c.incarnation == own)
    return Hlc(connection.scalar(select(LEDGER.c.hlc).where(*where).order_by(LEDGER.c.seq.desc()).limit(1)) or 0)


def _entries(drafts: Sequence[Draft], last: Hlc, clock: Clock) -> list[Entry]:
    entries = []
    for draft in drafts:
        wall = clock.now()
        last = next_hlc(last, wall)
        entry = Entry(
            event_id=clock.event_id(wall),
            hlc=last,
            wall=wall,
            mono=clock.mono_us(),
            boot_id=clock.boot,
            clock_quality=clock.quality,
            kind=draft.kind,
            schema=SCHEMA_NOW,
            body=encode_body(draft.body),
            actor=draft.actor,
        )
        _check(entry)
        entries.append(entry)
    return entries


def _check(entry: Entry) -> None:
    try:
        read_fact(entry)
    except (BadValue, PeerBroke) as error:
        raise BadInput(f"central's own entry: {error}") from error
