"""SGTIN-96 from hex, every field checked, against a bare decoder of the one layout; and the full identity beside it."""

from protocols.codes.epc import decode_epc, decode_sgtin96
from tests.bench.measure import best_rate, report
from tests.bench.samples import tags

REPEATS = 20
PREFIX_DIGITS = {0: 12, 1: 11, 2: 10, 3: 9, 4: 8, 5: 7, 6: 6}
PREFIX_BITS = {0: 40, 1: 37, 2: 34, 3: 30, 4: 27, 5: 24, 6: 20}


def bare(text: str) -> tuple[int, str, str, int]:
    """Take the fields out by shifts; a wrong header, partition or number goes unseen."""
    value = int(text, 16)
    partition = value >> 82 & 7
    digits, width = PREFIX_DIGITS[partition], PREFIX_BITS[partition]
    item = value >> 38 & (1 << 44) - 1
    prefix, reference = item >> 44 - width, item & (1 << 44 - width) - 1
    return value >> 85 & 7, str(prefix).zfill(digits), str(reference).zfill(13 - digits), value & (1 << 38) - 1


def ours(epcs: list[str]) -> int:
    """Decode into checked values."""
    for _ in range(REPEATS):
        for epc in epcs:
            decode_sgtin96(epc)
    return REPEATS * len(epcs)


def full(epcs: list[str]) -> int:
    """Decode into every form: tag URI, pure identity, element string, Digital Link."""
    for epc in epcs:
        decode_epc(epc)
    return len(epcs)


def plain(epcs: list[str]) -> int:
    """Decode by the bare decoder."""
    for _ in range(REPEATS):
        for epc in epcs:
            bare(epc)
    return REPEATS * len(epcs)


def main() -> None:
    """Measure and print, once sure that both read the same fields."""
    epcs = tags()
    for epc in epcs:
        value = decode_sgtin96(epc)
        if (value.filter, value.company_prefix, value.item_reference, value.serial) != bare(epc):
            raise SystemExit("bench: expected both decoders to agree; mend them before measuring")
    plain_per_s = best_rate(lambda: plain(epcs))
    for subject, work in (("epc_sgtin96", ours), ("epc_identity", full)):
        report(
            subject,
            unit="EPCs",
            ours_per_s=best_rate(lambda work=work: work(epcs)),  # type: ignore[misc]
            plain="shifts at fixed places, unchecked",
            plain_per_s=plain_per_s,
        )


main()
