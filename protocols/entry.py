"""The ledger entry and its hash chain: the one definition both ledgers keep.

An entry is immutable. Its bytes are a positional msgpack array, so that they are the same wherever they are written
again from the columns of a ledger; its body is a JSON map with sorted keys, so that an auditor reads it with nothing
but SQLite. Hashes are recomputed by whoever holds the bytes and are never sent. This module does no I/O.

    raw          = msgpack [event_id, hlc, wall, mono, boot_id, clock_quality, kind, schema, body, actor]
    content_hash = SHA-256(CONTENT_TAG, device, raw)                       kept when an entry is sent again
    hash         = SHA-256(CHAIN_TAG, incarnation, seq, prev_hash, content_hash)

Variable fields inside a hash are preceded by their length, so that no two field lists give the same bytes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, NewType

import msgspec

from protocols.errors import BadValue, PeerBroke, WeBroke
from protocols.values.hlc import Hlc, hlc
from protocols.values.ids import ActorId, BootId, DeviceId, EventId, Incarnation, actor_id, boot_id, event_id
from protocols.values.instant import Instant

Digest = NewType("Digest", bytes)

ALGORITHM = "sha256"
CONTENT_TAG = b"wardstock.content.1"
CHAIN_TAG = b"wardstock.chain.1"
GENESIS = Digest(bytes(32))
"""`prev_hash` of the first entry (seq 0) of an incarnation without a parent."""

SCHEMA_NOW = 1
SCHEMA_MAX = 0xFFFF
SIXTEEN = 16
"""Bytes of an id."""
BODY_BYTES_MAX = 64 * 1024
"""A body is one person's act; the largest is an opening of some hundred units of one lot."""
KIND_LENGTH_MAX = 32
SEQ_MAX = 2**53 - 1
HEADER_BYTES_MAX = 512

Body = Mapping[str, Any]


class ClockQuality(IntEnum):
    """How far the wall time of an entry may be believed."""

    UNKNOWN = 0
    FREE = 1
    SYNCED = 2
    BAD = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """What a device says once: `wall` and `mono` in microseconds, `body` the exact JSON bytes of a map."""

    event_id: EventId
    hlc: Hlc
    wall: Instant
    mono: int
    boot_id: BootId
    clock_quality: ClockQuality
    kind: str
    schema: int
    body: bytes
    actor: ActorId

    def __post_init__(self) -> None:
        ids = len(self.event_id) == len(self.boot_id) == SIXTEEN and self.event_id[6] >> 4 == 7
        if not (
            ids
            and self.event_id[8] >> 6 == 2
            and 0 <= self.hlc < 1 << 64
            and 1 <= len(self.kind) <= KIND_LENGTH_MAX
            and self.kind.isascii()
            and 1 <= self.schema <= SCHEMA_MAX
            and len(self.body) <= BODY_BYTES_MAX
            and -(2**63) <= self.wall < 2**63
            and 0 <= self.mono < 2**63
        ):
            self._blame()
        actor_id(self.actor)

    def _blame(self) -> None:
        """Name the field that made the quick look above fail. Raises `BadValue`."""
        event_id(self.event_id)
        boot_id(self.boot_id)
        hlc(self.hlc)
        if not 1 <= len(self.kind) <= KIND_LENGTH_MAX or not self.kind.isascii():
            raise BadValue(f"entry kind: expected 1..{KIND_LENGTH_MAX} ASCII characters, got {self.kind!r:.60}")
        if not 1 <= self.schema <= SCHEMA_MAX:
            raise BadValue(f"entry schema: expected 1..{SCHEMA_MAX}, got {self.schema}")
        if len(self.body) > BODY_BYTES_MAX:
            raise BadValue(f"entry body: expected at most {BODY_BYTES_MAX} bytes, got {len(self.body)}")
        raise BadValue(f"entry times: expected signed 64-bit microseconds, got {self.wall} and {self.mono}")


class ChainedEntry(msgspec.Struct, frozen=True):
    """An entry in its place: one device's incarnation, its seq (from 0), and the hashes that bind it."""

    device: DeviceId
    incarnation: Incarnation
    seq: int
    entry: Entry
    content_hash: Digest
    prev_hash: Digest
    hash: Digest


_QUALITY = dict(enumerate(ClockQuality))
_encode = msgspec.msgpack.Encoder().encode
_Id = Annotated[bytes, msgspec.Meta(min_length=SIXTEEN, max_length=SIXTEEN)]
_Whole = Annotated[int, msgspec.Meta(ge=0)]
WIRE = msgspec.msgpack.Decoder(
    tuple[
        _Id,
        _Whole,
        int,
        _Whole,
        _Id,
        _Whole,
        Annotated[str, msgspec.Meta(min_length=1, max_length=KIND_LENGTH_MAX)],
        Annotated[int, msgspec.Meta(ge=1, le=SCHEMA_MAX)],
        Annotated[bytes, msgspec.Meta(max_length=BODY_BYTES_MAX)],
        str,
    ]
)
"""The ten fields as they are on the wire, their limits looked at by the decoder itself."""
_body_encode = msgspec.json.Encoder(order="sorted").encode
_body_decode = msgspec.json.Decoder(dict[str, Any]).decode


def encode_entry(entry: Entry) -> bytes:
    """Return the one canonical form of an entry's bytes."""
    return _encode(
        (
            entry.event_id,
            entry.hlc,
            entry.wall,
            entry.mono,
            entry.boot_id,
            entry.clock_quality,
            entry.kind,
            entry.schema,
            entry.body,
            entry.actor,
        )
    )


def decode_entry(raw: bytes) -> Entry:
    """Parse canonical entry bytes. Raises `PeerBroke` for all else, the same values in another encoding included."""
    if len(raw) > BODY_BYTES_MAX + HEADER_BYTES_MAX:
        raise PeerBroke(f"entry: expected at most {BODY_BYTES_MAX + HEADER_BYTES_MAX} bytes, got {len(raw)}")
    try:
        eid, clock, wall, mono, boot, quality, kind, schema, body, actor = WIRE.decode(raw)
        entry = Entry(  # it checks its own fields
            EventId(eid),
            Hlc(clock),
            Instant(wall),
            mono,
            BootId(boot),
            _QUALITY[quality],
            kind,
            schema,
            body,
            ActorId(actor),
        )
    except (msgspec.MsgspecError, ValueError, KeyError, RecursionError) as error:
        raise PeerBroke(f"entry: expected ten positional fields in msgpack; {error}") from error
    if _encode((eid, clock, wall, mono, boot, quality, kind, schema, body, actor)) != raw:
        raise PeerBroke("entry: expected the canonical encoding; the same values came in other bytes")
    return entry


def encode_body(body: Body) -> bytes:
    """Return a body as JSON bytes, keys sorted. Raises `WeBroke` when it cannot be said in JSON or is too long."""
    try:
        raw = _body_encode(dict(body))
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise WeBroke(f"entry body: expected values that JSON can say; {error}") from error
    if len(raw) > BODY_BYTES_MAX:
        raise WeBroke(f"entry body: expected at most {BODY_BYTES_MAX} bytes, got {len(raw)}; split the act")
    return raw


def decode_body(raw: bytes) -> dict[str, Any]:
    """Parse body bytes into a map. Raises `PeerBroke`."""
    try:
        return _body_decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise PeerBroke(f"entry body: expected a JSON map; {error}") from error


def _digest(tag: bytes, *parts: bytes) -> Digest:
    sized = [len(part).to_bytes(4, "big") + part for part in parts]
    return Digest(hashlib.sha256(tag + b"".join(sized)).digest())


def content_hash(device: DeviceId, raw: bytes) -> Digest:
    """Return the hash over what sending again keeps: the device and the entry's exact bytes."""
    return _digest(CONTENT_TAG, device.encode(), raw)


def chain_hash(incarnation: Incarnation, seq: int, prev_hash: Digest, content: Digest) -> Digest:
    """Return the hash that binds an entry to its place and to all before it. Raises `WeBroke` for a bad seq."""
    if not 0 <= seq <= SEQ_MAX:
        raise WeBroke(f"seq: expected 0..{SEQ_MAX}, got {seq}")
    return _digest(CHAIN_TAG, incarnation, seq.to_bytes(8, "big"), prev_hash, content)


def chain(
    device: DeviceId, incarnation: Incarnation, *, from_seq: int, prev_hash: Digest, entries: Iterable[Entry]
) -> list[ChainedEntry]:
    """Put entries behind a head, one after another."""
    chained = []
    for seq, entry in enumerate(entries, start=from_seq):
        content = content_hash(device, encode_entry(entry))
        head = chain_hash(incarnation, seq, prev_hash, content)
        chained.append(ChainedEntry(device, incarnation, seq, entry, content, prev_hash, head))
        prev_hash = head
    return chained
