"""Where the frames of a device's own words begin and end, what reads they tell, and how one of them would lie.

It reads only what a device said, before anything happened to it: such words are whole frames, so lengths alone cut
them. It is no decoder, and the one under test is never asked what the device said.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from protocols.errors import PeerBroke
from protocols.readers.llrp.codec import HEADER_BYTES, MESSAGE_BYTES_MAX, is_report
from protocols.readers.llrp.reports import TagReports
from protocols.readers.m100.codec import M100Frame
from protocols.readers.m100.codec import parse as parse_m100
from protocols.readers.m100.layout import OVERHEAD
from protocols.readers.reads import TagRead
from protocols.readers.uhfreader18.codec import Uhf18Frame, parse_answer
from protocols.readers.uhfreader18.layout import LENGTH_MIN_ANSWER


class Told(NamedTuple):
    """One read as a frame told it; `first_seen` in the reader's microseconds, None where it has no clock."""

    epc: str
    antenna: int
    first_seen: int | None


ReadsOf = Callable[[bytes], list[Told]]


@dataclass(frozen=True, slots=True)
class Framing:
    """`size(data, at)`: bytes of the frame that begins there. `reads()`: what tells the reads of a line's frames, in
    order. `lie(frame, rng)`: that frame with another length.
    """

    size: Callable[[bytes, int], int]
    lie: Callable[[bytes, random.Random], bytes]
    reads: Callable[[], ReadsOf]

    def cut(self, data: bytes) -> list[bytes]:
        """Return the frames that a device said."""
        frames: list[bytes] = []
        at = 0
        while at < len(data):
            end = at + max(1, self.size(data, at))
            frames.append(data[at:end])
            at = end
        return frames

    def face_value(self, harmed: bytes) -> list[Told]:
        """Return what a harmed frame says if it is taken as it is; mostly nothing."""
        try:
            return self.reads()(harmed)
        except PeerBroke:
            return []


def _no_reads() -> ReadsOf:
    return lambda _frame: []


def _llrp_reads() -> ReadsOf:
    reports = TagReports()

    def reads(frame: bytes) -> list[Told]:
        found = reports.read_message(frame) if len(frame) >= HEADER_BYTES and is_report(frame) else []
        return [Told(each.epc, each.antenna, each.first_seen) for each in found if isinstance(each, TagRead)]

    return reads


def _m100_reads(frame: bytes) -> list[Told]:
    said = parse_m100(frame)
    return [Told(str(said.fields["epc"]), 1, None)] if isinstance(said, M100Frame) and said.type == "tag" else []


def _uhf18_reads(frame: bytes) -> list[Told]:
    said = parse_answer(frame) if len(frame) > LENGTH_MIN_ANSWER else None
    if not isinstance(said, Uhf18Frame):
        return []
    mask = max(1, said.number("antenna_mask"))
    antennas = [bit + 1 for bit in range(8) if mask >> bit & 1]
    return [Told(str(tag["epc"]), antenna, None) for tag in said.tags for antenna in antennas]


def _lie_llrp(frame: bytes, rng: random.Random) -> bytes:
    size = len(frame)
    claimed = rng.choice((size // 2, size + rng.randint(1, 200), MESSAGE_BYTES_MAX, 0, 0xFFFF_FFFF))
    return frame[:2] + claimed.to_bytes(4, "big") + frame[6:]


def _lie_at(place: int) -> Callable[[bytes, random.Random], bytes]:
    def lie(frame: bytes, rng: random.Random) -> bytes:
        return frame[:place] + bytes([frame[place] ^ rng.randint(1, 255)]) + frame[place + 1 :]

    return lie


def _to_suffix(data: bytes, at: int) -> int:
    found = data.find(b"\r", at)
    return (found if found >= 0 else len(data) - 1) - at + 1


LINES = Framing(_to_suffix, lambda frame, _rng: frame[:-1], _no_reads)
"""Texts that end in CR: a lie is an end that does not come."""

PIECES = Framing(lambda data, at: len(data) - at, _lie_at(0), _no_reads)
"""Recorded pieces: nobody knows what is in them, so that each is a frame."""

FRAMINGS: Mapping[str, Framing] = MappingProxyType(
    {
        "llrp": Framing(lambda data, at: int.from_bytes(data[at + 2 : at + 6], "big"), _lie_llrp, _llrp_reads),
        "m100": Framing(lambda data, at: OVERHEAD + data[at + 4], _lie_at(4), lambda: _m100_reads),
        "uhfreader18": Framing(lambda data, at: data[at] + 1, _lie_at(0), lambda: _uhf18_reads),
        "card": LINES,
        "printer": LINES,
        "replay": PIECES,
        "scanner": LINES,
    }
)
"""By the names of the registry."""
