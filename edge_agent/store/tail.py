"""The check of a start: the entries after the last full check, at most `TAIL_MAX`, so that a start stays short.

What a power cut can spoil stands at the end; the rest is checked at night and after an unclean stop, in a process of
its own. The words kept in the ledger's file are no part of the chain: how far a full check came, and that a run began.
"""

from dataclasses import dataclass

from edge_agent.errors import NotALedger
from edge_agent.store.connection import WHEN_DAMAGED, transaction
from edge_agent.store.ledger import Ledger
from edge_agent.store.rows import ENTRY_COLUMNS
from edge_agent.store.verify import differs
from protocols.entry import Digest

TAIL_MAX = 5_000
"""Entries checked at a start at most: some days of one storeroom, a quarter of a second."""
CHECKED, RUNNING = "checked", "running"
_NOTE = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"


@dataclass(frozen=True, slots=True)
class Tail:
    """What a start's check looked at."""

    entries: int
    from_seq: int


def check_tail(ledger: Ledger, name: str) -> Tail:
    """Check the chain's entries after the last full check. Raises `NotALedger` for one that is damaged."""
    head = ledger.head()
    start = max(_checked_seq(ledger), head.seq - TAIL_MAX, ledger.way()[-1].kept_from - 1)
    prev = ledger.hash_at(start)
    if prev is None:
        raise NotALedger(f"{name}: entry {start} is missing; {WHEN_DAMAGED}")
    rows = ledger.connection.stream(
        f"SELECT seq, device, content_hash, prev_hash, hash, {ENTRY_COLUMNS}, "
        "EXISTS (SELECT 1 FROM applied WHERE applied.event_id = ledger.event_id) "
        "FROM ledger WHERE incarnation = ? AND seq > ? ORDER BY seq",
        (head.incarnation, start),
    )
    seq = start
    for row in rows:
        seq += 1
        wrong = differs(row[:-1], seq=seq, prev=prev, device=ledger.device, incarnation=head.incarnation)
        wrong = wrong or ("" if row[-1] else "it is not in the book")
        if wrong:
            raise NotALedger(f"{name}: entry {seq} is damaged: {wrong}; {WHEN_DAMAGED}")
        prev = Digest(row[4])
    return Tail(seq - start, start + 1)


def _checked_seq(ledger: Ledger) -> int:
    said = (ledger.noted(CHECKED) or "").split()
    if len(said) != 3 or said[0] != ledger.head().incarnation.hex() or not said[1].isdecimal():
        return -1
    digest = ledger.hash_at(int(said[1]))
    return int(said[1]) if digest is not None and digest.hex() == said[2] else -1


def note_checked(ledger: Ledger, seq: int, digest: str) -> None:
    """Keep how far a full check came, unless the ledger went on in another chain meanwhile. Raises `StoreFault`."""
    known = ledger.hash_at(seq)
    if known is not None and known.hex() == digest:
        with transaction(ledger.connection):
            ledger.connection.execute(_NOTE, (CHECKED, f"{ledger.head().incarnation.hex()} {seq} {digest}"))


def begin_run(ledger: Ledger) -> bool:
    """Note that a run began; returns whether the one before ended as it should. Raises `StoreFault`."""
    clean = ledger.noted(RUNNING) != "yes"
    with transaction(ledger.connection):
        ledger.connection.execute(_NOTE, (RUNNING, "yes"))
    return clean


def end_run(ledger: Ledger) -> None:
    """Note that a run ended as it should. Raises `StoreFault`."""
    with transaction(ledger.connection):
        ledger.connection.execute(_NOTE, (RUNNING, "no"))
