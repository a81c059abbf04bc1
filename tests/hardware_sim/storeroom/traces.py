"""A trace read back for tests: its files as plain values, and what follows from them."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware_sim.storeroom.trace import BINS, BOOK, META, TRUTH
from hardware_sim.storeroom.ward import Plan, Ward, draw_ward, write_ward


def lines(path: Path) -> Iterator[dict[str, Any]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    yield from (json.loads(line) for line in raw.splitlines())


@dataclass(frozen=True)
class Trace:
    """One trace and the ward it was drawn from."""

    ward: Ward
    meta: dict[str, Any]
    bins: list[dict[str, Any]]
    book: list[dict[str, Any]]
    truth: list[dict[str, Any]]

    @property
    def number(self) -> dict[str, int]:
        return {tag["epc"]: place for place, tag in enumerate(self.meta["tags"])}

    def tag(self, word: str) -> int:
        """Return the tag of a word of the script."""
        return self.ward.cast[word]

    def rounds(self, tag: int, since: int, until: int, channel: str = "room") -> int:
        """Return in how many rounds a tag was heard in some bins."""
        return sum(row[1] for line in self.bins[since:until] for row in line["reads"][channel] if row[0] == tag)


def trace_of(plan: Plan, folder: Path) -> Trace:
    """Draw, write and read back."""
    folder.mkdir(exist_ok=True)
    ward = draw_ward(plan)
    write_ward(ward, folder)
    return Trace(
        ward,
        json.loads((folder / META).read_text()),
        *(list(lines(folder / name)) for name in (BINS, BOOK, TRUTH)),
    )
