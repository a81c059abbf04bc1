"""`wardstock-edge replay`: the presence filter over a recorded trace, written down as it would have spoken then.

It carries bins from the trace to the filter and what it says into a file; it decides nothing. The rule that must not be
broken: a line about bin i is written from bins and facts known by i, so that a shorter trace gives the same beginning.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_agent.core.presence.columns import column_course
from edge_agent.core.presence.course import Raised
from edge_agent.core.presence.lines import count_lines
from edge_agent.core.presence.shelf_columns import ShelfColumns
from edge_agent.core.presence.shelves import Misplaced
from edge_agent.core.presence.ward import Bin, Fact, TagOf
from edge_agent.errors import BadTrace
from edge_agent.links.trace import Trace

P_EVERY_BINS = 60
GAP_BINS_MAX = 100_000
"""Bins that may be missing in a row before a trace is taken for damaged."""

Said = dict[str, object]
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay said: alerts by their kind, the tags it spoke of, the instants at which it told each one's `p`."""

    alerts: Mapping[str, int]
    tags: int
    instants: int


def replay(folder: Path, out: Path, told: Told = lambda bins: None) -> Replayed:
    """Run the filter over a trace and write what it says; `told` is called with the bins so far. Raises `BadTrace`."""
    trace = Trace(folder)
    alerts, instants = Counter[str](), 0
    try:
        with out.open("w", encoding="utf-8") as file:
            for said in speak(trace, told):
                file.write(json.dumps(said, separators=(",", ":")) + "\n")
                alerts.update([str(said["alert"])] if "alert" in said else [])
                instants += "p" in said and "alert" not in said
    except OSError as error:
        raise BadTrace(
            f"{out}: expected a file that can be written, {error.strerror}; name another with --out"
        ) from error
    return Replayed(dict(sorted(alerts.items())), sum(tag.counted for tag in trace.ward.tags), instants)


def speak(trace: Trace, told: Told = lambda bins: None) -> Iterator[Said]:
    """Return what the filter says over a trace, in order."""
    model, shelves = column_course(trace.ward), ShelfColumns(trace.ward)
    shown = len([tag for tag in trace.ward.tags if tag.counted])
    for heard, facts in feed(trace.bins(), trace.facts):
        for raised in model.take(heard, facts):
            if raised.tag < shown:
                yield _alert(heard.number, raised, trace.ward.tags[raised.tag])
        for moved in shelves.take(heard, facts, model.p(), model.listened):
            yield _misplaced(heard.number, moved, trace.ward.tags[moved.tag])
        if heard.number % P_EVERY_BINS == 0:
            yield {"b": heard.number, "p": [round(p, 4) for p in model.p()[:shown]]}
        told(heard.number + 1)
    tags = zip(trace.ward.tags, model.weighed(), strict=True)
    lines = count_lines((tag.item, p) for tag, p in tags if tag.counted)
    yield {
        "lines": [
            {"item": line.item, "count": line.count, "low": line.low, "high": line.high, "certified": line.certified}
            for line in lines
        ]
    }


def feed(bins: Iterator[Bin], facts: Sequence[Fact]) -> Iterator[tuple[Bin, list[Fact]]]:
    """Return every bin with the facts that became known by it; a bin that is missing counts as an outage."""
    place, last = 0, None
    for heard in bins:
        for number in _missing(last, heard.number):
            known, place = _known(facts, place, number)
            yield Bin(number, {}, None), known
        known, place = _known(facts, place, heard.number)
        yield heard, known
        last = heard.number


def _missing(last: int | None, number: int) -> range:
    if last is None:
        return range(0)
    if number - last > GAP_BINS_MAX:
        raise BadTrace(f"bins {last} to {number}: expected at most {GAP_BINS_MAX} missing bins in a row; cut the trace")
    return range(last + 1, number)


def _known(facts: Sequence[Fact], place: int, number: int) -> tuple[list[Fact], int]:
    start = place
    while place < len(facts) and facts[place].known <= number:
        place += 1
    return list(facts[start:place]), place


def _alert(number: int, raised: Raised, tag: TagOf) -> Said:
    return {
        "b": number,
        "alert": raised.kind,
        "epc": tag.epc,
        "p": round(raised.p, 4),
        "since": raised.since,
        "shelf": tag.shelf,
    }


def _misplaced(number: int, moved: Misplaced, tag: TagOf) -> Said:
    """Return the alarm of a piece on another shelf; `p` is the chance that it stands on its own."""
    p = round(moved.p, 4)
    return {"b": number, "alert": "misplaced", "epc": tag.epc, "p": p, "since": moved.since, "shelf": moved.shelf}
