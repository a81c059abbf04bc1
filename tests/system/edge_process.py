"""One edge as a process of its own for the chaos of the sync: real ledger, session, keys and broker link.

`python -m tests.system.edge_process SPEC.json` writes acts into the ledger at a pace, up to a number, sends them, and
says every tenth of a second where it stands: one JSON line with `head`, `acked`, `state`, `dropped`. It ends when its
input ends. Killed and started again it goes on with what its disk holds.
"""

import json
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge_agent.links.broker import BrokerLink
from edge_agent.links.keys import EdgeKeys, believed, signing_with
from edge_agent.store.ledger import Ledger, open_ledger
from protocols.entry import ClockQuality, Entry, encode_body
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.sync.certified import CertifiedKey
from protocols.sync.codec import Signing
from protocols.sync.machine import Action, Speaker, Timing, Transmit
from protocols.sync.session import EdgeSession
from protocols.sync.settle import settle
from protocols.sync.topics import Topics
from protocols.values.hlc import next_hlc
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId, actor_id, boot_id, incarnation, make_event_id
from protocols.values.instant import Instant

TIMING = Timing(hello_s=0.5, resend_s=1, backoff_max_s=0.5, spread_s=0, welcome_wait_s=5)
TURN_S, TELL_S = 0.02, 0.1
OPENED = 1_000_000
ITEM = "HC-GAUZE"


@dataclass(frozen=True, slots=True)
class Spec:
    """What the process is told."""

    device: str
    shard: int
    url: str
    ledger: str
    count: int
    a_second: float
    key: str
    key_id: str
    root: str
    sync_keys: tuple[tuple[str, str, str, int], ...]

    def signing(self) -> Signing:
        """How this device signs and whom it believes."""
        own = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.key))
        root = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.root))
        certified = [
            CertifiedKey(name, bytes.fromhex(public), bytes.fromhex(signature), until=Instant(until))
            for name, public, signature, until in self.sync_keys
        ]
        return signing_with(DeviceId(self.device), EdgeKeys(self.key_id, own, believed(root, certified)))


def write_spec(path: Path, spec: Spec) -> Path:
    path.write_text(json.dumps(asdict(spec)))
    return path


def read_spec(path: Path) -> Spec:
    said = json.loads(path.read_text())
    return Spec(**{**said, "sync_keys": tuple(map(tuple, said["sync_keys"]))})


class Process:
    """The one thread that owns the ledger."""

    def __init__(self, spec: Spec) -> None:
        self._spec, self._chance = spec, random.SystemRandom()
        self._inbox: queue.Queue[Callable[[float], list[Action]]] = queue.Queue()
        device = DeviceId(spec.device)
        self._topics = Topics(HOSPITAL_DEFAULT, spec.shard, device)
        now = Instant(time.time_ns() // 1000)
        self._ledger: Ledger = open_ledger(
            Path(spec.ledger), device, newborn=incarnation(self._chance.randbytes(16)), now=now
        )
        self._session = EdgeSession(
            Speaker(device, self._chance.randbytes(16), "0.1.0"),
            self._ledger.way(),
            signing=spec.signing(),
            timing=TIMING,
            chance=self._chance.random,
        )
        self._link = BrokerLink(
            [spec.url],
            self._topics,
            on_connect=lambda: self._inbox.put(self._session.connected),
            on_disconnect=lambda _why: self._inbox.put(lambda _now: self._session.disconnected()),
            on_message=lambda data: self._inbox.put(lambda now: self._session.receive(data, now)),
            keepalive_s=2,
            backoff_max_s=0.5,
        )

    def run(self, ended: threading.Event) -> None:
        began, written, told = time.monotonic(), 0, 0.0
        self._link.start()
        while not ended.is_set():
            now = time.monotonic()
            due = int((now - began) * self._spec.a_second) - written
            if due > 0 and self._ledger.head().seq + 1 < self._spec.count:
                written += due
                self._send(self._write(min(due, 50), now), now)
            self._turn()
            if now - told >= TELL_S:
                told = now
                self._tell()
        self._link.stop()
        self._ledger.close()

    def _turn(self) -> None:
        try:
            actions = self._inbox.get(timeout=TURN_S)(time.monotonic())
        except queue.Empty:
            actions = []
        now = time.monotonic()
        self._send([*actions, *self._session.tick(now)], now)

    def _send(self, actions: list[Action], now: float) -> None:
        for action in settle(self._session, actions, self._ledger, now):
            if isinstance(action, Transmit):
                self._link.publish(action.data)

    def _write(self, count: int, now: float) -> list[Action]:
        for _ in range(count):
            self._ledger.append([self._act()])
        head = self._ledger.head()
        return self._session.appended(head.seq, head.hash, now)

    def _act(self) -> Entry:
        wall, ward = Instant(time.time_ns() // 1000), self._spec.device
        first = self._ledger.head().seq < 0
        line = PostingLine(ITEM, OPENED, f"opening@{ward}", ward) if first else _taken(ward, self._chance.randint(1, 3))
        return Entry(
            event_id=make_event_id(wall // 1000, self._chance.randbytes(10)),
            hlc=next_hlc(self._ledger.last_hlc(), wall),
            wall=wall,
            mono=time.monotonic_ns() // 1000,
            boot_id=boot_id(bytes(16)),
            clock_quality=ClockQuality.FREE,
            kind="opening" if first else "issue",
            schema=1,
            body=encode_body(write_body(MovementBody((line,)))),
            actor=actor_id("N1001"),
        )

    def _tell(self) -> None:
        session = self._session
        said = {"head": self._ledger.head().seq, "acked": session.acked, "state": session.state.value}
        print(json.dumps(said | {"dropped": sum(session.dropped.values())}), flush=True)


def _taken(ward: str, qty: int) -> PostingLine:
    return PostingLine(ITEM, qty, ward, f"issued@{ward}")


def main() -> None:
    ended = threading.Event()

    def wait() -> None:
        while os.read(0, 1):
            pass
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    Process(read_spec(Path(sys.argv[1]))).run(ended)


if __name__ == "__main__":
    main()
