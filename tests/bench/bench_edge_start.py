"""What a start costs: CPU over bare Python, memory with 1,000 tags in a first and a later life, and a million entries.

The bar of a start is its CPU until the agent serves people; `settled_s` is what it has taken five seconds later, with
what is loaded while it serves already (the broker's client, biip for the first GS1 label). Our code is compiled before,
as pip does it for an installed program.
"""

import compileall
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from edge_agent.store.ledger import open_ledger
from edge_agent.store.rows import INSERT, row_of
from protocols.entry import chain
from protocols.values.ids import device_id, incarnation, make_event_id
from tests.bench.edge_machine import Machine, cpu_s, end, machine, memory_mb
from tests.bench.entries import START, issues
from tests.bench.measure import report_bar
from tests.system.edge_ward import ROOT

ROUNDS = 3
SETTLES_S = 5.0
FEW, MANY = 100_000, 1_000_000
AT_ONCE = 10_000
DEVICE = device_id("ward-01")
START_CPU_MAX_S, MEMORY_MAX_MB, START_RATIO_MAX = 0.250, 64.0, 3.0


def bare_cpu_s() -> float:
    """Return the CPU of a Python that does nothing, as it is at its end."""
    code = "import resource; u = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def start_cpu_s(made: Machine) -> tuple[float, float]:
    """Return the CPU of an agent that has just begun to serve, and that of the same agent when it has settled."""
    agent = made.start()
    served = cpu_s(agent.pid)
    time.sleep(SETTLES_S)
    settled = cpu_s(agent.pid)
    end(agent)
    return served, settled


def life_memory_mb(made: Machine) -> float:
    """Return the most memory of one life, some rounds of all tags long."""
    agent = made.start()
    time.sleep(8)
    memory = memory_mb(agent.pid)
    end(agent)
    return memory


def begin_s(made: Machine) -> float:
    """Return the seconds until an agent serves."""
    began = time.perf_counter()
    agent = made.start()
    taken = time.perf_counter() - began
    end(agent)
    return taken


def grow(path: Path, entries: int) -> None:
    """Write so many entries into a ledger without its projections but `applied`; unsynced, for this is not measured."""
    ledger = open_ledger(path, DEVICE, newborn=incarnation(bytes(16)), now=START)
    head = ledger.head()
    ledger.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    some = issues(AT_ONCE)
    seq, prev = head.seq, head.hash
    while seq < entries:
        born = [make_event_id(START // 1000, (seq + 1 + n).to_bytes(10, "big")) for n in range(AT_ONCE)]
        wave = [replace(entry, event_id=name) for entry, name in zip(some, born, strict=True)][: entries - seq]
        rows = chain(DEVICE, head.incarnation, from_seq=seq + 1, prev_hash=prev, entries=wave)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, map(row_of, rows))
        connection.executemany("INSERT OR IGNORE INTO applied (event_id) VALUES (?)", [(one.event_id,) for one in wave])
        connection.execute("COMMIT")
        seq, prev = rows[-1].seq, rows[-1].hash
    connection.close()


def starts() -> None:
    """Measure a start with nothing in the ledger."""
    with machine(tags=0) as made:
        first, _ = start_cpu_s(made)
        later = [start_cpu_s(made) for _ in range(ROUNDS)]
    (ours, settled), bare = min(later), min(bare_cpu_s() for _ in range(ROUNDS))
    report_bar(
        "edge_start_cpu",
        ratio=(ours - bare) / START_CPU_MAX_S,
        bar=1.0,
        what="CPU of run over bare Python until it serves, share of 250 ms",
        over_s=ours - bare,
        first_over_s=first - bare,
        settled_s=settled - bare,
        bare_s=bare,
    )


def memories() -> None:
    """Measure the memory with 1,000 tags."""
    with machine(tags=1_000, readers=((1, 1_000, 1_000.0),)) as made:
        first, later = life_memory_mb(made), life_memory_mb(made)
    report_bar(
        "edge_memory",
        ratio=max(first, later) / MEMORY_MAX_MB,
        bar=1.0,
        what="most memory with 1,000 tags read, in a first and a later life, share of 64 MiB",
        first_mb=first,
        later_mb=later,
    )


def long_ledgers() -> None:
    """Measure a start with a million entries beside one with a tenth of them."""
    with machine(tags=1) as few, machine(tags=1) as many:
        for made, entries in ((few, FEW), (many, MANY)):
            end(made.start())
            grow(made.folder / "ledger.db", entries)
            end(made.start())
        pairs = [(begin_s(few), begin_s(many)) for _ in range(ROUNDS)]
    short, long = (min(each) for each in zip(*pairs, strict=True))
    report_bar(
        "edge_start_long",
        ratio=long / short,
        bar=START_RATIO_MAX,
        what="seconds to serve with 1,000,000 entries over 100,000",
        few_s=short,
        many_s=long,
    )


for package in ("edge_agent", "protocols", "migrations"):
    compileall.compile_dir(ROOT / package, quiet=1)
starts()
memories()
long_ledgers()
