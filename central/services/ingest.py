"""The ingest thread: messages from the broker into the ledger, in order, and the answers after COMMIT.

One thread a process, because SQLite has one writer; on PostgreSQL several processes share the shards. A transaction
ends after 50 messages or 20 ms, each message has its own savepoint, and balances are paid once, before COMMIT. When
another writer was in the way the same messages are taken again; when the database refuses what they come to, again
with care: each message pays its own, and the one that is refused is set aside. Nothing here decides; what a message
comes to is `reception`'s. The rules that must not be broken: an answer leaves only after the COMMIT that it speaks of;
whatever happens to one message, the thread goes on. The inbox is bounded: what does not fit is dropped, and the edge,
whose ledger is the queue, sends it again.
"""

import logging
import queue
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from central.clock import Clock, chance, new_token
from central.links.broker import CentralBroker
from central.services.device_keys import DeviceKeys, Gate
from central.services.reception import Arrived, Outcome, Reception
from central.store.engine import Store, was_in_the_way
from central.store.postings import Owed, pay
from protocols.errors import PeerBroke
from protocols.sync.codec import Signing
from protocols.sync.topics import EVERY_SHARD, parse_up
from protocols.values.ids import HospitalId, PlaceId

MESSAGES_A_TRANSACTION_MAX = 50
TRANSACTION_S_MAX = 0.02
INBOX_MAX = 2_000
"""Messages waiting for the ingest thread: 2,000 frames are at most 500 MB, in practice a few MB."""
BUSY_FROM, BUSY_MS = 1_500, 2_000
"""With so many messages waiting a frame is answered with busy, for so long and a millisecond more for each."""
IDLE_S = 0.5
STOP_S_MAX = 10.0
COMPLAIN_EVERY_S = 60.0
COMPLAINTS_MAX = 1_000
TRIES_MAX = 4
"""How often the messages of one transaction are taken in; then their devices send them again."""
TRY_AGAIN_S_MAX = 0.05

OnCommitted = Callable[[HospitalId, frozenset[PlaceId]], None]

log = logging.getLogger("wardstock.ingest")


@dataclass(slots=True)
class Counts:
    """What the ingest thread has done since it started; for the health page and tests."""

    messages: int = 0
    entries: int = 0
    transactions: int = 0
    refused_bytes: int = 0
    dropped: int = 0
    faults: int = 0


@dataclass(slots=True)
class _Complaints:
    """One line a minute for each subject, however often it happens."""

    clock: Clock
    said_at: dict[str, float] = field(default_factory=dict)

    def say(self, subject: str, line: str) -> None:
        now = self.clock.link_s()
        if now - self.said_at.get(subject, -COMPLAIN_EVERY_S) < COMPLAIN_EVERY_S:
            return
        if len(self.said_at) >= COMPLAINTS_MAX:
            self.said_at.clear()
        self.said_at[subject] = now
        log.warning("%s", line)


class Ingest:
    """The inbox and the thread that empties it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        signing: Signing,
        on_committed: OnCommitted,
        draw_token: Callable[[], bytes] = new_token,
        keys: DeviceKeys | None = None,
    ) -> None:
        self.counts = Counts()
        self._store, self._clock, self._on_committed = store, clock, on_committed
        self._reception = Reception(signing, clock, draw_token, keys, self._busy_ms)
        self._complaints = _Complaints(clock)
        self._inbox: queue.Queue[Arrived] = queue.Queue(INBOX_MAX)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        """Begin to empty the inbox."""
        self._thread.start()

    def stop(self) -> None:
        """End after the transaction under way; what waits is dropped and will be sent again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def arrive(self, topic: str, data: bytes, answer: Callable[[str, bytes], None]) -> None:
        """Take a message from any thread; drop it when it is from no device's topic or the inbox is full."""
        try:
            topics = parse_up(topic)
            self._inbox.put_nowait(Arrived(topics, data, lambda reply: answer(topics.down, reply)))
        except PeerBroke as error:
            self.counts.refused_bytes += 1
            self._complaints.say("topic", str(error))
        except queue.Full:
            self.counts.dropped += 1
            self._complaints.say("inbox", f"ingest: {INBOX_MAX} messages wait; dropped one, the device will repeat it")

    def _busy_ms(self) -> int:
        """Return for how long a device is to keep its frames, 0 while the inbox has room."""
        waiting = self._inbox.qsize()
        return BUSY_MS + waiting if waiting >= BUSY_FROM else 0

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step(IDLE_S)
            except SQLAlchemyError as error:
                self._fault(
                    f"store: {error.args[0] if error.args else error}; devices send again what is not committed"
                )
            except Exception as error:  # noqa: BLE001 # the outermost loop of the thread: record and go on
                self._fault(f"ingest bug: {type(error).__name__}: {error}; devices send again what is not committed")

    def step(self, wait_s: float) -> bool:
        """Run one transaction over what waits or comes within `wait_s`, then say the answers; tell whether any came.

        Raises the store's faults; then nothing was committed and nothing is said.
        """
        try:
            first = self._inbox.get(timeout=wait_s) if wait_s else self._inbox.get_nowait()
        except queue.Empty:
            return False
        done = self._tried([first])
        self.counts.transactions += 1
        self._say(done)
        return True

    def _tried(self, batch: list[Arrived]) -> list[tuple[Arrived, Outcome]]:
        """Take a batch in, which grows while it is tried first; again where that may help. Raises the store's fault."""
        careful = False
        for left in range(TRIES_MAX - 1, -1, -1):
            try:
                return self._transaction(batch, grows=left == TRIES_MAX - 1, careful=careful)
            except (IntegrityError, DataError):
                if careful or not left:
                    raise
                careful = True
            except DBAPIError as error:
                if not left or not was_in_the_way(error):
                    raise
                self._stopping.wait(chance() * TRY_AGAIN_S_MAX)
        raise AssertionError("the last try returns or raises")

    def _transaction(self, batch: list[Arrived], *, grows: bool, careful: bool) -> list[tuple[Arrived, Outcome]]:
        owed = None if careful else Owed()
        done: list[tuple[Arrived, Outcome]] = []
        with self._store.write() as connection:
            began = self._clock.link_s()
            while len(done) < len(batch) or (grows and self._grow(batch, began)):
                arrived = batch[len(done)]
                done.append((arrived, self._one(connection, arrived, owed)))
            if owed:
                pay(connection, owed)
        return done

    def _grow(self, batch: list[Arrived], began: float) -> bool:
        if len(batch) >= MESSAGES_A_TRANSACTION_MAX or self._clock.link_s() - began >= TRANSACTION_S_MAX:
            return False
        try:
            batch.append(self._inbox.get_nowait())
        except queue.Empty:
            return False
        return True

    def _one(self, connection: Connection, arrived: Arrived, owed: Owed | None) -> Outcome:
        """Take one message in; without `owed` it pays its own, and what the database refuses is its own fault."""
        try:
            own = None if owed is None else Owed()
            with connection.begin_nested():
                outcome = self._reception.receive(connection, arrived, own)
            if owed is not None:
                owed.update(own)
            return outcome
        except PeerBroke as error:
            self.counts.refused_bytes += 1
            self._complaints.say(f"bytes {arrived.topics.device}", f"{arrived.topics.device}: {error}")
        except (IntegrityError, DataError) as error:
            if owed is not None:
                raise
            self._fault(f"{arrived.topics.device}: the store refuses its message, which is dropped: {error.orig}")
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 # one message may meet our own bug; those beside it must not
            self._fault(f"{arrived.topics.device}: ingest bug: {type(error).__name__}: {error}; its message is dropped")
        return Outcome()

    def _say(self, done: Sequence[tuple[Arrived, Outcome]]) -> None:
        places: dict[HospitalId, set[PlaceId]] = {}
        for arrived, outcome in done:
            self.counts.messages += 1
            self.counts.entries += outcome.entries
            if outcome.reply is not None:
                arrived.answer(outcome.reply)
            if outcome.note:
                self._complaints.say(outcome.note, outcome.note)
            if outcome.places:
                places.setdefault(arrived.topics.hospital, set()).update(outcome.places)
        for hospital, touched in places.items():
            self._on_committed(hospital, frozenset(touched))

    def _fault(self, line: str) -> None:
        self.counts.faults += 1
        self._complaints.say(line[:80], line)


@dataclass(frozen=True, slots=True)
class Running:
    """Ingest with its brokers, as `serve` holds it."""

    ingest: Ingest
    broker: CentralBroker

    def stop(self) -> None:
        """Leave the brokers, then end the thread."""
        self.broker.stop()
        self.ingest.stop()


def start_ingest(  # noqa: PLR0913 # what a process is told, most of it from its configuration
    store: Store,
    clock: Clock,
    *,
    hospital: HospitalId,
    urls: Sequence[str],
    signing: Signing,
    on_committed: OnCommitted,
    keepalive_s: int = 30,
    gate: Gate | None = None,
    shards: Collection[int] = EVERY_SHARD,
) -> Running:
    """Connect to every broker of the list and take in what devices of these shards say, until `stop`.

    `gate` tells whom to believe where messages are signed. Returns at once; a broker that is not there is tried again.
    Raises `ValueError` for an address that cannot be one.
    `on_committed(hospital, storerooms)` is called on the ingest thread after a COMMIT that moved a book or a belief.
    """
    ingest = Ingest(store, clock, signing, on_committed, keys=None if gate is None else gate.keys)
    tls = None if gate is None else gate.tls
    broker = CentralBroker(
        urls, hospital, keepalive_s=keepalive_s, chance=chance, on_message=ingest.arrive, tls=tls, shards=shards
    )
    ingest.start()
    broker.start()
    return Running(ingest, broker)
