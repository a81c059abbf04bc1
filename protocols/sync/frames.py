"""The messages between an edge and central: forms and limits. The one definition of each.

    up    HELLO    who I am, every chain of my ledger, what I think central holds
          FORK     places of my ledger from its end backwards: where do we agree?
          FRAME    some entries of one chain, in order
          PULL     give me the facts behind this version
          FETCH    bring me from this version of a scope of the feed to the newest
          GAP      central needs entries that were trimmed here; this is what they came to
          DAMAGED  one entry that the disk no longer holds as it was written, or that central cannot take
    down  WELCOME  what central holds of every chain offered
          NEWINC   go on in a new chain behind this entry
          REFUSED  why not, for a person
          FACTS    entries that concern my storeroom and that I did not write, or no longer hold
          DELTA    what changed in a scope of the feed from one version to another
          SNAPSHOT one page of a whole version of a scope
          HINT     which versions there are: kept by the broker, believed by nobody
          ACK      central has committed up to here
          NACK     that frame was not taken, and what is needed instead

A payload is a msgpack map with string keys; unknown keys are skipped, so that a later version may add some. A FRAME,
the one message there are many of, is an array, to which a later version may append. Ids are opaque bytes of a stated
length. Not here: how a message is sealed (`codec`) or when it is said (`session`,
`reception`). The rule that must not be broken: a key once released keeps its name and meaning.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from protocols.entry import GENESIS, SEQ_MAX

FRAME_ENTRIES_MAX = 500
ENTRIES_SAID_MAX = 65_535
"""What a frame may say it holds; more than `FRAME_ENTRIES_MAX` are answered, not taken."""
MESSAGE_BYTES_MAX = 256 * 1024
"""One sealed message on the wire."""
UNPACKED_BYTES_MAX = 4 * 1024 * 1024
"""What a frame's entries may be after decompression."""
FRAME_RAW_BYTES_MAX = 240 * 1024
"""Entry bytes an edge puts into one frame: even incompressible they fit one message."""
WINDOW_FRAMES = 4
"""Frames on the way without an acknowledgement."""
HEADS_MAX = 256
"""Chains of one device: each restored copy or lost disk adds one."""
SAMPLES_MAX = 40
"""Places of a fork request: doubling steps reach back over 10**11 entries."""
FACTS_MAX = 500
PAGES_MAX = 64
"""Pages of one snapshot: 15 MiB packed, a large hospital's catalogue several times over."""
PAGE_BYTES_MAX = 240 * 1024
FEEDS_MAX = 64
SCOPE_MAX = 16
GAP_PAGES_MAX = 1_000
"""Pages of one book: half a million lines of stock."""
ROWS_A_PAGE = 500
TEXT_MAX = 400
HALF_BYTES = 16
"""Of a hash, where a whole one follows."""
NOTHING = -1
"""The seq of a chain without entries; its hash is `GENESIS`."""

Sixteen = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Hash = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Half = Annotated[bytes, msgspec.Meta(min_length=HALF_BYTES, max_length=HALF_BYTES)]
Sum = Annotated[bytes, msgspec.Meta(max_length=32)]
"""Empty before the first."""
Seq = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]
SeqOrNone = Annotated[int, msgspec.Meta(ge=NOTHING, le=SEQ_MAX)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
Scope = Annotated[str, msgspec.Meta(min_length=1, max_length=SCOPE_MAX)]
Key = tuple[str, ...]
"""Place, position, item, lot, owner and unit of a balance; empty before the first and after the last."""


class MessageType(StrEnum):
    """The word in the envelope that says what the payload is."""

    HELLO = "hello"
    WELCOME = "welcome"
    REFUSED = "refused"
    FORK = "fork"
    NEWINC = "newinc"
    PULL = "pull"
    FACTS = "facts"
    FRAME = "frame"
    GAP = "gap"
    DAMAGED = "damaged"
    ACK = "ack"
    NACK = "nack"
    FETCH = "fetch"
    DELTA = "delta"
    SNAPSHOT = "snapshot"
    HINT = "hint"


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


NO_PARENT = b""


class Branch(msgspec.Struct, frozen=True, array_like=True):
    """One chain of a device's ledger as the device holds it, and where it grew from another.

    `seq` and `hash` are its end, or, for a chain that another continues, the entry behind which that one begins.
    `acked` is the device's mark. `parent` is empty for a chain that continues no other; `parent_seq` is `NOTHING` then.
    """

    incarnation: Sixteen
    seq: SeqOrNone
    hash: Hash
    acked: SeqOrNone
    parent: Annotated[bytes, msgspec.Meta(max_length=16)] = NO_PARENT
    parent_seq: SeqOrNone = NOTHING


class Hello(msgspec.Struct, frozen=True):
    """`number` counts this run's greetings and is echoed; `wall` is µs UTC.

    `facts` is the version held of them, `facts_sum` the digest of their ids in order up to there. `chains` are the
    ledger's from its root to the one now written, which is the envelope's.
    """

    number: Whole
    agent_version: Annotated[str, msgspec.Meta(max_length=64)]
    schema_min: Whole
    schema_max: Whole
    chains: Annotated[tuple[Branch, ...], msgspec.Meta(min_length=1, max_length=HEADS_MAX)]
    oldest_seq: Seq
    facts: Whole
    facts_sum: Sum
    feeds: Annotated[dict[str, Whole], msgspec.Meta(max_length=FEEDS_MAX)]
    wall: Annotated[int, msgspec.Meta(ge=-(2**53), le=SEQ_MAX)]
    free_bytes: Whole


class Offer(msgspec.Struct, frozen=True, array_like=True):
    """A scope of the feed as it is at central: its version and the checksum of its rows."""

    scope: Scope
    version: Whole
    checksum: Hash


class Welcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """Central's head of every chain the HELLO offered, of one that another continues no further than was offered.

    `facts` is the last version of the facts for this storeroom, `facts_from` the version behind which they are to be
    pulled: the one offered, or 0 where its sum is not central's. `wall` is central's time, µs UTC. `feeds` are the
    scopes of the feed that this device is to hold. `safe` is, head by head, up to where a standby or a proven backup
    holds the chain too; empty from a central that does not say. `dictionary` is the newest to pack by.
    """

    number: Whole
    heads: Annotated[tuple[Head, ...], msgspec.Meta(max_length=HEADS_MAX)]
    facts: Whole
    facts_from: Whole
    wall: Annotated[int, msgspec.Meta(ge=-(2**53), le=SEQ_MAX)]
    feeds: Annotated[tuple[Offer, ...], msgspec.Meta(max_length=FEEDS_MAX)] = ()
    safe: Annotated[tuple[SeqOrNone, ...], msgspec.Meta(max_length=HEADS_MAX)] = ()
    dictionary: Whole = 0


class Fork(msgspec.Struct, frozen=True):
    """Places of the device's ledger, its end first, then ever further back; `number` is that of its last HELLO."""

    number: Whole
    places: Annotated[tuple[Head, ...], msgspec.Meta(max_length=SAMPLES_MAX)]


class NewInc(msgspec.Struct, frozen=True):
    """Go on in `incarnation` behind `behind`, the highest place both hold; without one, from the very beginning."""

    number: Whole
    incarnation: Sixteen
    behind: Head | None


class Pull(msgspec.Struct, frozen=True):
    """The facts behind `version` are wanted."""

    version: Whole


class Facts(msgspec.Struct, frozen=True):
    """`n` facts behind `version` up to `upto`, whose sum is `facts_sum`; `last` is the newest.

    Each is the device that wrote it, a zero byte, and the entry's exact bytes; they are packed as a frame's are.
    """

    version: Whole
    upto: Whole
    last: Whole
    facts_sum: Sum
    n: Annotated[int, msgspec.Meta(ge=0, le=FACTS_MAX)]
    entries: Annotated[bytes, msgspec.Meta(max_length=MESSAGE_BYTES_MAX)]


class Fetch(msgspec.Struct, frozen=True):
    """A scope of the feed is wanted; `version` and `checksum` are what is held of it, `NOTHING` and empty for nothing.

    `want` and `page` name the next page of a snapshot that is being collected; `NOTHING` and 0 ask for the newest.
    """

    scope: Scope
    version: SeqOrNone
    checksum: Sum
    want: SeqOrNone
    page: Whole


class Delta(msgspec.Struct, frozen=True):
    """What changed in a scope from `before` to `version`, whose rows come to `checksum`; packed, none when equal."""

    scope: Scope
    before: Whole
    version: Whole
    checksum: Hash
    rows: Annotated[bytes, msgspec.Meta(max_length=MESSAGE_BYTES_MAX)]


class Snapshot(msgspec.Struct, frozen=True):
    """Page `page` of `pages` of one version of a scope, whose rows come to `checksum`.

    All pages put together are the version's packed rows; `digest` is their SHA-256.
    """

    scope: Scope
    version: Whole
    checksum: Hash
    digest: Hash
    page: Whole
    pages: Annotated[int, msgspec.Meta(ge=1, le=PAGES_MAX)]
    part: Annotated[bytes, msgspec.Meta(max_length=MESSAGE_BYTES_MAX)]


class Hint(msgspec.Struct, frozen=True):
    """What a device's storeroom can have: the scopes of the feed and the newest fact."""

    feeds: Annotated[tuple[Offer, ...], msgspec.Meta(max_length=FEEDS_MAX)]
    facts: Whole


class Refused(msgspec.Struct, frozen=True):
    """A reason a person can act on."""

    number: Whole
    reason: Text


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """`n` entries from `from_seq`, packed; the hash before the first, and the first half of the one at the last.

    Half of it tells a spoilt frame; the ACK says the whole, which the edge compares.
    """

    from_seq: Seq
    n: Annotated[int, msgspec.Meta(ge=1, le=ENTRIES_SAID_MAX)]
    prev_hash: Hash
    last_half: Half
    entries: Annotated[bytes, msgspec.Meta(max_length=MESSAGE_BYTES_MAX)]


class Gap(msgspec.Struct, frozen=True):
    """Entries `first_seq`..`last_seq` of a chain, the last with `hash`, are kept nowhere on the device any more.

    The own book at `last_seq` comes in `pages` pages of rows, in the order of their keys; a page speaks for every key
    after the last of the page before, and the last page for all that follow.
    """

    first_seq: Seq
    last_seq: Seq
    hash: Hash
    page: Annotated[int, msgspec.Meta(ge=0, le=GAP_PAGES_MAX)]
    pages: Annotated[int, msgspec.Meta(ge=1, le=GAP_PAGES_MAX)]
    after: Key
    upto: Key
    rows: Annotated[bytes, msgspec.Meta(max_length=MESSAGE_BYTES_MAX)]


class Damaged(msgspec.Struct, frozen=True):
    """Entry `seq` of a chain cannot be sent as it was written; what is there is `raw`, and the chain said `hash`.

    The device asks to go on in a new chain behind `behind`, its last whole entry; None for the very beginning.
    """

    number: Whole
    seq: Seq
    behind: Head | None
    hash: Hash
    raw: Annotated[bytes, msgspec.Meta(max_length=MESSAGE_BYTES_MAX)]
    detail: Text


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


Message = (
    Hello
    | Welcome
    | Refused
    | Fork
    | NewInc
    | Pull
    | Facts
    | Frame
    | Gap
    | Damaged
    | Ack
    | Nack
    | Fetch
    | Delta
    | Snapshot
    | Hint
)

MESSAGES: dict[MessageType, type[Message]] = {
    MessageType.HELLO: Hello,
    MessageType.WELCOME: Welcome,
    MessageType.REFUSED: Refused,
    MessageType.FORK: Fork,
    MessageType.NEWINC: NewInc,
    MessageType.PULL: Pull,
    MessageType.FACTS: Facts,
    MessageType.FRAME: Frame,
    MessageType.GAP: Gap,
    MessageType.DAMAGED: Damaged,
    MessageType.ACK: Ack,
    MessageType.NACK: Nack,
    MessageType.FETCH: Fetch,
    MessageType.DELTA: Delta,
    MessageType.SNAPSHOT: Snapshot,
    MessageType.HINT: Hint,
}
TYPE_OF = {form: word for word, form in MESSAGES.items()}
