"""Central's end of the sync: what to answer to a HELLO, a FORK or a FRAME, given what is stored. No I/O, no clock.

A device's ledger is a tree of chains: a lost disk begins a new root, a copy put back continues behind the last entry
that both ends hold. A device stands in one of three ways:

    ENROLLED -> LIVE <-> DISPUTED     two machines speak in its name by turns: it is a suspected clone; both are heard
                                      and nothing is dropped, until a person has settled which one stays

Rules that could not be put into the table: the token is renewed only for another boot nonce; the generation rises when
central finds that it holds less than it once acknowledged, so that no late ACK of before is believed; the same fork
request gets the same chain; a chain begins only behind an entry that central holds; a frame is taken whole or not at
all, judged by hashes over opaque bytes; a stale frame gets a NACK at most once a second (the caller counts); an ACK is
said only after COMMIT (the caller's part).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from protocols.entry import GENESIS, Digest, chain_hash, content_hash
from protocols.errors import BadValue, PeerBroke, WeBroke
from protocols.sync.codec import Envelope, TooLarge, UnknownForm, unpack_entries
from protocols.sync.frames import (
    FRAME_ENTRIES_MAX,
    HALF_BYTES,
    NO_PARENT,
    NOTHING,
    Ack,
    Fork,
    Frame,
    Head,
    Hello,
    Nack,
    NewInc,
    Refused,
    Why,
)
from protocols.values.ids import DeviceId, Incarnation
from protocols.values.instant import Instant

STALE_NACK_EVERY_S = 1.0
"""A device whose frames are stale hears of it at most this often."""
GENERATIONS_AHEAD_MAX = 1_000
"""How far a device's generation may be ahead of central's: a restored central forgot at most so many losses."""
NONCES_KEPT = 8
"""Boot nonces of before that are remembered: one that comes back is another machine, or a message of long ago."""
SWAPS_MAX = 3
SWAPS_WITHIN_US = 600_000_000
"""More boot nonces of before that come back within ten minutes are no late messages: two machines speak."""
GRANT_TAG = b"wardstock.grant.1"
SAFE_NOWHERE = NOTHING
"""`safe_seq` as long as neither a standby nor a proven backup holds a copy."""


class Standing(StrEnum):
    """How a device stands with central."""

    ENROLLED = "enrolled"
    LIVE = "live"
    DISPUTED = "disputed"


class Offer(StrEnum):
    """What happens to a device's standing."""

    GREETED = "greeted"
    CLONED = "cloned"
    SETTLED = "settled"


STANDINGS: dict[tuple[Standing, Offer], Standing] = {
    (Standing.ENROLLED, Offer.GREETED): Standing.LIVE,
    (Standing.LIVE, Offer.GREETED): Standing.LIVE,
    (Standing.LIVE, Offer.CLONED): Standing.DISPUTED,
    (Standing.LIVE, Offer.SETTLED): Standing.LIVE,
    (Standing.DISPUTED, Offer.GREETED): Standing.DISPUTED,
    (Standing.DISPUTED, Offer.CLONED): Standing.DISPUTED,
    (Standing.DISPUTED, Offer.SETTLED): Standing.LIVE,
}


def stand(standing: Standing, offer: Offer) -> Standing:
    """Look the next standing up. Raises `WeBroke` naming the pair when the table has none."""
    after = STANDINGS.get((standing, offer))
    if after is None:
        raise WeBroke(f"sync: offer {offer} cannot come to a device that is {standing}")
    return after


@dataclass(frozen=True, slots=True)
class Registered:
    """What central keeps of a device between messages. `incarnation` is the chain it writes, None before its HELLO.

    `former` are boot nonces of before, newest first; `swaps` the instants (µs) at which one of them came back.
    """

    device: DeviceId
    standing: Standing = Standing.ENROLLED
    incarnation: Incarnation | None = None
    boot_nonce: bytes = b""
    token: bytes = b""
    generation: int = 1
    reason: str = ""
    former: tuple[bytes, ...] = ()
    swaps: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.generation < 1 or (self.incarnation is None) != (self.standing is Standing.ENROLLED):
            raise BadValue(
                f"device {self.device}: expected a generation and one incarnation unless enrolled, got {self}"
            )


@dataclass(frozen=True, slots=True)
class Held:
    """A chain that central knows: whose it is, how far it goes, where it grew from."""

    device: DeviceId
    head: Head
    parent: Incarnation | None = None
    parent_seq: int = NOTHING


@dataclass(frozen=True, slots=True)
class Lost:
    """Entries `first`..`last` of a chain that one end had and no longer has: for a discrepancy. `who` lost them."""

    who: str
    incarnation: Incarnation
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Greeted:
    """The answer to a HELLO, what to keep of the device and its chains, and the envelope to answer in.

    `born` are chains now known for the first time; `lost` what central no longer holds; `replaced` tells that the
    device came with a ledger that continues none of its chains.
    """

    reply: Refused | tuple[Head, ...]
    keep: Registered | None
    envelope: Envelope
    born: tuple[Held, ...] = ()
    lost: tuple[Lost, ...] = ()
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of a frame in its place, its bytes still opaque."""

    seq: int
    raw: bytes
    content_hash: Digest
    prev_hash: Digest
    hash: Digest


@dataclass(frozen=True, slots=True)
class Taken:
    """The frame continues the chain: commit these (none when all were known), then say the ACK of the new head."""

    links: tuple[Link, ...]
    head: Head


def greet(
    stored: Registered | None,
    held: Mapping[Incarnation, Held],
    known: Mapping[Incarnation, Digest],
    envelope: Envelope,
    hello: Hello,
    *,
    token: bytes,
    now: Instant,
    has_chains: bool,
) -> Greeted:
    """Answer a HELLO with what central holds of every chain offered.

    `held` has every offered chain that central knows; `known` the hash that it holds at the place offered, where it
    does hold one; `token` is 16 fresh bytes; `has_chains` tells whether central holds any chain of this device.
    """
    reason = _why_not(stored, held, envelope, hello)
    if stored is None or reason:
        return Greeted(Refused(hello.number, reason), stored, envelope)
    keep = _session(stored, envelope, token, now)
    keep = replace(keep, standing=stand(keep.standing, Offer.GREETED), incarnation=envelope.incarnation)
    lost = tuple(_lost_here(held, hello))
    if lost:
        keep = replace(keep, generation=max(stored.generation, envelope.generation) + 1)
    born = tuple(
        Held(
            stored.device,
            new_head(Incarnation(branch.incarnation)),
            None if branch.parent == NO_PARENT else Incarnation(branch.parent),
            branch.parent_seq,
        )
        for branch in hello.chains
        if branch.incarnation not in held
    )
    heads = tuple(
        _said_of(Incarnation(branch.incarnation), branch.seq, held, known, envelope.incarnation)
        for branch in hello.chains
    )
    replaced = has_chains and all(branch.incarnation not in held for branch in hello.chains)
    return Greeted(heads, keep, down(keep), born, lost, replaced)


def _said_of(
    incarnation: Incarnation,
    offered: int,
    held: Mapping[Incarnation, Held],
    known: Mapping[Incarnation, Digest],
    spoken: Incarnation,
) -> Head:
    """Return the head of a chain; of one that another continues, no further than the device walks it."""
    if incarnation not in held:
        return new_head(incarnation)
    head = held[incarnation].head
    if incarnation != spoken and head.seq > offered and incarnation in known:
        return Head(incarnation, offered, known[incarnation])
    return head


def _lost_here(held: Mapping[Incarnation, Held], hello: Hello) -> Iterator[Lost]:
    for branch in hello.chains:
        incarnation = Incarnation(branch.incarnation)
        mine = held[incarnation].head.seq if incarnation in held else NOTHING
        if mine < branch.acked:
            yield Lost("central", incarnation, mine + 1, branch.acked)


def _session(stored: Registered, envelope: Envelope, token: bytes, now: Instant) -> Registered:
    """Return the device in the session of this boot nonce; one that comes back too often is a second machine's."""
    nonce = envelope.boot_nonce
    if nonce == stored.boot_nonce:
        return stored
    swaps = tuple(at for at in stored.swaps if abs(now - at) < SWAPS_WITHIN_US)
    if nonce in stored.former:
        swaps = (*swaps, int(now))
    former = tuple(each for each in (stored.boot_nonce, *stored.former) if each and each != nonce)[:NONCES_KEPT]
    kept = replace(stored, boot_nonce=nonce, token=token, former=former, swaps=swaps)
    if len(swaps) <= SWAPS_MAX:
        return kept
    reason = (
        f"two machines speak as {stored.device} by turns: one disk was copied, or two have one name; "
        "both are recorded: switch one off, then settle it"
    )
    return dispute(kept, reason)


def dispute(stored: Registered, reason: str) -> Registered:
    """Return what is kept of a device that two machines seem to be; both are heard."""
    return replace(stored, standing=stand(stored.standing, Offer.CLONED), reason=reason, swaps=())


def settle_dispute(stored: Registered) -> Registered:
    """Return what is kept of a device once a person has switched the other machine off. Raises `WeBroke`."""
    return replace(stored, standing=stand(stored.standing, Offer.SETTLED), reason="", former=(), swaps=())


def _why_not(stored: Registered | None, held: Mapping[Incarnation, Held], envelope: Envelope, hello: Hello) -> str:
    if stored is None:
        return f"central does not know device {envelope.device}: expected one that places.csv names; import it there"
    if envelope.generation > stored.generation + GENERATIONS_AHEAD_MAX:
        return f"expected a generation near {stored.generation}, got {envelope.generation}; restart the agent"
    if hello.chains[-1].incarnation != envelope.incarnation:
        return "the HELLO does not end in the chain it speaks for; update the agent"
    for before, branch in zip((None, *hello.chains), hello.chains, strict=False):
        if before is not None and branch.parent != before.incarnation:
            return "the HELLO's chains do not continue one another; update the agent"
        known = held.get(Incarnation(branch.incarnation))
        if known is not None and known.device != stored.device:
            return (
                f"ledger {branch.incarnation.hex()[:8]} is of device {known.device}, not {stored.device}: "
                "put each disk back"
            )
        if known is not None and (known.parent or NO_PARENT, known.parent_seq) != (branch.parent, branch.parent_seq):
            return f"ledger {branch.incarnation.hex()[:8]} grew from another place before; keep this disk"
    return ""


def grant(device: DeviceId, envelope: Envelope, fork: Fork, known: Mapping[tuple[Incarnation, int], Digest]) -> NewInc:
    """Answer a fork request: a new chain behind the highest place both hold; the same request gets the same chain.

    `known` has central's hash at each of the places, where it holds one.
    """
    state = hashlib.sha256(GRANT_TAG + device.encode() + b"\0" + envelope.boot_nonce)
    for place in fork.places:
        state.update(place.incarnation + place.seq.to_bytes(9, "big", signed=True) + place.hash)
    behind = next((p for p in fork.places if known.get((Incarnation(p.incarnation), p.seq)) == p.hash), None)
    return NewInc(fork.number, state.digest()[:16], behind)


def down(kept: Registered, chain: Incarnation | None = None) -> Envelope:
    """Return the envelope of messages to a device's live session, about one of its chains."""
    if kept.incarnation is None:
        raise WeBroke(f"sync: device {kept.device} has not greeted, nothing can be said to it")
    return Envelope(kept.device, chain or kept.incarnation, kept.boot_nonce, kept.token, kept.generation)


def is_stale(stored: Registered | None, envelope: Envelope) -> bool:
    """Tell whether a message's envelope is not of the device's live session; its chain is looked at apart."""
    if stored is None or stored.incarnation is None:
        return True
    mine = (stored.boot_nonce, stored.token, stored.generation)
    return mine != (envelope.boot_nonce, envelope.token, envelope.generation)


def take(head: Head, device: DeviceId, frame: Frame) -> Taken | Nack:
    """Judge a frame of a live session against the chain's committed head; an empty chain's head has its base."""
    need = head.seq + 1
    if frame.from_seq > need:
        return Nack(Why.GAP, frame.from_seq, need, 0, "")
    if frame.from_seq + frame.n <= need:
        return Taken((), head)
    if frame.from_seq == need and frame.prev_hash != head.hash:
        return Nack(Why.FORK, frame.from_seq, need, 0, f"expected a frame behind this chain's entry {head.seq}")
    if frame.n > FRAME_ENTRIES_MAX:
        return Nack(Why.TOO_LARGE, frame.from_seq, need, 0, f"expected at most {FRAME_ENTRIES_MAX} entries")
    try:
        raws = unpack_entries(frame.entries)
    except PeerBroke as error:
        return Nack(_why(error), frame.from_seq, need, 0, str(error)[:200])
    links = _links(device, Incarnation(head.incarnation), frame, raws)
    if len(raws) != frame.n or links[-1].hash[:HALF_BYTES] != frame.last_half:
        return Nack(Why.CHAIN, frame.from_seq, need, 0, "expected entries whose chain ends in the frame's last hash")
    fresh = links[need - frame.from_seq :]
    if fresh[0].prev_hash != head.hash:
        return Nack(Why.FORK, frame.from_seq, need, 0, f"expected this chain's entry {head.seq} inside the frame")
    return Taken(fresh, Head(head.incarnation, links[-1].seq, links[-1].hash))


def _why(error: PeerBroke) -> Why:
    match error:
        case TooLarge():
            return Why.TOO_LARGE
        case UnknownForm():
            return Why.SCHEMA
        case _:
            return Why.CHAIN


def _links(device: DeviceId, incarnation: Incarnation, frame: Frame, raws: Sequence[bytes]) -> tuple[Link, ...]:
    links = []
    prev = Digest(frame.prev_hash)
    for seq, raw in enumerate(raws, start=frame.from_seq):
        content = content_hash(device, raw)
        links.append(Link(seq, raw, content, prev, chain_hash(incarnation, seq, prev, content)))
        prev = links[-1].hash
    return tuple(links)


def acknowledge(head: Head, quarantined: Sequence[int], safe: int = SAFE_NOWHERE) -> Ack:
    """Return the ACK of a committed head; `safe` is how far the chain stands elsewhere too."""
    return Ack(head.seq, head.hash, min(safe, head.seq), tuple(quarantined))


def new_head(incarnation: Incarnation) -> Head:
    """Return the head of a chain without entries."""
    return Head(incarnation, NOTHING, GENESIS)
