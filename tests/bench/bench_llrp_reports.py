"""Tag reports by the table-driven codec, every field checked, against a bare struct decoder of one fixed layout."""

import random
import struct

from protocols.readers.llrp.codec import decode, encode
from protocols.readers.llrp.messages import Message
from tests.bench.measure import best_rate, report

TAGS = 200
REPEATS = 20
TAG = struct.Struct(">HHB12sBHBbBQBQBH")
"""TagReportData with EPC-96, AntennaID, PeakRSSI, First/LastSeenTimestampUTC and TagSeenCount (LLRP 1.1 section 17)."""


def a_report() -> bytes:
    """Return one RO_ACCESS_REPORT of 200 tags."""
    chance = random.Random(1)
    tags = [
        TAG.pack(
            240, TAG.size, 0x8D, chance.randbytes(12), 0x81, 1, 0x86, -55, 0x82, 1_772_438_400_000_000, 0x84,
            1_772_438_460_000_000, 0x88, 7,
        )
        for _ in range(TAGS)
    ]  # fmt: skip
    body = b"".join(tags)
    return struct.pack(">HII", 1 << 10 | 61, 10 + len(body), 1) + body


def ours(raw: bytes) -> int:
    """Decode the whole message into its values."""
    for _ in range(REPEATS):
        decode(raw)
    return REPEATS * TAGS


def plain(raw: bytes) -> int:
    """Unpack at fixed offsets; any other layout would be read wrongly."""
    found = 0
    for _ in range(REPEATS):
        tags = []
        for at in range(10, len(raw), TAG.size):
            row = TAG.unpack_from(raw, at)
            tags.append((row[3].hex(), row[5], row[7], row[9], row[11], row[13]))
        found += len(tags)
    return found


def main() -> None:
    """Measure and print, once sure that both read the same message."""
    raw = a_report()
    message = decode(raw)
    if not isinstance(message, Message) or encode(message) != raw:
        raise SystemExit("bench: expected the report to survive the codec; mend it before measuring")
    report(
        "llrp_reports",
        unit="tag reports",
        ours_per_s=best_rate(lambda: ours(raw)),
        plain="struct at fixed offsets, unchecked",
        plain_per_s=best_rate(lambda: plain(raw)),
    )


main()
