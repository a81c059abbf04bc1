"""The sync with one mistake each: a law of the simulation must notice every one of them.

A mutant is a function that puts its mistake into the running programs by way of pytest's monkeypatch, and the faults
and seeds that show it. Mistakes that only cost messages or need a moment too short for chance (a greeting a NACK, a
token a HELLO, an acknowledgement of an old generation) are noticed by the tests of the two ends instead. The rule that
must not be broken: a mutant changes one decision and nothing else.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import Connection

from central.services.ingest import Ingest
from central.store import ledger as central_ledger
from central.store.ledger import Chain
from edge_agent.store import adoption
from edge_agent.store import ledger as edge_ledger
from edge_agent.store.connection import transaction
from edge_agent.store.projections import project
from edge_agent.store.rows import ENTRY_COLUMNS, entry_of
from protocols.entry import Digest
from protocols.sync.frames import Hello
from protocols.sync.machine import Action, State
from protocols.sync.session import EdgeSession
from protocols.values.ids import Incarnation
from tests.simulation import sqlite_under
from tests.simulation.faults import Kind

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
        return [(each, fact) for each in read if (fact := central_ledger._meaning(each.entry)[0]) is not None]

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
        if self.state is State.LIVE and seq in self._checks and digest is not None:
            self._checks[seq] = digest
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

    def twice(connection: Any, device: Any, legs: Any, born: Incarnation, behind: Any, now: Any) -> None:  # noqa: ANN401
        adopt(connection, device, legs, born, behind, now)
        with transaction(connection):
            for row in connection.query(f"SELECT {ENTRY_COLUMNS} FROM ledger WHERE incarnation = ?", (born,)):
                connection.execute("DELETE FROM applied WHERE event_id = ?", (row[0],))
                connection.execute("DELETE FROM discrepancy WHERE event_id = ?", (row[0],))
                project(connection, entry_of(row))

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
    patch.setattr(central_ledger, "_tell_others", lambda *_: None)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake and the seeds that are tried, in order, until a law notices it."""

    mistake: Callable[[Patch], None]
    kinds: frozenset[Kind]
    """Faults that show it: others would only make the runs longer."""
    seeds: tuple[str, ...] = ("m1", "m2", "m3")


_OFF = frozenset({Kind.EDGE_POWER, Kind.CUT})
_HUB_OFF = frozenset({Kind.HUB_POWER_AT_CALL, Kind.HUB_EIO})
_BACK = frozenset({Kind.EDGE_ROLLED_BACK, Kind.CLONE, Kind.CUT})
_SAID = frozenset({Kind.FORGED, Kind.ONE_WAY})

MUTANTS: Iterable[Mutant] = (
    Mutant(sync_off, _OFF),
    Mutant(ack_before_commit, _HUB_OFF),
    Mutant(no_dedup, _BACK),
    Mutant(dedup_without_content, frozenset({Kind.TWICE})),
    Mutant(edge_skips_the_hash_check, _BACK),
    Mutant(ack_hash_unchecked, _SAID),
    Mutant(hello_offers_one_chain, _BACK),
    Mutant(fork_posts_again, _BACK),
    Mutant(far_clock_refuses, frozenset({Kind.EDGE_CLOCK})),
    Mutant(facts_are_not_told, frozenset({Kind.CUT})),
)
