"""The states of the edge's end of the sync, and what it asks of the world. The table is read like a page of a standard.

    OFFLINE -> GREETING -> CHECKING -> LIVE         CHECKING asks the own ledger for the hash central named
                  ^            |         |
                  |            v         v
                  +-------- REFUSED <----+          a reason is shown; HELLO goes on, slowly

DISCONNECTED leads from everywhere to OFFLINE. The rules that could not be put into the table stand above `EdgeSession`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from protocols.entry import GENESIS, Digest
from protocols.errors import BadValue, WeBroke
from protocols.sync.frames import NOTHING
from protocols.values.ids import DeviceId, Incarnation

LINK_SECONDS_MIN = 0.001
LINK_SECONDS_MAX = 86_400


class State(StrEnum):
    """Where the edge's end stands."""

    OFFLINE = "offline"
    GREETING = "greeting"
    CHECKING = "checking"
    LIVE = "live"
    REFUSED = "refused"


class Happening(StrEnum):
    """What may move it."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    WELCOMED = "welcomed"
    PROVEN = "proven"
    DIVERGED = "diverged"
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
    (_S.CHECKING, _H.DIVERGED): _S.REFUSED,
    (_S.CHECKING, _H.SESSION_LOST): _S.GREETING,
    (_S.LIVE, _H.DISCONNECTED): _S.OFFLINE,
    (_S.LIVE, _H.WELCOMED): _S.CHECKING,
    (_S.LIVE, _H.TURNED_AWAY): _S.REFUSED,
    (_S.LIVE, _H.DIVERGED): _S.REFUSED,
    (_S.LIVE, _H.SESSION_LOST): _S.GREETING,
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
    incarnation: Incarnation
    boot_nonce: bytes
    agent_version: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What the ledger says at the start: its head, and the mark of what central acknowledged."""

    head_seq: int = NOTHING
    head_hash: Digest = GENESIS
    acked: int = NOTHING


@dataclass(frozen=True, slots=True)
class Transmit:
    """Publish these bytes on the device's `up` topic."""

    data: bytes


@dataclass(frozen=True, slots=True)
class WantEntries:
    """Read at most `n` entries and `max_bytes` of raw bytes (but at least one entry) and call `supply`."""

    from_seq: int
    n: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class WantHash:
    """Look the own ledger's hash at `seq` up and call `known` with it, or with None where it is not kept."""

    seq: int


@dataclass(frozen=True, slots=True)
class MarkAcked:
    """Set the ledger's mark: central has committed up to `seq` (it may be lower than before)."""

    seq: int


@dataclass(frozen=True, slots=True)
class StateChanged:
    """For the status: the new state, and the reason when it is REFUSED."""

    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class MoveOn:
    """No WELCOME came in time: try the next broker of the list."""


Action = Transmit | WantEntries | WantHash | MarkAcked | StateChanged | MoveOn


class SyncLedger(Protocol):
    """What the session asks of the edge's ledger."""

    def entries_raw(self, from_seq: int, limit: int, max_bytes: int) -> list[bytes]:
        """Return canonical entry bytes from a seq on: at least one where there is one, within both limits."""
        ...

    def hash_at(self, seq: int) -> Digest | None:
        """Return the chain's hash at a seq, None where the entry is not kept."""
        ...

    def set_acked(self, seq: int) -> None:
        """Keep the mark."""
        ...
