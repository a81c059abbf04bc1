"""Durable writing beside the raw disk, interleaved: one commit, a group of 64, and a scan until its beep."""

import os
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from edge_agent.store.ledger import open_ledger
from protocols.codes.label import make_badge
from protocols.values.ids import ActorId, device_id, incarnation
from tests.bench.edge_machine import end, machine
from tests.bench.entries import START, issues
from tests.bench.measure import report_bar
from tests.system.edge_ward import label

COMMITS = 300
GROUP, GROUPS = 64, 12
SCANS = 400
RAW_BYTES = 4096 * 4
"""What a commit of one entry writes to the WAL, about."""
SCAN_MAX_S = 0.040
COMMIT_MAX, GROUP_MIN = 1.3, 10.0


def raw_sync_s(descriptor: int) -> float:
    """Return the seconds of one write and its fdatasync, on a file that grows."""
    began = time.perf_counter()
    os.write(descriptor, bytes(RAW_BYTES))
    os.fdatasync(descriptor)
    return time.perf_counter() - began


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(values, n=100)[98]


def commits(folder: Path) -> None:
    """Measure single commits beside raw syncs, and groups beside single commits."""
    ledger = open_ledger(folder / "ledger.db", device_id("ward-01"), newborn=incarnation(bytes(16)), now=START)
    entries = iter(issues(COMMITS + GROUP * GROUPS * 2))
    ours: list[float] = []
    raw: list[float] = []
    with (folder / "raw").open("wb", buffering=0) as file:
        for _ in range(COMMITS):
            entry = next(entries)
            began = time.perf_counter()
            ledger.append([entry])
            ours.append(time.perf_counter() - began)
            raw.append(raw_sync_s(file.fileno()))
    report_bar(
        "edge_durable_commit",
        ratio=median(ours) / median(raw),
        bar=COMMIT_MAX,
        what="p50 of a durable commit over a raw fdatasync",
        commit_ms=median(ours) * 1e3,
        raw_ms=median(raw) * 1e3,
    )
    grouped: list[float] = []
    single: list[float] = []
    for _ in range(GROUPS):
        wave = [next(entries) for _ in range(GROUP)]
        began = time.perf_counter()
        with ledger.group():
            for entry in wave:
                ledger.append([entry])
        grouped.append(time.perf_counter() - began)
        wave = [next(entries) for _ in range(GROUP)]
        began = time.perf_counter()
        for entry in wave:
            ledger.append([entry])
        single.append(time.perf_counter() - began)
    ledger.close()
    gain = median(single) / median(grouped)
    report_bar(
        "edge_group_commit",
        ratio=GROUP_MIN / gain,
        bar=1.0,
        what="10 over the gain of a group of 64",
        gain=gain,
        group_ms=median(grouped) * 1e3,
    )


def scans(folder: Path) -> None:
    """Measure a scan until its beep while a reader says a thousand reads a second."""
    beeps: list[float] = []
    raw: list[float] = []
    with (
        machine(tags=1_000, readers=((1, 1_000, 1_000.0),)) as made,
        (folder / "raw").open("wb", buffering=0) as file,
    ):
        agent = made.start()
        time.sleep(5)
        made.plug.scan(make_badge(ActorId("1001")))
        for serial in range(SCANS):
            began = time.perf_counter()
            made.plug.scan(label(serial))
            beeps.append(time.perf_counter() - began)
            raw.append(raw_sync_s(file.fileno()))
        end(agent)
    allowed = SCAN_MAX_S + 3 * p99(raw)
    report_bar(
        "edge_scan_to_beep",
        ratio=p99(beeps) / allowed,
        bar=1.0,
        what="p99 over 40 ms + 3 x the p99 of a raw fdatasync, beside 1,000 reads/s",
        p99_ms=p99(beeps) * 1e3,
        p50_ms=median(beeps) * 1e3,
        raw_p99_ms=p99(raw) * 1e3,
    )


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        commits(Path(folder))
        scans(Path(folder))


main()
