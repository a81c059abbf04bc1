"""Where a message really ends: a length that lies is known by the next message's header inside it.

A length field that was spoilt upwards would swallow everything behind its message, up to the largest message believed.
So the parameters of the first level are walked as they come; where a header stands in the place of a parameter, the
message ended there. It decodes nothing. The rule that must not be broken: only a header that makes sense ends a message
early; whatever else is wrong inside is the matter of `codec.decode`, and the length is believed.
"""

import re
from dataclasses import dataclass

from protocols.readers.llrp.fields import Run
from protocols.readers.llrp.messages import Tables, tables

HEADER_BYTES = 10
"""Version and type, length, id (LLRP 1.1 chapter 17: 16 + 32 + 32 bits)."""

MESSAGE_BYTES_MAX = 1 << 20
"""Longest message believed: a report of 10,000 tags has half of it; the decoder's buffer never holds more than one."""

VERSIONS = (1, 2)
"""LLRP 1.0.1 and 1.1."""

TLV_BYTES = 4
TV_MARK = 0x80
TV_NUMBER_MAX = 127
BELIEVED = -1

HEADER_LIKE = re.compile(rb"(?=[\x04-\x0b].\x00[\x00-\x10])", re.DOTALL)
"""Version 1 or 2, any type, a length up to the largest believed: where it is worth looking for a header."""


def believable_size(buffer: bytearray, at: int, *, known_only: bool) -> int:
    """Return the length a header claims, or 0 where it cannot be a header; `known_only`: of a type of the table."""
    size = int.from_bytes(buffer[at + 2 : at + 6], "big")
    if buffer[at] >> 5 or buffer[at] >> 2 not in VERSIONS or not HEADER_BYTES <= size <= MESSAGE_BYTES_MAX:
        return 0
    if known_only and type_at(buffer, at) not in tables().message_of:
        return 0
    return size


def type_at(buffer: bytearray | bytes, at: int) -> int:
    """Return the number of the type that stands at `at`."""
    return (buffer[at] & 3) << 8 | buffer[at + 1]


@dataclass(slots=True)
class Walk:
    """How far the message at the front was walked, in bytes from its beginning; `BELIEVED`: its length counts.

    `broke` tells that something in it does not fit, so that what follows is to be looked at twice.
    """

    walked: int = 0
    broke: bool = False

    def begin(self) -> None:
        """Another message is at the front."""
        self.walked, self.broke = 0, False

    def true_size(self, buffer: bytearray, at: int, size: int) -> int:
        """Return `size`, or less where the next message begins before, or 0 where more bytes are needed to tell."""
        if self.walked == BELIEVED:
            return size
        layout = tables().message_of.get(type_at(buffer, at))
        if layout is None or not all(isinstance(step, Run) for step in layout.steps):
            self.walked = BELIEVED
            return size
        end = at + size
        place = at + (self.walked or HEADER_BYTES + layout.fixed_bytes)
        place, self.broke = _walk(buffer, place, min(len(buffer), end), end)
        self.walked = place - at
        if not self.broke:
            return size
        if place + HEADER_BYTES > len(buffer):
            return 0
        if believable_size(buffer, place, known_only=True):
            return place - at
        self.walked = BELIEVED
        return size


def header_inside(taken: bytes, behind: bytes) -> int:
    """Return where, in a message behind which no header stands, another message began; 0 where none did.

    A message that was cut short is filled up with the beginning of the next. What began inside must reach beyond
    it, be walked without a fault, and end before a header, as far as the bytes `behind` tell.
    """
    both = bytearray(taken + behind)
    for found in HEADER_LIKE.finditer(both, HEADER_BYTES, len(taken) + TLV_BYTES - 1):
        at = found.start()
        size = believable_size(both, at, known_only=True) if at + HEADER_BYTES <= len(both) else 0
        end, walk = at + size, Walk()
        if end <= len(taken) or walk.true_size(both, at, size) not in {0, size} or walk.broke:
            continue
        if end + HEADER_BYTES > len(both) or believable_size(both, end, known_only=True):
            return at
    return 0


def _walk(buffer: bytearray, place: int, stop: int, end: int) -> tuple[int, bool]:
    """Step over parameters of the first level up to `stop`; tell where, and whether none can stand there."""
    known = tables()
    while place < stop:
        if buffer[place] & TV_MARK:
            size = _tv_size(buffer[place], known)
        elif stop - place < TLV_BYTES:
            return place, end - place < TLV_BYTES
        else:
            size = _tlv_size(buffer, place)
        if not size or place + size > end:
            return place, True
        place += size * (_alike(buffer, place, stop, size) if size > TLV_BYTES else 1)
    return place, place > end


def _tv_size(first: int, known: Tables) -> int:
    layout = known.parameter_of.get(first & ~TV_MARK)
    return 1 + layout.fixed_bytes if layout is not None else 0


def _tlv_size(buffer: bytearray, place: int) -> int:
    size = buffer[place + 2] << 8 | buffer[place + 3]
    return size if size >= TLV_BYTES and type_at(buffer, place) > TV_NUMBER_MAX else 0


def _alike(buffer: bytearray, place: int, stop: int, size: int) -> int:
    """Return how many parameters with the same header and size stand one behind the other, at least one."""
    rows = (stop - place) // size
    for header in range(place, place + TLV_BYTES):
        column = buffer[header : place + rows * size : size]
        rows -= len(column.lstrip(column[:1]))
    return max(1, rows)
