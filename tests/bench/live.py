"""Simulated edges with real sessions on one broker, for benches of the living sync: their lines, and one loop.

The edges are those of `wardstock-sim hospital`, whose ledgers stand in memory; each message goes through a real broker.
"""

import queue
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from central.store.chains import enrol
from central.store.engine import Store
from hardware_sim.load.edge import Edge
from hardware_sim.load.pipes import INBOX_MAX, News, Pipe
from protocols.sync.codec import Signing
from protocols.sync.machine import Timing
from protocols.sync.topics import SHARD_MAX, Topics
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId, PlaceId
from tests.system.brokers import SYSTEM_FOLDERS, BrokerProcess, broker

TIMING = Timing(hello_s=15, resend_s=15, backoff_max_s=30, spread_s=0, idle_hello_s=600, refused_retry_s=60)
PIPES_MAX = 16
PATIENCE_S = 0.01


@contextmanager
def some_broker(folder: Path) -> Iterator[BrokerProcess]:
    """Run mosquitto where there is one, else amqtt."""
    kind = "mosquitto" if shutil.which("mosquitto", path=SYSTEM_FOLDERS) else "amqtt"
    with broker(kind, folder) as process:
        yield process


def edges(count: int, signing: Signing, *, seed: int = 1) -> list[Edge]:
    """Return so many edges with empty ledgers."""
    return [
        Edge(
            Topics(HOSPITAL_DEFAULT, number % (SHARD_MAX + 1), DeviceId(f"ward-{number:04d}")),
            timing=TIMING,
            signing=signing,
            rng=random.Random(f"{seed} {number}"),
        )
        for number in range(1, count + 1)
    ]


def enrol_all(store: Store, those: Sequence[Edge]) -> None:
    """Make every edge known."""
    with store.write() as connection:
        for edge in those:
            device = edge.topics.device
            enrol(connection, HOSPITAL_DEFAULT, device, PlaceId(device), edge.topics.shard)


class Town:
    """Edges and their lines; `sent` counts every message that any of them said."""

    def __init__(self, those: Sequence[Edge]) -> None:
        self.edges = list(those)
        self.sent = 0
        self._by_device = {edge.topics.device: edge for edge in those}
        self._inbox: queue.Queue[News] = queue.Queue(INBOX_MAX)
        shares = [self.edges[first::PIPES_MAX] for first in range(min(PIPES_MAX, len(self.edges)))]
        self._pipes = [Pipe([edge.topics for edge in share], self._inbox) for share in shares]
        self._pipe_of = {
            edge.topics.device: pipe for pipe, share in zip(self._pipes, shares, strict=True) for edge in share
        }

    def open(self, url: str) -> None:
        """Connect everybody's lines."""
        for pipe in self._pipes:
            pipe.open(url)

    def close(self) -> None:
        """Leave the broker."""
        for pipe in self._pipes:
            pipe.close()

    def send(self, edge: Edge, messages: list[bytes]) -> None:
        """Put an edge's messages on its line."""
        for data in messages:
            self.sent += 1
            self._pipe_of[edge.topics.device].publish(edge.topics, data)

    def until(self, true: Callable[[], bool], limit_s: float, each_turn: Callable[[float], None] | None = None) -> bool:
        """Hear, tick and do `each_turn` until something is true; tell whether it came to be within the limit."""
        began = time.monotonic()
        while not true():
            now = time.monotonic()
            if now - began > limit_s:
                return False
            if each_turn is not None:
                each_turn(now)
            for edge in self.edges:
                if edge.due() <= now:
                    self.send(edge, edge.tick(now))
            self._hear()
        return True

    def _hear(self) -> None:
        try:
            news = self._inbox.get(timeout=PATIENCE_S)
            while True:
                edge, now = self._by_device[news.device], time.monotonic()
                self.send(edge, edge.hear(news.data, now) if news.up is None else edge.connected(now, up=news.up))
                news = self._inbox.get_nowait()
        except queue.Empty:
            return
