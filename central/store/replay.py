"""Entries in quarantine: which they are, and posting one of them once its cause is mended.

What is posted is what ingest would have posted, with the entry's own event id and time; a belief or binding that
something later said otherwise is left out. The rules that must not be broken: an entry is posted once, however often it
is replayed; the row of the quarantine stays as it was written.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select, tuple_

from central.core.facts import Fact
from central.core.reconcile import Written
from central.core.rights import Scope
from central.store.ledger import Chain, firsts, meaning, tell_others
from central.store.merge import add_new
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.postings import pay, post
from central.store.queries_book import WRITING, with_writing, written
from central.store.queries_work import within
from central.store.tables.ledger import BELIEF, BINDING, DEVICE, INCARNATION, LEDGER, QUARANTINE
from central.store.tables.replays import QUARANTINE_REPLAY
from protocols.entry import Entry, content_hash, decode_entry
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.tags import BindBody
from protocols.values.ids import ActorId, DeviceId, HospitalId, Incarnation, PlaceId
from protocols.values.instant import Instant

_DONE = QUARANTINE_REPLAY.c
ROWS_AT_ONCE = 500
"""Later bindings that are held in memory together."""
KEPT, REPLAYED = "kept", "replayed"


@dataclass(frozen=True, slots=True)
class SetAside:
    """One entry of the quarantine: whose it is, why it was set aside, and when it was replayed by whom."""

    device: DeviceId
    place: PlaceId
    incarnation: Incarnation
    seq: int
    event_id: bytes
    reason: str
    raw: bytes
    at: Instant
    replayed_at: Instant | None
    replayed_by: str


QUARANTINED = Keyset(
    "quarantine", (Key(QUARANTINE.c.at, falling=True), Key(QUARANTINE.c.incarnation), Key(QUARANTINE.c.seq))
)
"""The newest first."""


def quarantine_page(
    connection: Connection, hospital: HospitalId, asked: PageAsked, *, status: str, scope: Scope
) -> Page[SetAside]:
    """Return a page of what was set aside of devices of a scope's storerooms. Raises `BadInput` for its cursor."""
    query = _chosen(hospital).where(within(DEVICE.c.place, scope))
    if status:
        query = query.where(_DONE.at.is_(None) if status == KEPT else _DONE.at.is_not(None))
    rows, cursor = QUARANTINED.rows(connection, query, asked)
    return Page(tuple(_set_aside(each) for each in rows), cursor)


def quarantine_kept(connection: Connection, hospital: HospitalId, at_once: int) -> Iterator[SetAside]:
    """Give what still stands in quarantine, each chain in its order, so many read together."""
    place = (QUARANTINE.c.incarnation, QUARANTINE.c.seq)
    query = _chosen(hospital).where(_DONE.at.is_(None)).order_by(*place).limit(at_once)
    found = [_set_aside(each) for each in connection.execute(query)]
    while found:
        yield from found
        behind = tuple_(*place) > (found[-1].incarnation, found[-1].seq)
        found = [_set_aside(each) for each in connection.execute(query.where(behind))]


def set_aside(connection: Connection, hospital: HospitalId, chain: bytes, seq: int) -> SetAside | None:
    """Return one entry of the quarantine, None where there is none."""
    query = _chosen(hospital).where(QUARANTINE.c.incarnation == chain, QUARANTINE.c.seq == seq)
    row = connection.execute(query).first()
    return None if row is None else _set_aside(row)


def _chosen(hospital: HospitalId) -> Select[Any]:
    whose = and_(INCARNATION.c.hospital == QUARANTINE.c.hospital, INCARNATION.c.incarnation == QUARANTINE.c.incarnation)
    stands = and_(DEVICE.c.hospital == INCARNATION.c.hospital, DEVICE.c.device == INCARNATION.c.device)
    done = and_(
        _DONE.hospital == QUARANTINE.c.hospital,
        _DONE.incarnation == QUARANTINE.c.incarnation,
        _DONE.seq == QUARANTINE.c.seq,
    )
    replayed = (_DONE.at.label("replayed_at"), _DONE.person.label("replayed_by"))
    query = select(QUARANTINE, INCARNATION.c.device, DEVICE.c.place, *replayed)
    return (
        query.join(INCARNATION, whose).join(DEVICE, stands).outerjoin(QUARANTINE_REPLAY, done)
    ).where(QUARANTINE.c.hospital == hospital)  # fmt: skip


def _set_aside(row: Row[Any]) -> SetAside:
    return SetAside(
        DeviceId(row.device), PlaceId(row.place), Incarnation(row.incarnation), row.seq, row.event_id, row.reason,
        row.raw, Instant(row.at), None if row.replayed_at is None else Instant(row.replayed_at), row.replayed_by or "",
    )  # fmt: skip


# --- posting ---


def read_again(one: SetAside) -> tuple[Entry | None, Fact | None, str]:
    """Return an entry, what it comes to as this version reads it, and why it comes to nothing, empty where it does."""
    try:
        entry = decode_entry(one.raw)
    except ProtocolsError as error:
        return None, None, str(error)
    return entry, *meaning(entry)


def replay(
    connection: Connection, hospital: HospitalId, one: SetAside, person: ActorId, now: Instant
) -> tuple[bool, str]:
    """Post an entry that was set aside; return whether it was, and else why it stays where it is."""
    entry, fact, reason = read_again(one)
    if entry is None or fact is None:
        return False, reason
    known = firsts(connection, hospital, [one.event_id]).get(one.event_id)
    if known is not None and known.content_hash != content_hash(one.device, one.raw):
        return False, "this event id is known with another content"
    if known is None or (known.incarnation, known.seq) != (one.incarnation, one.seq):
        return False, "kept as bytes: its place in the ledger was never proven"
    row = {"hospital": hospital, "incarnation": one.incarnation, "seq": one.seq, "at": now, "person": person}
    if not add_new(connection, QUARANTINE_REPLAY, [row]):
        return False, "it was replayed before"
    fact = _without_what_is_older(connection, hospital, one, fact)
    _, owed = post(connection, hospital, one.device, one.place, [fact])
    pay(connection, owed)
    tell_others(connection, Chain(hospital, one.device, one.incarnation, one.place), [(entry.kind, fact)])
    return True, ""


def _without_what_is_older(connection: Connection, hospital: HospitalId, one: SetAside, fact: Fact) -> Fact:
    """Leave out the belief or the bindings of which something later is known."""
    if fact.belief is None and not fact.bindings:
        return fact
    row = LEDGER.c
    place = (row.hospital == hospital, row.incarnation == one.incarnation, row.seq == one.seq)
    own = written(*connection.execute(select(*WRITING).where(*place)).one())
    if fact.belief is not None:
        known = _believed(connection, hospital, one.device, fact.belief.epc.upper())
        return replace(fact, belief=None) if known is not None and known.after(own) else fact
    bound = _bound_later(connection, hospital, own, {each.epc.upper() for each in fact.bindings})
    return replace(fact, bindings=tuple(each for each in fact.bindings if each.epc.upper() not in bound))


def _believed(connection: Connection, hospital: HospitalId, device: DeviceId, epc: str) -> Written | None:
    """Return where the entry stands that told what a device last believed of a tag."""
    said = (BELIEF.c.hospital == hospital, BELIEF.c.device == device, BELIEF.c.epc == epc)
    query = with_writing(select(*WRITING).select_from(BELIEF), BELIEF).where(*said)
    row = connection.execute(query).first()
    return None if row is None else written(*row)


def _bound_later(connection: Connection, hospital: HospitalId, own: Written, epcs: Set[str]) -> Set[str]:
    """Return those of some tags that an entry written later binds."""
    tag, row = BINDING.c, LEDGER.c
    bound = {*connection.scalars(select(tag.epc).where(tag.hospital == hospital, tag.epc.in_(epcs)))}
    query = select(*WRITING, row.body).where(
        row.hospital == hospital, row.kind == "bind_tag", row.received_at >= own.received_at
    )
    later = set[str]()
    if not bound:
        return later
    for *writing, body in connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        if written(*writing).after(own):
            later |= bound & _bound_by(body)
    return later


def _bound_by(body: bytes) -> Set[str]:
    try:
        return {each.epc.upper() for each in read_body(body, BindBody).bindings}
    except ProtocolsError:
        return set()  # set aside itself
