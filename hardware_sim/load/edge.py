"""One simulated edge under load: its acts, its ledger, its sync session, and how long its entries took.

It does no I/O: bytes and link time come in, bytes for the broker come out. The rule that must not be broken: an entry
counts as delivered only when the session believed an acknowledgement of it.
"""

import math
import random
from collections import deque
from collections.abc import Iterable, Sequence

from hardware_sim.hospital.acts import Act
from hardware_sim.hospital.memory_ledger import MemoryLedger
from protocols.entry import Digest
from protocols.errors import WeBroke
from protocols.sync.codec import Signing
from protocols.sync.frames import Head
from protocols.sync.machine import Action, Leg, Speaker, Spoilt, State, StateChanged, Timing, Transmit, Trimmed
from protocols.sync.session import EdgeSession
from protocols.sync.settle import settle
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, Incarnation
from protocols.values.instant import MICROS, Instant, plus

VERSION = "load"


class Edge:
    """Everything of one device."""

    def __init__(self, topics: Topics, *, timing: Timing, signing: Signing, rng: random.Random) -> None:
        self.topics = topics
        self.signs = signing.sign is not None
        self.ledger = MemoryLedger(topics.device, rng)
        self.refusal = ""
        self.frames = self.bytes_up = 0
        self.lags_s: list[float] = []
        self._written: deque[tuple[int, float]] = deque()
        self._session = EdgeSession(
            Speaker(topics.device, rng.randbytes(16), VERSION),
            (Leg(self.ledger.incarnation),),
            signing=signing,
            timing=timing,
            chance=rng.random,
        )

    @property
    def waiting(self) -> int:
        """Return how many entries no acknowledgement has covered yet."""
        return self.ledger.head_seq - self._session.acked

    @property
    def is_live(self) -> bool:
        """Tell whether central welcomed this device and nothing is in dispute."""
        return self._session.state is State.LIVE

    @property
    def unbelieved(self) -> int:
        """Return how many messages from central the session did not believe."""
        return sum(self._session.dropped.values())

    def write(self, acts: Iterable[Act], start: Instant, now_s: float) -> list[bytes]:
        """Write some acts; returns what is to be published."""
        for act in acts:
            wall = plus(start, act.at_s)
            self.ledger.append(act.kind, act.body, act.actor, wall=wall, mono=round(act.at_s * MICROS))
            self._written.append((self.ledger.head_seq, now_s))
        return self._done(self._session.appended(self.ledger.head_seq, self.ledger.head_hash, now_s), now_s)

    def connected(self, now_s: float, *, up: bool) -> list[bytes]:
        """Hear that the line stands, or not."""
        return self._done(self._session.connected(now_s) if up else self._session.disconnected(), now_s)

    def hear(self, data: bytes, now_s: float) -> list[bytes]:
        """Hear a message from central."""
        return self._done(self._session.receive(data, now_s), now_s)

    def tick(self, now_s: float) -> list[bytes]:
        """Do what is due."""
        return self._done(self._session.tick(now_s), now_s)

    def due(self) -> float:
        """Return the link time at which something is due."""
        return self._session.due()

    def entries_raw(self, from_seq: int, limit: int, max_bytes: int, _incarnation: Incarnation) -> list[bytes]:
        """Say what the ledger has; it is one chain."""
        raws = self.ledger.entries_raw(from_seq, limit, max_bytes)
        self.frames += 1
        return raws

    def hash_at(self, seq: int, _incarnation: Incarnation) -> Digest | None:
        """Say what the ledger's hash is."""
        return self.ledger.hash_at(seq)

    def set_acked(self, seq: int, _incarnation: Incarnation) -> None:
        """Keep the mark."""
        self.ledger.set_acked(seq)

    def set_safe(self, _seq: int, _incarnation: Incarnation) -> None:
        """Trim nothing: a load's ledger ends with it."""

    def missing(self, _seq: int, _incarnation: Incarnation) -> Trimmed | Spoilt | None:
        """Miss nothing."""
        return None

    def places(self, _most: int) -> list[Head]:
        """Offer no place: nobody puts a copy of this ledger back."""
        return []

    def adopt(self, _incarnation: Incarnation, _behind: Head | None, _without: int | None = None) -> tuple[Leg, ...]:
        """Refuse to go on in another chain. Raises `WeBroke`."""
        raise WeBroke(f"load: expected central to agree with {self.topics.device}, it asked for a new chain")

    def post_facts(self, _upto: int, _facts_sum: bytes, _entries: Sequence[tuple[DeviceId, bytes]]) -> None:
        """Hear what concerns this storeroom; this edge keeps no book."""

    def _done(self, actions: list[Action], now_s: float) -> list[bytes]:
        before = self.ledger.acked
        left = settle(self._session, actions, self, now_s)
        if self.ledger.acked > before:
            self._measure(now_s)
        for action in left:
            if isinstance(action, StateChanged):
                self.refusal = action.reason
        out = [action.data for action in left if isinstance(action, Transmit)]
        self.bytes_up += sum(map(len, out))
        return out

    def _measure(self, now_s: float) -> None:
        while self._written and self._written[0][0] <= self.ledger.acked:
            self.lags_s.append(now_s - self._written.popleft()[1])


def share_of(values: list[float], share: float) -> float:
    """Return the value below which a share of them lies; not a number where there is none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.floor(share * len(ordered)))]
