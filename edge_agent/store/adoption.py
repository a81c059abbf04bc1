"""Going on in a new chain behind an entry that central holds too.

A ledger that was put back from a copy, that central remembers otherwise, or whose entry the disk spoilt goes on so.
What came after that entry is written again there, with the same event id and content, and posted no second time; an
entry that is not whole any more is left behind. Up to `ADOPTED_AT_ONCE` entries are one transaction; more are written
in several, and a start finishes what a power cut ended. The rule that must not be broken: nothing already written is
changed, and the ledger is written in the new chain only once all is copied.
"""

from collections.abc import Iterator
from itertools import islice

import msgspec

from edge_agent.store.connection import Connection, transaction
from edge_agent.store.rows import ENTRY_COLUMNS, INSERT, entry_of, row_of
from edge_agent.store.sending import whole
from edge_agent.store.way import hash_at, read_way
from protocols.entry import ALGORITHM, GENESIS, ChainedEntry, Digest, Entry, chain
from protocols.sync.frames import NOTHING, Head
from protocols.sync.machine import Leg
from protocols.values.ids import DeviceId, Incarnation
from protocols.values.instant import Instant

ADOPTED_AT_ONCE = 50_000
COPIED_AT_ONCE = 500
ADOPTING = "adopting"


class _Adoption(msgspec.Struct, frozen=True):
    """One under way: the new chain, the place behind which it begins, and whether the next entry is left out."""

    born: bytes
    behind: Head | None
    leave_out: bool


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Adoption).decode


def adopt(
    connection: Connection,
    device: DeviceId,
    way: tuple[Leg, ...],
    born: Incarnation,
    behind: Head | None,
    now: Instant,
    *,
    leave_out: bool = False,
    at_once: int = ADOPTED_AT_ONCE,
) -> None:
    """Go on in the chain `born` behind a place of the way; write what came after it again. Raises `StoreFault`."""
    task = _Adoption(born, behind, leave_out)
    with transaction(connection):
        _begin(connection, task, now)
        done = _copy(connection, device, way, task, at_once)
        if done:
            _finish(connection, task)
    while not done:
        done = _go_on(connection, device, way, task, at_once)


def finish_adoption(connection: Connection, device: DeviceId, at_once: int = ADOPTED_AT_ONCE) -> None:
    """Finish what a power cut ended half way. Raises `StoreFault`."""
    kept: dict[str, str] = dict(
        connection.query("SELECT key, value FROM meta WHERE key IN (?, 'incarnation')", (ADOPTING,))
    )
    if ADOPTING not in kept:
        return
    task = _decode(kept[ADOPTING])
    way = read_way(connection, Incarnation(bytes.fromhex(kept["incarnation"])))
    while not _go_on(connection, device, way, task, at_once):
        pass


def _go_on(connection: Connection, device: DeviceId, way: tuple[Leg, ...], task: _Adoption, at_once: int) -> bool:
    with transaction(connection):
        done = _copy(connection, device, way, task, at_once)
        if done:
            _finish(connection, task)
    return done


def _begin(connection: Connection, task: _Adoption, now: Instant) -> None:
    behind = task.behind
    base = GENESIS if behind is None else Digest(behind.hash)
    parent, parent_seq = (None, NOTHING) if behind is None else (behind.incarnation, behind.seq)
    connection.execute(
        "INSERT INTO incarnation (incarnation, parent, parent_seq, base_hash, created_wall, algorithm) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (task.born, parent, parent_seq, base, now, ALGORITHM),
    )
    connection.execute("INSERT INTO mark (incarnation) VALUES (?)", (task.born,))
    connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (ADOPTING, _encode(task).decode()))


def _finish(connection: Connection, task: _Adoption) -> None:
    connection.execute("UPDATE meta SET value = ? WHERE key = 'incarnation'", (task.born.hex(),))
    connection.execute("DELETE FROM meta WHERE key = ?", (ADOPTING,))


def _copy(connection: Connection, device: DeviceId, way: tuple[Leg, ...], task: _Adoption, most: int) -> bool:
    """Write at most `most` entries more into the new chain; tell whether it has them all."""
    born = Incarnation(task.born)
    ((last,),) = connection.query("SELECT COALESCE(MAX(seq), -1) FROM ledger WHERE incarnation = ?", (born,))
    prev = hash_at(connection, born, last)
    assert prev is not None  # its own last entry or its base
    after = islice(_after(connection, device, way, task.behind, skip=task.leave_out), last + 1, None)
    seq = left = int(last)
    while entries := list(islice(after, min(COPIED_AT_ONCE, most - (seq - left)))):
        written: list[ChainedEntry] = chain(device, born, from_seq=seq + 1, prev_hash=prev, entries=entries)
        connection.executemany(INSERT, [row_of(each) for each in written])
        seq, prev = written[-1].seq, written[-1].hash
    return seq - left < most


def _after(
    connection: Connection, device: DeviceId, way: tuple[Leg, ...], behind: Head | None, *, skip: bool
) -> Iterator[Entry]:
    """Return the whole entries of the way behind a place, in order; `skip` leaves the very next out, whole or not."""
    chains = [leg.incarnation for leg in way]
    start = 0 if behind is None else chains.index(Incarnation(behind.incarnation))
    for place, leg in enumerate(way[start:]):
        first = behind.seq + 1 if behind is not None and place == 0 else leg.kept_from
        for from_seq in range(first, leg.seq + 1, COPIED_AT_ONCE):
            upto = min(from_seq + COPIED_AT_ONCE - 1, leg.seq)
            rows = connection.query(
                f"SELECT content_hash, {ENTRY_COLUMNS} FROM ledger "
                "WHERE incarnation = ? AND seq BETWEEN ? AND ? ORDER BY seq",
                (leg.incarnation, from_seq, upto),
            )
            rows, skip = rows[skip:], skip and not rows
            yield from (entry_of(row[1:]) for row in rows if whole(row[1:], row[0], device) is not None)
