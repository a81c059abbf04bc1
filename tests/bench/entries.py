"""The entries that benchmarks use: plausible issues of tagged units, all different."""

import random
from collections.abc import Sequence
from dataclasses import replace

from protocols.entry import ClockQuality, Entry, encode_body
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine, lines_of
from protocols.values.hlc import hlc
from protocols.values.ids import actor_id, boot_id, make_event_id
from protocols.values.instant import Instant, from_iso

START = from_iso("2026-03-02T16:00:00+08:00")
OPENED_AT_ONCE = 100
"""Pieces of one opening entry."""


def issues(count: int, *, seed: int = 1) -> list[Entry]:
    """Return so many `issue` entries, a second apart."""
    chance = random.Random(seed)
    return [_issue(chance, Instant(START + n * 1_000_000)) for n in range(count)]


def openings(entries: Sequence[Entry]) -> list[Entry]:
    """Return the first counts that had the issued pieces on the shelves, so that each issue is of what is there."""
    lines = [
        PostingLine(line.item, 1, "opening@ward-01", line.source, line.lot, unit=line.unit, target_position=shelf)
        for entry in entries
        for line in lines_of(entry.kind, entry.body)
        if (shelf := line.source_position)
    ]
    return [_opening(entries[0], lines[at : at + OPENED_AT_ONCE], at) for at in range(0, len(lines), OPENED_AT_ONCE)]


def _opening(like: Entry, lines: Sequence[PostingLine], number: int) -> Entry:
    body = encode_body(write_body(MovementBody(lines=tuple(lines))))
    event_id = make_event_id(START // 1000 - 1, number.to_bytes(10, "big"))
    return replace(like, event_id=event_id, kind="opening", body=body)


def _issue(chance: random.Random, wall: Instant) -> Entry:
    line = PostingLine(
        item=f"HC{chance.randrange(1001, 1061)}",
        lot=f"2509{chance.randrange(10, 99)}K{chance.randrange(1, 9)}",
        qty=1,
        unit=f"3034257BF7194E{chance.getrandbits(40):010X}",
        source="ward-01",
        target="issued@ward-01",
        source_position=f"S{chance.randrange(1, 9)}",
    )
    return Entry(
        event_id=make_event_id(wall // 1000, chance.randbytes(10)),
        hlc=hlc((wall // 1000) << 16),
        wall=wall,
        mono=wall - START,
        boot_id=boot_id(bytes(16)),
        clock_quality=ClockQuality.SYNCED,
        kind="issue",
        schema=1,
        body=encode_body(write_body(MovementBody(lines=(line,)))),
        actor=actor_id(f"N{chance.randrange(1001, 1030)}"),
    )
