"""The states of the edge's end of the sync, and what it asks of the world. The table is read like a page of a standard.

    OFFLINE -> GREETING -> CHECKING -> LIVE         CHECKING asks the own ledger for the hashes central named
                  ^           |  |        |
                  |           |  v        v
                  +-- FORKING <  REFUSED <+         a reason is shown; HELLO goes on, slowly

FORKING asks central where both ledgers agree; the ledger then goes on in a new chain behind that entry. LIVE leads
there too, where an entry cannot be sent as it was written.
DISCONNECTED leads from everywhere to OFFLINE. The rules that could not be put into the table stand above `EdgeSession`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from protocols.entry import GENESIS, Digest
from protocols.errors import BadValue, WeBroke
from protocols.sync.feed import Applied
from protocols.sync.frames import NOTHING, Head
from protocols.values.ids import DeviceId, Incarnation
from protocols.values.instant import Instant

BookRow = tuple[str, str, str, str, str, str, int]
"""Place, position, item, lot, owner, unit and quantity."""
LINK_SECONDS_MIN = 0.001
LINK_SECONDS_MAX = 86_400


class State(StrEnum):
    """Where the edge's end stands."""

    OFFLINE = "offline"
    GREETING = "greeting"
    CHECKING = "checking"
    FORKING = "forking"
    LIVE = "live"
    REFUSED = "refused"


class Happening(StrEnum):
    """What may move it."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    WELCOMED = "welcomed"
    PROVEN = "proven"
    DIVERGED = "diverged"
    ADOPTED = "adopted"
    STUCK = "stuck"
    TURNED_AWAY = "turned_away"
    SESSION_LOST = "session_lost"


_S, _H = State, Happening
TRANSITIONS: dict[tuple[State, Happening], State] = {
    (_S.OFFLINE, _H.CONNECTED): _S.GREETING,
    (_S.GREETING, _H.DISCONNECTED): _S.OFFLINE,
    (_S.GREETING, _H.WELCOMED): _S.CHECKING,
    (_S.GREETING, _H.TURNED_AWAY): _S.REFUSED,
    (_S.CHECKING, _H.DISCONNECTED): _S.OFFLINE,
    (_S.CHECKING, _H.PROVEN): _S.LIVE,
    (_S.CHECKING, _H.DIVERGED): _S.FORKING,
    (_S.CHECKING, _H.STUCK): _S.REFUSED,
    (_S.CHECKING, _H.SESSION_LOST): _S.GREETING,
    (_S.LIVE, _H.DISCONNECTED): _S.OFFLINE,
    (_S.LIVE, _H.WELCOMED): _S.CHECKING,
    (_S.LIVE, _H.DIVERGED): _S.FORKING,
    (_S.LIVE, _H.TURNED_AWAY): _S.REFUSED,
    (_S.LIVE, _H.STUCK): _S.REFUSED,
    (_S.LIVE, _H.SESSION_LOST): _S.GREETING,
    (_S.FORKING, _H.DISCONNECTED): _S.OFFLINE,
    (_S.FORKING, _H.ADOPTED): _S.GREETING,
    (_S.FORKING, _H.SESSION_LOST): _S.GREETING,
    (_S.REFUSED, _H.DISCONNECTED): _S.OFFLINE,
    (_S.REFUSED, _H.WELCOMED): _S.CHECKING,
    (_S.REFUSED, _H.TURNED_AWAY): _S.REFUSED,
}


def step(state: State, happening: Happening) -> State:
    """Look the next state up. Raises `WeBroke` naming the pair when the table has none."""
    after = TRANSITIONS.get((state, happening))
    if after is None:
        raise WeBroke(f"sync: {happening} cannot happen when {state}")
    return after


@dataclass(frozen=True, slots=True)
class Timing:
    """Link time-outs in seconds: `spread_s` spreads the first HELLO after a start, the others are in their names."""

    hello_s: float = 15.0
    resend_s: float = 15.0
    backoff_max_s: float = 300.0
    spread_s: float = 60.0
    idle_hello_s: float = 600.0
    refused_retry_s: float = 60.0
    welcome_wait_s: float = 60.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            least = 0 if name == "spread_s" else LINK_SECONDS_MIN
            if not least <= getattr(self, name) <= LINK_SECONDS_MAX:
                raise BadValue(f"sync {name}: expected {least}..{LINK_SECONDS_MAX} seconds, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whose session this is. The boot nonce is fresh randomness of this process run and never touches the disk."""

    device: DeviceId
    boot_nonce: bytes
    agent_version: str


@dataclass(frozen=True, slots=True)
class Leg:
    """One chain of the ledger's way from its root to its end, as far as it is walked.

    `seq` and `hash` are its last entry on that way; `base` is the hash before its first; `acked` is the mark. Entries
    before `kept_from` were trimmed; a checkpoint stands for them.
    """

    incarnation: Incarnation
    seq: int = NOTHING
    hash: Digest = GENESIS
    acked: int = NOTHING
    base: Digest = GENESIS
    parent: Incarnation | None = None
    parent_seq: int = NOTHING
    kept_from: int = 0

    def __post_init__(self) -> None:
        if min(self.seq, self.acked) < NOTHING:
            raise BadValue(f"sync leg: expected places from -1 on, got {self.seq} and mark {self.acked}")


@dataclass(frozen=True, slots=True)
class Transmit:
    """Publish these bytes on the device's `up` topic."""

    data: bytes


@dataclass(frozen=True, slots=True)
class WantEntries:
    """Read at most `n` entries and `max_bytes` of raw bytes (but at least one entry) and call `supply`."""

    incarnation: Incarnation
    from_seq: int
    n: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class WantHash:
    """Look the own ledger's hash at a place up and call `known` with it, or with None where it is not kept."""

    incarnation: Incarnation
    seq: int


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Entries up to `last_seq` are no longer kept; the own book there, in the order of its keys, stands for them."""

    last_seq: int
    hash: Digest
    rows: Sequence[BookRow]


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What is there of an entry that cannot be sent: its bytes, the hash that the chain has for it, and why."""

    hash: Digest
    raw: bytes
    detail: str


@dataclass(frozen=True, slots=True)
class WantMissing:
    """Say why there is no entry to send at a place and call `missing` with the answer."""

    incarnation: Incarnation
    seq: int


@dataclass(frozen=True, slots=True)
class WantPlaces:
    """Look places of the own ledger up, from its end backwards in doubling steps, and call `placed` with them."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Go on in a new chain behind an entry both hold, None for the very beginning; call `adopted` with the new way."""

    incarnation: Incarnation
    behind: Head | None
    without: int | None = None
    """The seq of the parent's entry that is not written again."""


@dataclass(frozen=True, slots=True)
class MarkSafe:
    """Set the mark of what a standby or a proven backup holds besides central; it may be lower than before."""

    incarnation: Incarnation
    seq: int


@dataclass(frozen=True, slots=True)
class HeardTime:
    """Central's time when it answered a greeting, µs UTC, and the link seconds since it was said."""

    wall: Instant
    rtt_s: float


@dataclass(frozen=True, slots=True)
class MarkAcked:
    """Set the ledger's mark: central has committed up to `seq` (it may be lower than before)."""

    incarnation: Incarnation
    seq: int


@dataclass(frozen=True, slots=True)
class PostFacts:
    """Post facts up to a version to the projections, and keep the version, in one transaction."""

    upto: int
    facts_sum: bytes
    entries: tuple[tuple[DeviceId, bytes], ...]


@dataclass(frozen=True, slots=True)
class TakeFeed:
    """Put a version of a scope of the feed into the store, whole or not at all; call `fed` with whether it was."""

    applied: Applied


@dataclass(frozen=True, slots=True)
class Behind:
    """For people: the facts held are older than central's (`rebuilding`), or are complete again."""

    rebuilding: bool


@dataclass(frozen=True, slots=True)
class StateChanged:
    """For the status: the new state, and the reason when it is REFUSED."""

    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class MoveOn:
    """No WELCOME came in time: try the next broker of the list."""


Reading = WantEntries | WantMissing | WantHash | WantPlaces
Writing = Adopt | MarkAcked | MarkSafe | PostFacts
ForLedger = Reading | Writing | TakeFeed
Action = Transmit | ForLedger | Behind | HeardTime | StateChanged | MoveOn


class SyncLedger(Protocol):
    """What the session asks of the edge's ledger."""

    def entries_raw(self, from_seq: int, limit: int, max_bytes: int, incarnation: Incarnation) -> list[bytes]:
        """Return a chain's canonical entry bytes from a seq on, within both limits; at least one where one is whole."""
        ...

    def missing(self, seq: int, incarnation: Incarnation) -> Trimmed | Spoilt | None:
        """Return why the entry at a seq cannot be sent, None when it never was."""
        ...

    def hash_at(self, seq: int, incarnation: Incarnation) -> Digest | None:
        """Return a chain's hash at a seq, None where the entry is not kept."""
        ...

    def set_acked(self, seq: int, incarnation: Incarnation) -> None:
        """Keep a chain's mark."""
        ...

    def set_safe(self, seq: int, incarnation: Incarnation) -> None:
        """Keep how far a chain is safe elsewhere; it may fall."""
        ...

    def places(self, most: int) -> list[Head]:
        """Return places of the ledger's way from its end backwards, in doubling steps."""
        ...

    def adopt(self, incarnation: Incarnation, behind: Head | None, without: int | None = None) -> tuple[Leg, ...]:
        """Begin a new chain behind a place, write what came after it again in it, and return the new way.

        `without` is the parent's entry, right behind the place, that is left out.
        """
        ...

    def post_facts(self, upto: int, facts_sum: bytes, entries: Sequence[tuple[DeviceId, bytes]]) -> None:
        """Post facts to the projections, each event once, and keep the version with its sum."""
        ...
