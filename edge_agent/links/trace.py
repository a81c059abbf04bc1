"""A recorded trace of one storeroom on disk: `meta.json`, `bins.ndjson.gz`, `book.ndjson`, as values of the filter.

It reads line by line and never the truth file. What the format leaves open is admitted: tags named by number or EPC,
trailing fields of a row absent, rounds by antenna or by channel, plain text where gzip is expected, no bin at all. The
rule that must not be broken: a file that is not a trace is refused in one sentence that names the file, the line, and
what was expected.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import nan
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from edge_agent.core.presence.ward import AntRow, Bin, DoorRow, Fact, Kind, NextRow, Place, RoomRow, TagOf, Ward
from edge_agent.errors import BadTrace
from protocols.errors import BadValue

PLACES = {"here": Place.HERE, "next": Place.NEXT, "out": Place.OUT}
KINDS = {"count": Kind.COUNT, "look": Kind.LOOK}
ACTS = ("issue", "receipt", "return", "transfer")
GZIP = b"\x1f\x8b"
FACTS_MAX = 5_000_000
META_BYTES_MAX = 200_000_000
SHOWN_MAX = 60

Json = Any
"""What JSON brings, before it is checked; it goes no further than this file."""


class Trace:
    """One trace. The ward and the book are read at once, the bins one by one. Raises `BadTrace`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ward, self._numbers = _read_meta(folder / "meta.json")
        self.facts = _read_book(folder / "book.ndjson", self._numbers, len(self.ward.tags))

    def bins(self) -> Iterator[Bin]:
        """Return the bins in order. Raises `BadTrace`."""
        path = self._folder / "bins.ndjson.gz"
        if not path.exists() and (self._folder / "bins.ndjson").exists():
            path = self._folder / "bins.ndjson"
        reader = _Rows(self.ward, self._numbers)
        last = -1
        for line, raw in _lines(path):
            with _faults_at(f"{path}:{line}"):
                heard = reader.bin(raw)
            if heard.number <= last:
                raise BadTrace(f"{path}:{line}: expected a bin after {last}, got {heard.number}; bins stand in order")
            last = heard.number
            yield heard


class _Wrong(Exception):
    """Something of a line is not as expected; its place is added outside."""


@contextmanager
def _faults_at(where: str) -> Iterator[None]:
    """Tell the faults of a line with its place."""
    try:
        yield
    except (_Wrong, BadValue) as error:
        raise BadTrace(f"{where}: {error}") from error
    except msgspec.DecodeError as error:
        raise BadTrace(f"{where}: expected JSON; {error}") from error
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise BadTrace(f"{where}: expected what the trace format says; {error!r:.200}") from error


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as raw:
            begin = raw.peek(2)[:2]
            if not begin and path.suffix == ".gz":
                raise BadTrace(f"{path}: expected gzip, got 0 bytes, which is not even an empty gzip; copy it again")
            zipped = begin == GZIP
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw
            yield from ((number, line) for number, line in enumerate(stream, start=1) if line.strip())
    except OSError as error:
        raise BadTrace(f"{path}: expected a file of the trace, {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise BadTrace(f"{path}: expected whole gzip, it breaks off or is damaged: {error}") from error


def _need(row: Json, key: str, sort: type | tuple[type, ...], said: str) -> Json:
    value = row.get(key) if isinstance(row, dict) else None
    if not isinstance(value, sort) or isinstance(value, bool):
        raise _Wrong(f"{key}: expected {said}, got {value!r:.{SHOWN_MAX}}")
    return value


def _whole(value: Json, said: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or abs(value) > 1e12:
        raise _Wrong(f"{said}: expected a whole number, got {value!r:.{SHOWN_MAX}}")
    return int(value)


def _not_negative(value: Json, said: str) -> int:
    number = _whole(value, said)
    if number < 0:
        raise _Wrong(f"{said}: expected 0 or more, got {number}")
    return number


def _level(row: list[Json], place: int) -> float:
    """Return the number at a place of a row, NaN where it is not told."""
    value = row[place] if len(row) > place else None
    if value is None:
        return nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong(f"expected a number at place {place} of {row!r:.{SHOWN_MAX}}")
    return float(value)


# --- meta.json ---


def _read_meta(path: Path) -> tuple[Ward, dict[str, int]]:
    try:
        size = path.stat().st_size
        if size > META_BYTES_MAX:
            raise BadTrace(f"{path}: expected at most {META_BYTES_MAX} bytes, got {size}; take fewer tags")
        raw = path.read_bytes()
    except OSError as error:
        raise BadTrace(
            f"{path}: expected a file of the trace, {error.strerror}; name its folder with --trace"
        ) from error
    with _faults_at(str(path)):
        return _ward(msgspec.json.decode(raw))


def _ward(meta: Json) -> tuple[Ward, dict[str, int]]:
    rows = _need(meta, "tags", list, "a list of tags")
    book0 = meta.get("book0") or {}
    ref = {str(antenna): str(epc) for antenna, epc in (meta.get("ref") or {}).items()}
    tags = [_tag(row, book0) for row in rows]
    numbers: dict[str, int] = {}
    for number, tag in enumerate(tags):
        if numbers.setdefault(tag.epc, number) != number:
            raise _Wrong(f"tags: expected every EPC once, {tag.epc} stands twice")
    fixed = set(ref.values())
    for epc in sorted(fixed - set(numbers)):
        numbers[epc] = len(tags)
        tags.append(TagOf(epc, "", "", "", Place.HERE, counted=False))
    channels = _need(meta, "channels", dict, "antennas by channel")
    names = {key: tuple(str(each) for each in channels.get(key) or ()) for key in ("room", "door", "next")}
    ward = Ward(
        tuple(tags),
        room=names["room"],
        door=names["door"],
        next=names["next"],
        ref={antenna: numbers[epc] for antenna, epc in ref.items()},
        bin_s=float(meta.get("bin_s", 60)),
        round_s=float(meta.get("round_s", 2)),
    )
    return ward, numbers


def _tag(row: Json, book0: Json) -> TagOf:
    epc = _need(row, "epc", str, "an EPC in hex")
    home = row.get("home", "here")
    book = book0.get(epc, home)
    if book not in PLACES:
        raise _Wrong(f"book0 of {epc}: expected here, next or out, got {book!r:.{SHOWN_MAX}}")
    item, lot, shelf = (row.get(key) for key in ("item", "lot", "shelf"))
    return TagOf(epc, _text(item), _text(lot), _text(shelf), PLACES[book])


def _text(value: Json) -> str:
    return "" if value is None else str(value)


# --- book.ndjson ---


def _read_book(path: Path, numbers: dict[str, int], tags: int) -> list[Fact]:
    facts: list[Fact] = []
    for line, raw in _lines(path):
        with _faults_at(f"{path}:{line}"):
            fact = _fact(msgspec.json.decode(raw), numbers, tags)
        last = facts[-1].known if facts else 0
        if fact.known < last:
            raise BadTrace(
                f"{path}:{line}: b: expected {last} or later, got {fact.known}; facts stand in the order of b"
            )
        facts.append(fact)
        if len(facts) > FACTS_MAX:
            raise BadTrace(f"{path}: expected at most {FACTS_MAX} facts; cut the trace into shorter ones")
    return facts


def _fact(row: Json, numbers: dict[str, int], tags: int) -> Fact:
    if not isinstance(row, dict):
        raise _Wrong(f"expected an object, got {row!r:.{SHOWN_MAX}}")
    known = _not_negative(row.get("b"), "b")
    tag = _number(row.get("epc"), numbers, tags)
    to = row.get("to")
    if to not in PLACES:
        raise _Wrong(f"to: expected here, next or out, got {to!r:.{SHOWN_MAX}}")
    kind = row.get("kind")
    if kind is not None and kind not in KINDS and kind not in ACTS:
        raise _Wrong(f"kind: expected one of {', '.join((*ACTS, *KINDS))}, got {kind!r:.{SHOWN_MAX}}")
    at = row.get("at")
    claimed = known if at is None else min(known, _not_negative(at, "at"))
    if tag is None:
        raise _Wrong(f"epc: expected one of tags in meta.json, got {row.get('epc')!r:.{SHOWN_MAX}}")
    return Fact(known, claimed, tag, KINDS.get(str(kind), Kind.ACT), PLACES[to])


def _number(name: Json, numbers: dict[str, int], tags: int) -> int | None:
    """Return a tag's number, told by number or EPC; None of a foreign EPC."""
    if isinstance(name, str):
        return numbers.get(name)
    number = _whole(name, "tag")
    if not 0 <= number < tags:
        raise _Wrong(f"tag: expected a number from 0 to {tags - 1} or an EPC, got {number}")
    return number


# --- bins.ndjson.gz ---


class _Rows:
    """Reads the rows of a bin."""

    def __init__(self, ward: Ward, numbers: dict[str, int]) -> None:
        self._numbers, self._tags = numbers, len(ward.tags)

    def bin(self, raw: bytes) -> Bin:
        row = msgspec.json.decode(raw)
        number = _not_negative(_need(row, "b", (int, float), "the number of a bin"), "b")
        alive = _need(row, "n", dict, "rounds alive")
        rounds = {str(key): _not_negative(value, f"n of {key!r:.{SHOWN_MAX}}") for key, value in alive.items()}
        visit = row.get("visit")
        reads = row.get("reads") or {}
        ant = row.get("ant")
        return Bin(
            number,
            rounds,
            None if visit is None else _not_negative(int(visit) if isinstance(visit, bool) else visit, "visit"),
            room=tuple(self._room(reads.get("room") or ())),
            door=tuple(self._door(reads.get("door") or ())),
            next=tuple(self._next(reads.get("next") or ())),
            ant=None if ant is None else tuple(self._ant(ant)),
        )

    def _tag(self, row: Json) -> int | None:
        if not isinstance(row, list) or not row:
            raise _Wrong(f"reads: expected rows that begin with a tag, got {row!r:.{SHOWN_MAX}}")
        return _number(row[0], self._numbers, self._tags)

    def _room(self, rows: Json) -> Iterator[RoomRow]:
        for row in rows:
            tag = self._tag(row)
            if tag is not None:
                yield tag, _count(row, 1), _level(row, 2), _level(row, 3)

    def _door(self, rows: Json) -> Iterator[DoorRow]:
        for row in rows:
            tag = self._tag(row)
            if tag is not None and (len(row) < 3 or _count(row, 2) > 0):
                yield tag, _level(row, 4)

    def _next(self, rows: Json) -> Iterator[NextRow]:
        for row in rows:
            tag = self._tag(row)
            if tag is not None:
                yield tag, _count(row, 1), _level(row, 2)

    def _ant(self, rows: Json) -> Iterator[AntRow]:
        for row in rows:
            tag = self._tag(row)
            if tag is not None and len(row) > 1:
                yield tag, str(row[1]), _count(row, 2), _level(row, 3)


def _count(row: list[Json], place: int) -> int:
    """Return the reads at a place of a row; a row that tells none was read at least once."""
    return _not_negative(row[place], "reads") if len(row) > place and row[place] is not None else 1
