"""What a presence filter is scored by: its alarms against the truth of a trace, and its probabilities against outcomes.

An *episode* is the longest stretch of bins in which book and truth of one tag differ in one way: `missing` (book here,
truth elsewhere) or `unexpected` (the reverse). Every fact moves the book when it becomes known, also a look or a count,
so that they end an episode. The rules of matching:

- the first alarm of the tag and kind inside its episode finds it; a second one inside the same episode is false;
- an alarm outside every episode of that tag and kind is false, but for `GRACE_BINS` after an episode's end, when it is
  late and counts for nothing;
- an episode without an alarm is lost, unless it lasted less than `SHORT_BINS` (a piece scanned some minutes after it
  left), or a person's look or count ended it (then it was found, by another), or the trace ended within `TAIL_BINS` of
  its begin; these count for nothing;
- `misplaced` is scored apart in the same way: book and truth say here, and the piece stands on another shelf.

The rule that must not be broken: only this file and the generators read the truth.
"""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SHORT_BINS = 30
GRACE_BINS = 15
TAIL_BINS = 60
KINDS = ("missing", "unexpected", "misplaced")


@dataclass(frozen=True, slots=True)
class Episode:
    """A difference of one tag over [since, until); `seen`: a person ended it; `door`: the door heard it."""

    tag: str
    kind: str
    since: int
    until: int
    seen: bool
    door: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a method said: an alarm of one kind for a tag in a bin."""

    tag: str
    kind: str
    number: int


@dataclass(slots=True)
class Truth:
    """The truth of one trace: episodes, and where and on which shelf each tag was from which bin on."""

    bins: int
    episodes: list[Episode]
    where: dict[str, list[tuple[int, str]]]
    homes: Mapping[str, str]

    def is_here(self, tag: str, number: int) -> bool:
        """Return whether a tag was here at the end of a bin."""
        at = "out"
        for since, where in self.where[tag]:
            if since > number:
                break
            at = where
        return at == "here"


@dataclass(slots=True)
class Score:
    """Sums over wards; `delays` are of episodes that were found, in bins, apart by whether the door heard them."""

    days: float = 0.0
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    lost: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    false: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    delays: list[tuple[bool, int]] = field(default_factory=list)
    lost_after: list[tuple[bool, int]] = field(default_factory=list)

    def add(self, other: "Score") -> None:
        """Add another ward's."""
        self.days += other.days
        for mine, theirs in ((self.found, other.found), (self.lost, other.lost), (self.false, other.false)):
            for kind in KINDS:
                mine[kind] += theirs[kind]
        self.delays += other.delays
        self.lost_after += other.lost_after

    def f1(self, kinds: Sequence[str] = KINDS[:2]) -> float:
        """Return F1 over some kinds; 1 where nothing was to find and nothing was said."""
        found, lost, false = (sum(each[kind] for kind in kinds) for each in (self.found, self.lost, self.false))
        return 1.0 if found + lost + false == 0 else 2 * found / (2 * found + lost + false)


def score(truth: Truth, alarms: Iterable[Alarm], bin_s: float = 60.0) -> Score:
    """Match alarms with episodes."""
    told = Score(days=truth.bins * bin_s / 86_400)
    by_tag: dict[tuple[str, str], list[Episode]] = {}
    for episode in truth.episodes:
        by_tag.setdefault((episode.tag, episode.kind), []).append(episode)
    found: dict[Episode, int] = {}
    for alarm in sorted(alarms, key=lambda each: each.number):
        those = by_tag.get((alarm.tag, alarm.kind), ())
        inside = next((each for each in those if each.since <= alarm.number < each.until), None)
        if inside is not None and inside not in found:
            found[inside] = alarm.number
        elif inside is not None or not any(each.until <= alarm.number < each.until + GRACE_BINS for each in those):
            told.false[alarm.kind] += 1
    for episode in truth.episodes:
        _count(told, episode, found.get(episode), truth.bins)
    return told


def _count(told: Score, episode: Episode, at: int | None, bins: int) -> None:
    length = episode.until - episode.since
    if at is not None:
        told.found[episode.kind] += 1
        if episode.kind != "misplaced":
            told.delays.append((episode.door, at - episode.since))
        return
    cut = episode.until >= bins and bins - episode.since < TAIL_BINS
    if length >= SHORT_BINS and not episode.seen and not cut:
        told.lost[episode.kind] += 1
        if episode.kind != "misplaced":
            told.lost_after.append((episode.door, length))


# --- reading the truth ---


def read_truth(folder: Path, bins: int) -> Truth:
    """Return the truth of a trace of so many bins."""
    meta = json.loads((folder / "meta.json").read_bytes())
    fixed = set((meta.get("ref") or {}).values())
    homes = {row["epc"]: row.get("shelf") or "" for row in meta["tags"] if row["epc"] not in fixed}
    book = {
        row["epc"]: [(0, meta.get("book0", {}).get(row["epc"], row.get("home", "here")), False)] for row in meta["tags"]
    }
    for raw in (folder / "book.ndjson").read_text("utf-8").splitlines():
        row = json.loads(raw)
        if row["b"] < bins and row["epc"] in book:
            book[row["epc"]].append((row["b"], row["to"], row.get("kind") in ("look", "count")))
    where: dict[str, list[tuple[int, str]]] = {epc: [] for epc in homes}
    shelf: dict[str, list[tuple[int, str]]] = {epc: [] for epc in homes}
    with gzip.open(folder / "truth.ndjson.gz", "rt", encoding="utf-8") as lines:
        for raw in lines:
            row = json.loads(raw)
            where.get(row["epc"], []).append((row["b"], row["where"]))
            shelf.get(row["epc"], []).append((row["b"], row.get("shelf") or ""))
    doors = read_doors(folder, [row["epc"] for row in meta["tags"]])
    episodes: list[Episode] = []
    for epc, home in homes.items():
        episodes += episodes_of(epc, home, (where[epc], book[epc], shelf[epc]), doors.get(epc, ()), bins)
    return Truth(bins, episodes, where, homes)


def read_doors(folder: Path, epcs: Sequence[str]) -> dict[str, list[int]]:
    """Return the bins in which the door heard each tag."""
    doors: dict[str, list[int]] = {}
    with gzip.open(folder / "bins.ndjson.gz", "rb") as lines:
        for raw in lines:
            if b'"door":[]' in raw:
                continue
            row = json.loads(raw)
            for each in row["reads"].get("door") or ():
                epc = epcs[each[0]] if isinstance(each[0], int) else each[0]
                doors.setdefault(epc, []).append(row["b"])
    return doors


def episodes_of(
    epc: str,
    home: str,
    told: tuple[list[tuple[int, str]], list[tuple[int, str, bool]], list[tuple[int, str]]],
    door: Sequence[int],
    bins: int,
) -> list[Episode]:
    """Return the episodes of one tag from steps of where it was, what the book said, on which shelf it was."""
    where, book, shelf = told
    marks = sorted({step[0] for steps in (where, book, shelf) for step in steps if step[0] < bins} | {0})
    found: list[Episode] = []
    kind, since = "", 0
    for number in (*marks, bins):
        now = "" if number == bins else _kind(home, _at(where, number), _at(book, number), _at(shelf, number))
        if now == kind and number < bins:
            continue
        if kind:
            seen = any(eyes and b == number for b, _, eyes in book)
            heard = any(since - 10 <= b <= since + 10 for b in door)
            found.append(Episode(epc, kind, since, number, seen, heard))
        kind, since = now, number
    return found


def _at(steps: Sequence[tuple[int, str] | tuple[int, str, bool]], number: int) -> str:
    at = "out"
    for step in steps:
        if step[0] > number:
            break
        at = step[1]
    return at


def _kind(home: str, where: str, book: str, shelf: str) -> str:
    if book == "here" and where != "here":
        return "missing"
    if book != "here" and where == "here":
        return "unexpected"
    if book == "here" and where == "here" and home and shelf and shelf != home:
        return "misplaced"
    return ""
