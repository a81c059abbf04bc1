"""The fields of LLRP messages and parameters: how a run of text such as `Priority:u8 State:u8` reads and writes bytes.

Fields only: nested parameters and messages are `codec.py`. One table serves both ways, so a field that is read is
written the same. A value is a number, a boolean, text, upper-case hex or a list of numbers: never raw bytes.

Numbers are big-endian (LLRP 1.1 chapter 17). Counted strings carry 16 bits of count: characters, bits or items.
"""

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from protocols.errors import PeerBroke, WeBroke

Value: TypeAlias = "bool | int | str | Sequence[Value] | Mapping[str, Value]"
"""What a decoded field, parameter or message is made of; JSON as it stands."""

Params = Mapping[str, Value]

COUNT_MAX = 0xFFFF
"""A counted field's count has 16 bits."""

NUMBERS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "s8": "b", "s16": "h"}
BITS = {"u1": 1, "u2": 2, "flag": 1}
ARRAYS = {"u8v": "B", "u16v": "H", "u32v": "I"}
WORDS = {"u8hex": 1, "u16hex": 2}
_GROUP_CODES = {8: "B", 16: "H", 32: "I"}
_SPELT_BYTE = re.compile(rb"\\x(5c|[89a-f][0-9a-f])")
_LIKE_A_BYTE = re.compile(rb"\\(?=x(?:5c|[89a-f][0-9a-f]))")


@dataclass(frozen=True, slots=True)
class Field:
    """One named field: its type as in the table and the enumeration its numbers come from, if any."""

    name: str
    kind: str
    enumeration: str = ""


@dataclass(frozen=True, slots=True)
class BitGroup:
    """Fields of one or two bits that share a byte or word with reserved bits: (field, shift), highest bit first."""

    members: tuple[tuple[Field, int], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Fields of fixed size that stand together, read by one struct; `plain` when every part is a number."""

    packer: struct.Struct
    parts: tuple[Field | BitGroup, ...]
    plain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tail:
    """One field whose length stands in front of it, or that goes to the end."""

    field: Field


Step = Run | Tail


def parse_steps(text: str) -> tuple[Step, ...]:
    """Return the steps that read and write a row's fields. Raises `WeBroke` for a row that makes no sense."""
    steps: list[Step] = []
    run: list[Field] = []
    for word in text.split():
        name, _, kind = word.partition(":")
        kind, _, enumeration = kind.partition("=")
        field = Field(name, kind, enumeration)
        if kind in NUMBERS or kind in BITS or kind == "hex12" or name == "-":
            run.append(field)
            continue
        if kind not in ARRAYS and kind not in WORDS and kind not in ("text", "bits", "rest"):
            raise WeBroke(f"layout row: expected a known field type, got {word!r}")
        if run:
            steps.append(_make_run(run))
            run = []
        steps.append(Tail(field))
    return (*steps, _make_run(run)) if run else tuple(steps)


def _make_run(fields: list[Field]) -> Run:
    codes, at = ">", 0
    parts: list[Field | BitGroup] = []
    while at < len(fields):
        field = fields[at]
        if field.kind in NUMBERS or field.kind == "hex12":
            codes += NUMBERS.get(field.kind, "12s")
            parts.append(field)
            at += 1
            continue
        group, width, at = _take_bits(fields, at)
        codes += _GROUP_CODES[width]
        parts.append(group)
    plain = tuple(part.name for part in parts if isinstance(part, Field) and part.kind != "hex12")
    return Run(struct.Struct(codes), tuple(parts), plain if len(plain) == len(parts) else ())


def _take_bits(fields: list[Field], at: int) -> tuple[BitGroup, int, int]:
    """Collect bit fields until they fill whole bytes; returns the group, its width in bits and the next place."""
    taken: list[tuple[Field, int]] = []
    used = 0
    while used == 0 or used % 8:
        field = fields[at]
        width = int(field.kind) if field.name == "-" else BITS[field.kind]
        used += width
        if field.name != "-":
            taken.append((field, used))
        at += 1
    return BitGroup(tuple((field, used - end) for field, end in taken)), used, at


def read_steps(steps: tuple[Step, ...], raw: bytes, at: int, end: int) -> tuple[dict[str, Value], int]:
    """Read a row's fields from `raw[at:end]`; returns them and the place behind. Raises `PeerBroke` when cut short."""
    out: dict[str, Value] = {}
    for step in steps:
        if isinstance(step, Run):
            size = step.packer.size
            if end - at < size:
                raise PeerBroke(f"expected {size} bytes of fields, got {end - at}")
            numbers = step.packer.unpack_from(raw, at)
            at += size
            if step.plain:
                out.update(zip(step.plain, numbers, strict=True))
            else:
                _spread(step.parts, numbers, out)
        else:
            out[step.field.name], at = _read_tail(step.field.kind, raw, at, end)
    return out, at


def _spread(parts: tuple[Field | BitGroup, ...], numbers: tuple[int | bytes, ...], out: dict[str, Value]) -> None:
    for part, number in zip(parts, numbers, strict=True):
        if isinstance(number, bytes):
            assert isinstance(part, Field)
            out[part.name] = number.hex().upper()
        elif isinstance(part, Field):
            out[part.name] = number
        else:
            for field, shift in part.members:
                bits = number >> shift & (1 << BITS[field.kind]) - 1
                out[field.name] = bool(bits) if field.kind == "flag" else bits


def _read_tail(kind: str, raw: bytes, at: int, end: int) -> tuple[Value, int]:
    if kind == "rest":
        return raw[at:end].hex().upper(), end
    if end - at < 2:
        raise PeerBroke(f"expected a 16-bit count, got {end - at} bytes")
    count = int.from_bytes(raw[at : at + 2], "big")
    at += 2
    size = _tail_size(kind, count)
    if end - at < size:
        raise PeerBroke(f"expected {size} bytes of a counted field, got {end - at}")
    body = raw[at : at + size]
    return _tail_value(kind, count, body), at + size


def _tail_size(kind: str, count: int) -> int:
    if kind == "text":
        return count
    if kind == "bits":
        return (count + 7) // 8
    return count * (WORDS[kind] if kind in WORDS else struct.calcsize(ARRAYS[kind]))


def _tail_value(kind: str, count: int, body: bytes) -> Value:
    if kind == "text":
        return _read_text(body)
    if kind == "bits":
        return body.hex().upper() + (f"/{count}" if count % 8 else "")
    if kind in WORDS:
        return body.hex().upper()
    return list(struct.unpack(f">{count}{ARRAYS[kind]}", body))


def _read_text(body: bytes) -> str:
    """Return UTF-8 as text; a byte that is none stands as `\\xHH`: GB 18030 loses neither a message nor a byte.

    A backslash that would read as such a byte stands as `\\x5c` itself.
    """
    return _LIKE_A_BYTE.sub(rb"\\x5c", body).decode("utf-8", "backslashreplace")


def _write_text(text: str) -> bytes:
    raw = text.encode("utf-8", "backslashreplace")
    return _SPELT_BYTE.sub(lambda spelt: bytes.fromhex(spelt[1].decode()), raw)


def write_steps(steps: tuple[Step, ...], values: Params) -> bytes:
    """Write a row's fields. Raises `WeBroke` when a field is missing, out of range or of the wrong type."""
    out = b""
    for step in steps:
        if isinstance(step, Tail):
            out += _write_tail(step.field, values)
            continue
        numbers = [values.get(name) for name in step.plain] or [_number_of(part, values) for part in step.parts]
        try:
            out += step.packer.pack(*numbers)
        except struct.error as error:
            names = [part.name for part in step.parts if isinstance(part, Field)]
            raise WeBroke(f"{', '.join(names)}: {error}, got {numbers!r:.120}") from error
    return out


def _number_of(part: Field | BitGroup, values: Params) -> int | bytes:
    if isinstance(part, BitGroup):
        return sum(_whole(values, field, (1 << BITS[field.kind]) - 1) << shift for field, shift in part.members)
    if part.kind == "hex12":
        return _from_hex(part.name, values, size=12)
    number = values.get(part.name)
    if not isinstance(number, int):
        raise WeBroke(f"{part.name}: expected a number, got {number!r:.60}")
    return number


def _whole(values: Params, field: Field, maximum: int) -> int:
    number = values.get(field.name)
    if not isinstance(number, int) or not 0 <= number <= maximum:
        raise WeBroke(f"{field.name}: expected 0..{maximum}, got {number!r:.60}")
    return int(number)


def _from_hex(name: str, values: Params, *, size: int | None = None) -> bytes:
    text = values.get(name)
    try:
        raw = bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        raw = None
    if raw is None or (size is not None and len(raw) != size):
        raise WeBroke(f"{name}: expected hex{f' of {size} bytes' if size else ''}, got {text!r:.60}")
    return raw


def _write_tail(field: Field, values: Params) -> bytes:
    if field.kind == "rest":
        return _from_hex(field.name, values)
    count, body = _counted(field, values)
    if count > COUNT_MAX:
        raise WeBroke(f"{field.name}: expected at most {COUNT_MAX} items, got {count}")
    return count.to_bytes(2, "big") + body


def _counted(field: Field, values: Params) -> tuple[int, bytes]:
    if field.kind == "bits":
        return _bit_string(field.name, values)
    if field.kind in WORDS:
        body, size = _from_hex(field.name, values), WORDS[field.kind]
        if len(body) % size:
            raise WeBroke(f"{field.name}: expected whole words of {size} bytes, got {len(body)} bytes")
        return len(body) // size, body
    value = values.get(field.name)
    if field.kind == "text":
        if not isinstance(value, str):
            raise WeBroke(f"{field.name}: expected text, got {value!r:.60}")
        body = _write_text(value)
        return len(body), body
    if not isinstance(value, list | tuple):
        raise WeBroke(f"{field.name}: expected a list of numbers, got {value!r:.60}")
    try:
        return len(value), struct.pack(f">{len(value)}{ARRAYS[field.kind]}", *value)
    except struct.error as error:
        raise WeBroke(f"{field.name}: {error}, got {value!r:.60}") from error


def _bit_string(name: str, values: Params) -> tuple[int, bytes]:
    """Read `HEX` (whole bytes) or `HEX/n` (n bits, the last byte not full)."""
    text = values.get(name)
    digits, _, bits = text.partition("/") if isinstance(text, str) else ("", "", "?")
    body = _from_hex(name, {name: digits})
    if not bits:
        return len(body) * 8, body
    if not (bits.isascii() and bits.isdecimal() and len(bits) < 6) or not len(body) * 8 - 8 < int(bits) < len(body) * 8:
        raise WeBroke(f"{name}: expected hex, or hex/bits with the last byte not full, got {text!r:.60}")
    return int(bits), body
