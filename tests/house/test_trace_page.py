"""The page of the trace names every key that a trace has and every event that a script may hold, and no other event."""

import re
from pathlib import Path

import pytest

from hardware_sim.storeroom.script import FAILS, PEOPLE, Event, Script
from hardware_sim.storeroom.trace import BINS, BOOK, HAPPENED, META, TRUTH, WORLD
from hardware_sim.storeroom.ward import Plan
from tests.hardware_sim.storeroom.traces import Trace, trace_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "trace.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([\w.]+)`", PAGE))


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return trace_of(Plan(seed=1, days=1, tags=10), tmp_path_factory.mktemp("trace"))


def test_every_file_and_key_is_on_the_page(trace: Trace) -> None:
    assert {META, BINS, BOOK, TRUTH, HAPPENED, WORLD} <= NAMED
    rows = [trace.meta, *trace.meta["tags"], *trace.book, *trace.truth[:1]]
    keys = {key for row in rows for key in row}
    keys |= {key for line in trace.bins for key in line} - {"reads"}
    keys |= {f"reads.{key}" for key in trace.bins[0]["reads"]}
    assert keys <= NAMED


def test_the_events_of_the_page_are_those_of_a_script() -> None:
    table = PAGE[PAGE.index("| event |") :]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(first))) == set(PEOPLE + FAILS)
    assert set(Script.__dataclass_fields__) - {"about"} <= NAMED
    assert set(Event.__dataclass_fields__) - {"do"} <= NAMED
