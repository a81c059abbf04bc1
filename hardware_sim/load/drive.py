"""The loop of a load: acts when they are due, ticks when they are due, news when they come; one thread, bounded turns.

It knows neither broker nor central. The rule that must not be broken: it ends at its limit whatever has not come, and
says what has not.
"""

import heapq
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from hardware_sim.clock import monotonic_s
from hardware_sim.hospital.acts import Act
from hardware_sim.load.edge import Edge
from hardware_sim.load.pipes import News
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId
from protocols.values.instant import Instant

NEWS_A_TURN = 500
ACTS_A_TURN = 500
WAIT_S_MAX = 0.05
BEAT_S = 1.0
"""Real seconds between two words of progress."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When the days begin and how fast they go; speed 0 is everything at once, before anybody is connected."""

    start: Instant
    speed: float
    settle_s: float


Said = Callable[[int, int], None]


class Line(Protocol):
    """What carries a device's messages."""

    def publish(self, topics: Topics, data: bytes) -> bool:
        """Send one message; tell whether it was taken."""
        ...


class Drive:
    """Edges, their acts and their lines."""

    def __init__(
        self,
        edges: Sequence[Edge],
        acts: Mapping[DeviceId, Iterator[Act]],
        lines: Mapping[DeviceId, Line],
        inbox: "queue.Queue[News]",
        pace: Pace,
    ) -> None:
        self._edges = {edge.topics.device: edge for edge in edges}
        self._lines, self._pace = lines, pace
        self._inbox = inbox
        self.entries = 0
        self._turn = count()
        self._woken: dict[DeviceId, float] = {}
        self._ticks: list[tuple[float, int, Edge]] = []
        self._acts: list[tuple[float, int, Act, Edge, Iterator[Act]]] = []
        for device, rows in acts.items():
            self._follow(self._edges[device], rows)

    @property
    def waiting(self) -> int:
        """Return the entries that central has not acknowledged."""
        return sum(edge.waiting for edge in self._edges.values())

    def write_all(self) -> None:
        """Write every act now: the backlog of edges that were alone for days."""
        while self._acts:
            self._write_due(float("inf"), ACTS_A_TURN)

    def run(self, said: Said) -> float:
        """Play the days to their end and until all is acknowledged, or the limit; returns the seconds it took."""
        began = beat = monotonic_s()
        limit = float("inf")
        while True:
            now = monotonic_s()
            self._write_due((now - began) * self._pace.speed, ACTS_A_TURN)
            self._tick_due(now)
            self._hear(self._patience(began, now))
            if not self._acts:
                limit = min(limit, now + self._pace.settle_s)
                if now > limit or not self.waiting:
                    said(self.entries, self.waiting)
                    return monotonic_s() - began
            if now - beat > BEAT_S:
                beat = now
                said(self.entries, self.waiting)

    def _write_due(self, story_s: float, most: int) -> None:
        for _ in range(most):
            if not self._acts or self._acts[0][0] > story_s:
                return
            _, _, act, edge, rows = heapq.heappop(self._acts)
            self.entries += 1
            self._send(edge, edge.write([act], self._pace.start, monotonic_s()))
            self._follow(edge, rows)

    def _follow(self, edge: Edge, rows: Iterator[Act]) -> None:
        act = next(rows, None)
        if act is not None:
            heapq.heappush(self._acts, (act.at_s, next(self._turn), act, edge, rows))

    def _tick_due(self, now: float) -> None:
        while self._ticks and self._ticks[0][0] <= now:
            due, _, edge = heapq.heappop(self._ticks)
            if self._woken.get(edge.topics.device) != due:
                continue
            del self._woken[edge.topics.device]
            if edge.due() <= now:
                self._send(edge, edge.tick(now))
            else:
                self._wake(edge)

    def _patience(self, began: float, now: float) -> float:
        """Return how long to wait for news."""
        waits = [WAIT_S_MAX]
        if self._acts and self._pace.speed > 0:
            waits.append(began + self._acts[0][0] / self._pace.speed - now)
        if self._ticks:
            waits.append(self._ticks[0][0] - now)
        return max(0.0, min(waits))

    def _hear(self, patience_s: float) -> None:
        for turn in range(NEWS_A_TURN):
            try:
                news = self._inbox.get(timeout=patience_s) if turn == 0 and patience_s > 0 else self._inbox.get_nowait()
            except queue.Empty:
                return
            edge, now = self._edges[news.device], monotonic_s()
            self._send(edge, edge.hear(news.data, now) if news.up is None else edge.connected(now, up=news.up))

    def _send(self, edge: Edge, messages: list[bytes]) -> None:
        line = self._lines[edge.topics.device]
        for data in messages:
            line.publish(edge.topics, data)
        self._wake(edge)

    def _wake(self, edge: Edge) -> None:
        """Have the edge ticked when it is due; an earlier waking stands and looks again."""
        due, device = edge.due(), edge.topics.device
        if due < self._woken.get(device, float("inf")):
            self._woken[device] = due
            heapq.heappush(self._ticks, (due, next(self._turn), edge))
