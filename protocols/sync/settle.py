"""Answering what a session asks of its ledger, in order, until it asks no more. The one place where both are driven."""

from collections.abc import Callable, Iterable
from typing import assert_never

from protocols.sync.feed import Applied
from protocols.sync.frames import SAMPLES_MAX
from protocols.sync.machine import (
    Action,
    Adopt,
    Behind,
    HeardTime,
    MarkAcked,
    MarkSafe,
    MoveOn,
    PostFacts,
    Reading,
    StateChanged,
    SyncLedger,
    TakeFeed,
    Transmit,
    WantEntries,
    WantHash,
    WantMissing,
    WantPlaces,
    Writing,
)
from protocols.sync.session import EdgeSession


def takes_no_feed(_applied: Applied) -> bool:
    """Keep nothing of the feed: for a device without master data, which never asks."""
    return False


def settle(
    session: EdgeSession,
    actions: Iterable[Action],
    ledger: SyncLedger,
    now: float,
    take_feed: Callable[[Applied], bool] = takes_no_feed,
) -> list[Action]:
    """Do what is for the ledger; return what is for the wire and the status.

    `take_feed` puts a version of the feed into the store and returns False where the old one stands on.
    """
    left: list[Action] = []
    todo = list(actions)
    while todo:
        action = todo.pop(0)
        match action:
            case WantEntries() | WantMissing() | WantHash() | WantPlaces():
                todo += _read(session, action, ledger, now)
            case Adopt() | MarkAcked() | MarkSafe() | PostFacts():
                todo += _write(session, action, ledger, now)
            case TakeFeed(applied):
                todo += session.fed(applied, take_feed(applied), now)
            case Transmit() | Behind() | HeardTime() | StateChanged() | MoveOn():
                left.append(action)
            case _:
                assert_never(action)
    return left


def _read(session: EdgeSession, action: Reading, ledger: SyncLedger, now: float) -> list[Action]:
    match action:
        case WantEntries(incarnation, from_seq, n, max_bytes):
            raws = ledger.entries_raw(from_seq, n, max_bytes, incarnation)
            return session.supply(incarnation, from_seq, raws, now)
        case WantMissing(incarnation, seq):
            return session.missing(incarnation, seq, ledger.missing(seq, incarnation), now)
        case WantHash(incarnation, seq):
            return session.known(incarnation, seq, ledger.hash_at(seq, incarnation), now)
        case WantPlaces():
            return session.placed(ledger.places(SAMPLES_MAX))
        case _:
            assert_never(action)


def _write(session: EdgeSession, action: Writing, ledger: SyncLedger, now: float) -> list[Action]:
    match action:
        case Adopt(incarnation, behind, without):
            return session.adopted(ledger.adopt(incarnation, behind, without), now)
        case MarkAcked(incarnation, seq):
            ledger.set_acked(seq, incarnation)
        case MarkSafe(incarnation, seq):
            ledger.set_safe(seq, incarnation)
        case PostFacts(upto, facts_sum, entries):
            ledger.post_facts(upto, facts_sum, entries)
            return session.posted(upto, facts_sum, now)
        case _:
            assert_never(action)
    return []
