"""One message of a device, taken in inside a transaction: what is written, and what to say after COMMIT.

The decisions are in `protocols.sync.reception`; here they meet the store. The rule that must not be broken: an answer
is returned, never sent; whoever holds the transaction sends it after COMMIT.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.clock import Clock, new_token
from central.services.device_keys import DeviceKeys, greeting_in
from central.services.feed.answers import FeedAnswers, offers
from central.services.gaps import close_gap, keep_spoilt
from central.services.telling import agrees, tell_lost
from central.store.chains import (
    base_of,
    bear,
    chains_held,
    hash_at,
    keep_device,
    move_head,
    note_frame,
    place_of,
    registered,
)
from central.store.ledger import Chain, take_in
from central.store.losses import open_loss
from central.store.postings import Owed
from central.store.safety import safe_at
from central.store.ward_facts import Version, facts_behind, newest, sum_at
from protocols.entry import Digest
from protocols.errors import PeerBroke
from protocols.sync.codec import Envelope, Signing, pack_entries, seal, unseal
from protocols.sync.dictionary import DICTIONARY_NOW
from protocols.sync.facts import pack_fact
from protocols.sync.frames import (
    FACTS_MAX,
    FRAME_RAW_BYTES_MAX,
    NOTHING,
    Damaged,
    Facts,
    Fetch,
    Fork,
    Frame,
    Gap,
    Hello,
    Message,
    Nack,
    Pull,
    Refused,
    Welcome,
    Why,
)
from protocols.sync.reception import (
    STALE_NACK_EVERY_S,
    Greeted,
    Held,
    Registered,
    acknowledge,
    down,
    grant,
    greet,
    is_stale,
    take,
)
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, HospitalId, Incarnation, PlaceId

SAFE_ASKED_EVERY_S = 30.0
"""A backup that was proved, or thrown away, is heard of in acknowledgements within so many seconds."""
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

    def __init__(
        self,
        signing: Signing,
        clock: Clock,
        draw_token: Callable[[], bytes] = new_token,
        keys: DeviceKeys | None = None,
        busy_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._signing, self._clock, self._draw_token, self._keys = signing, clock, draw_token, keys
        self._busy_ms = busy_ms
        self._nacked_at: dict[DeviceId, float] = {}
        self._feed = FeedAnswers()
        self._safe: dict[tuple[HospitalId, Incarnation], tuple[float, int]] = {}

    def receive(self, connection: Connection, arrived: Arrived, owed: Owed | None = None) -> Outcome:
        """Take one message in; what it owes to balances is added to `owed`, or paid at once without it.

        Raises `PeerBroke` for bytes that are no message to central from that topic.
        """
        signing = self._signing if self._keys is None else self._keys.signing(connection, self._signing)
        try:
            envelope, message = unseal(arrived.data, signing)
        except PeerBroke as fault:
            return self._unproven(connection, arrived, fault)
        if envelope.device != arrived.topics.device:
            raise PeerBroke(f"envelope: expected device {arrived.topics.device} as in the topic, got {envelope.device}")
        match message:
            case Hello():
                return self._hello(connection, arrived.topics, envelope, message)
            case Fork():
                return self._fork(connection, arrived.topics, envelope, message)
            case Frame():
                return self._frame(connection, arrived.topics, envelope, message, owed)
            case Pull():
                return self._pull(connection, arrived.topics, envelope, message)
            case Fetch():
                return self._fetch(connection, arrived.topics, envelope, message)
            case Gap():
                return self._gap(connection, arrived.topics, envelope, message)
            case Damaged():
                return self._damaged(connection, arrived.topics, envelope, message)
            case _:
                raise PeerBroke(f"sync: expected a message from a device, got {type(message).__name__}")

    def _hello(self, connection: Connection, topics: Topics, envelope: Envelope, hello: Hello) -> Outcome:
        now, whose = self._clock.now(), (topics.hospital, topics.device)
        stored = registered(connection, *whose)
        held = chains_held(connection, topics.hospital, [branch.incarnation for branch in hello.chains])
        known = _known(connection, topics.hospital, held, hello)
        greeted = greet(
            stored,
            held,
            known,
            envelope,
            hello,
            token=self._draw_token(),
            now=now,
            has_chains=stored is not None and stored.incarnation is not None,
        )
        if stored is None or greeted.keep is None or isinstance(greeted.reply, Refused):
            assert isinstance(greeted.reply, Refused)
            return Outcome(self._seal(greeted.envelope, greeted.reply), f"{topics.device}: {greeted.reply.reason}")
        bear(connection, topics.hospital, greeted.born, now)
        for lost in greeted.lost:
            open_loss(connection, *whose, lost, now)
        said_seq = hello.chains[-1].seq
        seen = {"last_hello_at": now, "last_seen_at": now, "agent_version": hello.agent_version, "said_seq": said_seq}
        keep_device(connection, topics.hospital, greeted.keep, seen)
        place = place_of(connection, *whose)
        if place and agrees(hello, greeted.reply):
            tell_lost(connection, *whose, place, hello, now)
        last = newest(connection, topics.hospital, place)
        held_sum = sum_at(connection, topics.hospital, place, hello.facts)
        pull_from = hello.facts if held_sum == hello.facts_sum else 0
        feeds = offers(connection, *whose, place)
        safe = safe_at(connection, topics.hospital, (head.incarnation for head in greeted.reply))
        marks = tuple(min(safe[head.incarnation], head.seq) for head in greeted.reply)
        welcome = Welcome(hello.number, greeted.reply, last.number, pull_from, now, feeds, marks, DICTIONARY_NOW)
        return Outcome(self._seal(greeted.envelope, welcome), _said(topics.device, stored, greeted))

    def _fork(self, connection: Connection, topics: Topics, envelope: Envelope, fork: Fork) -> Outcome:
        stored = registered(connection, topics.hospital, topics.device)
        if stored is None or is_stale(stored, envelope):
            return self._stale(envelope, 0)
        held = chains_held(connection, topics.hospital, [place.incarnation for place in fork.places])
        known: dict[tuple[Incarnation, int], Digest] = {}
        for place in fork.places:
            chain = Incarnation(place.incarnation)
            digest = hash_at(connection, topics.hospital, chain, place.seq) if chain in held else None
            if digest is not None and held[chain].device == topics.device:
                known[chain, place.seq] = digest
        granted = grant(topics.device, envelope, fork, known)
        behind = "nothing" if granted.behind is None else f"entry {granted.behind.seq}"
        note = f"{topics.device}: its ledger is another than central's behind {behind}; it goes on in a new chain"
        return Outcome(self._seal(down(stored, envelope.incarnation), granted), note)

    def _frame(
        self, connection: Connection, topics: Topics, envelope: Envelope, frame: Frame, owed: Owed | None
    ) -> Outcome:
        whose = (topics.hospital, topics.device)
        stored = registered(connection, *whose)
        if stored is None or is_stale(stored, envelope):
            return self._stale(envelope, frame.from_seq)
        held = chains_held(connection, topics.hospital, (envelope.incarnation,)).get(envelope.incarnation)
        head = None if held is None or held.device != topics.device else base_of(connection, topics.hospital, held)
        if head is None:
            return self._stale(envelope, frame.from_seq)
        answer_in = down(stored, envelope.incarnation)
        if busy_ms := self._busy_ms():
            return Outcome(self._seal(answer_in, Nack(Why.BUSY, frame.from_seq, head.seq + 1, busy_ms, "")))
        verdict = take(head, topics.device, frame)
        if isinstance(verdict, Nack):
            return Outcome(self._seal(answer_in, verdict))
        now = self._clock.now()
        chain = Chain(topics.hospital, topics.device, envelope.incarnation, place_of(connection, *whose))
        taken = take_in(connection, chain, verdict.links, now, owed)
        if verdict.links:
            move_head(connection, topics.hospital, topics.device, verdict.head, now)
        if envelope.incarnation == stored.incarnation:
            note_frame(connection, *whose, now, verdict.head.seq)
        safe = self._safe_until(connection, topics.hospital, envelope.incarnation)
        reply = self._seal(answer_in, acknowledge(verdict.head, taken.quarantined, safe))
        note = _note(topics.device, taken.quarantined)
        return Outcome(reply, note, len(verdict.links), taken.places)

    def _safe_until(self, connection: Connection, hospital: HospitalId, chain: Incarnation) -> int:
        """Return how far a chain is safe elsewhere, as it was asked some seconds ago at most."""
        now, key = self._clock.link_s(), (hospital, chain)
        asked_at, known = self._safe.get(key, (-math.inf, NOTHING))
        if now - asked_at >= SAFE_ASKED_EVERY_S:
            if len(self._safe) >= STALE_DEVICES_MAX:
                self._safe.clear()
            known = safe_at(connection, hospital, (chain,))[chain]
            self._safe[key] = (now, known)
        return known

    def _gap(self, connection: Connection, topics: Topics, envelope: Envelope, gap: Gap) -> Outcome:
        whose, chain = (topics.hospital, topics.device), envelope.incarnation
        stored = registered(connection, *whose)
        held = chains_held(connection, topics.hospital, (chain,)).get(chain)
        if stored is None or is_stale(stored, envelope) or held is None or held.device != topics.device:
            return self._stale(envelope, gap.first_seq)
        answer_in, head = down(stored, chain), held.head
        if gap.first_seq > head.seq + 1:
            return Outcome(self._seal(answer_in, Nack(Why.GAP, gap.first_seq, head.seq + 1, 0, "")))
        if gap.last_seq <= head.seq:
            return Outcome(self._seal(answer_in, acknowledge(head, ())))
        tip = stored.incarnation or chain
        closed = close_gap(connection, *whose, place_of(connection, *whose), chain, gap, self._clock, tip=tip)
        note = f"{topics.device}: entries {gap.first_seq}..{gap.last_seq} are on no disk any more; their sum is posted"
        return Outcome(None if closed is None else self._seal(answer_in, acknowledge(closed, ())), note)

    def _damaged(self, connection: Connection, topics: Topics, envelope: Envelope, damaged: Damaged) -> Outcome:
        stored = registered(connection, topics.hospital, topics.device)
        held = chains_held(connection, topics.hospital, (envelope.incarnation,)).get(envelope.incarnation)
        if stored is None or is_stale(stored, envelope) or held is None or held.device != topics.device:
            return self._stale(envelope, damaged.seq)
        if held.head.seq + 1 != damaged.seq:
            return self._stale(envelope, damaged.seq)
        keep_spoilt(connection, topics.hospital, topics.device, envelope.incarnation, damaged, self._clock)
        places = () if damaged.behind is None else (damaged.behind,)
        return self._fork(connection, topics, envelope, Fork(damaged.number, places))

    def _pull(self, connection: Connection, topics: Topics, envelope: Envelope, pull: Pull) -> Outcome:
        stored = registered(connection, topics.hospital, topics.device)
        if stored is None or is_stale(stored, envelope):
            return self._stale(envelope, 0)
        place = place_of(connection, topics.hospital, topics.device)
        last = newest(connection, topics.hospital, place)
        if pull.version > last.number:
            return self._stale(envelope, 0)
        found = facts_behind(connection, topics.hospital, place, pull.version, FACTS_MAX)
        facts = _facts(pull.version, last, found)
        return Outcome(self._seal(down(stored, envelope.incarnation), facts))

    def _fetch(self, connection: Connection, topics: Topics, envelope: Envelope, fetch: Fetch) -> Outcome:
        whose = (topics.hospital, topics.device)
        stored = registered(connection, *whose)
        if stored is None or is_stale(stored, envelope):
            return self._stale(envelope, 0)
        said = self._feed.answer(connection, *whose, place_of(connection, *whose), fetch, self._clock.now())
        return Outcome() if said is None else Outcome(self._seal(down(stored, envelope.incarnation), said))

    def _unproven(self, connection: Connection, arrived: Arrived, fault: PeerBroke) -> Outcome:
        """Tell a device whose greeting is not proven why, so that a person can act; what else it says is dropped."""
        greeting = None if self._keys is None else greeting_in(arrived.data)
        if self._keys is None or greeting is None or greeting.envelope.device != arrived.topics.device:
            raise fault
        if self._was_told(arrived.topics.device):
            return Outcome()
        reason = self._keys.why_not(connection, arrived.topics.device, greeting.offered)
        answer_in = self._signing if greeting.offered else Signing(unsigned=True)
        refusal = seal(greeting.envelope, Refused(greeting.hello.number, reason), answer_in)
        return Outcome(refusal, f"{arrived.topics.device}: {reason}")

    def _stale(self, envelope: Envelope, from_seq: int) -> Outcome:
        if self._was_told(envelope.device):
            return Outcome()
        return Outcome(self._seal(envelope, Nack(Why.SESSION, from_seq, 0, 0, "say HELLO")))

    def _was_told(self, device: DeviceId) -> bool:
        """Tell whether a device was told within the second that it is not heard, else note that it is told now."""
        now = self._clock.link_s()
        if now - self._nacked_at.get(device, -math.inf) < STALE_NACK_EVERY_S:
            return True
        if len(self._nacked_at) >= STALE_DEVICES_MAX:
            self._nacked_at.clear()
        self._nacked_at[device] = now
        return False

    def _seal(self, envelope: Envelope, message: Message) -> bytes:
        return seal(envelope, message, self._signing)


def _note(device: DeviceId, quarantined: Sequence[int]) -> str:
    if not quarantined:
        return ""
    return f"{device}: {len(quarantined)} entries cannot be posted, entry {quarantined[0]} first; kept in quarantine"


def _known(
    connection: Connection, hospital: HospitalId, held: Mapping[Incarnation, Held], hello: Hello
) -> dict[Incarnation, Digest]:
    """Return central's hash at the place offered of every chain that goes on beyond it here."""
    known = {}
    for branch in hello.chains:
        chain = Incarnation(branch.incarnation)
        if chain in held and held[chain].head.seq > branch.seq:
            digest = hash_at(connection, hospital, chain, branch.seq)
            if digest is not None:
                known[chain] = digest
    return known


def _said(device: DeviceId, stored: Registered, greeted: Greeted) -> str:
    """Return what a greeting has to say to whoever reads the log."""
    if greeted.keep is not None and greeted.keep.reason != stored.reason:
        return f"{device}: {greeted.keep.reason}"
    if greeted.lost:
        lost = greeted.lost[0]
        return f"{device}: central lost entries {lost.first}..{lost.last} that it had; the device sends them again"
    return f"{device}: it came with another ledger than before" if greeted.replaced else ""


def _facts(version: int, last: Version, found: Sequence[tuple[int, bytes, DeviceId, bytes]]) -> Facts:
    """Return as many of these facts as one message holds; that there are none is an answer too."""
    packed: list[bytes] = []
    size = 0
    for _, _, device, raw in found:
        size += len(raw)
        if packed and size > FRAME_RAW_BYTES_MAX:
            break
        packed.append(pack_fact(device, raw))
    upto, total = found[len(packed) - 1][:2] if found else (last.number, last.sum)
    return Facts(version, upto, last.number, total, len(packed), pack_entries(packed) if packed else b"")
