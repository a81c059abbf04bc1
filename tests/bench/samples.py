"""What the decoders' benchmarks read: one report of tags, EPCs of shared and of different items, from a seed."""

import random
import struct

from protocols.codes.epc import encode_sgtin96
from protocols.codes.gtin import gtin_check_digit

TAGS_A_REPORT = 200
ITEMS = 500
DIFFERENT = 20_000
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
        for _ in range(TAGS_A_REPORT)
    ]  # fmt: skip
    body = b"".join(tags)
    return struct.pack(">HII", 1 << 10 | 61, 10 + len(body), 1) + body


def tags() -> list[str]:
    """Return EPCs of so many items with every length of company prefix."""
    return _epcs(ITEMS)


def different_items() -> list[str]:
    """Return EPCs none of which shares its item with another: the worst that a store of items could be."""
    return _epcs(DIFFERENT)


def _epcs(count: int) -> list[str]:
    chance = random.Random(1)
    found: list[str] = []
    for number in range(count):
        payload = f"{chance.randrange(10**13):013}"
        gtin = payload + gtin_check_digit(payload)
        serial = chance.randrange(1 << 38)
        found.append(encode_sgtin96(gtin, company_prefix_length=6 + number % 7, serial=serial, filter=number % 8))
    return found
