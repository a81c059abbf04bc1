"""Proof of central's ledger: chains, facts, postings and balances must be one story.

It reads every entry once, in chain order, and trusts nothing that can be computed: hashes come from the bytes, the
book from the entries. It writes nothing and mends nothing. The rule that must not be broken: a fault is named with its
place, and a store with a fault is never called sound.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, Row, and_, func, select

from central.core.balances import Holding, Move, fold, unbalanced
from central.core.facts import read_fact
from central.store.engine import Store
from central.store.postings import move_of
from central.store.tables.ledger import BALANCE, EVENT, INCARNATION, LEDGER, OPAQUE_SCHEMA, POSTING_LINE, QUARANTINE
from protocols.entry import GENESIS, ClockQuality, Digest, Entry, chain_hash, content_hash, encode_entry
from protocols.errors import ProtocolsError
from protocols.sync.frames import NOTHING
from protocols.values.hlc import Hlc
from protocols.values.ids import DeviceId, Incarnation, actor_id, boot_id, event_id
from protocols.values.instant import Instant

FAULTS_SHOWN_MAX = 20
ROWS_AT_ONCE = 1_000

_Chain = tuple[str, bytes]


@dataclass(slots=True)
class Report:
    """What was read and what was wrong; `faults` keeps the first ones, `fault_count` all."""

    entries: int = 0
    chains: int = 0
    events: int = 0
    quarantined: int = 0
    fault_count: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Tell whether nothing was wrong."""
        return self.fault_count == 0

    def fault(self, line: str) -> None:
        """Count a fault and keep its line while there is room."""
        self.fault_count += 1
        if len(self.faults) < FAULTS_SHOWN_MAX:
            self.faults.append(line)


def verify(store: Store) -> Report:
    """Read the whole store in one moment and report."""
    report = Report()
    with store.read() as connection:
        walk = _Walk(report, _quarantined(connection))
        for row in _entries(connection):
            walk.entry(row)
        walk.end_chain()
        _compare_heads(connection, walk.ends, report)
        _compare_events(connection, walk.events, report)
        _compare_book(connection, walk.book, report)
    return report


class _Walk:
    """Goes along the chains and gathers where each ends and what the entries say the book is."""

    def __init__(self, report: Report, quarantined: set[tuple[str, bytes, int]]) -> None:
        self.ends: dict[_Chain, tuple[int, bytes]] = {}
        self.events: Counter[str] = Counter()
        self.book: dict[str, Counter[Holding]] = {}
        self._report, self._quarantined = report, quarantined
        self._report.quarantined = len(quarantined)
        self._chain: _Chain | None = None
        self._seq, self._prev = NOTHING, GENESIS

    def entry(self, row: Row[tuple[object, ...]]) -> None:
        here: _Chain = (row.hospital, row.incarnation)
        if here != self._chain:
            self.end_chain()
            self._chain, self._seq, self._prev = here, NOTHING, GENESIS
            self._report.chains += 1
        self._report.entries += 1
        self._check_links(row)
        self._seq, self._prev = row.seq, Digest(row.hash)
        self._count(row)

    def end_chain(self) -> None:
        if self._chain is not None:
            self.ends[self._chain] = (self._seq, self._prev)

    def _check_links(self, row: Row[tuple[object, ...]]) -> None:
        where = _where(row)
        if row.seq != self._seq + 1:
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
        if row.first_content != row.content_hash:
            self._report.fault(f"{_where(row)}: expected the event to carry this entry's content_hash")
        if (row.hospital, row.incarnation, row.seq) in self._quarantined:
            return
        self._fold(row)

    def _fold(self, row: Row[tuple[object, ...]]) -> None:
        try:
            lines = read_fact(_entry(row)).lines
        except (ProtocolsError, ValueError) as error:
            self._report.fault(f"{_where(row)}: expected an entry that can be posted or stands in quarantine; {error}")
            return
        self.book.setdefault(row.hospital, Counter()).update(fold(move_of(line) for line in lines))


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(
        event_id(row.event_id),
        Hlc(row.hlc),
        Instant(row.wall),
        row.mono,
        boot_id(row.boot_id),
        ClockQuality(row.clock_quality),
        row.kind,
        row.schema,
        row.body,
        actor_id(row.actor),
    )


def _raw(row: Row[tuple[object, ...]]) -> bytes:
    return bytes(row.body) if row.schema == OPAQUE_SCHEMA else encode_entry(_entry(row))


def _where(row: Row[tuple[object, ...]]) -> str:
    return f"{row.device} entry {row.seq}"


def _entries(connection: Connection) -> Iterator[Row[tuple[object, ...]]]:
    first = and_(EVENT.c.hospital == LEDGER.c.hospital, EVENT.c.event_id == LEDGER.c.event_id)
    query = (
        select(
            LEDGER,
            EVENT.c.content_hash.label("first_content"),
            EVENT.c.incarnation.label("first_incarnation"),
            EVENT.c.seq.label("first_seq"),
        )
        .outerjoin(EVENT, first)
        .order_by(LEDGER.c.hospital, LEDGER.c.incarnation, LEDGER.c.seq)
    )
    yield from connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)


def _quarantined(connection: Connection) -> set[tuple[str, bytes, int]]:
    rows = connection.execute(select(QUARANTINE.c.hospital, QUARANTINE.c.incarnation, QUARANTINE.c.seq))
    return {(row.hospital, row.incarnation, row.seq) for row in rows}


def _compare_heads(connection: Connection, ends: dict[_Chain, tuple[int, bytes]], report: Report) -> None:
    heads = {}
    for row in connection.execute(select(INCARNATION)):
        heads[row.hospital, row.incarnation] = (row.head_seq, row.head_hash)
        found = ends.get((row.hospital, row.incarnation), (NOTHING, GENESIS))
        if found != (row.head_seq, row.head_hash):
            report.fault(f"{row.device}: expected the chain to end at its head {row.head_seq}, it ends at {found[0]}")
    for chain in ends.keys() - heads.keys():
        report.fault(f"chain {chain[1].hex()[:8]}: expected a head for it")


def _compare_events(connection: Connection, counted: Counter[str], report: Report) -> None:
    stored = connection.execute(select(EVENT.c.hospital, func.count().label("n")).group_by(EVENT.c.hospital))
    for hospital, count in stored:
        report.events += count
        if count != counted[hospital]:
            report.fault(f"{hospital}: expected {counted[hospital]} events, one for each first entry, got {count}")


def _compare_book(connection: Connection, book: dict[str, Counter[Holding]], report: Report) -> None:
    stored: dict[str, Counter[Holding]] = {}
    for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(select(BALANCE)):
        what = Holding(row.place, row.position, row.item, row.lot, row.owner, row.unit)
        stored.setdefault(row.hospital, Counter())[what] = row.qty
    posted: dict[str, Counter[Holding]] = {}
    for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(select(POSTING_LINE)):
        ends = (row.source, row.source_position, row.target, row.target_position)
        move = Move(row.item, row.lot, row.owner, row.unit, row.qty, *ends)
        posted.setdefault(row.hospital, Counter()).update(fold([move]))
    for hospital in sorted(book.keys() | stored.keys() | posted.keys()):
        entries, balances = book.get(hospital, Counter()), stored.get(hospital, Counter())
        _compare(f"{hospital} posting lines", entries, posted.get(hospital, Counter()), report)
        _compare(f"{hospital} balances", entries, balances, report)
        for kept, total in unbalanced(balances).items():
            report.fault(f"{hospital}: expected the sum over all places to be 0 for {' '.join(kept)}, got {total}")


def _compare(name: str, expected: Counter[Holding], found: Counter[Holding], report: Report) -> None:
    for holding in sorted(expected.keys() | found.keys()):
        if expected[holding] != found[holding]:
            where = f"{holding.place} {holding.item} {holding.lot} {holding.unit}".rstrip()
            report.fault(f"{name}: expected {expected[holding]} at {where} as the entries say, got {found[holding]}")
