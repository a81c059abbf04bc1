"""LLRP bytes <-> messages, by the tables: 1.0.1 and 1.1.

`LlrpDecoder` is fed bytes as they come and gives messages and `BadFrame`s; `encode` is its inverse. A corrupt message
costs that message, never the connection: its length is believed within a limit, and where the header itself is nonsense
the decoder searches the next header that makes sense. What is absent or superfluous is judged by the layout: a required
parameter that is missing breaks the message, a parameter the layout has no room for is kept raw.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from protocols.errors import PeerBroke, WeBroke
from protocols.readers.llrp.fields import Params, Value, read_steps, write_steps
from protocols.readers.llrp.lengths import (
    HEADER_BYTES,
    MESSAGE_BYTES_MAX,
    TV_NUMBER_MAX,
    VERSIONS,
    Walk,
    believable_size,
    header_inside,
    type_at,
)
from protocols.readers.llrp.messages import UNEXPECTED, Layout, Message, Slot, Tables, tables
from protocols.readers.reads import BadFrame

__all__ = [
    "HEADER_BYTES",
    "MESSAGE_BYTES_MAX",
    "RAW_KEPT_BYTES_MAX",
    "VERSIONS",
    "LlrpDecoder",
    "bad_frame",
    "decode",
    "decode_or_report",
    "describe",
    "encode",
    "find_parameter",
    "is_report",
]

RAW_KEPT_BYTES_MAX = 256
"""How much of a bad frame is kept: enough to see what it was, bounded when garbage is endless."""

DEPTH_MAX = 12
"""Deepest nesting read; the layouts need seven, only ParameterError nests without end."""


def encode(message: Message) -> bytes:
    """Return a message's bytes. Raises `WeBroke` when its parameters do not fit their layout."""
    layout = tables().messages[message.type_name]
    body = _write(layout, message.params, tables())
    size = HEADER_BYTES + len(body)
    if size > MESSAGE_BYTES_MAX:
        raise WeBroke(f"{message.type_name}: expected at most {MESSAGE_BYTES_MAX} bytes, got {size}: send it in parts")
    head = (message.version << 10 | layout.number).to_bytes(2, "big")
    return head + size.to_bytes(4, "big") + message.id.to_bytes(4, "big") + body


def _write(layout: Layout, params: Params, known: Tables) -> bytes:
    if not layout.keys.issuperset(params):
        raise WeBroke(f"{layout.name}: expected only {', '.join(sorted(layout.keys))}, got {', '.join(params)}")
    out = [write_steps(layout.steps, params)] if layout.steps else []
    filled = 0
    for place, key in sorted((layout.place_of[key], key) for key in params if key in layout.place_of):
        slot = layout.slots[place]
        if filled & 1 << place:
            raise WeBroke(f"{layout.name}: expected one of {', '.join(slot.names)}, got more")
        if not slot.repeats:
            out.append(_write_parameter(known.parameters[key], params[key], known))
        else:
            out += [_write_parameter(known.parameters[name], value, known) for name, value in _pairs(slot, params[key])]
        filled |= 1 << place
    for place, slot in enumerate(layout.slots):
        if slot.required and not (filled & 1 << place and (not slot.repeats or params[slot.key])):
            raise WeBroke(f"{layout.name}: expected {slot.key}, got nothing")
    if UNEXPECTED in params:
        kept = params[UNEXPECTED]
        out += [_write_raw(row) for row in (kept if isinstance(kept, list | tuple) else (kept,))]
    return b"".join(out)


def _pairs(slot: Slot, values: Value) -> list[tuple[str, Value]]:
    """Return the parameters of a slot that repeats, as (name, value) in order."""
    if not isinstance(values, list | tuple):
        raise WeBroke(f"expected a list of {slot.key}, got {type(values).__name__}")
    if not slot.is_choice:
        return [(slot.key, value) for value in values]
    pairs: list[tuple[str, Value]] = []
    for value in values:
        if not isinstance(value, Mapping) or len(value) != 1 or next(iter(value)) not in slot.names:
            raise WeBroke(f"expected {slot.key} as one-key mappings of {', '.join(slot.names)}")
        pairs.extend(value.items())
    return pairs


def _write_parameter(layout: Layout, value: Value, known: Tables) -> bytes:
    if layout.quick is not None:
        try:
            return _frame_parameter(layout.number, layout.quick.pack(value))
        except struct.error as error:
            raise WeBroke(f"{layout.name}: {error}, got {value!r:.60}") from error
    params = {layout.sole_field: value} if layout.sole_field else value
    if not isinstance(params, Mapping):
        raise WeBroke(f"{layout.name}: expected a mapping, got {type(value).__name__}")
    return _frame_parameter(layout.number, _write(layout, params, known))


def _frame_parameter(number: int, body: bytes) -> bytes:
    if number <= TV_NUMBER_MAX:
        return bytes((0x80 | number,)) + body
    if len(body) + 4 > 0xFFFF:
        raise WeBroke(f"LLRP parameter {number}: expected at most 65531 bytes, got {len(body)}")
    return number.to_bytes(2, "big") + (len(body) + 4).to_bytes(2, "big") + body


def _write_raw(row: Value) -> bytes:
    number, data = (row.get("type"), row.get("data")) if isinstance(row, Mapping) else (None, None)
    if not isinstance(number, int) or not 1 <= number <= 1023 or not isinstance(data, str):
        raise WeBroke(f"{UNEXPECTED}: expected a type of 1..1023 and hex data, got {row!r:.80}")
    try:
        return _frame_parameter(number, bytes.fromhex(data))
    except ValueError as error:
        raise WeBroke(f"{UNEXPECTED}: expected hex data, got {data!r:.80}") from error


def decode(raw: bytes) -> Message:
    """Return the message of exactly these bytes. Raises `PeerBroke`."""
    if len(raw) < HEADER_BYTES:
        raise PeerBroke(f"LLRP message: expected a header of {HEADER_BYTES} bytes, got {len(raw)}")
    size = int.from_bytes(raw[2:6], "big")
    if size != len(raw):
        raise PeerBroke(f"LLRP message: expected {size} bytes as its length says, got {len(raw)}")
    version, number = raw[0] >> 2, (raw[0] & 3) << 8 | raw[1]
    layout = tables().message_of.get(number)
    if layout is None or version not in VERSIONS:
        raise PeerBroke(f"LLRP message: expected a known type of version 1 or 2, got type {number}, version {version}")
    try:
        params = _read(layout, raw, HEADER_BYTES, size, tables(), DEPTH_MAX)
    except PeerBroke as error:
        raise PeerBroke(f"{layout.name}: {error}") from error
    return Message(layout.name, int.from_bytes(raw[6:10], "big"), params, version)


def _read(layout: Layout, raw: bytes, at: int, end: int, known: Tables, depth: int) -> dict[str, Value]:
    """Read a layout's fields and nested parameters from `raw[at:end]`."""
    out, at = read_steps(layout.steps, raw, at, end)
    if not depth:
        raise PeerBroke(f"expected parameters nested at most {DEPTH_MAX} deep")
    while at < end:
        number, start, stop = find_parameter(raw, at, end, known)
        slot = layout.slot_of.get(number)
        at = stop
        if slot is None or (not slot.repeats and _is_filled(slot, out)):
            _keep(out, UNEXPECTED, {"type": number, "data": raw[start:stop].hex().upper()})
            continue
        child = known.parameter_of[number]
        try:
            value = _read_value(child, raw, start, stop, known, depth - 1)
        except PeerBroke as error:
            raise PeerBroke(f"{child.name}: {error}") from error
        if not slot.repeats:
            out[child.name] = value
        else:
            _keep(out, slot.key, {child.name: value} if slot.is_choice else value)
    for slot in layout.slots:
        if slot.required and not _is_filled(slot, out):
            raise PeerBroke(f"expected {slot.key}, got none")
    return out


def _is_filled(slot: Slot, out: dict[str, Value]) -> bool:
    return slot.key in out if slot.repeats or not slot.is_choice else any(name in out for name in slot.names)


def _keep(out: dict[str, Value], key: str, value: Value) -> None:
    cast("list[Value]", out.setdefault(key, [])).append(value)


def find_parameter(raw: bytes, at: int, end: int, known: Tables) -> tuple[int, int, int]:
    """Return the number of the parameter at `at` and where its body starts and stops."""
    if raw[at] & 0x80:
        number = raw[at] & 0x7F
        layout = known.parameter_of.get(number)
        if layout is None:
            raise PeerBroke(f"expected a known TV parameter, got type {number}: its length is unknown")
        start, stop = at + 1, at + 1 + layout.fixed_bytes
    else:
        if end - at < 4:
            raise PeerBroke(f"expected a parameter header of 4 bytes, got {end - at}")
        number = (raw[at] & 3) << 8 | raw[at + 1]
        start, stop = at + 4, at + (raw[at + 2] << 8 | raw[at + 3])
        if number <= TV_NUMBER_MAX:
            raise PeerBroke(f"expected a TLV parameter above {TV_NUMBER_MAX}, got type {number} with a length")
    if not start <= stop <= end:
        raise PeerBroke(f"parameter {number}: expected it to end within {end - at} bytes, its length says {stop - at}")
    return number, start, stop


def _read_value(layout: Layout, raw: bytes, at: int, end: int, known: Tables, depth: int) -> Value:
    if layout.slots:
        return _read(layout, raw, at, end, known, depth)
    if layout.quick is not None and end - at == layout.fixed_bytes:
        number: int = layout.quick.unpack_from(raw, at)[0]
        return number
    out, at = read_steps(layout.steps, raw, at, end)
    if at != end:
        raise PeerBroke(f"expected to end, got {end - at} bytes more")
    return out[layout.sole_field] if layout.sole_field else out


@dataclass(slots=True)
class LlrpDecoder:
    """Cuts a byte stream into messages; keeps at most one incomplete message and the last whole one."""

    _buffer: bytearray = field(default_factory=bytearray)
    _skipped: bytearray = field(default_factory=bytearray)
    _lost: bool = False
    _taken: bytes = b""
    _walk: Walk = field(default_factory=Walk)

    def receive(self, data: bytes) -> list[Message | BadFrame]:
        """Take bytes as they come, any number of them; return what is complete."""
        return [each if isinstance(each, BadFrame) else decode_or_report(each) for each in self.cut(data)]

    def cut(self, data: bytes) -> list[bytes | BadFrame]:
        """Take bytes as they come; return the bytes of whole messages, not yet decoded."""
        self._buffer += data
        out: list[bytes | BadFrame] = []
        at = 0
        while len(self._buffer) - at >= HEADER_BYTES:
            size = believable_size(self._buffer, at, known_only=self._lost)
            inside = 0 if size or not self._taken else header_inside(self._taken, bytes(self._buffer[at:]))
            if inside:  # the message before was cut short, and this is the one behind it
                self._buffer[:at], at = self._taken[inside:], 0
                self._taken = b""
                continue
            if not size:
                self._taken = b""
                self._skip(self._buffer[at])
                at += 1
                if len(self._skipped) >= RAW_KEPT_BYTES_MAX:
                    out.append(self._skipped_frame())
                continue
            self._lost = False
            if self._skipped:
                out.append(self._skipped_frame())
            true = self._walk.true_size(self._buffer, at, size)
            if not true or len(self._buffer) - at < true:
                break
            raw = bytes(self._buffer[at : at + true])
            out.append(raw if true == size else _lie(raw, size))
            self._taken = raw
            self._lost = self._walk.broke and true == size  # then its length may have lied downwards
            self._walk.begin()
            at += true
        del self._buffer[:at]
        return out

    def _skip(self, byte: int) -> None:
        self._lost = True
        self._skipped.append(byte)

    def _skipped_frame(self) -> BadFrame:
        raw = bytes(self._skipped)
        self._skipped.clear()
        return BadFrame(f"LLRP: expected a message header, skipped {len(raw)} bytes", raw)


def _lie(raw: bytes, size: int) -> BadFrame:
    return BadFrame(
        f"LLRP: expected a message of {size} bytes, the next begins after {len(raw)}", raw[:RAW_KEPT_BYTES_MAX]
    )


def is_report(raw: bytes) -> bool:
    """Tell whether the bytes of a whole message are a RO_ACCESS_REPORT of a version we know."""
    return type_at(raw, 0) == tables().messages["RO_ACCESS_REPORT"].number and raw[0] >> 2 in VERSIONS


def decode_or_report(raw: bytes) -> Message | BadFrame:
    """Return the message of these bytes, or the bad frame they are."""
    try:
        return decode(raw)
    except PeerBroke as error:
        return bad_frame(raw, error)


def bad_frame(raw: bytes, error: PeerBroke) -> BadFrame:
    """Return what is kept of a message that broke the format."""
    return BadFrame(str(error), raw[:RAW_KEPT_BYTES_MAX])


def describe(message: Message) -> dict[str, Value]:
    """Return a message as JSON with its bytes written anew, for `wardstock-edge decode`. Raises `WeBroke`."""
    return {
        "type": message.type_name,
        "id": message.id,
        "params": message.params,
        "reencoded": encode(message).hex(),
    }
