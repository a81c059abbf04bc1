"""Many wards' days as signed messages, ready to be said to central: the load that benches of ingest share.

Each ward's acts are drawn as `wardstock-sim hospital` draws them: openings, visits, movements and beliefs of tagged
pieces. Two frames of a hundred are said twice, as a broker does. What is said is made before anything is measured.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.clock import Clock
from central.links.keys import key_id_of, signing_with
from central.services.ingest import Ingest
from central.store.chains import enrol
from central.store.engine import Store
from hardware_sim.hospital.acts import Act, Book, acts_of
from hardware_sim.hospital.memory_ledger import MemoryLedger
from hardware_sim.storeroom.rates import NOMINAL
from hardware_sim.storeroom.ward import START, Plan, draw_ward
from protocols.entry import GENESIS, Digest
from protocols.sync.codec import Envelope, Signing, pack_entries, seal, unseal
from protocols.sync.dictionary import DICTIONARY_NOW
from protocols.sync.frames import HALF_BYTES, NOTHING, Branch, Frame, Hello, Welcome
from protocols.sync.topics import SHARD_MAX, Topics
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId, PlaceId
from protocols.values.instant import MICROS, Instant, business_day, from_iso, plus

AT = from_iso(START)
REDELIVERED_EACH = 50
"""Every so many frames one is said again: 2 %."""
DAYS_AT_ONCE = 5
TAGS = 300
INBOX_AT_ONCE = 1_000

T = TypeVar("T")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def signing() -> Signing:
    """Return keys as an edge and central have them; one pair stands for all, the work is the same."""
    return signing_with(key_id_of(KEY.public_key()), KEY, lambda _device, _key: KEY.public_key())


@dataclass(frozen=True, slots=True)
class Ward:
    """One device with its whole ledger."""

    topics: Topics
    ledger: MemoryLedger

    @property
    def entries(self) -> int:
        """Return how many entries its ledger has."""
        return self.ledger.head_seq + 1


def draw(wards: int, entries: int, *, seed: int = 1) -> list[Ward]:
    """Return so many wards whose ledgers hold `entries` in all, each its share."""
    share = -(-entries // wards)
    return [_ward(number, share, seed) for number in range(1, wards + 1)]


def _ward(number: int, entries: int, seed: int) -> Ward:
    name = f"ward-{number:04d}"
    topics = Topics(HOSPITAL_DEFAULT, number % (SHARD_MAX + 1), DeviceId(name))
    ledger = MemoryLedger(topics.device, random.Random(f"{seed} {name}"))
    acts = acts_without_end(name, seed * 10_000 + number, AT)
    for _ in range(entries):
        act = next(acts)
        ledger.append(act.kind, act.body, act.actor, wall=plus(AT, act.at_s), mono=round(act.at_s * MICROS))
    return Ward(topics, ledger)


def acts_without_end(place: str, seed: int, start: Instant) -> Iterator[Act]:
    """Return a ward's acts since an instant, without end: one stretch of days behind the other."""
    book = Book(PlaceId(place), business_day(start), start)
    for part in count():
        drawn = acts_of(
            draw_ward(Plan(seed=seed + part * 1_000_003, days=DAYS_AT_ONCE, tags=TAGS, rates=NOMINAL)), book
        )
        yield from (act._replace(at_s=act.at_s + part * DAYS_AT_ONCE * 86_400) for act in drawn)


class Talk:
    """What wards say to one central: greetings first, then their frames."""

    def __init__(self, wards: Sequence[Ward], keys: Signing) -> None:
        self._wards, self._keys = wards, keys
        self._envelopes: dict[DeviceId, Envelope] = {}

    def enrol(self, store: Store) -> None:
        """Make every ward known."""
        with store.write() as connection:
            for ward in self._wards:
                device = ward.topics.device
                enrol(connection, ward.topics.hospital, device, PlaceId(device), ward.topics.shard)

    def greet(self, ingest: Ingest) -> None:
        """Have every ward greet, and keep the session it is given."""
        for part in _parts(self._wards, INBOX_AT_ONCE):
            for ward in part:
                envelope = Envelope(ward.topics.device, ward.ledger.incarnation, bytes(16), b"", 0)
                own = Branch(ward.ledger.incarnation, ward.ledger.head_seq, ward.ledger.head_hash, NOTHING)
                hello = Hello(1, "bench", 1, 1, (own,), 0, 0, b"", {}, AT, 0)
                ingest.arrive(ward.topics.up, seal(envelope, hello, self._keys), self._hear)
            while ingest.step(0):
                pass
        assert len(self._envelopes) == len(self._wards)

    def _hear(self, _topic: str, data: bytes) -> None:
        envelope, message = unseal(data, self._keys)
        assert isinstance(message, Welcome), message
        self._envelopes[envelope.device] = envelope

    def frames(self, size: int) -> list[tuple[str, bytes]]:
        """Return every ward's frames of `size` entries by turns, each ward's in order, 2 % of them twice."""
        lanes = [self._lane(ward, size) for ward in self._wards]
        said: list[tuple[str, bytes]] = []
        while lanes:
            for lane in list(lanes):
                message = next(lane, None)
                if message is None:
                    lanes.remove(lane)
                    continue
                said.append(message)
                if len(said) % REDELIVERED_EACH == 0:
                    said.append(message)
        return said

    def _lane(self, ward: Ward, size: int) -> Iterator[tuple[str, bytes]]:
        ledger, envelope = ward.ledger, self._envelopes[ward.topics.device]
        for start in range(0, ward.entries, size):
            raws = ledger.entries_raw(start, size, 1 << 30)
            before = GENESIS if start == 0 else _hash(ledger, start - 1)
            half = _hash(ledger, start + len(raws) - 1)[:HALF_BYTES]
            frame = Frame(start, len(raws), before, half, pack_entries(raws, DICTIONARY_NOW))
            yield ward.topics.up, seal(envelope, frame, self._keys)


def take_all(ingest: Ingest, messages: Sequence[tuple[str, bytes]], hear: Callable[[str, bytes], None]) -> None:
    """Have central take in all of them, on this thread."""
    for part in _parts(messages, INBOX_AT_ONCE):
        for topic, data in part:
            ingest.arrive(topic, data, hear)
        while ingest.step(0):
            pass


def timed(wards: Sequence[Ward], store: Store, frame: int) -> tuple[float, int]:
    """Have a new central take all in and close its store; returns the seconds and how many transactions it took."""
    talk = Talk(wards, signing())
    talk.enrol(store)
    ingest = a_central(store)
    talk.greet(ingest)
    frames = talk.frames(frame)
    before = ingest.counts.transactions
    began = time.perf_counter()
    take_all(ingest, frames, lambda _topic, _data: None)
    took = time.perf_counter() - began
    assert ingest.counts.entries == sum(ward.entries for ward in wards), ingest.counts
    store.close()
    return took, ingest.counts.transactions - before


def a_central(store: Store) -> Ingest:
    """Return an ingest on a store, without brokers."""
    return Ingest(store, Clock(), signing(), lambda _hospital, _places: None)


def _hash(ledger: MemoryLedger, seq: int) -> Digest:
    digest = ledger.hash_at(seq)
    assert digest is not None
    return digest


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
