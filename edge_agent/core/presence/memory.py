"""What the live filter must remember over a restart, as bytes: beliefs, habits, tests and fitted hazards of each tag.

It is a cache: without it the filter begins from the book and learns anew. Not kept are the last minutes (late facts,
open spells, passages that wait). The rule that must not be broken: bytes of another version or of a damaged file are
refused as a whole, never half taken.
"""

from dataclasses import dataclass

import msgspec

from edge_agent.core.presence.fitting import Spells
from edge_agent.core.presence.hazards import Hazards
from edge_agent.core.presence.judge import Watch
from edge_agent.core.presence.live import MODEL, Filter
from edge_agent.core.presence.shelves import Stand
from edge_agent.core.presence.step import Habits, Mind
from protocols.errors import BadValue


@dataclass(slots=True)
class _Tag:
    mind: Mind[float]
    habits: Habits[float]
    watch: Watch[float]
    by_antenna: list[float]
    marks: tuple[int, int, int]
    stand: Stand


@dataclass(slots=True)
class _Kept:
    model: str
    room: list[str]
    bins: int
    hazards: Hazards
    spells: Spells
    door: tuple[float, float, dict[str, float]]
    shelves: dict[str, list[float]]
    shelf_bins: int
    tags: dict[str, _Tag]


def remembered(live: Filter) -> bytes:
    """Return what the filter must remember."""
    course, tags, shelves = live.course, live.tags, live.shelves
    those = {
        tag.epc: _Tag(
            *(tags.minds[n], tags.habits[n], tags.watches[n], tags.by_antenna[n]), course.marks(n), shelves.stands[n]
        )
        for n, tag in enumerate(course.ward.tags)
    }
    means, room = dict(zip(shelves.names, shelves.means, strict=True)), list(course.ward.room)
    kept = _Kept(MODEL, room, course.bins, course.hazards, course.spells, course.door, means, shelves.told, those)
    return msgspec.msgpack.encode(kept)


def recall(live: Filter, raw: bytes) -> int:
    """Give a filter that knows its tags from the book its memory; returns how many tags had one. Raises `BadValue`."""
    try:
        kept = msgspec.msgpack.decode(raw, type=_Kept)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadValue(f"memory of presence: expected what this version wrote, {error}; delete it") from error
    course, tags = live.course, live.tags
    if kept.model != MODEL or kept.room != list(course.ward.room):
        raise BadValue(f"memory of presence: expected {MODEL} and the same antennas, got {kept.model} {kept.room}")
    course.resume(kept.bins, kept.hazards, kept.spells, kept.door)
    live.shelves.resume(kept.shelves, kept.shelf_bins)
    found = 0
    for number, tag in enumerate(course.ward.tags):
        old = kept.tags.get(tag.epc)
        if old is None or old.watch.book_here != tags.watches[number].book_here:
            continue  # new since then, or the book has moved it meanwhile: it begins as the book says
        tags.minds[number], tags.habits[number] = old.mind, old.habits
        tags.watches[number], tags.by_antenna[number] = old.watch, old.by_antenna
        course.put_marks(number, old.marks)
        if live.shelves.resume_stand(number, old.stand, list(kept.shelves)):
            live.saying.placed(number, old.stand.said)
        found += 1
    return found
