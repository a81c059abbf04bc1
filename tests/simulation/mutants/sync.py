"""The sync with one mistake each: a law of the simulation must notice every one of them.

A mutant is a function that puts its mistake into the running programs by way of pytest's monkeypatch, and the play that
shows it. The rule that must not be broken: a mutant changes one decision and nothing else.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from central.services import reception as services_reception
from central.services.ingest import Ingest
from central.store import ledger as central_ledger
from central.store import postings, ward_facts
from central.store.ledger import Chain
from central.store.tables.ledger import WARD_FACT
from edge_agent.core.book import effect_of
from edge_agent.store import adoption
from edge_agent.store import ledger as edge_ledger
from edge_agent.store.connection import transaction
from edge_agent.store.ledger import Ledger
from edge_agent.store.projections import project
from edge_agent.store.rows import ENTRY_COLUMNS, entry_of
from protocols.entry import Digest
from protocols.sync import feed, reception
from protocols.sync.feed import Applied, Collected
from protocols.sync.frames import Hello, Nack, Why
from protocols.sync.machine import Action, State
from protocols.sync.session import EdgeSession
from protocols.values.ids import Incarnation
from tests.simulation import sqlite_under
from tests.simulation.faults import Kind
from tests.simulation.mutants.conflicts import answer_given_again, answer_never_taken_back
from tests.simulation.mutants.plays import (
    Days,
    a_central_that_forgot_its_facts,
    busy_with_twins,
    late_messages_after_a_restore,
    pages_of_two_versions,
)

Patch = pytest.MonkeyPatch


def sync_off(patch: Patch) -> None:
    """The edge's disk is never waited for."""
    patch.setattr(sqlite_under, "SYNCHRONOUS", "OFF")


def ack_before_commit(patch: Patch) -> None:
    """Central answers inside the transaction that it speaks of."""
    one = Ingest._one

    def answers_at_once(self: Ingest, connection: Connection, arrived: Any, owed: Any) -> Any:  # noqa: ANN401 # as it came
        outcome = one(self, connection, arrived, owed)
        if outcome.reply is not None:
            arrived.answer(outcome.reply)
        return replace(outcome, reply=None)

    patch.setattr(Ingest, "_one", answers_at_once)


def no_dedup(patch: Patch) -> None:
    """Every entry is taken for a new fact."""

    def all_new(connection: Connection, chain: Chain, read: Sequence[Any], doubts: list[Any]) -> list[Any]:
        known(connection, chain, read, doubts)
        return [(each, fact) for each in read if (fact := central_ledger.meaning(each.entry)[0]) is not None]

    known = central_ledger._new_facts
    patch.setattr(central_ledger, "_new_facts", all_new)


def dedup_without_content(patch: Patch) -> None:
    """An event id is enough, whatever it now says."""
    new_facts = central_ledger._new_facts

    def by_id_alone(connection: Connection, chain: Chain, read: Sequence[Any], doubts: list[Any]) -> list[Any]:
        found: list[Any] = []
        facts = new_facts(connection, chain, read, found)
        doubts += [doubt for doubt in found if "another content" not in doubt.reason]
        return facts

    patch.setattr(central_ledger, "_new_facts", by_id_alone)


def edge_skips_the_hash_check(patch: Patch) -> None:
    """The edge believes that central's head is its own."""

    def believes(self: EdgeSession, _chain: Incarnation, _seq: int, _digest: Digest | None, now: float) -> list[Action]:
        self._proof.unproven.pop(0)
        return self._prove_next(now)

    patch.setattr(EdgeSession, "_prove", believes)
    patch.setattr(EdgeSession, "_diverge", lambda self: self._proven(0.0))


def ack_hash_unchecked(patch: Patch) -> None:
    """The edge moves its mark wherever an acknowledgement says."""
    known = EdgeSession.known

    def believes(self: EdgeSession, chain: Incarnation, seq: int, digest: Digest | None, now: float) -> list[Action]:
        if self.state is State.LIVE and seq in self._sender.checks and digest is not None:
            self._sender.checks[seq] = digest
        return known(self, chain, seq, digest, now)

    patch.setattr(EdgeSession, "known", believes)


def hello_offers_one_chain(patch: Patch) -> None:
    """The edge tells only of the chain it now writes."""
    transmit = EdgeSession._transmit

    def says_less(self: EdgeSession, message: Any, incarnation: Incarnation | None = None) -> Any:  # noqa: ANN401
        if isinstance(message, Hello):
            message = Hello(
                message.number,
                message.agent_version,
                1,
                1,
                message.chains[-1:],
                0,
                message.facts,
                message.facts_sum,
                {},
                message.wall,
                message.free_bytes,
            )
        return transmit(self, message, incarnation)

    patch.setattr(EdgeSession, "_transmit", says_less)


def fork_posts_again(patch: Patch) -> None:
    """What is written again in a new chain is posted again."""
    adopt = adoption.adopt

    def twice(connection: Any, device: Any, legs: Any, born: Incarnation, *more: Any, **told: Any) -> None:  # noqa: ANN401
        adopt(connection, device, legs, born, *more, **told)
        with transaction(connection):
            for row in connection.query(f"SELECT {ENTRY_COLUMNS} FROM ledger WHERE incarnation = ?", (born,)):
                connection.execute("DELETE FROM applied WHERE event_id = ?", (row[0],))
                connection.execute("DELETE FROM discrepancy WHERE event_id = ?", (row[0],))
                entry = entry_of(row)
                project(connection, [(entry, effect_of(entry.kind, entry.body))])

    patch.setattr(edge_ledger, "adopt", twice)


def far_clock_refuses(patch: Patch) -> None:
    """Central sets aside what comes from a clock far ahead."""
    read_all = central_ledger._read_all

    def refuses(links: Sequence[Any]) -> Any:  # noqa: ANN401 # as it was
        read, doubts = read_all(links)
        far = [each for each in read if each.entry.wall > FAR_AHEAD]
        doubts += [central_ledger._Doubt(each.link, each.entry.event_id, "too far ahead") for each in far]
        return [each for each in read if each not in far], doubts

    patch.setattr(central_ledger, "_read_all", refuses)


FAR_AHEAD = 1_900_000_000_000_000
"""The year 2030."""


def facts_are_not_told(patch: Patch) -> None:
    """What concerns another storeroom is not told to it."""
    patch.setattr(central_ledger, "tell_others", lambda *_: None)


def trim_at_ack(patch: Patch) -> None:
    """The edge takes for safe whatever central has acknowledged."""
    set_acked = Ledger.set_acked

    def safe_at_once(self: Ledger, seq: int, incarnation: Incarnation | None = None) -> None:
        set_acked(self, seq, incarnation)
        with transaction(self.connection):
            self.connection.execute("UPDATE mark SET safe = acked")

    patch.setattr(Ledger, "set_acked", safe_at_once)
    patch.setattr(Ledger, "set_safe", lambda *_: None)


def nack_sends_hello(patch: Patch) -> None:
    """A frame that is not taken is answered by a greeting at once."""
    lose = EdgeSession._lose_session

    def greets(self: EdgeSession, now: float) -> list[Action]:
        actions = lose(self, now)
        self._greeter.hello_at = now
        return actions

    patch.setattr(EdgeSession, "_lose_session", greets)


def token_per_hello(patch: Patch) -> None:
    """Central gives a new token with every WELCOME."""
    session = reception._session

    def always(stored: Any, envelope: Any, token: bytes, now: Any) -> Any:  # noqa: ANN401 # as they came
        return replace(session(stored, envelope, token, now), token=token)

    patch.setattr(reception, "_session", always)


def late_ack_of_an_old_generation(patch: Patch) -> None:
    """The edge believes what central said before it was put back."""
    replied = EdgeSession._replied

    def believes(self: EdgeSession, envelope: Any, message: Any, now: float) -> Any:  # noqa: ANN401 # as they came
        return replied(self, replace(envelope, generation=self._standing.generation), message, now)

    patch.setattr(EdgeSession, "_replied", believes)


def no_savepoint(patch: Patch) -> None:
    """An entry that cannot be posted leaves behind what was written of it."""
    a_bug_in_posting(patch)
    post_all = central_ledger._post_all

    def without(connection: Any, *values: Any) -> Any:  # noqa: ANN401 # as they came
        return post_all(cast(Connection, _NoSavepoint(connection)), *values)

    patch.setattr(central_ledger, "_post_all", without)


class _NoSavepoint:
    """A connection whose savepoints are none."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # whatever a connection has
        return getattr(self._connection, name)

    def begin_nested(self) -> Any:  # noqa: ANN401 # a context that does nothing
        return nullcontext()


def a_bug_in_posting(patch: Patch) -> None:
    """Posting fails half way for one article: a bug of our own, which must cost that entry and nothing else."""
    post = postings.post

    def fails(connection: Any, hospital: Any, device: Any, place: Any, facts: Any) -> Any:  # noqa: ANN401
        done = post(connection, hospital, device, place, facts)
        if any(line.item == "A3" and line.qty == 4 for fact in facts for line in fact.lines):
            raise RuntimeError("half way")
        return done

    patch.setattr(central_ledger, "post", fails)


def database_sequence_as_feed_version(patch: Patch) -> None:
    """A fact's version is drawn when its transaction begins, and now and then it is committed behind a later one."""
    tell = ward_facts.tell
    late: dict[Any, list[dict[str, Any]]] = {}

    def drawn_early(connection: Any, hospital: Any, place: Any, events: Any) -> None:  # noqa: ANN401 # as they came
        before = ward_facts.newest(connection, hospital, place).number
        tell(connection, hospital, place, events)
        mine = (WARD_FACT.c.hospital == hospital, WARD_FACT.c.place == place)
        for row in late.pop(place, []):
            connection.execute(WARD_FACT.insert(), [row])
        drawn = (*mine, WARD_FACT.c.version == before + 1)
        after = connection.execute(WARD_FACT.select().where(*mine, WARD_FACT.c.version == before + 2)).all()
        if after:  # another transaction, which drew the next number, is committed first
            late[place] = [dict(row._mapping) for row in connection.execute(WARD_FACT.select().where(*drawn))]
            connection.execute(WARD_FACT.delete().where(*drawn))

    patch.setattr(central_ledger, "tell", drawn_early)


def no_facts_are_no_session(patch: Patch) -> None:
    """An edge that asks for facts where there are none is sent to greet again, which it then does for ever."""
    facts = services_reception._facts

    def none_is_no_answer(version: int, last: Any, found: Sequence[Any]) -> Any:  # noqa: ANN401 # as they came
        return facts(version, last, found) if found else Nack(Why.SESSION, 0, 0, 0, "say HELLO")

    patch.setattr(services_reception, "_facts", none_is_no_answer)


def mixed_snapshot_pages(patch: Patch) -> None:
    """Pages of a scope are put together whatever version they are of."""

    def whole(self: Collected) -> Applied | None:
        first = self._first
        if len(self._parts) < first.pages:
            return None
        return Applied(first.scope, first.version, first.checksum, feed.unpack_rows(b"".join(self._parts)))

    patch.setattr(Collected, "is_of", lambda self, page: page.scope == self._first.scope)
    patch.setattr(Collected, "whole", whole)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake, the play that shows it, and the seeds that are tried, in order, until a law notices it."""

    mistake: Callable[[Patch], None]
    play: Callable[[str], list[str]]
    law: str = ""
    """What the law's line begins with, where the play itself breaks another without the mistake."""
    seeds: tuple[str, ...] = ("m1", "m2", "m3")


_OFF = Days(frozenset({Kind.EDGE_POWER, Kind.CUT}))
_HUB_OFF = Days(frozenset({Kind.HUB_POWER_AT_CALL, Kind.HUB_EIO}))
_BACK = Days(frozenset({Kind.EDGE_ROLLED_BACK, Kind.CLONE, Kind.CUT}))
_SAID = Days(frozenset({Kind.FORGED, Kind.ONE_WAY}))

MUTANTS: Iterable[Mutant] = (
    Mutant(sync_off, _OFF),
    Mutant(trim_at_ack, Days(frozenset({Kind.HUB_RESTORED}))),
    Mutant(ack_before_commit, _HUB_OFF),
    Mutant(no_dedup, _BACK),
    Mutant(dedup_without_content, Days(frozenset({Kind.TWICE}))),
    Mutant(edge_skips_the_hash_check, _BACK),
    Mutant(ack_hash_unchecked, _SAID),
    Mutant(hello_offers_one_chain, _BACK),
    Mutant(nack_sends_hello, busy_with_twins, "I6"),
    Mutant(token_per_hello, busy_with_twins, "I10"),
    Mutant(fork_posts_again, _BACK),
    Mutant(database_sequence_as_feed_version, Days(frozenset({Kind.CUT}))),
    Mutant(late_ack_of_an_old_generation, late_messages_after_a_restore, "I10"),
    Mutant(no_savepoint, Days(frozenset({Kind.CUT})), "I3/I4 central"),
    Mutant(far_clock_refuses, Days(frozenset({Kind.EDGE_CLOCK}))),
    Mutant(mixed_snapshot_pages, pages_of_two_versions),
    Mutant(facts_are_not_told, Days(frozenset({Kind.CUT}))),
    Mutant(no_facts_are_no_session, a_central_that_forgot_its_facts, "I9"),
    Mutant(answer_never_taken_back, Days(frozenset({Kind.CUT})), "I12"),
    Mutant(answer_given_again, Days(frozenset({Kind.CUT})), "I12"),
)
"""Every mistake of the list that the sync was designed against, and four more."""
