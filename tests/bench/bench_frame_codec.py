"""A frame of 500 entries packed and taken apart, canonical form checked, against json and zlib of the same fields."""

import json
import zlib

from protocols.entry import Entry, decode_entry, encode_entry
from protocols.sync.codec import pack_entries, unpack_entries
from protocols.sync.frames import FRAME_ENTRIES_MAX
from tests.bench.entries import issues
from tests.bench.measure import best_rate, report


def ours(entries: list[Entry]) -> int:
    """Encode, pack, unpack, decode."""
    packed = pack_entries([encode_entry(entry) for entry in entries])
    return len([decode_entry(raw) for raw in unpack_entries(packed)])


def plain(entries: list[Entry]) -> int:
    """Do the same with the standard library; nothing is checked."""
    rows = [
        {
            "event_id": entry.event_id.hex(),
            "hlc": entry.hlc,
            "wall": entry.wall,
            "mono": entry.mono,
            "boot_id": entry.boot_id.hex(),
            "clock_quality": int(entry.clock_quality),
            "kind": entry.kind,
            "schema": entry.schema,
            "body": entry.body.decode(),
            "actor": entry.actor,
        }
        for entry in entries
    ]
    return len(json.loads(zlib.decompress(zlib.compress(json.dumps(rows).encode()))))


def main() -> None:
    """Measure and print."""
    entries = issues(FRAME_ENTRIES_MAX)
    report(
        "frame_codec",
        unit="entries",
        ours_per_s=best_rate(lambda: ours(entries)),
        plain="json + zlib, unchecked",
        plain_per_s=best_rate(lambda: plain(entries)),
    )


main()
