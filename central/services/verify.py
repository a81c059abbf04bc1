"""Proof of central's store: chains, facts, what follows from them, discrepancies and orders must be one story.

It reads every entry once, in chain order, and trusts nothing that can be computed: hashes come from the bytes, events,
postings, balances, beliefs and bindings from the entries, discrepancies from the rules that open them, orders from
their proposals. It writes nothing and mends nothing; docs/databases.md says what it covers and what it cannot. The rule
that must not be broken: a fault is named with its place, and a store with a fault is never called sound.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Set

from sqlalchemy import Connection, Row, and_, func, select

from central.core.facts import Fact, read_fact
from central.services.feed.heads import heads_faults
from central.services.proof.discrepancies import compare_discrepancies
from central.services.proof.followed import ROWS_AT_ONCE, Followed
from central.services.proof.orders import compare_orders
from central.services.proof.report import FAULTS_SHOWN_MAX, Report
from central.store.audit import broken_at
from central.store.engine import Store
from central.store.rows import entry_of
from central.store.tables.ledger import EVENT, INCARNATION, LEDGER, OPAQUE_SCHEMA, QUARANTINE
from central.store.tables.people import AUDIT
from central.store.tables.replays import QUARANTINE_REPLAY
from central.store.tables.sync import LEDGER_GAP
from protocols.entry import GENESIS, Digest, chain_hash, content_hash, encode_entry
from protocols.errors import ProtocolsError
from protocols.sync.frames import NOTHING
from protocols.values.ids import DeviceId, Incarnation

TELL_EACH = 1_000
EVENT_FIELDS = ("content_hash", "device", "kind", "at", "actor")

__all__ = ["FAULTS_SHOWN_MAX", "Report", "verify"]

_Chain = tuple[str, bytes]
_Closed = dict[tuple[str, bytes, int], tuple[int, bytes]]


def verify(store: Store, tell: Callable[[str, int], None] = lambda _what, _count: None) -> Report:
    """Read the whole store in one moment and report; `tell` hears how far it has come.

    Entries, lines and balances are streamed; what is kept in memory is a record a chain, a tag and a quarantined entry.
    """
    report = Report()
    with store.read() as connection:
        followed, closed = Followed(connection, report), _closed_gaps(connection)
        aside, replayed = _quarantined(connection), _replayed(connection)
        walk = _Walk(report, followed, aside, replayed, _bases(connection, closed, report), closed)
        for row in _entries(connection):
            walk.entry(row)
            if report.entries % TELL_EACH == 0:
                tell("entries read:", report.entries)
        walk.end_chain()
        tell("comparing what follows from entries:", report.entries)
        _compare_heads(connection, walk.ends, closed, report)
        _compare_events(connection, walk.events, report)
        walk.followed.end()
        compare_discrepancies(connection, walk.followed, report)
        compare_orders(connection, report)
        _compare_acts(connection, report)
        for fault in heads_faults(connection):
            report.fault(fault)
    return report


class _Walk:
    """Goes along the chains, checks each entry and its event, and hands on what was posted."""

    def __init__(
        self,
        report: Report,
        followed: Followed,
        quarantined: dict[tuple[str, bytes, int], bytes],
        replayed: Set[tuple[str, bytes, int]],
        bases: dict[_Chain, Digest],
        closed: _Closed,
    ) -> None:
        self._bases = bases
        self.ends: dict[_Chain, tuple[int, bytes]] = {}
        self.events: Counter[str] = Counter()
        self.followed = followed
        self._report, self._quarantined, self._replayed = report, quarantined, replayed
        self._report.quarantined = len(quarantined.keys() - replayed)
        self._closed = closed
        self._chain: _Chain | None = None
        self._seq, self._prev = NOTHING, GENESIS

    def entry(self, row: Row[tuple[object, ...]]) -> None:
        here: _Chain = (row.hospital, row.incarnation)
        if here != self._chain:
            self.end_chain()
            self._chain, self._seq, self._prev = here, NOTHING, self._bases.get(here, GENESIS)
            self._report.chains += 1
        self._report.entries += 1
        self._check_links(row)
        self._seq, self._prev = row.seq, Digest(row.hash)
        self._check_quarantine(row)
        self._count(row)

    def end_chain(self) -> None:
        if self._chain is not None:
            self.ends[self._chain] = (self._seq, self._prev)

    def _check_links(self, row: Row[tuple[object, ...]]) -> None:
        where = _where(row)
        closed = self._closed.get((row.hospital, row.incarnation, self._seq + 1))
        if row.seq != self._seq + 1 and closed == (row.seq - 1, row.prev_hash):
            self._report.gaps += 1
        elif row.seq != self._seq + 1:
            self._report.fault(f"{where}: expected seq {self._seq + 1} next; entries are missing")
        elif row.prev_hash != self._prev:
            self._report.fault(f"{where}: expected prev_hash to be the hash of the entry before it")
        try:
            content = content_hash(DeviceId(row.device), _raw(row))
        except ValueError as error:
            self._report.fault(f"{where}: expected an entry's columns; {error}")
            return
        if content != row.content_hash:
            self._report.fault(f"{where}: expected content_hash to fit the entry; the entry was changed")
        if chain_hash(Incarnation(row.incarnation), row.seq, Digest(row.prev_hash), content) != row.hash:
            self._report.fault(f"{where}: expected hash to fit the entry and its place; one of them was changed")

    def _count(self, row: Row[tuple[object, ...]]) -> None:
        if row.schema == OPAQUE_SCHEMA:
            return
        if row.first_content is None:
            self._report.fault(f"{_where(row)}: expected its event id among the events")
            return
        if (row.first_incarnation, row.first_seq) != (row.incarnation, row.seq):
            return
        self.events[row.hospital] += 1
        fact, reason = _fact(row)
        place = (row.hospital, row.incarnation, row.seq)
        unread = fact is None or (place in self._quarantined and row.first_at == row.wall)
        at = row.wall if fact is None or unread else fact.at
        event = (row.first_content, row.first_device, row.first_kind, row.first_at, row.first_actor)
        for name, found, wanted in zip(EVENT_FIELDS, event, _event_of(row, at), strict=True):
            if found != wanted:
                self._report.fault(f"{_where(row)}: expected the {name} of its event as the entry says, got another")
        if place in self._quarantined and place not in self._replayed:
            return
        if fact is None:
            self._report.fault(f"{_where(row)}: expected an entry that can be posted or stands in quarantine; {reason}")
        else:
            self.followed.take(row, fact)

    def _check_quarantine(self, row: Row[tuple[object, ...]]) -> None:
        kept = self._quarantined.get((row.hospital, row.incarnation, row.seq))
        if kept is not None and kept != row.content_hash:
            self._report.fault(f"{_where(row)}: expected its own bytes in quarantine, got others")


def _event_of(row: Row[tuple[object, ...]], at: int) -> tuple[object, ...]:
    return (row.content_hash, row.device, row.kind, at, row.actor)


def _fact(row: Row[tuple[object, ...]]) -> tuple[Fact | None, str]:
    try:
        return read_fact(entry_of(row)), ""
    except (ProtocolsError, ValueError) as error:
        return None, str(error)


def _raw(row: Row[tuple[object, ...]]) -> bytes:
    return bytes(row.body) if row.schema == OPAQUE_SCHEMA else encode_entry(entry_of(row))


def _where(row: Row[tuple[object, ...]]) -> str:
    return f"entry {row.seq} of {row.device}"


def _entries(connection: Connection) -> Iterator[Row[tuple[object, ...]]]:
    first = and_(EVENT.c.hospital == LEDGER.c.hospital, EVENT.c.event_id == LEDGER.c.event_id)
    query = (
        select(
            LEDGER,
            EVENT.c.content_hash.label("first_content"),
            EVENT.c.incarnation.label("first_incarnation"),
            EVENT.c.seq.label("first_seq"),
            EVENT.c.device.label("first_device"),
            EVENT.c.kind.label("first_kind"),
            EVENT.c.at.label("first_at"),
            EVENT.c.actor.label("first_actor"),
        )
        .outerjoin(EVENT, first)
        .order_by(LEDGER.c.hospital, LEDGER.c.incarnation, LEDGER.c.seq)
    )
    yield from connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)


def _bases(connection: Connection, closed: _Closed, report: Report) -> dict[_Chain, Digest]:
    """Return the hash behind which each chain that continues another begins; its place must be there."""
    bases: dict[_Chain, Digest] = {}
    ends = {(hospital, chain, last): digest for (hospital, chain, _), (last, digest) in closed.items()}
    behind = and_(
        LEDGER.c.hospital == INCARNATION.c.hospital,
        LEDGER.c.incarnation == INCARNATION.c.parent,
        LEDGER.c.seq == INCARNATION.c.parent_seq,
    )
    query = select(INCARNATION, LEDGER.c.hash.label("base"), LEDGER.c.device.label("base_device"))
    for row in connection.execute(query.outerjoin(LEDGER, behind).where(INCARNATION.c.parent.is_not(None))):
        if row.base is not None and row.base_device == row.device:
            bases[row.hospital, row.incarnation] = Digest(row.base)
        elif (row.hospital, row.parent, row.parent_seq) in ends:
            bases[row.hospital, row.incarnation] = Digest(ends[row.hospital, row.parent, row.parent_seq])
        elif row.head_seq != NOTHING:
            report.fault(f"{row.device}: expected entry {row.parent_seq} of the chain that another continues behind it")
    return bases


def _quarantined(connection: Connection) -> dict[tuple[str, bytes, int], bytes]:
    """Return the content hash of the bytes that each entry in quarantine is kept with."""
    whose = and_(INCARNATION.c.hospital == QUARANTINE.c.hospital, INCARNATION.c.incarnation == QUARANTINE.c.incarnation)
    rows = connection.execute(select(QUARANTINE, INCARNATION.c.device).outerjoin(INCARNATION, whose))
    return {(row.hospital, row.incarnation, row.seq): content_hash(DeviceId(row.device or ""), row.raw) for row in rows}


def _replayed(connection: Connection) -> Set[tuple[str, bytes, int]]:
    """Return the entries of the quarantine that were posted after all."""
    row = QUARANTINE_REPLAY.c
    rows = connection.execute(select(row.hospital, row.incarnation, row.seq))
    return {(one.hospital, one.incarnation, one.seq) for one in rows}


def _closed_gaps(connection: Connection) -> _Closed:
    """Return the gaps of chains that were closed over: where each begins, its last seq and that entry's hash."""
    gap = LEDGER_GAP.c
    columns = (gap.hospital, gap.incarnation, gap.first_seq, gap.last_seq, gap.hash, gap.pages)
    query = select(*columns).group_by(*columns).having(func.count() == gap.pages)
    return {
        (row.hospital, row.incarnation, row.first_seq): (row.last_seq, row.hash) for row in connection.execute(query)
    }


def _compare_heads(
    connection: Connection,
    ends: dict[_Chain, tuple[int, bytes]],
    closed: _Closed,
    report: Report,
) -> None:
    heads = {}
    for row in connection.execute(select(INCARNATION)):
        heads[row.hospital, row.incarnation] = (row.head_seq, row.head_hash)
        found = ends.get((row.hospital, row.incarnation), (NOTHING, GENESIS))
        found = closed.get((row.hospital, row.incarnation, found[0] + 1), found)
        if found != (row.head_seq, row.head_hash):
            report.fault(f"{row.device}: expected the chain to end at its head {row.head_seq}, it ends at {found[0]}")
    for chain in ends.keys() - heads.keys():
        report.fault(f"chain {chain[1].hex()[:8]}: expected a head for it")


def _compare_acts(connection: Connection, report: Report) -> None:
    for (hospital,) in connection.execute(select(AUDIT.c.hospital).distinct()).all():
        broken = broken_at(connection, hospital)
        if broken is not None:
            report.fault(f"record of acts, row {broken}: expected it as it was written, it was changed or removed")


def _compare_events(connection: Connection, counted: Counter[str], report: Report) -> None:
    stored = connection.execute(select(EVENT.c.hospital, func.count().label("n")).group_by(EVENT.c.hospital))
    for hospital, count in stored:
        report.events += count
        if count != counted[hospital]:
            report.fault(
                f"hospital {hospital}: expected {counted[hospital]} events, one for each first entry, got {count}"
            )
