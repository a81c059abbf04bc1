"""One message of a device, taken in inside a transaction: what is written, and what to say after COMMIT.

The decisions are in `protocols.sync.reception`; here they meet the store. The rule that must not be broken: an answer
is returned, never sent; whoever holds the transaction sends it after COMMIT.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.clock import Clock, new_token
from central.store.chains import (
    hash_at,
    head_of,
    heads,
    keep_device,
    move_head,
    note_frame,
    place_of,
    registered,
)
from central.store.ledger import Chain, take_in
from protocols.errors import PeerBroke
from protocols.sync.codec import Envelope, Signing, seal, unseal
from protocols.sync.frames import Frame, Hello, Message, Nack, Welcome, Why
from protocols.sync.reception import STALE_NACK_EVERY_S, Offer, acknowledge, dispute, down, greet, is_stale, take
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, PlaceId

STALE_DEVICES_MAX = 10_000
"""Devices whose last NACK is remembered; beyond it all are forgotten, which costs one NACK each."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message from the broker: whose topic, its bytes, and how to answer on the `down` topic."""

    topics: Topics
    data: bytes
    answer: Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one message came to. `reply` is said after COMMIT; `note` is for the log, `entries` for the count."""

    reply: bytes | None = None
    note: str = ""
    entries: int = 0
    places: frozenset[PlaceId] = frozenset()


class Reception:
    """Takes messages in, one at a time. Used by one thread only."""

    def __init__(self, signing: Signing, clock: Clock, draw_token: Callable[[], bytes] = new_token) -> None:
        self._signing, self._clock, self._draw_token = signing, clock, draw_token
        self._nacked_at: dict[DeviceId, float] = {}

    def receive(self, connection: Connection, arrived: Arrived) -> Outcome:
        """Take one message in. Raises `PeerBroke` for bytes that are no message to central from that topic."""
        envelope, message = unseal(arrived.data, self._signing)
        if envelope.device != arrived.topics.device:
            raise PeerBroke(f"envelope: expected device {arrived.topics.device} as in the topic, got {envelope.device}")
        match message:
            case Hello():
                return self._hello(connection, arrived.topics, envelope, message)
            case Frame():
                return self._frame(connection, arrived.topics, envelope, message)
            case _:
                raise PeerBroke(f"sync: expected HELLO or FRAME from a device, got {type(message).__name__}")

    def _hello(self, connection: Connection, topics: Topics, envelope: Envelope, hello: Hello) -> Outcome:
        now = self._clock.now()
        stored = registered(connection, topics.hospital, topics.device)
        offered = {head.incarnation for head in hello.heads} | {envelope.incarnation}
        said = max((head.seq for head in hello.heads if head.incarnation == envelope.incarnation), default=-1)
        held = heads(connection, topics.hospital, offered)
        known = hash_at(connection, topics.hospital, envelope.incarnation, said)
        greeted = greet(stored, held, envelope, hello, self._draw_token(), known)
        reply = self._seal(greeted.envelope, greeted.reply)
        if greeted.keep is None:
            return Outcome(reply, f"{topics.device}: a device that is not enrolled says HELLO")
        if not isinstance(greeted.reply, Welcome):
            keep_device(connection, topics.hospital, greeted.keep)
            return Outcome(reply, f"{topics.device}: {greeted.reply.reason}")
        seen = {"last_hello_at": now, "last_seen_at": now, "agent_version": hello.agent_version, "said_seq": said}
        keep_device(connection, topics.hospital, greeted.keep, seen)
        changed = stored is not None and greeted.keep.reason != stored.reason
        return Outcome(reply, f"{topics.device}: {greeted.keep.reason}" if changed else "")

    def _frame(self, connection: Connection, topics: Topics, envelope: Envelope, frame: Frame) -> Outcome:
        stored = registered(connection, topics.hospital, topics.device)
        if stored is None or is_stale(stored, envelope):
            return self._stale(envelope, frame)
        head = head_of(connection, topics.hospital, envelope.incarnation)
        verdict = take(head, topics.device, frame)
        if isinstance(verdict, Nack):
            if verdict.reason is not Why.FORK:
                return Outcome(self._seal(down(stored), verdict))
            reason = f"{verdict.detail}, another came: two disks continued one ledger; keep both"
            keep_device(connection, topics.hospital, dispute(stored, Offer.DIVERGED, reason))
            return Outcome(self._seal(down(stored), verdict), f"{topics.device}: {reason}")
        whose = (topics.hospital, topics.device)
        now = self._clock.now()
        chain = Chain(topics.hospital, topics.device, envelope.incarnation, place_of(connection, *whose))
        taken = take_in(connection, chain, verdict.links, now)
        if verdict.links:
            move_head(connection, topics.hospital, topics.device, verdict.head, now)
        note_frame(connection, topics.hospital, topics.device, now, verdict.head.seq)
        reply = self._seal(down(stored), acknowledge(verdict.head, taken.quarantined))
        note = _note(topics.device, taken.quarantined)
        return Outcome(reply, note, len(verdict.links), taken.places)

    def _stale(self, envelope: Envelope, frame: Frame) -> Outcome:
        now = self._clock.link_s()
        if now - self._nacked_at.get(envelope.device, -math.inf) < STALE_NACK_EVERY_S:
            return Outcome()
        if len(self._nacked_at) >= STALE_DEVICES_MAX:
            self._nacked_at.clear()
        self._nacked_at[envelope.device] = now
        return Outcome(self._seal(envelope, Nack(Why.SESSION, frame.from_seq, 0, 0, "say HELLO")))

    def _seal(self, envelope: Envelope, message: Message) -> bytes:
        return seal(envelope, message, self._signing)


def _note(device: DeviceId, quarantined: Sequence[int]) -> str:
    if not quarantined:
        return ""
    return f"{device}: {len(quarantined)} entries cannot be posted, entry {quarantined[0]} first; kept in quarantine"
