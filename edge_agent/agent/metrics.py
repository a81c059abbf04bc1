"""What a machine watches of one edge, in Prometheus' text format (exposition format 0.0.4), for node_exporter's
textfile collector. It reads only; the rule that must not be broken: a file is whole or it is the one before.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from edge_agent.store.ledger import Ledger

PREFIX = "wardstock_edge_"
FILE_MODE = 0o644
HELP = {
    "entries": ("gauge", "Entries of the ledger."),
    "acked": ("gauge", "Entries that central has committed."),
    "pending": ("gauge", "Entries that central has not yet committed."),
    "reads_total": ("counter", "Tag reads accepted since the start."),
    "reads_per_second": ("gauge", "Tag reads accepted a second since the last writing."),
    "outages_open": ("gauge", "Parts that are out of order now."),
    "disk_share": ("gauge", "Share of the ledger's disk in use, 0 to 1."),
    "clock_quality": ("gauge", "0 unknown, 1 free running, 2 synchronised, 3 bad."),
    "written_seconds": ("gauge", "When this was written, seconds since 1970 by the edge's clock."),
}


@dataclass(frozen=True, slots=True)
class Metrics:
    """One look at an edge; the names are those of `HELP`."""

    entries: int
    acked: int
    pending: int
    reads_total: int
    reads_per_second: float
    outages_open: int
    disk_share: float
    clock_quality: int
    written_seconds: float


def entries_of(ledger: Ledger) -> tuple[int, int]:
    """Return how many entries the ledger's way has and how many of them central has committed. Raises `StoreFault`."""
    way = ledger.way()
    return sum(leg.seq + 1 for leg in way), sum(leg.acked + 1 for leg in way)


def text_of(metrics: Metrics, device: str) -> str:
    """Return metrics as text."""
    return "".join(_lines(metrics, device))


def _lines(metrics: Metrics, device: str) -> Iterable[str]:
    for field in fields(metrics):
        kind, said = HELP[field.name]
        name, value = f"{PREFIX}{field.name}", getattr(metrics, field.name)
        shown = f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
        yield f'# HELP {name} {said}\n# TYPE {name} {kind}\n{name}{{device="{device}"}} {shown}\n'


def write_metrics(path: Path, text: str) -> None:
    """Put a new file in the old one's place. Raises `OSError`."""
    partial = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)
