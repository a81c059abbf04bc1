"""What is said of entries that cannot be sent: the pages of a GAP, and the place behind which a DAMAGED goes on.

Pure. The rule that must not be broken: the pages of one GAP together speak for every key there can be, so that central
can compare its own book with them page by page, in any order.
"""

from collections.abc import Iterator, Sequence

import msgspec

from protocols.entry import Digest
from protocols.errors import PeerBroke, WeBroke
from protocols.sync.frames import GAP_PAGES_MAX, NOTHING, ROWS_A_PAGE, UNPACKED_BYTES_MAX, Gap, Head, Key
from protocols.sync.machine import BookRow, Leg, Trimmed

ZSTD_LEVEL = 3
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[BookRow]).decode


def gaps(first_seq: int, trimmed: Trimmed) -> Iterator[Gap]:
    """Return the pages that tell what trimmed entries came to. Raises `WeBroke` for a book beyond `GAP_PAGES_MAX`."""
    rows = sorted(trimmed.rows)
    parts = [rows[at : at + ROWS_A_PAGE] for at in range(0, len(rows), ROWS_A_PAGE)] or [[]]
    if len(parts) > GAP_PAGES_MAX:
        raise WeBroke(f"gap: expected at most {GAP_PAGES_MAX} pages of {ROWS_A_PAGE} lines, got {len(parts)}")
    after: Key = ()
    for page, part in enumerate(parts):
        upto: Key = tuple(part[-1][:-1]) if page < len(parts) - 1 else ()
        yield Gap(first_seq, trimmed.last_seq, trimmed.hash, page, len(parts), after, upto, pack_rows(part))
        after = upto


def pack_rows(rows: Sequence[BookRow]) -> bytes:
    """Return lines of a book as a GAP carries them."""
    import zstandard

    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(_encode(rows))


def unpack_rows(packed: bytes) -> list[BookRow]:
    """Return the lines of a page. Raises `PeerBroke`; never makes more than `UNPACKED_BYTES_MAX` bytes."""
    import zstandard

    try:
        stated = zstandard.frame_content_size(packed)
        if not 0 < stated <= UNPACKED_BYTES_MAX:
            raise PeerBroke(f"gap: expected a stated size of 1..{UNPACKED_BYTES_MAX} bytes, got {stated}")
        return _decode(zstandard.ZstdDecompressor().decompress(packed, max_output_size=UNPACKED_BYTES_MAX))
    except (zstandard.ZstdError, msgspec.MsgspecError, ValueError, MemoryError) as error:
        raise PeerBroke(f"gap: expected packed lines of a book; {error}") from error


def place_before(leg: Leg, seq: int, prev: Digest) -> Head | None:
    """Return the place right before an entry: in its chain, at the end of its parent, or None for the beginning."""
    if seq > 0:
        return Head(leg.incarnation, seq - 1, prev)
    if leg.parent is None:
        return None
    return Head(leg.parent, leg.parent_seq, leg.base) if leg.parent_seq > NOTHING else None
