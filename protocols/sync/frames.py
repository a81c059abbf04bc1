"""The messages between an edge and central: forms and limits. The one definition of each.

    up    HELLO    who I am, every chain on my disk, what I think central holds
          FRAME    some entries of my chain, in order
    down  WELCOME  what central holds of every chain offered
          REFUSED  why not, for a person
          ACK      central has committed up to here
          NACK     that frame was not taken, and what is needed instead

A payload is a msgpack map with string keys; unknown keys are skipped, so that a later version may add some. Ids are
opaque bytes of a stated length. Not here: how a message is sealed (`codec`) or when it is said (`session`,
`reception`). The rule that must not be broken: a key once released keeps its name and meaning.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from protocols.entry import GENESIS, SEQ_MAX

FRAME_ENTRIES_MAX = 500
MESSAGE_BYTES_MAX = 256 * 1024
"""One sealed message on the wire."""
UNPACKED_BYTES_MAX = 4 * 1024 * 1024
"""What a frame's entries may be after decompression."""
FRAME_RAW_BYTES_MAX = 240 * 1024
"""Entry bytes an edge puts into one frame: even incompressible they fit one message."""
WINDOW_FRAMES = 4
"""Frames on the way without an acknowledgement."""
HEADS_MAX = 64
FEEDS_MAX = 64
TEXT_MAX = 400
NOTHING = -1
"""The seq of a chain without entries; its hash is `GENESIS`."""

Sixteen = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]
SeqOrNone = Annotated[int, msgspec.Meta(ge=NOTHING, le=SEQ_MAX)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]


class MessageType(StrEnum):
    """The word in the envelope that says what the payload is."""

    HELLO = "hello"
    WELCOME = "welcome"
    REFUSED = "refused"
    FRAME = "frame"
    ACK = "ack"
    NACK = "nack"


class Why(StrEnum):
    """Why a frame was not taken."""

    GAP = "gap"
    SESSION = "session"
    FORK = "fork"
    CHAIN = "chain"
    BUSY = "busy"
    TOO_LARGE = "too_large"
    SCHEMA = "schema"


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The last entry of one chain; `NOTHING` and `GENESIS` before the first."""

    incarnation: Sixteen
    seq: SeqOrNone
    hash: Hash = GENESIS


class Hello(msgspec.Struct, frozen=True):
    """`number` counts this run's greetings and is echoed; `acked` is the edge's mark; `wall` is µs UTC."""

    number: Whole
    agent_version: Annotated[str, msgspec.Meta(max_length=64)]
    schema_min: Whole
    schema_max: Whole
    heads: Annotated[tuple[Head, ...], msgspec.Meta(max_length=HEADS_MAX)]
    oldest_seq: Seq
    acked: SeqOrNone
    feeds: Annotated[dict[str, Whole], msgspec.Meta(max_length=FEEDS_MAX)]
    wall: Annotated[int, msgspec.Meta(ge=-(2**53), le=SEQ_MAX)]
    free_bytes: Whole


class Welcome(msgspec.Struct, frozen=True):
    """Central's head of every chain the HELLO offered."""

    number: Whole
    heads: Annotated[tuple[Head, ...], msgspec.Meta(max_length=HEADS_MAX)]


class Refused(msgspec.Struct, frozen=True):
    """A reason a person can act on."""

    number: Whole
    reason: Text


class Frame(msgspec.Struct, frozen=True):
    """`n` entries from `from_seq`, packed; the hash before the first and at the last."""

    from_seq: Seq
    n: Annotated[int, msgspec.Meta(ge=1, le=FRAME_ENTRIES_MAX)]
    prev_hash: Hash
    last_hash: Hash
    entries: Annotated[bytes, msgspec.Meta(max_length=MESSAGE_BYTES_MAX)]


class Ack(msgspec.Struct, frozen=True):
    """Committed up to `seq`, whose hash is `hash`; safe elsewhere up to `safe_seq`; seqs kept but not posted."""

    seq: SeqOrNone
    hash: Hash
    safe_seq: SeqOrNone
    quarantined: Annotated[tuple[Seq, ...], msgspec.Meta(max_length=FRAME_ENTRIES_MAX)]


class Nack(msgspec.Struct, frozen=True):
    """The frame from `from_seq` was not taken; `need` is the seq wanted next, `retry_after_ms` goes with busy."""

    reason: Why
    from_seq: Seq
    need: Whole
    retry_after_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)]
    detail: Text


Message = Hello | Welcome | Refused | Frame | Ack | Nack

MESSAGES: dict[MessageType, type[Message]] = {
    MessageType.HELLO: Hello,
    MessageType.WELCOME: Welcome,
    MessageType.REFUSED: Refused,
    MessageType.FRAME: Frame,
    MessageType.ACK: Ack,
    MessageType.NACK: Nack,
}
TYPE_OF = {form: word for word, form in MESSAGES.items()}
