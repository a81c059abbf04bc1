"""The trace of a storeroom as files: what a reader heard, what the book was told, and, apart, what was true.

Rows name a tag by its number, its place in `tags` of meta.json. Reference tags stand there too, at the end: `ref` gives
the EPC of each antenna's. The rule that must not be broken: nothing of the truth stands in meta, bins
or book, and the same seed writes the same bytes.
"""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.door import DoorRead
from hardware_sim.storeroom.failures import Failures, Span
from hardware_sim.storeroom.happenings import BIN_S, ROUND_S, Change, Death, Fact, Life, Shield, bin_of
from hardware_sim.storeroom.radio import Heard, Rows
from hardware_sim.storeroom.stock import (
    DOOR_ANTENNAS,
    NEXT_ANTENNAS,
    NEXT_SHELF,
    ROOM_ANTENNAS,
    SHELVES,
    Stock,
    Where,
)

META, BINS, BOOK, TRUTH = "meta.json", "bins.ndjson.gz", "book.ndjson", "truth.ndjson.gz"
HAPPENED, WORLD = "happened.json", "world.json"
"""Truth too: what failed and when, with the events of a script; and what the whole trace is a function of."""

COMPRESSION = 1
"""gzip's fastest: a ward-week takes a second, and a higher level saves a fifth."""

Json = dict[str, Any]


def meta_of(stock: Stock, start: str, **more: object) -> Json:
    """Return what meta.json says of a storeroom; `more` are keys of the simulator's own."""
    return {
        "start": start,
        "bin_s": BIN_S,
        "round_s": ROUND_S,
        "channels": {"room": ROOM_ANTENNAS, "door": DOOR_ANTENNAS, "next": NEXT_ANTENNAS},
        "ref": {str(antenna): tag.epc for antenna, tag in zip(ROOM_ANTENNAS, stock.references, strict=True)},
        "tags": [
            {
                "epc": tag.epc,
                "item": tag.item,
                "lot": tag.lot,
                "shelf": shelf_word(tag.home, tag.shelf),
                "home": tag.home.word,
            }
            for tag in stock.tags
        ],
        "book0": {tag.epc: tag.first.word for tag in stock.tags},
        **more,
    }


def shelf_word(where: Where, shelf: int) -> str:
    """Return the name of a shelf; the neighbour's room has one."""
    return SHELVES[shelf] if where == Where.HERE else NEXT_SHELF if where == Where.NEXT else ""


def bin_lines(
    first: int, heard: Heard, door: list[DoorRead], visits: list[int | None], foreign: list[int]
) -> Iterator[bytes]:
    """Return one line of bins.ndjson for each bin of a scene."""
    alive = heard.alive
    names = [str(antenna) for antenna in ROOM_ANTENNAS + DOOR_ANTENNAS]
    rounds = alive.antennas.T.tolist()
    near = alive.near.tolist()
    room = _by_bin(heard.room, len(near), (heard.room.tags, heard.room.counts, heard.room.dbm, heard.room.last_s))
    apart_rows = heard.per_antenna
    apart = _by_bin(
        apart_rows, len(near), (apart_rows.tags, apart_rows.antennas + 1, apart_rows.counts, apart_rows.dbm)
    )
    there = _by_bin(heard.near, len(near), (heard.near.tags, heard.near.counts, heard.near.dbm))
    at_door: dict[int, list[tuple[object, ...]]] = {}
    for read in door:
        at_door.setdefault(read.bin, []).append(tuple(read)[1:])
    for at in range(len(near)):
        line: Json = {
            "b": first + at,
            "n": dict(zip(names, rounds[at], strict=True)) | {str(NEXT_ANTENNAS[0]): near[at]},
            "visit": visits[at],
            "reads": {"room": room[at], "door": at_door.get(first + at, []), "next": there[at]},
        }
        if apart[at]:
            line["ant"] = apart[at]
        if foreign[at]:
            line["foreign"] = foreign[at]
        yield msgspec.json.encode(line) + b"\n"


def book_lines(stock: Stock, facts: Iterable[Fact], bins: int, skew_bins: int) -> Iterator[bytes]:
    """Return the lines of book.ndjson: facts in the order in which they became known, stamped by the book's clock."""
    tags = stock.tags
    for fact in sorted(facts):
        if fact.known < bins:
            row = {
                "b": fact.known,
                "at": max(0, fact.at + skew_bins),
                "epc": tags[fact.tag].epc,
                "kind": fact.kind,
                "to": fact.to.word,
            }
            yield msgspec.json.encode(row) + b"\n"


def truth_lines(stock: Stock, life: Life, deaths: Iterable[Death], bins: int) -> Iterator[bytes]:
    """Return the lines of truth.ndjson: every piece at first, then each at the bin in which something of it changed."""
    state = [
        {
            "b": 0,
            "epc": piece.epc,
            "where": piece.first.word,
            "shelf": shelf_word(piece.first, piece.shelf),
            "dead": 0,
            "blocked": 0,
        }
        for piece in stock.pieces
    ]
    yield from (msgspec.json.encode(row) + b"\n" for row in state)
    events: list[Change | Shield | Death] = sorted([*life.changes, *life.shields, *deaths], key=lambda event: event[:2])
    for event in events:
        if bin_of(event.at_s) >= bins:
            break
        row = state[event.tag]
        row["b"] = bin_of(event.at_s)
        match event:
            case Change():
                row |= {"where": event.where.word, "shelf": shelf_word(event.where, event.shelf)}
            case Shield():
                row["blocked"] = int(event.block > 0)
            case Death():
                row["dead"] = 1
        yield msgspec.json.encode(row) + b"\n"


def happened(life: Life, failures: Failures, events: list[Json]) -> Json:
    """Return what failed and who was there, in bins, and what a script made happen."""

    def spans(rows: tuple[Span, ...]) -> list[Json]:
        return [{"b": bin_of(row.since_s), "until": bin_of(row.until_s), "antenna": row.antenna} for row in rows]

    return {
        "events": events,
        "visits": [
            {"b": bin_of(visit.since_s), "until": bin_of(visit.until_s), "actor": visit.actor} for visit in life.visits
        ],
        "reader_off": spans(failures.reader_off),
        "next_off": spans(failures.next_off),
        "lost": spans(failures.lost),
        "blind": spans(failures.blind),
        "sensor_dead": spans(failures.sensor_dead),
    }


def new_folder(folder: Path) -> None:
    """Make the folder of a trace. Raises `WrongUse` when it is not empty or cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        filled = any(folder.iterdir())
    except OSError as error:
        raise WrongUse(f"--out {folder}: expected a folder that can be made; {error.strerror}") from error
    if filled:
        raise WrongUse(f"--out {folder}: expected a new or empty folder, got one with files in it")


@contextmanager
def zipped(path: Path) -> Iterator[BinaryIO]:
    """Open a gzip file for writing whose bytes say neither when nor where it was written."""
    with (
        path.open("wb") as plain,
        gzip.GzipFile("", "wb", COMPRESSION, plain, mtime=0) as packed,
        BufferedWriter(cast("Any", packed), 1 << 20) as lines,
    ):
        yield lines


def _by_bin(rows: Rows, bins: int, columns: tuple[Any, ...]) -> list[list[tuple[object, ...]]]:
    """Return the rows of each bin as tuples of plain numbers."""
    ends = rows.bins.searchsorted(range(bins), side="right").tolist()
    plain = list(zip(*(column.tolist() for column in columns), strict=True))
    return [plain[since:until] for since, until in zip([0, *ends[:-1]], ends, strict=True)]
