"""A long run of the real agent against devices that misbehave in every way: `python -m tests.system.soak --minutes 20`.

It prints one JSON object: faults by kind, memory by quarter, whether the agent lives, whether every outage is an
interval of its health, and whether its tap is what the devices say they delivered. Exit status 0 when all is right.
"""

import argparse
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hardware_sim.rack import DELIVERIES, Faults, Rack, Wanted, rack_in
from tests.system.soak_verdict import Interval, Row, compare_outages, compare_tap, faults_fired, quarters, steady

PROGRAM = [sys.executable, "-c", "from edge_agent.cli import main; main()"]
EVERY_S = 9.0
"""Seconds between two faults of one device: time to get up again."""
SAMPLE_S = 1.0
START_S = 30.0
SETTLE_S = 6.0
"""Peace at the end: what is on its way arrives, and an interval ends."""
KINDS = 11


def soak(minutes: float, folder: Path, *, seed: int = 1, every_s: float = EVERY_S) -> dict[str, object]:
    """Run it; returns the verdict."""
    wanted = Wanted(llrp=2, m100=1, uhfreader18=1, scanners=1, tags=40, reads_a_s=20.0, seed=seed)
    with rack_in(folder, wanted, Faults(seed=seed, every_s=every_s), lambda _line: None) as (rack, home):
        where = rack.where()
        agent = _start(home)
        try:
            samples = _live(agent, rack, minutes * 60)
            alive = agent.poll() is None
        finally:
            _stop(agent)
    readers = frozenset(name for name, (kind, _) in where.items() if kind != "scanner")
    on_tcp = frozenset(name for name, (_, place) in where.items() if ":" in place)
    delivered, tapped = _rows(home / DELIVERIES), _rows(home / "tap.ndjson")
    fired, means = faults_fired(delivered), quarters(samples)
    tap = compare_tap(delivered, tapped)
    recoveries = sum(max(0, _log(home).count(f"reader {name}: inventories") - 1) for name in readers)
    health = _health(home / "ledger.db")
    outages = compare_outages(delivered, health, recoveries, on_tcp=on_tcp, readers=readers)
    right = alive and bool(tap["equal"]) and bool(outages["equal"]) and "Traceback" not in _log(home)
    return {
        "minutes": minutes,
        "seed": seed,
        "faults": fired,
        "faults_total": sum(fired.values()),
        "rss_kb_by_quarter": means,
        "rss_last_over_second": round(means[3] / means[1], 4),
        "agent_alive": alive,
        "outages": outages,
        "tap": tap,
        "ok": right and steady(means) and len(fired) == KINDS,
    }


def _start(home: Path) -> subprocess.Popen[bytes]:
    with (home / "log").open("ab") as log:
        command = [*PROGRAM, "run", "--config", str(home / "edge.toml"), "--tap", str(home / "tap.ndjson")]
        agent = subprocess.Popen(command, stdout=log, stderr=log)
    until = time.monotonic() + START_S
    while "ready " not in _log(home) and agent.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    return agent


def _live(agent: subprocess.Popen[bytes], rack: Rack, seconds: float) -> list[int]:
    """Let time go by; a person scans something now and then. Returns the agent's memory in kB, once a second."""
    samples: list[int] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until and agent.poll() is None:
        samples.append(_rss_kb(agent.pid))
        rack.do(f"scan s1 ]d20109506000134352{'' if len(samples) % 2 else '10L1'}")
        time.sleep(SAMPLE_S)
    return samples


def _stop(agent: subprocess.Popen[bytes]) -> None:
    if agent.poll() is None:
        agent.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            agent.wait(START_S)
    if agent.poll() is None:
        agent.kill()
        agent.wait()


def _rss_kb(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def _rows(path: Path) -> list[Row]:
    older = path.with_name(path.name + ".1")
    lines = (older.read_bytes() if older.exists() else b"") + path.read_bytes()
    return [json.loads(line) for line in lines.splitlines()]


def _health(ledger: Path) -> list[Interval]:
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        rows = connection.execute("SELECT name, began, ended FROM health WHERE part = 'reader' ORDER BY began")
        return [Interval(*row) for row in rows]


def _log(home: Path) -> str:
    return (home / "log").read_text(errors="replace")


def main(arguments: Sequence[str]) -> int:
    """Run it from a command line."""
    options = argparse.ArgumentParser(prog="soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=20.0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--every", type=float, default=EVERY_S)
    options.add_argument("--state", type=Path, help="keep everything in this folder")
    chosen = options.parse_args(arguments)
    with contextlib.ExitStack() as ends:
        folder = chosen.state or Path(ends.enter_context(TemporaryDirectory()))
        verdict = soak(chosen.minutes, folder, seed=chosen.seed, every_s=chosen.every)
    print(json.dumps(verdict))
    return 0 if verdict["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
