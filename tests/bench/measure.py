"""How every benchmark measures and what it prints. It asserts nothing: a slow machine is not a fault.

A benchmark is `tests/bench/bench_<subject>.py`, run by `make bench` as a module. It compares our way with a plain way
of doing the same work on the same machine, and prints one JSON line. The rule that must not be broken: only the ratio
may be quoted, never the absolute figures, which belong to one machine.
"""

import json
import sys
import time
from collections.abc import Callable

ROUNDS = 5
NS_PER_S = 1_000_000_000


def best_rate(work: Callable[[], int]) -> float:
    """Units of work a second in the best of ROUNDS rounds; `work` does one round and says how many units it did."""
    best = 0.0
    for _ in range(ROUNDS):
        start_ns = time.perf_counter_ns()
        units = work()
        best = max(best, units * NS_PER_S / (time.perf_counter_ns() - start_ns))
    return best


def report(subject: str, *, unit: str, ours_per_s: float, plain_per_s: float, plain: str) -> None:
    """Print the one line: our rate, the plain way's rate, and `ratio` = ours / plain (more is better)."""
    line = {
        "bench": subject,
        "unit": unit,
        "ours_per_s": round(ours_per_s),
        "plain": plain,
        "plain_per_s": round(plain_per_s),
        "ratio": round(ours_per_s / plain_per_s, 3),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def report_bar(subject: str, *, ratio: float, bar: float, what: str, at_least: bool = False, **figures: float) -> None:
    """Print the one line of a benchmark that has a bar: `ratio` is what `what` says, at most (or least) `bar`."""
    line = {"bench": subject, "what": what, **{name: round(value, 4) for name, value in figures.items()}}
    inside = ratio >= bar if at_least else ratio <= bar
    sys.stdout.write(json.dumps({**line, "ratio": round(ratio, 4), "bar": bar, "inside": inside}) + "\n")
    sys.stdout.flush()
