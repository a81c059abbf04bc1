"""The live filter in plain Python on the reads of 2,000 tags: the share of one core it takes, beside the window's.

Some minutes of rounds of 2 s are played from made reads; every tag is heard in about half of them.
"""

import json
import random
import sys
import time

from edge_agent.core.presence import Presence
from edge_agent.core.presence.live import Filter
from edge_agent.core.presence.window import Window
from protocols.readers.reads import RoundEnded, TagRead
from protocols.values.ids import Epc, epc
from protocols.values.instant import Instant, from_iso, plus

TAGS = 2_000
SHELVES = 12
MINUTES = 4
ROUND_S = 2
START = from_iso("2026-03-02T16:00:00+08:00")


def rounds() -> list[tuple[Instant, list[TagRead]]]:
    """Return rounds with the reads of each."""
    chance = random.Random(1)
    names = [epc(f"30340242201D8D40{number:08X}") for number in range(TAGS)]
    found: list[tuple[Instant, list[TagRead]]] = []
    now = START
    for _ in range(MINUTES * 60 // ROUND_S):
        now = plus(now, ROUND_S)
        found.append((now, [_read(name, chance, now) for name in names if chance.random() < 0.5]))
    return found


def _read(name: Epc, chance: random.Random, now: Instant) -> TagRead:
    return TagRead(name, 1 + chance.randrange(4), -55, now, now)


def share(model: Presence, told: list[tuple[Instant, list[TagRead]]]) -> float:
    """Return the part of a core that a model takes."""
    for number, each in enumerate(sorted({read.epc for _, reads in told for read in reads})):
        model.book(each, True, START, f"S{number % SHELVES}")
    start = time.process_time()
    for now, reads in told:
        for read in reads:
            model.receive(read, "r1")
        model.receive(RoundEnded(now, (1, 2, 3, 4)), "r1")
    return (time.process_time() - start) / (MINUTES * 60)


def main() -> None:
    """Measure and print."""
    told, antennas = rounds(), {"r1": (1, 2, 3, 4)}
    ours = share(Filter(antennas, round_s=ROUND_S), told)
    plain = share(Window(antennas, round_s=ROUND_S), told)
    line = {
        "bench": "presence_live",
        "tags": TAGS,
        "core_share": round(ours, 5),
        "plain": "the window",
        "plain_core_share": round(plain, 5),
        "ratio": round(plain / ours, 3),
    }
    sys.stdout.write(json.dumps(line) + "\n")


main()
