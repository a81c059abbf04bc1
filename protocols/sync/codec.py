"""The envelope around every message, and how entries are packed into a frame.

    wire      = head || signature || one byte, the signature's length
    head      = msgpack [version, type, device, incarnation, boot nonce, token, generation, key id, payload]
    signature = over ENVELOPE_TAG || head
    packed    = zstandard(msgpack [entry bytes, ...]), its size and its dictionary stated in the zstandard header

The envelope is frozen by the first release. Signing is passed in: this module knows no key. The rules that must not be
broken: an unsigned message is opened only where the configuration said so; nothing is decompressed beyond its limit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from protocols.entry import SEQ_MAX
from protocols.errors import BadValue, PeerBroke, WeBroke
from protocols.sync.dictionary import NO_DICTIONARY, dictionary, version_of
from protocols.sync.frames import (
    FRAME_ENTRIES_MAX,
    MESSAGE_BYTES_MAX,
    MESSAGES,
    TYPE_OF,
    UNPACKED_BYTES_MAX,
    Message,
    MessageType,
    Sixteen,
)
from protocols.values.ids import DeviceId, Incarnation, device_id

ENVELOPE_VERSION = 1
ENVELOPE_TAG = b"wardstock.envelope.1"
SIGNATURE_BYTES_MAX = 255
KEY_ID_MAX = 64
ZSTD_LEVEL = 1
NO_TOKEN = b""

Sign = Callable[[bytes], bytes]
Verify = Callable[[DeviceId, str, bytes, bytes], bool]
"""(device of the envelope, key id, signed bytes, signature) -> it is right."""


@dataclass(frozen=True, slots=True)
class Signing:
    """How one end signs and checks. Without keys, `unsigned` must say that this is meant."""

    unsigned: bool = False
    key_id: str = ""
    sign: Sign | None = None
    verify: Verify | None = None

    def __post_init__(self) -> None:
        if not self.unsigned and (self.sign is None or self.verify is None):
            raise BadValue(
                "sync: expected keys to sign with, or `unsigned = true` under [sync] at both ends; got neither"
            )


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who speaks, in which session. `token` is empty until central gave one; `generation` 0 until then."""

    device: DeviceId
    incarnation: Incarnation
    boot_nonce: bytes
    token: bytes
    generation: int


_HEAD_FORM = tuple[
    int,
    Annotated[str, msgspec.Meta(max_length=16)],
    Annotated[str, msgspec.Meta(max_length=64)],
    Sixteen,
    Sixteen,
    Annotated[bytes, msgspec.Meta(max_length=16)],
    Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)],
    Annotated[str, msgspec.Meta(max_length=KEY_ID_MAX)],
    bytes,
]
_encode = msgspec.msgpack.Encoder().encode
_head = msgspec.msgpack.Decoder(_HEAD_FORM).decode
_payload = {word: msgspec.msgpack.Decoder(form).decode for word, form in MESSAGES.items()}
_entries = msgspec.msgpack.Decoder(
    Annotated[tuple[bytes, ...], msgspec.Meta(min_length=1, max_length=FRAME_ENTRIES_MAX)]
).decode
_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)


class TooLarge(PeerBroke):
    """A frame is more than is taken at once: fewer entries may do."""


class UnknownForm(PeerBroke):
    """A frame is packed in a form of a later version."""


def seal(envelope: Envelope, message: Message, signing: Signing) -> bytes:
    """Return the bytes of a message. Raises `WeBroke` when it exceeds the wire's limit."""
    head = _encode(
        (
            ENVELOPE_VERSION,
            str(TYPE_OF[type(message)]),
            envelope.device,
            envelope.incarnation,
            envelope.boot_nonce,
            envelope.token,
            envelope.generation,
            signing.key_id,
            _encode(message),
        )
    )
    signature = signing.sign(ENVELOPE_TAG + head) if signing.sign is not None else b""
    if len(signature) > SIGNATURE_BYTES_MAX:
        raise WeBroke(f"signature: expected at most {SIGNATURE_BYTES_MAX} bytes, got {len(signature)}")
    data = head + signature + bytes([len(signature)])
    if len(data) > MESSAGE_BYTES_MAX:
        raise WeBroke(f"{TYPE_OF[type(message)]}: expected at most {MESSAGE_BYTES_MAX} bytes, got {len(data)}")
    return data


def unseal(data: bytes, signing: Signing) -> tuple[Envelope, Message]:
    """Open and check a message. Raises `PeerBroke`: bad bytes, unknown version or type, signature missing or wrong."""
    if not 2 <= len(data) <= MESSAGE_BYTES_MAX:
        raise PeerBroke(f"envelope: expected 2..{MESSAGE_BYTES_MAX} bytes, got {len(data)}")
    end = len(data) - 1 - data[-1]
    if end < 1:
        raise PeerBroke(f"envelope: expected a signature inside the message, got length {data[-1]} of {len(data)}")
    head, signature = data[:end], data[end:-1]
    try:
        version, word, device, incarnation, nonce, token, generation, key_id, payload = _head(head)
        if version != ENVELOPE_VERSION:
            raise PeerBroke(f"envelope: expected version {ENVELOPE_VERSION}, got {version}")
        envelope = Envelope(device_id(device), Incarnation(incarnation), nonce, token, generation)
        _check_signature(envelope, key_id, head, signature, signing)
        return envelope, _payload[MessageType(word)](payload)
    except _BROKEN as error:
        raise PeerBroke(f"envelope: expected nine positional fields and a known payload; {error}") from error


def _check_signature(envelope: Envelope, key_id: str, head: bytes, signature: bytes, signing: Signing) -> None:
    if not signature and signing.unsigned:
        return
    if not signature or signing.verify is None:
        raise PeerBroke(
            "envelope: expected a signature that can be checked here, got none; see `unsigned` under [sync]"
        )
    if not signing.verify(envelope.device, key_id, ENVELOPE_TAG + head, signature):
        raise PeerBroke(f"envelope: expected a signature by key {key_id!r} of {envelope.device}, got another")


def pack_entries(raws: Sequence[bytes], version: int = NO_DICTIONARY) -> bytes:
    """Return the packed form of some entries' exact bytes, by a dictionary that the reader knows.

    Raises `WeBroke` beyond the limits.
    """
    unpacked = _encode(tuple(raws))
    if not 1 <= len(raws) <= FRAME_ENTRIES_MAX or len(unpacked) > UNPACKED_BYTES_MAX:
        raise WeBroke(
            f"frame: expected 1..{FRAME_ENTRIES_MAX} entries and 4 MiB, got {len(raws)}, {len(unpacked)} bytes"
        )
    import zstandard

    return zstandard.ZstdCompressor(level=ZSTD_LEVEL, dict_data=dictionary(version)).compress(unpacked)


def unpack_entries(packed: bytes) -> tuple[bytes, ...]:
    """Return the entries' exact bytes. Raises `PeerBroke`; never makes more than `UNPACKED_BYTES_MAX` bytes."""
    import zstandard

    try:
        said = zstandard.get_frame_parameters(packed)
        if not 0 < said.content_size <= UNPACKED_BYTES_MAX:
            raise TooLarge(f"frame: expected a stated size of 1..{UNPACKED_BYTES_MAX} bytes, got {said.content_size}")
        words = dictionary(version_of(said.dict_id))
        if said.dict_id and words is None:
            raise UnknownForm(f"frame: expected a dictionary that is known here, got {said.dict_id}; update central")
        unpacked = zstandard.ZstdDecompressor(dict_data=words, max_window_size=UNPACKED_BYTES_MAX).decompress(
            packed, max_output_size=UNPACKED_BYTES_MAX, allow_extra_data=False
        )
        raws: tuple[bytes, ...] = _entries(unpacked)
        return raws
    except (zstandard.ZstdError, MemoryError, *_BROKEN) as error:
        raise PeerBroke(f"frame: expected packed entries; {error}") from error
