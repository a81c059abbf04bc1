"""One real edge for the benchmarks: tags that the book knows, simulated readers, a scanner on a pseudo-terminal.

Figures of processes come from /proc and wait4(2), reads that an agent heard from its own metrics. It asserts
nothing.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hardware_sim.noise import CATCH_UP_S
from tests.system.edge_ward import GTIN, PROGRAM, ROOT, Plug

SIM = [sys.executable, "-c", "from hardware_sim.cli import main; main()"]
TICKS = os.sysconf("SC_CLK_TCK")

CONFIG = """
[device]
id = "ward-01"
fit = {fit}
[broker]
urls = ["mqtt://127.0.0.1:9"]
[sync]
unsigned = true
[[scanner]]
name = "s1"
url = "serial:scanner"
feedback = "host-beep"
[master]
opening = "opening.csv"
[metrics]
textfile = "metrics.prom"
every_s = 1
"""
READER = """
[[reader]]
name = "r{seed}"
kind = "llrp"
url = "tcp://127.0.0.1:{port}"
antennas = [1, 2, 3, 4]
round_s = {round_s}
"""
ROUND_S = 2.0


def epcs(seed: int, count: int) -> list[str]:
    """Return the tags that a simulated reader of this seed makes up."""
    rng = random.Random(seed)
    return [f"30{rng.getrandbits(88):022X}" for _ in range(count)]


class Machine:
    """A folder with a configuration, and what runs on it."""

    def __init__(self, folder: Path, tags: int, readers: tuple[tuple[int, int, float], ...] = ()) -> None:
        self.folder, self.config = folder, folder / "edge.toml"
        self.readers = [self._reader(*each) for each in readers]
        known = [epc for seed, count, _ in readers for epc in epcs(seed, count)] or epcs(1, tags)
        rows = "".join(f"C001,{GTIN},L1,2030-01-31,{n},{epc},S1,\n" for n, epc in enumerate(known[:tags]))
        (folder / "opening.csv").write_text("item,gtin,lot,expiry,serial,epc,position,owner\n" + rows)
        text = CONFIG.format(fit=2 if readers else 1)
        for (seed, _, _), (_, port) in zip(readers, self.readers, strict=True):
            text += READER.format(seed=seed, port=port, round_s=ROUND_S)
        self.config.write_text(text)
        self.plug = Plug(folder / "scanner")

    def _reader(self, seed: int, tags: int, rate: float) -> "tuple[subprocess.Popen[str], int]":
        told = rate * max(1.0, ROUND_S / CATCH_UP_S)  # in a longer round it owes no more than that
        command = [*SIM, "reader", "--seed", str(seed), "--tags", str(tags), "--rate", str(told)]
        reader = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert reader.stdout is not None
        return reader, int(reader.stdout.readline().rpartition(":")[2])

    def start(self) -> "subprocess.Popen[str]":
        """Start the agent and wait until it serves its scanner."""
        with (self.folder / "log").open("a") as log:
            agent = subprocess.Popen(
                [*PROGRAM, "run", "--config", str(self.config)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert agent.stdout is not None
        if agent.stdout.readline() != "ready ward-01\n":
            end(agent)
            raise RuntimeError((self.folder / "log").read_text())
        return agent

    def reads(self) -> int:
        """Return how many reads the agent says it has heard in its life."""
        lines = (self.folder / "metrics.prom").read_text().splitlines()
        (line,) = (each for each in lines if each.startswith("wardstock_edge_reads_total"))
        return int(line.split()[1])

    def close(self) -> None:
        """End the readers and pull the scanner."""
        for reader, _ in self.readers:
            end(reader)
        self.plug.pull()


@contextmanager
def machine(tags: int, readers: tuple[tuple[int, int, float], ...] = ()) -> Iterator[Machine]:
    """Give a machine for a while; each reader is (seed, tags, reads a second)."""
    with tempfile.TemporaryDirectory() as folder:
        made = Machine(Path(folder), tags, readers)
        try:
            yield made
        finally:
            made.close()


def end(process: "subprocess.Popen[str]") -> float:
    """Ask a process to end; returns the seconds of CPU it took in its life."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process.terminate()
    process.wait(60)
    if process.stdout is not None:
        process.stdout.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU that a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int) -> float:
    """Return the most memory that a process has had in use (its resident set), in MiB."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def share_over(made: Machine, pid: int, seconds: float) -> tuple[float, float]:
    """Return which share of one core an agent takes over some seconds, and how many reads a second it heard."""
    began, before, heard = time.monotonic(), cpu_s(pid), made.reads()
    time.sleep(seconds)
    passed_s = time.monotonic() - began
    return (cpu_s(pid) - before) / passed_s, (made.reads() - heard) / passed_s
