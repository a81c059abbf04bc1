"""M100 and R200 frames from bytes and to bytes, by the one table of `layout.py`.

The check is a sum of one byte, so one noise in 256 passes it; a tag's own CRC-16 (Gen2, over PC and EPC) stands behind
it, and `crc_ok` tells whether it agrees. The rule that must not be broken: a frame is found by its length, never by BB
or 7E alone.
"""

from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import dataclass

from protocols.errors import PeerBroke, WeBroke
from protocols.readers.columns import Fields, Layout, Value, layout_of, read_fields, write_fields
from protocols.readers.m100.layout import DIRECTIONS, END, ERRORS, FRAMES, HEAD, OVERHEAD, PAYLOAD_MAX
from protocols.readers.reads import BadFrame
from protocols.readers.seeking import FrameSeeker


@dataclass(frozen=True, slots=True)
class M100Frame:
    """One frame: the name of its row, its fields. `unknown` has direction, command and payload."""

    type: str
    fields: Fields

    def number(self, name: str) -> int:
        """Return a number of the frame, -1 where it has none of that name."""
        value = self.fields.get(name)
        return value if isinstance(value, int) else -1


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    direction: int
    command: int
    layout: Layout


def _rows() -> tuple[_Row, ...]:
    words = [line.split(maxsplit=3) for line in FRAMES.strip().splitlines()]
    return tuple(
        _Row(each[2], DIRECTIONS[each[0]], int(each[1], 16), layout_of(each[3] if len(each) > 3 else ""))
        for each in words
    )


ROWS: Mapping[str, _Row] = {row.name: row for row in _rows()}
_BY_CODE = {(row.direction, row.command): row for row in ROWS.values()}


class M100Decoder(FrameSeeker[M100Frame]):
    """Cuts the bytes of a module, or of its host, into frames."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_claim, parse)


def encode(name: str, fields: Fields | None = None) -> bytes:
    """Return one frame's bytes. Raises `WeBroke` for an unknown name or fields that do not fit."""
    row = ROWS.get(name)
    if row is None:
        raise WeBroke(f"M100: expected the name of a frame, got {name!r:.40}")
    payload = write_fields(row.layout, fields or {})
    if len(payload) > PAYLOAD_MAX:
        raise WeBroke(f"M100 {name}: expected at most {PAYLOAD_MAX} bytes, got {len(payload)}")
    body = bytes([row.direction, row.command]) + len(payload).to_bytes(2, "big") + payload
    return bytes([HEAD]) + body + bytes([sum(body) & 0xFF, END])


def parse(raw: bytes) -> M100Frame | BadFrame:
    """Return the frame of exactly these bytes; a `BadFrame` when all is right but its fields. Raises `PeerBroke`."""
    if len(raw) < OVERHEAD or raw[0] != HEAD or raw[-1] != END:
        raise PeerBroke(f"M100: expected a frame from BB to 7E by its length, got {raw[:8].hex()}")
    if sum(raw[1:-2]) & 0xFF != raw[-2]:
        raise PeerBroke(f"M100: expected checksum {sum(raw[1:-2]) & 0xFF:02X}, got {raw[-2]:02X}; check the cable")
    payload = raw[5:-2]
    row = _BY_CODE.get((raw[1], raw[2]))
    if row is None:
        return M100Frame("unknown", {"direction": raw[1], "command": raw[2], "payload": payload.hex().upper()})
    try:
        return M100Frame(row.name, read_fields(row.layout, payload))
    except PeerBroke as error:
        return BadFrame(f"M100 {row.name}: {error}", raw)


def tag_frame(epc: str, rssi_dbm: int) -> bytes:
    """Return the notice of one tag, as a module sends it: PC word of its length, CRC right."""
    pc = f"{len(epc) // 4 << 11:04X}"
    crc = f"{crc_gen2(bytes.fromhex(pc + epc)):04X}"
    return encode("tag", {"rssi_dbm": rssi_dbm, "pc": pc, "epc": epc, "crc": crc})


def crc_ok(frame: M100Frame) -> bool:
    """Tell whether a tag's CRC agrees with its PC and EPC."""
    pc, epc, crc = (str(frame.fields.get(name, "")) for name in ("pc", "epc", "crc"))
    return f"{crc_gen2(bytes.fromhex(pc + epc)):04X}" == crc


def crc_gen2(data: bytes) -> int:
    """Return the CRC-16 of Gen2 (annex F.1): polynomial 1021, all ones before, inverted after."""
    return crc_hqx(data, 0xFFFF) ^ 0xFFFF


def describe(frame: M100Frame) -> dict[str, Value | bool]:
    """Return a frame as a map that JSON can say."""
    told: dict[str, Value | bool] = {"type": frame.type, **frame.fields}
    if frame.type == "tag":
        told["crc_ok"] = crc_ok(frame)
    if frame.type == "error":
        told["meaning"] = ERRORS.get(frame.number("code"), "not in the manual")
    return told


def _claim(waiting: bytearray, at: int) -> int:
    if waiting[at] != HEAD:
        found = waiting.find(HEAD, at)
        return at - (found if found >= 0 else len(waiting))
    known = len(waiting) - at
    if known > 1 and waiting[at + 1] not in DIRECTIONS.values():
        return -1
    if known > 3 and waiting[at + 3] != 0:
        return -1
    return OVERHEAD + waiting[at + 4] if known > 4 else 0
