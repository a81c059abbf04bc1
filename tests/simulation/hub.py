"""Central as the simulation runs it: its real store, ingest and reception on a simulated disk, without threads.

What arrives is taken in a few milliseconds later, several messages in one transaction, and answers leave after COMMIT.
The rule that must not be broken: what is not on the disk is gone when it starts again.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from central.clock import Clock
from central.services.conflicts import settle_conflicts
from central.services.ingest import Ingest
from central.services.policy import seed_policy
from central.store.chains import enrol, hash_at, keep_device, registered
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.safety import vouch
from central.store.tables.ledger import EVENT, INCARNATION
from protocols.sync.codec import Signing
from protocols.sync.reception import Standing, settle_dispute
from protocols.sync.topics import Topics
from protocols.values.ids import HOSPITAL_DEFAULT, BootId, DeviceId, EventId, Incarnation, PlaceId, make_event_id
from protocols.values.instant import Instant
from tests.simulation.disk import Disk, Image, Rack, image_of
from tests.simulation.sqlite_under import CENTRAL_FILE, central_engine
from tests.simulation.ward import Beeped

WORK_S = 0.004
"""How long a message waits for central's thread."""
MESSAGES_BEFORE_REST = 500


class HubClock(Clock):
    """Central's clock: the world's, off by a fault's jump, and chance from the world's seed."""

    def __init__(self, now_us: Callable[[], int], chance: random.Random) -> None:
        super().__init__()
        self._now_us, self._chance = now_us, chance
        self.offset_us = 0
        self.boot = BootId(chance.randbytes(16))

    def now(self) -> Instant:
        return Instant(self._now_us() + self.offset_us)

    def mono_us(self) -> int:
        return self._now_us()

    def link_s(self) -> float:
        return self._now_us() / 1_000_000

    def event_id(self, wall: Instant) -> EventId:
        return make_event_id(max(0, wall // 1000), self._chance.randbytes(10))

    def new_incarnation(self) -> Incarnation:
        return Incarnation(self._chance.randbytes(16))


class Hub:
    """Central on one disk. `after` lets something happen later, `say` puts an answer on a device's line."""

    def __init__(
        self,
        rack: Rack,
        disk: Disk,
        clock: HubClock,
        *,
        seed: str,
        signing: Signing,
        after: Callable[[float, Callable[[], None]], None],
        say: Callable[[str, bytes], None],
    ) -> None:
        self.disk, self.clock = disk, clock
        self._rooms: tuple[str, ...] = ()
        self._rack, self._chance, self._signing = rack, random.Random(seed), signing
        self._after, self._say = after, say
        self.store: Store | None = None
        self.ingest: Ingest | None = None
        self._working, self._run = False, 0
        self.faults = self.opened_era = 0

    @property
    def up(self) -> bool:
        return self.ingest is not None

    def install(self, devices: Sequence[str]) -> None:
        """Make a new store that knows these devices, and start."""
        installed(self.disk)
        self._rooms = tuple(devices)
        self.start()
        assert self.store is not None
        with self.store.write() as connection:
            for device in devices:
                enrol(connection, HOSPITAL_DEFAULT, DeviceId(device), PlaceId(device))

    def start(self) -> None:
        """Open the store and listen."""
        self._run += 1
        self._working = False
        self.opened_era = self.disk.era
        self.store = Store(central_engine(self._rack, self.disk))
        self.ingest = Ingest(
            self.store, self.clock, self._signing, lambda _hospital, _places: None, lambda: self._chance.randbytes(16)
        )

    def stop(self) -> None:
        """Forget everything that is not on the disk."""
        self._run += 1
        if self.store is not None:
            with suppress(SQLAlchemyError):
                self.store.close()
        self.store = self.ingest = None

    def vouch(self) -> None:
        """Note that everything here now is also in a copy that was put back elsewhere and verified."""
        if self.store is None:
            return
        with suppress(SQLAlchemyError), self.store.write() as connection:
            rows = connection.execute(select(INCARNATION.c.incarnation, INCARNATION.c.head_seq)).all()
            heads = [(row.incarnation, row.head_seq) for row in rows]
            vouch(connection, HOSPITAL_DEFAULT, "backup", heads, self.clock.now())

    def settle(self, device: str) -> None:
        """A person says that a device is one machine again."""
        if self.store is None:
            return
        with suppress(SQLAlchemyError), self.store.write() as connection:
            stored = registered(connection, HOSPITAL_DEFAULT, DeviceId(device))
            if stored is not None and stored.standing is Standing.DISPUTED:
                keep_device(connection, HOSPITAL_DEFAULT, settle_dispute(stored))

    def look_for_conflicts(self, *, everywhere: bool) -> int:
        """Answer what the facts of several edges contradict; return how much that moved."""
        if self.store is None:
            return 0
        try:
            rooms = None if everywhere else self._rooms
            return settle_conflicts(self.store, HOSPITAL_DEFAULT, self.clock, rooms).moved
        except SQLAlchemyError:
            self.faults += 1
            return 0

    def say_hint(self, topic: str, data: bytes) -> None:
        """Put a hint on a device's line; what a broker keeps is lost here like everything else."""
        self._say(topic.split("/")[4], data)

    def hear(self, device: str, data: bytes) -> None:
        """Take a message from the broker."""
        if self.ingest is None:
            return
        topics = Topics(HOSPITAL_DEFAULT, 0, DeviceId(device))
        self.ingest.arrive(topics.up, data, lambda _topic, reply: self._say(device, reply))
        if not self._working:
            self._working = True
            run = self._run
            self._after(WORK_S, lambda: self._work(run))

    def _work(self, run: int) -> None:
        if run != self._run or self.ingest is None:
            return
        self._working = False
        for _ in range(MESSAGES_BEFORE_REST):
            try:
                if not self.ingest.step(0):
                    return
            except SQLAlchemyError:
                self.faults += 1
                return


def missing_at_central(hub: Hub, beeped: Sequence[Beeped]) -> list[Beeped]:
    """Return the beeps of which central holds no event; all of them while it cannot be asked."""
    assert hub.store is not None
    try:
        with hub.store.read() as connection:
            rows = connection.execute(select(EVENT.c.event_id, EVENT.c.content_hash))
            known = {(row.event_id, row.content_hash) for row in rows}
    except SQLAlchemyError:
        return list(beeped) or [Beeped("", b"", b"", 0)]
    return [each for each in beeped if (each.event_id, each.content_hash) not in known]


def hash_held(hub: Hub, incarnation: bytes, seq: int) -> bytes | None:
    """Return central's hash at a place, empty where it holds nothing; None while it cannot be asked."""
    assert hub.store is not None
    try:
        with hub.store.read() as connection:
            return hash_at(connection, HOSPITAL_DEFAULT, Incarnation(incarnation), seq) or b""
    except SQLAlchemyError:
        return None


def installed(disk: Disk) -> None:
    """Put an empty store of this version on a disk."""
    disk.put(_migrated())


@cache
def _migrated() -> Image:
    """Return a disk with an empty store of this version."""
    with TemporaryDirectory() as folder:
        store = open_store("sqlite:///central.db", base=Path(folder))
        migrate(store)
        seed_policy(store, HOSPITAL_DEFAULT)
        store.close()
        raw = (Path(folder) / "central.db").read_bytes()
    return image_of({CENTRAL_FILE: raw})
