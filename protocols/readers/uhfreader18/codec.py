"""UHFReader18 and UHFReader288 frames from bytes and to bytes, by the tables of `layout.py`.

A frame has no mark at its beginning, only a length: a place begins one if a known command and status follow and the CRC
agrees. The rule that must not be broken: a level is given in dBm only where the byte can be nothing else (negative).
"""

from binascii import crc_hqx
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocols.errors import PeerBroke, WeBroke
from protocols.readers.columns import (
    Fields,
    Kind,
    Layout,
    Value,
    hex_bytes,
    layout_of,
    read_fields,
    take,
    write_fields,
)
from protocols.readers.reads import BadFrame
from protocols.readers.seeking import FrameSeeker
from protocols.readers.uhfreader18.layout import (
    ANSWERS,
    COMMANDS,
    LENGTH_MIN_ANSWER,
    LENGTH_MIN_COMMAND,
    STATUSES,
)

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
LENGTH_MAX = 255
WITH_TID = 0x80
"""High bit of an EPC's length: the tag's TID stands behind its EPC."""
TID_BYTES = 12
EPC_BYTES_MAX = 62
"""Gen2: 31 words, all that the five bits of a PC word can say."""


@dataclass(frozen=True, slots=True)
class Uhf18Frame:
    """One frame of a board at a bus address; `status` -1 for a command. `error` and `unknown` have no row."""

    type: str
    address: int
    command: int
    status: int
    fields: Fields

    def number(self, name: str) -> int:
        """Return a number of the frame, -1 where it has none of that name."""
        value = self.fields.get(name)
        return value if isinstance(value, int) else -1

    @property
    def tags(self) -> Sequence[Mapping[str, int | str]]:
        """Return the tags it tells of."""
        tags = self.fields.get("tags")
        return tags if isinstance(tags, list) else []


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    command: int
    layout: Layout
    statuses: tuple[int, ...] = ()


class Uhf18Decoder(FrameSeeker[Uhf18Frame]):
    """Cuts what boards say to their host into frames."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_claim_answer, parse_answer)


class Uhf18CommandDecoder(FrameSeeker[Uhf18Frame]):
    """Cuts what a host says to its boards into frames."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_claim_any, parse_command)


class Uhf18LineDecoder(FrameSeeker[Uhf18Frame]):
    """Cuts a recorded line, on which both sides speak; an answer is tried before a command."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_claim_any, parse_any)


def encode_command(name: str, fields: Fields | None = None, *, address: int = 0) -> bytes:
    """Return one command's bytes. Raises `WeBroke` for an unknown name or fields that do not fit."""
    row = next((row for row in COMMAND_ROWS if row.name == name), None)
    if row is None:
        raise WeBroke(f"UHFReader18: expected the name of a command, got {name!r:.40}")
    return _seal(bytes([address, row.command]) + write_fields(row.layout, fields or {}))


def encode_answer(name: str, command: int, status: int, fields: Fields | None = None, *, address: int = 0) -> bytes:
    """Return one answer's bytes; `error` has no fields. Raises `WeBroke` for what no row can say."""
    head = bytes([address, command, status])
    if name == "error":
        return _seal(head)
    for row in ANSWER_ROWS:
        if row.name == name and row.command == command and status in row.statuses:
            wanted = {column.name for column in row.layout if not column.optional}
            if wanted <= set(fields or {}):
                return _seal(head + write_fields(row.layout, fields or {}))
    raise WeBroke(f"UHFReader18: expected an answer of the table, got {name!r:.40} to {command:02X}, {status:02X}")


def parse_answer(raw: bytes) -> Uhf18Frame | BadFrame:
    """Return the answer of exactly these bytes. Raises `PeerBroke`."""
    address, command, status, payload = raw[1], raw[2], raw[3], raw[4:-2]
    _check(raw)
    for row in ANSWER_ROWS:
        if row.command == command and status in row.statuses:
            fields = _fitting(row, payload)
            if fields is not None:
                return Uhf18Frame(row.name, address, command, status, fields)
    if any(row.command == command and status in row.statuses for row in ANSWER_ROWS):
        return BadFrame(f"UHFReader18 answer to {command:02X}: expected fields of its manual", raw)
    return Uhf18Frame("error", address, command, status, {"more": payload.hex().upper()} if payload else {})


def parse_command(raw: bytes) -> Uhf18Frame | BadFrame:
    """Return the command of exactly these bytes; one that no table has is `unknown`. Raises `PeerBroke`."""
    _check(raw)
    for row in COMMAND_ROWS:
        fields = _fitting(row, raw[3:-2]) if row.command == raw[2] else None
        if fields is not None:
            return Uhf18Frame(row.name, raw[1], raw[2], -1, fields)
    return Uhf18Frame("unknown", raw[1], raw[2], -1, {"payload": raw[3:-2].hex().upper()})


def parse_any(raw: bytes) -> Uhf18Frame | BadFrame:
    """Return the answer or the command of exactly these bytes. Raises `PeerBroke`."""
    answers = len(raw) > LENGTH_MIN_ANSWER and raw[2] in ANSWERED and raw[3] in STATUSES
    answer = parse_answer(raw) if answers else None
    if isinstance(answer, Uhf18Frame):
        return answer
    command = parse_command(raw)
    return answer if answer is not None and isinstance(command, Uhf18Frame) and command.type == "unknown" else command


def describe(frame: Uhf18Frame) -> list[dict[str, Value | None]]:
    """Return a frame as maps that JSON can say: one for each tag it tells of, else one."""
    head: dict[str, Value | None] = {"type": frame.type, "address": frame.address, "command": frame.command}
    if frame.status >= 0:
        head |= {"status": frame.status, "meaning": STATUSES.get(frame.status, "not in the manual")}
    if "tags" not in frame.fields:
        return [{**head, **frame.fields}]
    more = {name: value for name, value in frame.fields.items() if name != "tags"}
    return [{**head, "type": "tag", **more, **tag, "rssi_dbm": rssi_dbm(tag)} for tag in frame.tags] or [
        {**head, **more, "type": "no_tags"}
    ]


def rssi_dbm(tag: Mapping[str, int | str]) -> int | None:
    """Return a tag's level in dBm; None without one, and where the board counts on a scale of its own."""
    level = tag.get("level")
    return level - 256 if isinstance(level, int) and level >= 128 else None


def crc_mcrf4xx(data: bytes) -> int:
    """Return the CRC-16 of a frame: that of 1021 with all ones before, on the bits the other way round."""
    crc = crc_hqx(data.translate(_MIRRORED), 0xFFFF)
    return _MIRRORED[crc & 0xFF] << 8 | _MIRRORED[crc >> 8]


def _seal(body: bytes) -> bytes:
    length = len(body) + 2
    if length > LENGTH_MAX:
        raise WeBroke(f"UHFReader18: expected a frame of at most {LENGTH_MAX} bytes, got {length}")
    framed = bytes([length]) + body
    return framed + crc_mcrf4xx(framed).to_bytes(2, "little")


def _check(raw: bytes) -> None:
    wanted = crc_mcrf4xx(raw[:-2]).to_bytes(2, "little")
    if wanted != raw[-2:]:
        raise PeerBroke(f"UHFReader18: expected CRC {wanted.hex().upper()}, got {raw[-2:].hex().upper()}")


def _fitting(row: _Row, payload: bytes) -> dict[str, Value] | None:
    try:
        return read_fields(row.layout, payload)
    except PeerBroke:
        return None


def _claim_answer(waiting: bytearray, at: int) -> int:
    known, length = len(waiting) - at, waiting[at]
    wrong = (
        length < LENGTH_MIN_ANSWER
        or (known > 2 and waiting[at + 2] not in ANSWERED)
        or (known > 3 and waiting[at + 3] not in STATUSES)
    )
    return -1 if wrong else length + 1


def _claim_any(waiting: bytearray, at: int) -> int:
    return -1 if waiting[at] < LENGTH_MIN_COMMAND else waiting[at] + 1


# --- the tags of an answer ---


def _read_tag(raw: bytes, *, level: bool) -> tuple[dict[str, int | str], int]:
    said = take(raw, 1)[0]
    size = said & ~WITH_TID
    split = size - TID_BYTES if said & WITH_TID else size
    if not 0 < split <= EPC_BYTES_MAX or split % 2:
        raise PeerBroke(f"expected an EPC of whole words, at most {EPC_BYTES_MAX} bytes, got {split}")
    used = 1 + size + (1 if level else 0)
    body = take(raw, used)[1 : 1 + size]
    tag: dict[str, int | str] = {"epc": body[:split].hex().upper()}
    if said & WITH_TID:
        tag["tid"] = body[split:].hex().upper()
    return (tag | {"level": raw[used - 1]} if level else tag), used


def _write_tag(tag: Mapping[str, int | str], *, level: bool) -> bytes:
    tid = hex_bytes(tag.get("tid", ""))
    body = hex_bytes(tag.get("epc", "-")) + tid
    size = len(body) | (WITH_TID if tid else 0)
    if not 0 < len(body) - len(tid) <= EPC_BYTES_MAX or len(tid) not in (0, TID_BYTES):
        raise WeBroke(f"UHFReader18: expected an EPC of 2..{EPC_BYTES_MAX} bytes, got {tag}")
    heard = tag.get("level", 0)
    return bytes([size]) + body + (bytes([heard]) if level and isinstance(heard, int) else b"")


def _tags(*, level: bool) -> Kind:
    def read(raw: bytes, _fields: Fields) -> tuple[Value, int]:
        tags, at = [], 1
        for _ in range(take(raw, 1)[0]):
            tag, used = _read_tag(raw[at:], level=level)
            tags.append(tag)
            at += used
        return tags, at

    def write(value: Value, _fields: Fields) -> bytes:
        tags = value if isinstance(value, list) else []
        return bytes([len(tags)]) + b"".join(_write_tag(tag, level=level) for tag in tags)

    return Kind(read, write)


def _read_pushed(raw: bytes, _fields: Fields) -> tuple[Value, int]:
    tag, used = _read_tag(raw, level=True)
    return [tag], used


def _read_bare(raw: bytes, _fields: Fields) -> tuple[Value, int]:
    if not 0 < len(raw) <= EPC_BYTES_MAX or len(raw) % 2:
        raise PeerBroke(f"expected an EPC of whole words, at most {EPC_BYTES_MAX} bytes, got {len(raw)}")
    return [{"epc": raw.hex().upper()}], len(raw)


def _one(value: Value) -> Mapping[str, int | str]:
    if not isinstance(value, list) or len(value) != 1:
        raise WeBroke(f"UHFReader18: expected one tag, got {value!r:.60}")
    return value[0]


def _words_of(count: str) -> Kind:
    """Return the kind of as many words as the field of this name before it says."""

    def size_of(fields: Fields) -> int:
        number = fields.get(count)
        return 2 * number if isinstance(number, int) else 0

    def read(raw: bytes, fields: Fields) -> tuple[Value, int]:
        return take(raw, size_of(fields)).hex().upper(), size_of(fields)

    def write(value: Value, fields: Fields) -> bytes:
        raw = hex_bytes(value)
        if len(raw) != size_of(fields):
            raise WeBroke(f"UHFReader18: expected {size_of(fields)} bytes as {count} says, got {value!r:.60}")
        return raw

    return Kind(read, write)


KINDS: Mapping[str, Kind] = {
    "epc_of_words": _words_of("epc_words"),
    "data_of_count": _words_of("count"),
    "tags": _tags(level=False),
    "tags_with_level": _tags(level=True),
    "tag": Kind(_read_bare, lambda value, _fields: hex_bytes(_one(value).get("epc", "-"))),
    "tag_with_level": Kind(_read_pushed, lambda value, _fields: _write_tag(_one(value), level=True)),
}


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(code, 16) for code in text.split(","))


def _command_rows() -> tuple[_Row, ...]:
    words = [line.split(maxsplit=2) for line in COMMANDS.strip().replace("\n ", " ").splitlines()]
    return tuple(_Row(each[1], int(each[0], 16), layout_of("".join(each[2:]), KINDS)) for each in words)


def _answer_rows() -> tuple[_Row, ...]:
    words = [line.split(maxsplit=3) for line in ANSWERS.strip().splitlines()]
    return tuple(
        _Row(each[2], command, layout_of("".join(each[3:]), KINDS), _codes(each[1]))
        for each in words
        for command in _codes(each[0])
    )


COMMAND_ROWS, ANSWER_ROWS = _command_rows(), _answer_rows()
ANSWERED = frozenset(row.command for row in ANSWER_ROWS)
