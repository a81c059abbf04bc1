"""The edges of bench_pages_load in a process of their own: `python -m tests.bench.pages_town WARDS`.

Each line of input is one errand, answered by one JSON line: `enrol ADDRESS` lets every device in over HTTPS, `open URL`
connects all to a broker and sends what opened their storerooms, `live ACTS` writes so many acts of each ward at once,
`write RATE SECONDS` the next ones at so many a second. Entries are signed, sessions and acknowledgements are real.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from statistics import quantiles

from hardware_sim.hospital.acts import Act
from hardware_sim.load.edge import Edge
from hardware_sim.load.enrolling import enrol_all
from hardware_sim.sample.files import ward_name
from protocols.sync.codec import Signing
from protocols.sync.topics import SHARD_MAX, Topics
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId
from protocols.values.instant import Instant, plus
from tests.bench.live import TIMING, Town
from tests.bench.wards import acts_without_end

SEED, LIMIT_S, DAY_S = 1, 120.0, 86_400
DAYS_BEFORE = 30
"""The storerooms were opened so long ago; what is written catches up with today and never passes it."""


class Wards:
    """Every ward's edge and what its people do next."""

    def __init__(self, count: int) -> None:
        self._devices = [DeviceId(ward_name(number)) for number in range(1, count + 1)]
        self._start = plus(Instant(time.time_ns() // 1_000), -DAYS_BEFORE * DAY_S)
        self._acts = {
            device: acts_without_end(device, SEED * 10_000 + number, self._start)
            for number, device in enumerate(self._devices)
        }
        self._keys: dict[DeviceId, Signing] = {}
        self._town = Town([])
        self._turns: Iterator[Edge] = iter(())

    def enrol(self, address: str) -> dict[str, float]:
        """Let every device in."""
        self._keys = enrol_all(address, self._devices)
        return {"enrolled": len(self._keys)}

    def open(self, url: str) -> dict[str, float]:
        """Connect everybody and send the openings."""
        self._town = Town([self._edge(number, device) for number, device in enumerate(self._devices)])
        self._turns = cycle(self._town.edges)
        self._town.open(url)
        assert self._town.until(lambda: all(edge.is_live for edge in self._town.edges), LIMIT_S)
        for edge in self._town.edges:
            act = self._write(edge)
            while act.at_s == 0:
                act = self._write(edge)
        return {"entries": self._settled()}

    def live(self, acts: int) -> dict[str, float]:
        """Write so many acts of each ward."""
        for edge in self._town.edges:
            for _ in range(acts):
                self._write(edge)
        return {"entries": self._settled()}

    def write(self, rate: float, seconds: float) -> dict[str, float]:
        """Write at a rate; returns how many entries, and their seconds until central acknowledged."""
        began, written, before = time.monotonic(), 0, [len(edge.lags_s) for edge in self._town.edges]

        def each_turn(now: float) -> None:
            nonlocal written
            while written < min(now - began, seconds) * rate:
                self._write(next(self._turns))
                written += 1

        self._town.until(lambda: time.monotonic() - began > seconds, LIMIT_S, each_turn)
        self._settled()
        lags = [lag for edge, first in zip(self._town.edges, before, strict=True) for lag in edge.lags_s[first:]]
        cuts = quantiles(lags, n=100)
        return {"written": written, "acknowledged_p50_s": cuts[49], "acknowledged_p99_s": cuts[98]}

    def _edge(self, number: int, device: DeviceId) -> Edge:
        topics = Topics(HOSPITAL_DEFAULT, number % (SHARD_MAX + 1), device)
        return Edge(topics, timing=TIMING, signing=self._keys[device], rng=random.Random(f"{SEED} {device}"))

    def _write(self, edge: Edge) -> Act:
        act = next(self._acts[edge.topics.device])
        self._town.send(edge, edge.write([act], self._start, time.monotonic()))
        return act

    def _settled(self) -> int:
        """Wait until all is acknowledged; returns how many entries all ledgers have."""
        assert self._town.until(lambda: not any(edge.waiting for edge in self._town.edges), LIMIT_S)
        return sum(edge.ledger.head_seq + 1 for edge in self._town.edges)


def main() -> None:
    """Do errands until the input ends."""
    wards = Wards(int(sys.argv[1]))
    for line in sys.stdin:
        match line.split():
            case ["enrol", address]:
                answer = wards.enrol(address)
            case ["open", url]:
                answer = wards.open(url)
            case ["live", acts]:
                answer = wards.live(int(acts))
            case ["write", rate, seconds]:
                answer = wards.write(float(rate), float(seconds))
            case other:
                raise SystemExit(f"expected an errand, got {other}")
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
