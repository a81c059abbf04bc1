"""The edge's end of the sync alone, with a ledger in a list, and what central would say to it."""

from collections.abc import Sequence

from protocols.entry import GENESIS, ChainedEntry, ClockQuality, Digest, Entry, chain, encode_entry
from protocols.sync.codec import Envelope, Signing, seal, unseal
from protocols.sync.frames import (
    NOTHING,
    Ack,
    Frame,
    Head,
    Hello,
    Message,
    Nack,
    Welcome,
    Why,
)
from protocols.sync.machine import (
    Action,
    Leg,
    Speaker,
    Spoilt,
    Timing,
    Transmit,
    Trimmed,
)
from protocols.sync.session import EdgeSession
from protocols.sync.settle import settle
from protocols.values.hlc import hlc
from protocols.values.ids import DeviceId, Incarnation, actor_id, boot_id, device_id, incarnation, make_event_id
from protocols.values.instant import Instant

DEVICE = device_id("ward-01")
OTHER = device_id("ward-02")
CHAIN = incarnation(b"i" * 16)
NONCE = b"n" * 16
TOKEN = b"t" * 16
OPEN = Signing(unsigned=True)
TIMING = Timing(hello_s=1, resend_s=2, backoff_max_s=1, spread_s=0.5)


def entries(count: int, body: bytes = b"{}") -> list[ChainedEntry]:
    said = [
        Entry(
            make_event_id(n, bytes(10)),
            hlc(n),
            Instant(n),
            n,
            boot_id(bytes(16)),
            ClockQuality.FREE,
            "visit",
            1,
            body,
            actor_id(""),
        )
        for n in range(count)
    ]
    return chain(DEVICE, CHAIN, from_seq=0, prev_hash=GENESIS, entries=said)


class ListLedger:
    """A ledger in a list, for the edge's end alone; the store has its own tests."""

    def __init__(self, chained: Sequence[ChainedEntry]) -> None:
        self.chained = list(chained)
        self.acked: list[int] = []
        self.safe: dict[Incarnation, int] = {}
        self.stands_for: dict[int, Trimmed | Spoilt] = {}
        self.left_out: int | None = None
        self.spoilt: set[int] = set()
        self.kept_from = 0
        self.adopted: tuple[Incarnation, Head | None] | None = None
        self.facts: list[bytes] = []
        self.facts_held = (0, b"")

    def entries_raw(self, from_seq: int, limit: int, max_bytes: int, incarnation: Incarnation) -> list[bytes]:
        assert incarnation == CHAIN
        if from_seq < self.kept_from:
            return []
        until = min([from_seq + limit, *(seq for seq in self.spoilt if seq >= from_seq)])
        raws = [encode_entry(c.entry) for c in self.chained[from_seq:until]]
        while len(raws) > 1 and sum(map(len, raws)) > max_bytes:
            raws.pop()
        return raws

    def hash_at(self, seq: int, incarnation: Incarnation = CHAIN) -> Digest | None:
        assert incarnation == CHAIN
        kept = max(0, self.kept_from - 1) <= seq < len(self.chained)
        return self.chained[seq].hash if kept else None

    def set_acked(self, seq: int, incarnation: Incarnation) -> None:
        assert incarnation == CHAIN
        self.acked.append(seq)

    def places(self, most: int) -> list[Head]:
        return [Head(CHAIN, each.seq, each.hash) for each in reversed(self.chained[-most:])]

    def missing(self, seq: int, incarnation: Incarnation) -> Trimmed | Spoilt | None:
        return self.stands_for.get(seq)

    def set_safe(self, seq: int, incarnation: Incarnation) -> None:
        self.safe[incarnation] = seq

    def adopt(self, incarnation: Incarnation, behind: Head | None, without: int | None = None) -> tuple[Leg, ...]:
        self.adopted = (incarnation, behind)
        self.left_out = without
        assert behind is not None
        parent = Leg(CHAIN, behind.seq, Digest(behind.hash), behind.seq)
        return (
            parent,
            Leg(
                incarnation, NOTHING, Digest(behind.hash), base=Digest(behind.hash), parent=CHAIN, parent_seq=behind.seq
            ),
        )

    def post_facts(self, upto: int, facts_sum: bytes, entries: Sequence[tuple[DeviceId, bytes]]) -> None:
        self.facts += [raw for _, raw in entries]
        self.facts_held = (upto, facts_sum)


class Edge:
    """A session with its ledger, and what it said."""

    def __init__(
        self,
        count: int,
        acked: int = NOTHING,
        chance: float = 0.0,
        body: bytes = b"{}",
        facts: tuple[int, bytes] = (0, b""),
    ) -> None:
        self.ledger = ListLedger(entries(count, body))
        last = self.ledger.hash_at(count - 1) or GENESIS
        self.session = EdgeSession(
            Speaker(DEVICE, NONCE, "0.1.0"),
            (Leg(CHAIN, count - 1, last, acked),),
            signing=OPEN,
            timing=TIMING,
            chance=lambda: chance,
            facts=facts,
        )
        self.other: list[Action] = []

    def said(self, actions: list[Action], now: float) -> list[Message]:
        left = settle(self.session, actions, self.ledger, now)
        self.other += [action for action in left if not isinstance(action, Transmit)]
        return [unseal(action.data, OPEN)[1] for action in left if isinstance(action, Transmit)]

    def tick(self, now: float) -> list[Message]:
        return self.said(self.session.tick(now), now)

    def hear(self, message: Message, now: float, envelope: Envelope | None = None) -> list[Message]:
        envelope = envelope or Envelope(DEVICE, CHAIN, NONCE, TOKEN, 1)
        return self.said(self.session.receive(seal(envelope, message, OPEN), now), now)

    def head(self, seq: int) -> Head:
        return Head(CHAIN, seq, self.ledger.hash_at(seq) or GENESIS)

    def greet(self, now: float = 0.0) -> None:
        self.said(self.session.connected(now), now)
        (hello,) = self.tick(now)
        assert isinstance(hello, Hello)

    def live(self, theirs: int = NOTHING, now: float = 0.0) -> list[Frame]:
        self.greet(now)
        return [m for m in self.hear(welcome(1, self.head(theirs)), now) if isinstance(m, Frame)]

    def ack(self, seq: int, now: float) -> list[Message]:
        return self.hear(Ack(seq, self.head(seq).hash, NOTHING, ()), now)


def welcome(number: int, *heads: Head, facts: int = 0, facts_from: int = 0) -> Welcome:
    return Welcome(number, heads, facts, facts_from, 0)


def nack(why: Why, from_seq: int = 0, need: int = 0, ms: int = 0) -> Nack:
    return Nack(why, from_seq, need, ms, "")
