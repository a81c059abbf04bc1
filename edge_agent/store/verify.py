"""Check a whole ledger: the chain recomputed from the columns, the book folded anew, every sum zero.

It reads only, in one snapshot, row by row: memory grows with the stock, not with the history. It trusts no stored hash
but compares each with its own. Not here: repairs; a broken ledger is restored or carried on by a person.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from edge_agent.core.checkpoint import Cut
from edge_agent.store.book_check import book_differences
from edge_agent.store.connection import Connection, Row
from edge_agent.store.cuts import fold_on, last_cut
from edge_agent.store.rows import ENTRY_COLUMNS, entry_of
from edge_agent.store.way import hash_at
from protocols.entry import GENESIS, Digest, chain_hash, content_hash, encode_entry
from protocols.errors import PeerBroke
from protocols.values.ids import DeviceId, Incarnation

PROBLEMS_MAX = 20
"""Most problems named; the first is where to look."""
PROGRESS_EVERY = 10_000
"""Entries between two words to a person who watches."""

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `incarnation` (hex) and `seq` name the entry where one is at fault."""

    what: str
    incarnation: str = ""
    seq: int = -1


@dataclass(slots=True)
class Report:
    """What a verification found; sound when `problems` is empty.

    `entries` were checked and found whole, of `total` in the file: what hangs on a broken entry says nothing.
    """

    device: str
    total: int = 0
    entries: int = 0
    head_seq: int = -1
    head_hash: str = ""
    balances: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Tell whether nothing was found wrong."""
        return not self.problems

    def add(self, problem: Problem) -> None:
        """Keep a problem, up to `PROBLEMS_MAX`."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)


def verify(connection: Connection, told: Told = lambda done, total: None, *, pages: bool = False) -> Report:
    """Check everything in one snapshot. `told(done, total)` is called now and then. Raises `StoreFault` only.

    `pages`: also those of the file that neither chain nor book is read from; for this nothing is told meanwhile.
    """
    connection.execute("BEGIN")
    try:
        report = _verify(connection, told)
        if pages and report.sound:
            _pages(connection, report)
        return report
    finally:
        connection.execute("ROLLBACK")


def _verify(connection: Connection, told: Told) -> Report:
    meta: dict[str, str] = dict(connection.query("SELECT key, value FROM meta"))
    report = Report(device=meta.get("device", ""))
    ((total,),) = connection.query("SELECT COUNT(*) FROM ledger")
    report.total = total
    incarnations = [row[0] for row in connection.query("SELECT incarnation FROM incarnation ORDER BY rowid")]
    for incarnation in incarnations:
        head = _chain(connection, Incarnation(incarnation), report, lambda: told(report.entries, total))
        if incarnation.hex() == meta.get("incarnation"):
            report.head_seq, report.head_hash = head[0], head[1].hex()
        if report.sound:  # after a broken chain the head says nothing
            _marks(connection, incarnation, head[0], report)
    cut = _fold(connection, report) if report.sound else Cut()  # after a broken chain the fold says nothing either
    report.balances = len(cut.fold.balances)
    if report.sound:
        for difference in book_differences(connection, cut.fold, trimmed=cut.events):
            report.add(Problem(difference))
    return report


def _pages(connection: Connection, report: Report) -> None:
    ((said,),) = connection.query("PRAGMA integrity_check(1)")
    if said != "ok":
        report.add(Problem(f"a page is damaged, {' '.join(str(said).split())}"))


def _fold(connection: Connection, report: Report) -> Cut:
    """Return the newest checkpoint's book with every event behind it."""
    try:
        cut = last_cut(connection)
    except PeerBroke as error:
        report.add(Problem(str(error)))
        return Cut()
    for wrong, incarnation, seq in fold_on(connection, cut):
        report.add(Problem(f"body: {wrong}", incarnation.hex(), seq))
    return cut


def _chain(
    connection: Connection,
    incarnation: Incarnation,
    report: Report,
    told: Callable[[], None],
) -> tuple[int, Digest]:
    seq, prev = _start(connection, incarnation)
    device = DeviceId(report.device)
    rows = connection.stream(
        f"SELECT seq, device, content_hash, prev_hash, hash, {ENTRY_COLUMNS} FROM ledger "
        "WHERE incarnation = ? ORDER BY seq",
        (incarnation,),
    )
    for row in rows:
        seq += 1
        found = differs(row, seq=seq, prev=prev, device=device, incarnation=incarnation)
        if found:
            report.add(Problem(found, incarnation.hex(), seq))
            return seq, prev  # what follows hangs on this entry
        prev = Digest(row[4])
        report.entries += 1
        if report.entries % PROGRESS_EVERY == 0:
            told()
    return seq, prev


def _start(connection: Connection, incarnation: Incarnation) -> tuple[int, Digest]:
    rows = connection.query(
        "SELECT seq, hash FROM checkpoint WHERE incarnation = ? ORDER BY seq DESC LIMIT 1", (incarnation,)
    )
    return (rows[0][0], Digest(rows[0][1])) if rows else (-1, _base(connection, incarnation))


def _base(connection: Connection, incarnation: Incarnation) -> Digest:
    """Return the hash that a chain's first entry continues: that of the entry behind which it began."""
    ((parent, parent_seq, base),) = connection.query(
        "SELECT parent, parent_seq, base_hash FROM incarnation WHERE incarnation = ?", (incarnation,)
    )
    if parent is None:
        return GENESIS
    known = hash_at(connection, Incarnation(parent), parent_seq)
    return Digest(base) if known is None else known  # the parent's entry was trimmed


def differs(row: Row, *, seq: int, prev: Digest, device: DeviceId, incarnation: Incarnation) -> str:
    """Return what is wrong with one row, empty when nothing is."""
    stored_seq, stored_device, stored_content, stored_prev, stored_hash = row[:5]
    if stored_seq != seq:
        return f"expected seq {seq}, found {stored_seq}: an entry is missing"
    if stored_device != device:
        return f"device: expected {device}, found {stored_device}"
    try:
        raw = encode_entry(entry_of(row[5:]))
    except (ValueError, TypeError) as error:
        return f"columns: {error}"
    content = content_hash(device, raw)
    if content != stored_content:
        return "content_hash: expected the hash of the stored columns; one of them (body, actor, times, …) was changed"
    if stored_prev != prev:
        return "prev_hash: expected the hash of the entry before"
    if chain_hash(incarnation, seq, prev, content) != stored_hash:
        return "hash: expected the chain hash of this entry"
    return ""


def _marks(connection: Connection, incarnation: bytes, head_seq: int, report: Report) -> None:
    for acked, safe in connection.query("SELECT acked, safe FROM mark WHERE incarnation = ?", (incarnation,)):
        if max(acked, safe) > head_seq:
            said = f"mark: acknowledged up to {acked}, safe up to {safe}, but the last entry is {head_seq}"
            report.add(Problem(f"{said}: entries are missing at the end", incarnation.hex(), head_seq))
