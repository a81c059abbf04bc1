"""Durable writing beside the raw disk, interleaved: one commit, a group of 64, and a scan until its beep.

The raw disk is one write(2) and fdatasync(2) of as many bytes as a commit appends to the WAL, on a file that grows and
is then written over as the WAL is: what no durable log can do without. Every entry is an issue of a piece in stock. A
group is one append of 64, as beliefs are written; `acts_gain` is that of 64 appends in one transaction, as scans are.
`cpu_us` is the processor's time of one entry with the sync left out, so that a bar that is missed on a very quick disk
shows what bounds it.
"""

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median, quantiles

from edge_agent.store.connection import WAL_PAGES_MAX
from edge_agent.store.ledger import Ledger, open_ledger
from protocols.codes.label import make_badge
from protocols.entry import Entry
from protocols.values.ids import ActorId, device_id, incarnation
from tests.bench.edge_machine import end, machine
from tests.bench.entries import START, issues, openings
from tests.bench.measure import report_bar
from tests.system.edge_ward import label

WARM, COMMITS = 50, 300
"""The warm commits fit into the WAL before its first checkpoint, so that its growth tells what one appends."""
GROUP, GROUPS = 64, 12
SCANS = 400
SCAN_BYTES = 64 * 1024
"""What the commit of a scan appends to the WAL, about: sixteen pages."""
WAL_BYTES = WAL_PAGES_MAX * (4_096 + 24)
"""What the WAL has grown to when a commit moves it into the file and it begins anew."""
SCAN_MAX_S = 0.040
COMMIT_MAX, GROUP_MIN = 1.3, 10.0


def raw_sync_s(descriptor: int, size: int) -> float:
    """Return the seconds of one write of so many bytes and its fdatasync, from the start again where a WAL would be."""
    data = bytes(size)
    if os.lseek(descriptor, 0, os.SEEK_CUR) > WAL_BYTES:
        os.lseek(descriptor, 0, os.SEEK_SET)
    began = time.perf_counter()
    os.write(descriptor, data)
    os.fdatasync(descriptor)
    return time.perf_counter() - began


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(values, n=100)[98]


def append_s(ledger: Ledger, entries: list[Entry]) -> float:
    """Return the seconds of one commit of one append."""
    began = time.perf_counter()
    ledger.append(entries)
    return time.perf_counter() - began


def acts_s(ledger: Ledger, entries: list[Entry]) -> float:
    """Return the seconds of one commit of an append for each entry."""
    began = time.perf_counter()
    with ledger.group():
        for entry in entries:
            ledger.append([entry])
    return time.perf_counter() - began


def cpu_us(work: Callable[[], object], entries: int) -> float:
    """Return the microseconds of the processor's time for one of so many entries."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1e6 / entries


def commits(folder: Path) -> None:
    """Measure single commits beside raw syncs, and groups beside single commits."""
    path = folder / "ledger.db"
    ledger = open_ledger(path, device_id("ward-01"), newborn=incarnation(bytes(16)), now=START)
    taken = issues(WARM + COMMITS * 2 + GROUP * GROUPS * 4)
    for opening in openings(taken):
        ledger.append([opening])
    ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    entries = iter(taken)
    wal = path.with_name(path.name + "-wal")
    before = wal.stat().st_size
    for _ in range(WARM):
        append_s(ledger, [next(entries)])
    size = round((wal.stat().st_size - before) / WARM)
    ours: list[float] = []
    raw: list[float] = []
    with (folder / "raw").open("wb", buffering=0) as file:
        for _ in range(COMMITS):
            ours.append(append_s(ledger, [next(entries)]))
            raw.append(raw_sync_s(file.fileno(), size))
    grouped: list[float] = []
    acts: list[float] = []
    single: list[float] = []
    for _ in range(GROUPS):
        grouped.append(append_s(ledger, list(islice(entries, GROUP))))
        acts.append(acts_s(ledger, list(islice(entries, GROUP))))
        single.append(sum(append_s(ledger, [next(entries)]) for _ in range(GROUP)))
    ledger.connection.execute("PRAGMA synchronous = OFF")
    alone = [cpu_us(partial(ledger.append, [next(entries)]), 1) for _ in range(COMMITS)]
    shared = [cpu_us(partial(ledger.append, list(islice(entries, GROUP))), GROUP) for _ in range(GROUPS)]
    ledger.close()
    report_bar(
        "edge_durable_commit",
        ratio=median(ours) / median(raw),
        bar=COMMIT_MAX,
        what="p50 of a durable commit over a raw write and fdatasync of as many bytes",
        commit_ms=median(ours) * 1e3,
        raw_ms=median(raw) * 1e3,
        cpu_us=median(alone),
        bytes=size,
    )
    gain = median(single) / median(grouped)
    report_bar(
        "edge_group_commit",
        ratio=GROUP_MIN / gain,
        bar=1.0,
        what="10 over the gain of a group of 64",
        gain=gain,
        acts_gain=median(single) / median(acts),
        group_ms=median(grouped) * 1e3,
        cpu_us=median(shared),
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
        began_s, heard = time.perf_counter(), made.reads()
        for serial in range(SCANS):
            began = time.perf_counter()
            made.plug.scan(label(serial))
            beeps.append(time.perf_counter() - began)
            raw.append(raw_sync_s(file.fileno(), SCAN_BYTES))
        reads_a_s = (made.reads() - heard) / (time.perf_counter() - began_s)
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
        reads_a_s=reads_a_s,
    )


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        commits(Path(folder))
        scans(Path(folder))


main()
