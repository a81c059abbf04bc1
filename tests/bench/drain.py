"""The edges of bench_drain in a process of their own: `python -m tests.bench.drain WARDS ENTRIES`.

For each line of input, a broker's address, everybody connects with a ledger full of entries that nobody has seen, and
one JSON line says how many seconds it took until all of them were acknowledged. Two messages of a hundred go twice.
"""

import json
import random
import sys
import time

from hardware_sim.load.edge import Edge
from tests.bench.live import TIMING, Town
from tests.bench.wards import REDELIVERED_EACH, Ward, draw, signing

LIMIT_S = 3_600.0
SEED = 1


class Twice(Town):
    """A town whose every fiftieth message is delivered twice."""

    def send(self, edge: Edge, messages: list[bytes]) -> None:
        """Put an edge's messages on its line."""
        again = [data for n, data in enumerate(messages, self.sent) if n % REDELIVERED_EACH == 0]
        super().send(edge, [*messages, *again])


def with_backlog(ward: Ward) -> Edge:
    """Return an edge that was alone until now."""
    rng = random.Random(f"{SEED} {ward.topics.device}")  # the same draw gave the ward's ledger its name
    edge = Edge(ward.topics, timing=TIMING, signing=signing(), rng=rng)
    assert edge.ledger.incarnation == ward.ledger.incarnation
    edge.ledger = ward.ledger
    edge.ledger.acked = -1
    edge._session.appended(ward.ledger.head_seq, ward.ledger.head_hash, time.monotonic())
    return edge


def main() -> None:
    """Play a round for each line."""
    wards = draw(int(sys.argv[1]), int(sys.argv[2]), seed=SEED)
    print("drawn", flush=True)
    for line in sys.stdin:
        town = Twice([with_backlog(ward) for ward in wards])
        began = time.monotonic()
        town.open(line.strip())
        done = town.until(lambda: not any(edge.waiting for edge in town.edges), LIMIT_S)  # noqa: B023 # asked at once
        took = time.monotonic() - began
        town.close()
        print(json.dumps({"seconds": took, "done": done, "messages": town.sent}), flush=True)


if __name__ == "__main__":
    main()
