"""Answering what a session asks of its ledger, in order, until it asks no more. The one place where both are driven."""

from collections.abc import Callable, Iterable
from typing import assert_never

from protocols.sync.feed import Applied
from protocols.sync.frames import SAMPLES_MAX
from protocols.sync.machine import (
    Action,
    Adopt,
    Behind,
    MarkAcked,
    MoveOn,
    PostFacts,
    StateChanged,
    SyncLedger,
    TakeFeed,
    Transmit,
    WantEntries,
    WantHash,
    WantPlaces,
)
from protocols.sync.session import EdgeSession


def takes_no_feed(_applied: Applied) -> bool:
    """Keep nothing of the feed: for a device without master data, such as one of a load."""
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
            case WantEntries(incarnation, from_seq, n, max_bytes):
                raws = ledger.entries_raw(from_seq, n, max_bytes, incarnation)
                todo += session.supply(incarnation, from_seq, raws, now)
            case WantHash(incarnation, seq):
                todo += session.known(incarnation, seq, ledger.hash_at(seq, incarnation), now)
            case WantPlaces():
                todo += session.placed(ledger.places(SAMPLES_MAX))
            case Adopt(incarnation, behind):
                todo += session.adopted(ledger.adopt(incarnation, behind), now)
            case MarkAcked(incarnation, seq):
                ledger.set_acked(seq, incarnation)
            case PostFacts(upto, facts_sum, entries):
                ledger.post_facts(upto, facts_sum, entries)
                todo += session.posted(upto, facts_sum, now)
            case TakeFeed(applied):
                todo += session.fed(applied, take_feed(applied), now)
            case Transmit() | Behind() | StateChanged() | MoveOn():
                left.append(action)
            case _:
                assert_never(action)
    return left
