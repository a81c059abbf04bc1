"""The fields of a serial module's frames as text tables: one table reads and writes.

A layout is a line of `name:type`. Types: u8 u16 u32 s8 are numbers, most significant byte first; xN is N bytes as hex;
rest and text are the bytes to the end, as hex or Latin-1; epc is hex, as many words as the field `pc` before it says
(Gen2, the five high bits of the PC word); `=HH` is a constant byte. `?` behind rest: left out when there is nothing.
A module's own types are given beside. The rule that must not be broken: every byte belongs to exactly one field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from protocols.errors import PeerBroke, WeBroke

Value = int | str | list[dict[str, int | str]]
Fields = Mapping[str, Value]

PC_LENGTH_SHIFT = 11
"""EPC Gen2 section 6.3.2.1.2.2: the length in words stands in the five high bits of the PC word."""

Read = Callable[[bytes, Fields], tuple[Value, int]]
Write = Callable[[Value, Fields], bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one type is read (value and bytes used) and written."""

    read: Read
    write: Write


@dataclass(frozen=True, slots=True)
class Column:
    """One field: its name, its kind, and whether an empty one is left out."""

    name: str
    kind: Kind
    optional: bool = False


Layout = tuple[Column, ...]


def read_fields(layout: Layout, payload: bytes) -> dict[str, Value]:
    """Return the fields of a payload. Raises `PeerBroke` when it does not fit."""
    fields: dict[str, Value] = {}
    at = 0
    for column in layout:
        value, used = column.kind.read(payload[at:], fields)
        at += used
        if column.name and not (column.optional and value == ""):
            fields[column.name] = value
    if at != len(payload):
        raise PeerBroke(f"expected a payload of {at} bytes, got {len(payload)}")
    return fields


def write_fields(layout: Layout, fields: Fields) -> bytes:
    """Return the payload of fields. Raises `WeBroke` for one that is missing, unknown or out of range."""
    unknown = set(fields) - {column.name for column in layout}
    if unknown:
        raise WeBroke(f"expected fields {[column.name for column in layout]}, got {sorted(unknown)} too")
    out = b""
    for column in layout:
        if column.name not in fields and column.name and not column.optional:
            raise WeBroke(f"expected a field {column.name}, got {sorted(fields)}")
        out += column.kind.write(fields.get(column.name, ""), fields)
    return out


def layout_of(text: str, own: Mapping[str, Kind] | None = None) -> Layout:
    """Return the layout of a line of `name:type`."""
    return tuple(_column(word, own or {}) for word in text.split())


def _column(word: str, own: Mapping[str, Kind]) -> Column:
    name, _, type_name = word.partition(":")
    bare = type_name.removesuffix("?")
    if bare.startswith("="):
        kind = _constant(bytes.fromhex(bare[1:]))
    elif bare.startswith("x"):
        kind = _hex(int(bare[1:]))
    else:
        kind = own[bare] if bare in own else KINDS[bare]
    return Column("" if name == "-" else name, kind, bare != type_name)


def take(raw: bytes, count: int) -> bytes:
    """Return the first bytes. Raises `PeerBroke` when there are fewer."""
    if len(raw) < count:
        raise PeerBroke(f"expected {count} more bytes in the payload, got {len(raw)}")
    return raw[:count]


def hex_bytes(value: Value) -> bytes:
    """Return the bytes of a hex text. Raises `WeBroke`."""
    try:
        return bytes.fromhex(value if isinstance(value, str) else "-")
    except ValueError as error:
        raise WeBroke(f"expected hex, got {value!r:.60}") from error


def _number(size: int, *, signed: bool = False) -> Kind:
    def read(raw: bytes, _fields: Fields) -> tuple[Value, int]:
        return int.from_bytes(take(raw, size), "big", signed=signed), size

    def write(value: Value, _fields: Fields) -> bytes:
        try:
            return int(value if isinstance(value, int) else "-").to_bytes(size, "big", signed=signed)
        except (ValueError, OverflowError) as error:
            raise WeBroke(f"expected a number of {size} bytes, got {value!r:.60}") from error

    return Kind(read, write)


def _hex(size: int) -> Kind:
    def write(value: Value, _fields: Fields) -> bytes:
        raw = hex_bytes(value)
        if len(raw) != size:
            raise WeBroke(f"expected {size} bytes as hex, got {value!r:.60}")
        return raw

    return Kind(lambda raw, _fields: (take(raw, size).hex().upper(), size), write)


def _constant(wanted: bytes) -> Kind:
    def read(raw: bytes, _fields: Fields) -> tuple[Value, int]:
        if take(raw, len(wanted)) != wanted:
            raise PeerBroke(f"expected {wanted.hex()} in the payload, got {raw[: len(wanted)].hex()}")
        return "", len(wanted)

    return Kind(read, lambda _value, _fields: wanted)


def _epc_size(fields: Fields) -> int:
    pc = fields.get("pc")
    return 2 * (int(pc, 16) >> PC_LENGTH_SHIFT) if isinstance(pc, str) else 0


def _write_epc(value: Value, fields: Fields) -> bytes:
    raw = hex_bytes(value)
    if len(raw) != _epc_size(fields):
        raise WeBroke(f"expected an EPC of {_epc_size(fields)} bytes as its PC word says, got {value!r:.60}")
    return raw


def _read_epc(raw: bytes, fields: Fields) -> tuple[Value, int]:
    size = _epc_size(fields)
    return take(raw, size).hex().upper(), size


def _write_text(value: Value, _fields: Fields) -> bytes:
    try:
        return value.encode("latin-1") if isinstance(value, str) else bytes(-1)
    except ValueError as error:
        raise WeBroke(f"expected a text of Latin-1, got {value!r:.60}") from error


KINDS: Mapping[str, Kind] = {
    "u8": _number(1),
    "u16": _number(2),
    "u32": _number(4),
    "s8": _number(1, signed=True),
    "epc": Kind(_read_epc, _write_epc),
    "rest": Kind(lambda raw, _fields: (raw.hex().upper(), len(raw)), lambda value, _fields: hex_bytes(value)),
    "text": Kind(lambda raw, _fields: (raw.decode("latin-1"), len(raw)), _write_text),
}
