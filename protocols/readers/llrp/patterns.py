"""Tag reports read by one struct: the rows of a report nearly always hold the same parameters in the same order.

A `Pattern` is compiled from the layout table for one row as it was met, and then reads every row whose fixed bytes are
the same: the type and length of every parameter are compared, so nothing is read at a place where something else
stands. It is not a second decoder: whatever is not numbers behind an EPC (custom parameters, results of access, an EPC
that does not fill its bytes, a parameter twice) has no pattern and goes the general way, `codec.decode`. The rule that
must not be broken: what a pattern reads is what the general way reads.
"""

import struct
from binascii import hexlify
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from protocols.errors import PeerBroke
from protocols.readers.llrp.codec import HEADER_BYTES, find_parameter
from protocols.readers.llrp.messages import Layout, Slot, tables
from protocols.values.ids import EPC_HEX_MAX

PATTERNS_MAX = 16
"""Patterns kept: one an EPC length and content selector; a reader has one selector at a time."""

BATCH_ROWS_MAX = 256
"""Rows compared at once: it bounds the work for a report whose rows change their pattern all the time."""

PARAMETER_HEADER_BYTES = 4
EPC_COUNT_BYTES = 2
EPC_WORD_BYTES = 2
ROW_BYTES_MAX = 1024
"""Longest row with a pattern; numbers behind an EPC need a tenth of it."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rows of `size` bytes: `fixed` are places and the byte that must stand there, `names` what `packer` reads."""

    size: int
    fixed: tuple[tuple[int, bytes], ...]
    packer: struct.Struct
    names: tuple[str, ...]
    epc_at: int
    epc_end: int

    def count(self, raw: bytes, at: int) -> int:
        """Return how many rows from `at` on follow the pattern, up to `BATCH_ROWS_MAX`."""
        rows = min((len(raw) - at) // self.size, BATCH_ROWS_MAX)
        for place, byte in self.fixed:
            if not rows:
                return 0
            column = raw[at + place : at + rows * self.size : self.size]
            rows -= len(column.lstrip(byte))
        return rows


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one pattern: their EPCs as upper-case hex, and the numbers they hold, by name."""

    epcs: Sequence[str]
    columns: dict[str, tuple[int, ...]]


@dataclass(slots=True)
class Patterns:
    """The patterns met so far; `wanted` are the parameters whose values are read."""

    wanted: frozenset[str]
    _known: dict[int, list[Pattern]] = field(default_factory=dict)
    _kept: int = 0

    def read(self, raw: bytes) -> list[Batch] | None:
        """Return the rows of one RO_ACCESS_REPORT in order, or None where the general way must be gone."""
        runs: list[tuple[Pattern, int, int]] = []
        at = HEADER_BYTES
        while at < len(raw):
            pattern, rows = self._match(raw, at)
            if pattern is None:
                return None
            runs.append((pattern, at, rows))
            at += rows * pattern.size
        return [_read_run(raw, pattern, start, rows) for pattern, start, rows in runs]

    def _match(self, raw: bytes, at: int) -> tuple[Pattern | None, int]:
        size = int.from_bytes(raw[at + 2 : at + PARAMETER_HEADER_BYTES], "big")
        for pattern in self._known.get(size, ()):
            rows = pattern.count(raw, at)
            if rows:
                return pattern, rows
        if not PARAMETER_HEADER_BYTES < size <= min(ROW_BYTES_MAX, len(raw) - at):
            return None, 0
        made = compile_pattern(raw[at : at + size], self.wanted)
        if made is None:
            return None, 0
        if self._kept >= PATTERNS_MAX:
            self._known.clear()
            self._kept = 0
        self._known.setdefault(size, []).append(made)
        self._kept += 1
        return made, made.count(raw, at)


def _read_run(raw: bytes, pattern: Pattern, at: int, rows: int) -> Batch:
    size = pattern.size
    stop = at + rows * size
    digits = hexlify(raw[at:stop]).upper().decode()
    first, last = 2 * pattern.epc_at, 2 * pattern.epc_end
    epcs = [digits[each + first : each + last] for each in range(0, 2 * (stop - at), 2 * size)]
    values = zip(*pattern.packer.iter_unpack(memoryview(raw)[at:stop]), strict=True) if pattern.names else ()
    return Batch(epcs, dict(zip(pattern.names, values, strict=True)))


@dataclass(slots=True)
class _Draft:
    """A pattern in the making."""

    fixed: list[int]
    codes: str
    names: list[str] = field(default_factory=list)
    filled: set[str] = field(default_factory=set)
    epc: tuple[int, int] = (0, 0)


def compile_pattern(row: bytes, wanted: frozenset[str]) -> Pattern | None:
    """Return the pattern of one TagReportData with its header, or None for one that only the general way reads."""
    layout = tables().parameters["TagReportData"]
    if (row[0] & 0x83) << 8 | row[1] != layout.number:
        return None
    draft = _Draft(list(range(PARAMETER_HEADER_BYTES)), f">{PARAMETER_HEADER_BYTES}x")
    for number, at, start, stop in _children(row):
        slot, child = layout.slot_of.get(number), tables().parameter_of.get(number)
        if slot is None or child is None or not _takes(draft, row, (at, start, stop), slot, child, wanted):
            return None
    if draft.epc == (0, 0):
        return None
    fixed = tuple((place, row[place : place + 1]) for place in draft.fixed)
    return Pattern(len(row), fixed, struct.Struct(draft.codes), tuple(draft.names), *draft.epc)


def _children(row: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Give number, place, start and stop of each parameter in a row; a broken one has number 0, which no slot has."""
    at = PARAMETER_HEADER_BYTES
    while at < len(row):
        try:
            number, start, stop = find_parameter(row, at, len(row), tables())
        except PeerBroke:
            yield 0, at, at, at
            return
        yield number, at, start, stop
        at = stop


def _takes(
    draft: _Draft, row: bytes, where: tuple[int, int, int], slot: Slot, child: Layout, wanted: frozenset[str]
) -> bool:
    """Add one parameter to a draft; False where it has no place in a pattern."""
    at, start, stop = where
    if slot.key in ("AccessCommandOpSpecResult", "Custom") or (slot.key in draft.filled and not slot.repeats):
        return False
    draft.filled.add(slot.key)
    if slot.key == "EPCParameter":
        start += 0 if child.is_tv else EPC_COUNT_BYTES
        size = stop - start
        whole = child.is_tv or int.from_bytes(row[start - EPC_COUNT_BYTES : start], "big") == 8 * size
        draft.epc = (start, stop)
        draft.fixed += range(at, start)
        draft.codes += f"{stop - at}x"
        return whole and size % EPC_WORD_BYTES == 0 and 0 < 2 * size <= EPC_HEX_MAX
    if child.quick is None:
        return False
    draft.fixed.append(at)
    if child.name in wanted:
        draft.names.append(child.name)
        draft.codes += "x" + child.quick.format.lstrip(">")
    else:
        draft.codes += f"{stop - at}x"
    return True
