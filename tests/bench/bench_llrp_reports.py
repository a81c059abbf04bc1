"""Tag reports as a session reads them, every byte checked, against bare struct decoders that check nothing."""

import struct

from protocols.readers.llrp.codec import decode, encode
from protocols.readers.llrp.reports import TagReports
from protocols.readers.reads import TagRead
from protocols.values.ids import Epc
from protocols.values.instant import Instant
from tests.bench.measure import best_rate, report
from tests.bench.samples import TAG, TAGS_A_REPORT, a_report

REPEATS = 20


def ours(raw: bytes) -> int:
    """Read the whole message as a session does: every fixed byte and every value checked, a `TagRead` each."""
    reports = TagReports()
    return sum(len(reports.read_message(raw)) for _ in range(REPEATS))


def fixed(raw: bytes) -> int:
    """Unpack at fixed offsets into the same reads; any other layout would be read wrongly."""
    found = 0
    for _ in range(REPEATS):
        rows = (TAG.unpack_from(raw, at) for at in range(10, len(raw), TAG.size))
        reads = [
            TagRead(Epc(row[3].hex().upper()), row[5], row[7], Instant(row[9]), Instant(row[11]), row[13])
            for row in rows
        ]
        found += len(reads)
    return found


def tuples(raw: bytes) -> int:
    """Unpack at fixed offsets into plain tuples: the least that any decoder could do, and no read is made."""
    found = 0
    for _ in range(REPEATS):
        rows = (TAG.unpack_from(raw, at) for at in range(10, len(raw), TAG.size))
        found += len([(row[3].hex(), row[5], row[7], row[9], row[11], row[13]) for row in rows])
    return found


SIZES = {1: ">H", 6: ">b", 2: ">Q", 4: ">Q", 8: ">H"}
WALKED = {number: struct.Struct(code) for number, code in SIZES.items()}


def walked(raw: bytes) -> int:
    """Walk the parameters of each tag into a plain mapping; nothing is checked, and no read is made."""
    found = 0
    for _ in range(REPEATS):
        at, tags = 10, []
        while at < len(raw):
            end = at + int.from_bytes(raw[at + 2 : at + 4], "big")
            tag: dict[int, object] = {13: raw[at + 5 : at + 17].hex().upper()}
            at += 17
            while at < end:
                number = raw[at] & 0x7F
                packer = WALKED[number]
                tag[number] = packer.unpack_from(raw, at + 1)[0]
                at += 1 + packer.size
            tags.append(tag)
        found += len(tags)
    return found


def main() -> None:
    """Measure and print, once sure that both read the same message."""
    raw = a_report()
    message = decode(raw)
    if encode(message) != raw or len(TagReports().read_message(raw)) != TAGS_A_REPORT:
        raise SystemExit("bench: expected the report to survive the codec; mend it before measuring")
    ours_per_s = best_rate(lambda: ours(raw))
    for subject, plain, way in (
        ("llrp_reports", "a walk by struct into mappings, unchecked", walked),
        ("llrp_reports_fixed", "struct at fixed offsets into the same reads, unchecked", fixed),
        ("llrp_reports_tuples", "struct at fixed offsets into bare tuples, unchecked", tuples),
    ):
        rate = best_rate(lambda way=way: way(raw))  # type: ignore[misc]  # mypy cannot infer a default of a lambda
        report(subject, unit="tag reports", ours_per_s=ours_per_s, plain=plain, plain_per_s=rate)


main()
