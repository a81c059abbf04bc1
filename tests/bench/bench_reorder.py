"""The engine over 400,000 place-items, from daily requests to levels in both modes, beside statsforecast's TSB.

Item mode, which is compared, then system mode with its search for a worth; requests come in blocks, so that the
history of all lines is never in memory at once. The peer forecasts only, on the first block's series, in an environment
of its own. The rule that must not be broken: the ratio is of processor time, since others may use the machine too; time
and memory are of the whole run in one process on one core.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from central.core.reorder.engine import Lines, item_points, lots_of, system_points, worth_for
from central.core.reorder.moments import Floats, moments_of_many, sums_of_many
from central.core.reorder.waits import points_of, waits_of_many
from tests.bench.place_items import BLOCK, LINES, PROFILES, leads, requests
from tests.system.peers.environments import Peer

NS_PER_S = 1_000_000_000
PEER_SERIES = 6_000
TARGET = 0.98
STATSFORECAST = Peer("statsforecast", "2.1.1")
PROGRAM = Path(__file__).parent / "peers" / "statsforecast_tsb.py"
PEER_TIMEOUT_S = 300


LEADS = leads()


def lines_of(blocks: Iterator[Floats]) -> Lines:
    """Return the engine's lines from blocks of daily requests."""
    own = np.concatenate([sums_of_many(daily) for daily in blocks], axis=1)
    count = own.shape[1]
    moments = moments_of_many(own, np.zeros_like(own))
    chance = np.random.default_rng(5)
    packs = chance.choice([1, 1, 5, 10, 50], count)
    lots = lots_of(moments, packs, packs, 7.0)
    waits = waits_of_many(moments, *points_of(moments, lots, LEADS, np.arange(count) % PROFILES))
    ones = np.ones(count)
    prices = np.asarray(chance.lognormal(1, 1.5, count), np.float64)
    return Lines(moments, waits, lots, prices, ones, moments.rate, ones * 365)


def item_mode(blocks: Iterator[Floats]) -> Lines:
    """Reckon all levels of item mode from daily requests."""
    lines = lines_of(blocks)
    item_points(lines, (TARGET,))
    return lines


def peers_rate(daily: Floats) -> float:
    """Return the series a second that the peer forecasts; lets pytest's skip out where it cannot be installed."""
    run = [str(STATSFORECAST.program("python")), str(PROGRAM)]
    text = json.dumps(daily.astype(int).tolist())
    done = subprocess.run(run, input=text, capture_output=True, text=True, check=True, timeout=PEER_TIMEOUT_S)
    return float(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure and print."""
    blocks = [requests(seed) for seed in range(2)]
    start_ns, cpu_ns = time.perf_counter_ns(), time.process_time_ns()
    lines = item_mode(blocks[number % 2] for number in range(LINES // BLOCK))
    item_ns = time.process_time_ns() - cpu_ns
    ours = LINES * NS_PER_S / item_ns
    system_points(lines, (worth_for(lines, TARGET, lines.rates),))
    both_ns = time.process_time_ns() - cpu_ns
    line: dict[str, object] = {
        "bench": "reorder",
        "unit": "place-items",
        "lines": LINES,
        "item_mode_cpu_s": round(item_ns / NS_PER_S, 1),
        "both_modes_cpu_s": round(both_ns / NS_PER_S, 1),
        "both_modes_s": round((time.perf_counter_ns() - start_ns) / NS_PER_S, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "ours_per_s": round(ours),
        "plain": f"{STATSFORECAST.name} {STATSFORECAST.version}: TSB forecast alone",
    }
    try:
        theirs = peers_rate(blocks[0][:PEER_SERIES])
        line |= {"plain_per_s": round(theirs), "ratio": round(ours / theirs, 3)}
    except (pytest.skip.Exception, OSError, subprocess.SubprocessError) as error:
        line |= {"skipped": str(error)[:200]}
    sys.stdout.write(json.dumps(line) + "\n")


main()
