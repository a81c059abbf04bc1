"""The parties of the sync for tests: a central on a real SQLite in memory, devices with a ledger in a list, entries.

Time is a value: `VirtualClock` stands where it is put.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from central.clock import Clock
from central.services.ingest import Ingest
from central.services.policy import seed_policy
from central.store.chains import enrol
from central.store.engine import Store
from central.store.tables.ledger import BALANCE, LEDGER, QUARANTINE
from protocols.entry import (
    GENESIS,
    ChainedEntry,
    ClockQuality,
    Digest,
    Entry,
    chain,
    chain_hash,
    content_hash,
    encode_body,
    encode_entry,
)
from protocols.sync.codec import Envelope, Signing, pack_entries, seal, unseal
from protocols.sync.frames import HALF_BYTES, NOTHING, Branch, Frame, Hello, Message, Welcome
from protocols.sync.topics import Topics
from protocols.values.hlc import hlc
from protocols.values.ids import (
    DeviceId,
    HospitalId,
    Incarnation,
    PlaceId,
    actor_id,
    boot_id,
    hospital_id,
    incarnation,
    make_event_id,
)
from protocols.values.instant import Instant, from_iso, plus
from tests.central.stores import migrated_store

OPEN = Signing(unsigned=True)
START = from_iso("2026-03-02T16:00:00+08:00")
WARD = DeviceId("ward-01")
CHAIN = incarnation(b"i" * 16)


class VirtualClock(Clock):
    """A clock that stands where it is put, in link seconds; story time goes along from `START`."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def link_s(self) -> float:
        return self.at

    def now(self) -> Instant:
        return plus(START, self.at)


def entry(kind: str, body: dict[str, Any] | bytes, number: int, actor: str = "", clock: int | None = None) -> Entry:
    """One entry whose event id, clock and times follow from its number."""
    wall = plus(START, number)
    return Entry(
        event_id=make_event_id(wall // 1000, number.to_bytes(10, "big")),
        hlc=hlc((wall // 1000) << 16 if clock is None else clock),
        wall=wall,
        mono=number,
        boot_id=boot_id(b"b" * 16),
        clock_quality=ClockQuality.FREE,
        kind=kind,
        schema=1,
        body=body if isinstance(body, bytes) else encode_body(body),
        actor=actor_id(actor),
    )


def line(item: str, source: str, target: str, unit: str = "", qty: int = 1) -> dict[str, Any]:
    return {"item": item, "lot": "L1", "qty": qty, "unit": unit, "source": source, "target": target}


def opening(number: int, ward: str = "ward-01", qty: int = 10, item: str = "A1") -> Entry:
    return entry("opening", {"lines": [line(item, f"opening@{ward}", ward, qty=qty)]}, number)


def issue(number: int, ward: str = "ward-01", item: str = "A1", qty: int = 1) -> Entry:
    return entry("issue", {"lines": [line(item, ward, f"issued@{ward}", qty=qty)]}, number, actor="N1001")


def observe(number: int, epc: str = "E2000001", p: float = 0.9) -> Entry:
    return entry("observe", {"epc": epc, "p": p, "model": "window-1", "since": START}, number)


def any_entry(chance: random.Random, number: int) -> Entry:
    """Some entry: mostly movements, now and then one that central must set aside."""
    match chance.randrange(8):
        case 0:
            return opening(number, qty=chance.randint(1, 500), item=f"A{chance.randint(1, 3)}")
        case 1 | 2 | 3:
            return issue(number, item=f"A{chance.randint(1, 3)}", qty=chance.randint(1, 9))
        case 4:
            return observe(number, f"E200000{chance.randrange(4)}", chance.random())
        case 5:
            return entry("bind_tag", {"bindings": [{"epc": f"E200000{chance.randrange(4)}", "item": "A1"}]}, number)
        case 6:
            return entry("visit", {"phase": "begin"}, number, actor="N1001")
        case _:
            return entry("from_the_future", {"x": 1}, number)


@dataclass(slots=True)
class Central:
    """A central without wires: what arrives is taken in at once, what it says is kept."""

    store: Store
    clock: VirtualClock
    hospital: HospitalId
    places: list[frozenset[PlaceId]] = field(default_factory=list)
    ingest: Ingest = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget everything that is not in the store."""
        self.ingest = Ingest(self.store, self.clock, OPEN, lambda _hospital, places: self.places.append(places))

    def enrol(self, device: DeviceId = WARD) -> None:
        with self.store.write() as connection:
            enrol(connection, self.hospital, device, PlaceId(device))

    def hear(self, data: bytes, device: DeviceId = WARD, answer: Callable[[bytes], None] | None = None) -> list[bytes]:
        """Take one message in and return the answers."""
        said: list[bytes] = []
        topic = Topics(self.hospital, 0, device).up
        self.ingest.arrive(topic, data, lambda _topic, reply: (answer or said.append)(reply))
        while self.ingest.step(0):
            pass
        return said

    def raws(self, device: DeviceId = WARD) -> list[tuple[int, bytes]]:
        """What the ledger holds of a device: (seq, event id) in chain order."""
        query = select(LEDGER.c.seq, LEDGER.c.event_id).where(
            LEDGER.c.hospital == self.hospital, LEDGER.c.device == device
        )
        with self.store.read() as connection:
            return [(row.seq, row.event_id) for row in connection.execute(query.order_by(LEDGER.c.seq))]

    def balance(self) -> dict[tuple[str, str], int]:
        """(place, item) -> quantity, over lots and units, zeros left out."""
        totals: dict[tuple[str, str], int] = {}
        with self.store.read() as connection:
            for row in connection.execute(select(BALANCE).where(BALANCE.c.hospital == self.hospital)):
                totals[row.place, row.item] = totals.get((row.place, row.item), 0) + row.qty
        return {key: qty for key, qty in totals.items() if qty}

    def quarantine(self) -> dict[int, str]:
        """seq -> reason."""
        with self.store.read() as connection:
            rows = connection.execute(select(QUARANTINE).where(QUARANTINE.c.hospital == self.hospital))
            return {row.seq: row.reason for row in rows}


def a_central(hospital: str = "main", store: Store | None = None) -> Central:
    """A central with a migrated store in memory, the rules it starts with, and one enrolled device."""
    central = Central(migrated_store() if store is None else store, VirtualClock(), hospital_id(hospital))
    seed_policy(central.store, central.hospital)
    central.enrol()
    return central


class Device:
    """A device that says what a test wants, without a session of its own."""

    def __init__(
        self, central: Central, device: DeviceId = WARD, chain_id: Incarnation = CHAIN, nonce: bytes = b"n" * 16
    ) -> None:
        self.central, self.device, self.chain_id = central, device, chain_id
        self.envelope = Envelope(device, chain_id, nonce, b"", 0)
        self.chained: list[ChainedEntry] = []

    def say(self, message: Message, envelope: Envelope | None = None) -> list[Message]:
        data = seal(envelope or self.envelope, message, OPEN)
        return [unseal(reply, OPEN)[1] for reply in self.central.hear(data, self.device)]

    def greet(
        self, acked: int = NOTHING, number: int = 1, topic: DeviceId | None = None, before: tuple[Branch, ...] = ()
    ) -> Message:
        head = self.chained[-1] if self.chained else None
        seq, digest = (NOTHING, GENESIS) if head is None else (head.seq, head.hash)
        own = Branch(self.chain_id, seq, digest, acked)
        hello = Hello(number, "0.1.0", 1, 1, (*before, own), 0, 0, b"", {}, START, 0)
        (reply,) = self.central.hear(seal(self.envelope, hello, OPEN), topic or self.device)
        envelope, message = unseal(reply, OPEN)
        if isinstance(message, Welcome):
            self.envelope = envelope
        return message

    def write(self, *entries: Entry) -> None:
        prev = self.chained[-1].hash if self.chained else GENESIS
        at = len(self.chained)
        self.chained += chain(self.device, self.chain_id, from_seq=at, prev_hash=prev, entries=entries)

    def frame(self, from_seq: int, until: int) -> Frame:
        """The frame of entries `from_seq` .. `until` - 1."""
        part = self.chained[from_seq:until]
        raws = [encode_entry(each.entry) for each in part]
        return Frame(from_seq, len(raws), part[0].prev_hash, part[-1].hash[:HALF_BYTES], pack_entries(raws))

    def raw_frame(self, from_seq: int, prev: Digest, raws: Sequence[bytes]) -> Frame:
        """A frame of any bytes whose chain holds."""
        last = prev
        for seq, raw in enumerate(raws, start=from_seq):
            last = chain_hash(self.chain_id, seq, last, content_hash(self.device, raw))
        return Frame(from_seq, len(raws), prev, last[:HALF_BYTES], pack_entries(raws))
