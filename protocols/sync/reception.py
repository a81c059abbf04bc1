"""Central's end of the sync: what to answer to a HELLO or a FRAME, given what is stored. No I/O, no clock, no chance.

One device has one chain, so a device stands in one of three ways:

    ENROLLED -> LIVE          its first HELLO fixed the incarnation
                 |
                 v
              DISPUTED        another incarnation, or this one with another past, was offered and refused; what
                              continues the chain that central holds goes on, a person decides

Rules that could not be put into the table: the token is renewed only for a new boot nonce; the generation rises when
central finds that it holds less than it once acknowledged, so that no late ACK of before is believed; a frame is taken
whole or not at all, judged by hashes over opaque bytes; a stale frame gets a NACK at most once a second (the caller
counts); an ACK is said only after COMMIT (the caller's part).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from protocols.entry import GENESIS, Digest, chain_hash, content_hash
from protocols.errors import BadValue, PeerBroke, WeBroke
from protocols.sync.codec import Envelope, unpack_entries
from protocols.sync.frames import NOTHING, Ack, Frame, Head, Hello, Nack, Refused, Welcome, Why
from protocols.values.ids import DeviceId, Incarnation

STALE_NACK_EVERY_S = 1.0
"""A device whose frames are stale hears of it at most this often."""
GENERATIONS_AHEAD_MAX = 1_000
"""How far a device's generation may be ahead of central's: a restored central forgot at most so many losses."""
SAFE_NOWHERE = NOTHING
"""`safe_seq` as long as neither a standby nor a proven backup holds a copy."""


class Standing(StrEnum):
    """How a device stands with central."""

    ENROLLED = "enrolled"
    LIVE = "live"
    DISPUTED = "disputed"


class Offer(StrEnum):
    """What a HELLO offers."""

    OWN = "own"
    OTHER = "other"
    DIVERGED = "diverged"


STANDINGS: dict[tuple[Standing, Offer], Standing] = {
    (Standing.ENROLLED, Offer.OWN): Standing.LIVE,
    (Standing.LIVE, Offer.OWN): Standing.LIVE,
    (Standing.LIVE, Offer.OTHER): Standing.DISPUTED,
    (Standing.LIVE, Offer.DIVERGED): Standing.DISPUTED,
    (Standing.DISPUTED, Offer.OWN): Standing.DISPUTED,
    (Standing.DISPUTED, Offer.OTHER): Standing.DISPUTED,
    (Standing.DISPUTED, Offer.DIVERGED): Standing.DISPUTED,
}


def stand(standing: Standing, offer: Offer) -> Standing:
    """Look the next standing up. Raises `WeBroke` naming the pair when the table has none."""
    after = STANDINGS.get((standing, offer))
    if after is None:
        raise WeBroke(f"sync: offer {offer} cannot come to a device that is {standing}")
    return after


@dataclass(frozen=True, slots=True)
class Registered:
    """What central keeps of a device between messages. `incarnation` is None before the first HELLO."""

    device: DeviceId
    standing: Standing = Standing.ENROLLED
    incarnation: Incarnation | None = None
    boot_nonce: bytes = b""
    token: bytes = b""
    generation: int = 1
    reason: str = ""

    def __post_init__(self) -> None:
        if self.generation < 1 or (self.incarnation is None) != (self.standing is Standing.ENROLLED):
            raise BadValue(
                f"device {self.device}: expected a generation and one incarnation unless enrolled, got {self}"
            )


@dataclass(frozen=True, slots=True)
class Greeted:
    """The answer to a HELLO, what to keep of the device, and the envelope to answer in."""

    reply: Welcome | Refused
    keep: Registered | None
    envelope: Envelope


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
    held: Mapping[Incarnation, tuple[DeviceId, Head]],
    envelope: Envelope,
    hello: Hello,
    token: bytes,
    known: Digest | None = None,
) -> Greeted:
    """Answer a HELLO.

    `held` has every offered chain that central holds, with its device; `token` is 16 fresh bytes; `known` is the hash
    that central holds at the seq where the spoken chain is said to end, None where it holds none.
    """
    reason = _why_not(stored, held, envelope, hello)
    if stored is None or reason:
        keep = stored
        if stored is not None and stored.incarnation not in {None, envelope.incarnation}:
            keep = dispute(stored, Offer.OTHER, reason)
        return Greeted(Refused(hello.number, reason), keep, envelope)
    reason = _another_past(stored, held, envelope, hello, known)
    if reason:
        return Greeted(Refused(hello.number, reason), dispute(stored, Offer.DIVERGED, reason), envelope)
    mine = held[envelope.incarnation][1] if envelope.incarnation in held else Head(envelope.incarnation, NOTHING)
    keep = replace(stored, standing=stand(stored.standing, Offer.OWN), incarnation=envelope.incarnation)
    if envelope.boot_nonce != stored.boot_nonce:
        keep = replace(keep, boot_nonce=envelope.boot_nonce, token=token)
    if mine.seq < hello.acked:
        lost = (
            f"central lost entries {mine.seq + 1}..{hello.acked} that it had acknowledged; the device sends them again"
        )
        keep = replace(keep, generation=max(stored.generation, envelope.generation) + 1, reason=lost)
    heads = tuple(
        held[Incarnation(h.incarnation)][1] if h.incarnation in held else Head(h.incarnation, NOTHING)
        for h in hello.heads
    )
    return Greeted(Welcome(hello.number, heads), keep, down(keep))


def _why_not(
    stored: Registered | None, held: Mapping[Incarnation, tuple[DeviceId, Head]], envelope: Envelope, hello: Hello
) -> str:
    if stored is None:
        return f"central does not know device {envelope.device}: expected one that places.csv names; import it there"
    if envelope.generation > stored.generation + GENERATIONS_AHEAD_MAX:
        return f"expected a generation near {stored.generation}, got {envelope.generation}; restart the agent"
    if envelope.incarnation not in {head.incarnation for head in hello.heads}:
        return "the HELLO does not offer the chain it speaks for; update the agent"
    if stored.incarnation not in {None, envelope.incarnation}:
        return (
            f"device {stored.device} already has the ledger {stored.incarnation.hex()[:8]}, this disk offers "
            f"{envelope.incarnation.hex()[:8]}: expected one ledger a device; put the first disk back"
        )
    owner = held[envelope.incarnation][0] if envelope.incarnation in held else stored.device
    if owner != stored.device:
        return f"ledger {envelope.incarnation.hex()[:8]} is of device {owner}, not {stored.device}: put each disk back"
    return ""


def _another_past(
    stored: Registered,
    held: Mapping[Incarnation, tuple[DeviceId, Head]],
    envelope: Envelope,
    hello: Hello,
    known: Digest | None,
) -> str:
    """Tell how the offered chain is not the one central holds: put back from a copy, or continued by another disk.

    A HELLO of the running session may be older than the frames that came since; a new boot's may not.
    """
    if stored.incarnation is None or envelope.incarnation not in held:
        return ""
    mine = held[envelope.incarnation][1]
    offered = next(head for head in hello.heads if head.incarnation == envelope.incarnation)
    if offered.seq <= mine.seq and known is not None and known != offered.hash:
        return (
            f"entry {offered.seq} of this disk is not the one central holds: two disks continued one ledger; keep both"
        )
    if offered.seq < mine.seq and envelope.boot_nonce != stored.boot_nonce:
        return (
            f"this disk's ledger ends at entry {offered.seq}, central holds {mine.seq}: "
            "it was put back from an older copy, or copied; keep the disk and ask who did it"
        )
    return ""


def dispute(stored: Registered, offer: Offer, reason: str) -> Registered:
    """Return what is kept of a device whose ledger is in doubt; its own session goes on."""
    return replace(stored, standing=stand(stored.standing, offer), reason=reason)


def down(kept: Registered) -> Envelope:
    """Return the envelope of messages to a device's live session."""
    if kept.incarnation is None:
        raise WeBroke(f"sync: device {kept.device} has not greeted, nothing can be said to it")
    return Envelope(kept.device, kept.incarnation, kept.boot_nonce, kept.token, kept.generation)


def is_stale(stored: Registered | None, envelope: Envelope) -> bool:
    """Tell whether a frame's envelope is not of the device's live session."""
    return stored is None or stored.incarnation is None or down(stored) != envelope


def take(head: Head, device: DeviceId, frame: Frame) -> Taken | Nack:
    """Judge a frame of a live session against the chain's committed head."""
    need = head.seq + 1
    if frame.from_seq > need:
        return Nack(Why.GAP, frame.from_seq, need, 0, "")
    if frame.from_seq + frame.n <= need:
        return Taken((), head)
    if frame.from_seq == need and frame.prev_hash != head.hash:
        return Nack(Why.FORK, frame.from_seq, need, 0, f"expected a frame behind this chain's entry {head.seq}")
    try:
        raws = unpack_entries(frame.entries)
    except PeerBroke as error:
        return Nack(Why.CHAIN, frame.from_seq, need, 0, str(error)[:200])
    links = _links(device, Incarnation(head.incarnation), frame, raws)
    if len(raws) != frame.n or links[-1].hash != frame.last_hash:
        return Nack(Why.CHAIN, frame.from_seq, need, 0, "expected entries whose chain ends in the frame's last hash")
    fresh = links[need - frame.from_seq :]
    if fresh[0].prev_hash != head.hash:
        return Nack(Why.FORK, frame.from_seq, need, 0, f"expected this chain's entry {head.seq} inside the frame")
    return Taken(fresh, Head(head.incarnation, links[-1].seq, links[-1].hash))


def _links(device: DeviceId, incarnation: Incarnation, frame: Frame, raws: Sequence[bytes]) -> tuple[Link, ...]:
    links = []
    prev = Digest(frame.prev_hash)
    for seq, raw in enumerate(raws, start=frame.from_seq):
        content = content_hash(device, raw)
        links.append(Link(seq, raw, content, prev, chain_hash(incarnation, seq, prev, content)))
        prev = links[-1].hash
    return tuple(links)


def acknowledge(head: Head, quarantined: Sequence[int]) -> Ack:
    """Return the ACK of a committed head."""
    return Ack(head.seq, head.hash, SAFE_NOWHERE, tuple(quarantined))


def new_head(incarnation: Incarnation) -> Head:
    """Return the head of a chain without entries."""
    return Head(incarnation, NOTHING, GENESIS)
