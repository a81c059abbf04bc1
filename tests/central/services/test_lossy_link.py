"""Both ends of the sync over a link that drops, doubles, delays, reorders and is cut, while either end is killed.

The laws: everything arrives exactly once and in order; the book is the fold of what was said; no mark passes what
central has committed; after the last fault nothing stays pending for long. Time and chance are values.
"""

import heapq
import math
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from central.core.facts import read_fact
from central.services.verify import verify
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.tables.ledger import INCARNATION
from protocols.entry import GENESIS, ChainedEntry, Digest, chain, encode_entry
from protocols.errors import ProtocolsError
from protocols.sync.frames import NOTHING, Head
from protocols.sync.machine import Action, Leg, Speaker, Spoilt, State, Timing, Transmit, Trimmed
from protocols.sync.session import EdgeSession
from protocols.sync.settle import settle
from protocols.values.ids import DeviceId, Incarnation, incarnation
from tests.central.services.parties import OPEN, WARD, Central, a_central, any_entry
from tests.central.stores import migrated_store

TIMING = Timing(hello_s=1, resend_s=2, backoff_max_s=1, spread_s=0.5)
FAULTS_UNTIL_S = 60.0
HEALED_WITHIN_S = 60.0
names = count()


@pytest.fixture(scope="module")
def store() -> Store:
    """One store for all examples; each is a hospital of its own."""
    return migrated_store()


class Disk:
    """The edge's ledger as it survives a restart."""

    def __init__(self, chance: random.Random) -> None:
        self.chain_id = incarnation(chance.randbytes(16))
        self.chained: list[ChainedEntry] = []
        self.acked = NOTHING

    def leg(self) -> Leg:
        last = self.chained[-1].hash if self.chained else GENESIS
        return Leg(self.chain_id, len(self.chained) - 1, last, self.acked)

    def write(self, chance: random.Random, many: int) -> None:
        first = len(self.chained)
        entries = [any_entry(chance, n) for n in range(first, first + many)]
        prev = self.chained[-1].hash if self.chained else GENESIS
        self.chained += chain(WARD, self.chain_id, from_seq=first, prev_hash=prev, entries=entries)

    def entries_raw(self, from_seq: int, limit: int, max_bytes: int, incarnation: Incarnation) -> list[bytes]:
        assert max_bytes > 0
        assert incarnation == self.chain_id
        return [encode_entry(each.entry) for each in self.chained[from_seq : from_seq + limit]]

    def hash_at(self, seq: int, incarnation: Incarnation) -> Digest | None:
        assert incarnation == self.chain_id
        return self.chained[seq].hash if 0 <= seq < len(self.chained) else None

    def set_acked(self, seq: int, incarnation: Incarnation) -> None:
        assert incarnation == self.chain_id
        self.acked = seq

    def places(self, most: int) -> list[Head]:
        raise AssertionError(f"no fork is expected here, {most} places were asked for")

    def missing(self, seq: int, incarnation: Incarnation) -> Trimmed | Spoilt | None:
        raise AssertionError(f"nothing is missing here: {seq} of {incarnation.hex()}")

    def set_safe(self, seq: int, incarnation: Incarnation) -> None:
        assert (seq, incarnation) == (-1, self.chain_id)

    def adopt(self, incarnation: Incarnation, behind: Head | None, without: int | None = None) -> tuple[Leg, ...]:
        raise AssertionError(f"no new chain is expected here: {incarnation.hex()}, {behind}")

    def post_facts(self, upto: int, facts_sum: bytes, entries: Sequence[tuple[DeviceId, bytes]]) -> None:
        raise AssertionError(f"no facts are expected here: {upto}, {facts_sum.hex()}, {len(entries)}")


class World:
    """One edge, one central, and the link between them, on a heap of things that happen."""

    def __init__(self, central: Central, seed: int, loss: float) -> None:
        self.central, self.chance, self.loss = central, random.Random(seed), loss
        self.disk = Disk(self.chance)
        self.now, self.cut, self.messages = 0.0, False, 0
        self.restored = False  # a restored central is behind the mark until the next greeting
        self._heap: list[tuple[float, int, str, bytes]] = []
        self._order = count()
        self.session = self._boot()
        self._do(self.session.connected(0.0))

    def _boot(self) -> EdgeSession:
        speaker = Speaker(WARD, self.chance.randbytes(16), "0.1.0")
        return EdgeSession(speaker, (self.disk.leg(),), signing=OPEN, timing=TIMING, chance=self.chance.random)

    # --- faults and acts ---

    def act(self, what: str) -> None:
        match what:
            case "write":
                self.disk.write(self.chance, self.chance.choice([1, 2, 5, 40, 700]))
                leg = self.disk.leg()
                self._do(self.session.appended(leg.seq, leg.hash, self.now))
            case "cut" if not self.cut:
                self.cut = True
                self._do(self.session.disconnected())
            case "join" if self.cut:
                self.cut = False
                self._do(self.session.connected(self.now))
            case "kill edge":
                self.session = self._boot()
                if not self.cut:
                    self._do(self.session.connected(self.now))
            case "kill central":
                self.central.restart()
                self._heap = [each for each in self._heap if each[2] != "down"]
                heapq.heapify(self._heap)

    def heal(self) -> None:
        self.loss = 0.0
        self.act("join")

    # --- time ---

    def run(self, until: float) -> None:
        while (at := min(self._heap[0][0] if self._heap else math.inf, self.session.due())) <= until:
            self.now = self.central.clock.at = max(self.now, at)
            if self._heap and self._heap[0][0] <= self.now:
                self._deliver(*heapq.heappop(self._heap)[2:])
            else:
                self._do(self.session.tick(self.now))
            self._check_mark()
        self.now = until

    def _deliver(self, way: str, data: bytes) -> None:
        if self.cut:
            return
        if way == "down":
            self._do(self.session.receive(data, self.now))
            return
        for reply in self.central.hear(data):
            self._send("down", reply)

    def _do(self, actions: list[Action]) -> None:
        for action in settle(self.session, actions, self.disk, self.now):
            if isinstance(action, Transmit) and not self.cut:
                self._send("up", action.data)

    def _send(self, way: str, data: bytes) -> None:
        self.messages += 1
        for _ in range(2 if self.chance.random() < self.loss else 1):
            late = self.chance.random() * 6 if self.chance.random() < self.loss else 0.02
            if self.chance.random() >= self.loss:
                heapq.heappush(self._heap, (self.now + late, next(self._order), way, data))

    # --- laws ---

    def _check_mark(self) -> None:
        if self.restored:
            return
        query = select(INCARNATION.c.head_seq).where(
            INCARNATION.c.hospital == self.central.hospital, INCARNATION.c.incarnation == self.disk.chain_id
        )
        with self.central.store.read() as connection:
            head = connection.scalar(query)
        assert self.disk.acked <= (NOTHING if head is None else head)

    def check(self) -> None:
        wanted = [(each.seq, each.entry.event_id) for each in self.disk.chained]
        assert self.central.raws() == wanted
        assert self.disk.acked == self.session.acked == len(wanted) - 1
        assert self.session.state is State.LIVE
        assert self.central.balance() == self._fold()
        assert set(self.central.quarantine()) == {
            each.seq for each in self.disk.chained if each.entry.kind == "from_the_future"
        }

    def _fold(self) -> dict[tuple[str, str], int]:
        book: Counter[tuple[str, str]] = Counter()
        for each in self.disk.chained:
            try:
                lines = read_fact(each.entry).lines
            except ProtocolsError:
                continue
            for line in lines:
                book[line.source, line.item] -= line.qty
                book[line.target, line.item] += line.qty
        return {key: qty for key, qty in book.items() if qty}


acts = st.lists(
    st.tuples(
        st.floats(0, FAULTS_UNTIL_S),
        st.sampled_from(["write", "write", "write", "cut", "join", "kill edge", "kill central"]),
    ),
    max_size=25,
)


@settings(max_examples=100)
@given(acts=acts, seed=st.integers(0, 2**32), loss=st.sampled_from([0.0, 0.05, 0.2, 0.5]))
def test_everything_arrives_once_and_in_order_whatever_the_link_does(
    store: Store, acts: list[tuple[float, str]], seed: int, loss: float
) -> None:
    world = World(a_central(f"h{next(names)}", store), seed, loss)
    for at, what in sorted(acts):
        world.run(at)
        world.act(what)
    world.run(FAULTS_UNTIL_S)
    world.heal()
    world.run(FAULTS_UNTIL_S + HEALED_WITHIN_S)
    world.check()


def test_the_store_of_all_those_hospitals_is_one_story(store: Store) -> None:
    report = verify(store)
    assert report.faults == []
    assert report.entries > 0


def test_without_faults_few_messages_are_needed(store: Store) -> None:
    world = World(a_central(f"h{next(names)}", store), 1, 0.0)
    for second in range(50):
        world.run(float(second))
        world.act("write")
    world.run(120.0)
    world.check()
    frames = 50 + len(world.disk.chained) // 500
    assert world.messages <= 2 * frames + 6


def test_a_central_restored_from_an_old_copy_gets_everything_again(tmp_path: Path) -> None:
    store = open_store("sqlite:///central.db", base=tmp_path)
    migrate(store)
    central = a_central("main", store)
    world = World(central, 3, 0.0)
    world.act("write")
    world.run(10.0)
    with closing(sqlite3.connect(tmp_path / "central.db")) as copying:
        copying.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    for second in range(11, 20):
        world.run(float(second))
        world.act("write")
    world.run(25.0)
    world.check()
    store.close()
    central.store = open_store("sqlite:///copy.db", base=tmp_path)
    world.restored = True
    world.act("kill central")
    world.run(30.0)
    world.act("kill edge")
    world.act("write")
    world.run(60.0)
    world.check()
    assert verify(central.store).ok
    central.store.close()
