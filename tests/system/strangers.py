"""Two who speak MQTT by hand: an agent of the first version, and somebody who forges what central says.

Neither uses our encoder or session: the old agent's envelopes and payloads are written out as the first version wrote
them, key by key, so that a later encoder cannot make the test agree with itself.
"""

import queue
import threading
import time
from contextlib import suppress
from typing import Any

import msgspec
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from protocols.entry import (
    GENESIS,
    ClockQuality,
    Digest,
    Entry,
    chain,
    chain_hash,
    content_hash,
    encode_body,
    encode_entry,
)
from protocols.sync.codec import unpack_entries
from protocols.sync.frames import Frame
from protocols.values.hlc import hlc
from protocols.values.ids import DeviceId, Incarnation, actor_id, boot_id, incarnation, make_event_id
from protocols.values.instant import from_iso
from tests.system.brokers import HOST, BrokerProcess
from tests.system.edge_process import ITEM, OPENED, Spec
from tests.system.sync_field import LIMIT_S, Row

AGAIN_S = 2.0
TAG = b"wardstock.envelope.1"
AT = from_iso("2026-03-02T16:00:00+08:00")
pack, unpack = msgspec.msgpack.encode, msgspec.msgpack.decode


class Mouth:
    """One MQTT client by hand."""

    def __init__(self, pipe: BrokerProcess, topic: str) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        listening = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self._client.on_subscribe = lambda *_: listening.set()
        self._client.connect(HOST, pipe.port)
        self._client.loop_start()
        assert listening.wait(LIMIT_S)

    def _hear(self, _client: Client, _user: object, message: MQTTMessage) -> None:
        self.heard.put((message.topic, bytes(message.payload)))

    def say(self, topic: str, data: bytes) -> None:
        self._client.publish(topic, data, qos=1).wait_for_publish(LIMIT_S)

    def ask(self, topic: str, data: bytes, word: str) -> tuple[str, list[Any], dict[str, Any]]:
        """Say something again and again until a message of a type comes: its topic, envelope and payload."""
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            self.say(topic, data)
            with suppress(queue.Empty):
                return self.hear(word, AGAIN_S)
        raise AssertionError(f"no {word} came")

    def hear(self, word: str, limit_s: float = LIMIT_S) -> tuple[str, list[Any], Any]:
        """Wait for a message of a type: its topic, the nine fields of its envelope, its payload."""
        while True:
            topic, data = self.heard.get(timeout=limit_s)
            fields = unpack(data[: len(data) - 1 - data[-1]])
            if fields[1] == word:
                return topic, fields, unpack(fields[8])

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def signed(fields: list[Any], key: Ed25519PrivateKey) -> bytes:
    """Return an envelope's bytes: head, signature, and the signature's length in one byte."""
    head = pack(fields)
    signature = key.sign(TAG + head)
    return head + signature + bytes([len(signature)])


class OldAgent:
    """An agent of the first version with a ledger of `count` entries; it greets and sends them in one frame."""

    def __init__(self, spec: Spec, pipe: BrokerProcess, count: int) -> None:
        self.spec = spec
        self._chain = incarnation(b"old agent's own.")
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(spec.key))
        root = f"ws/1/main/{spec.shard}/{spec.device}"
        self._up = f"{root}/up"
        self._mouth = Mouth(pipe, f"{root}/down")
        entries = [_act(spec.device, number) for number in range(count)]
        self._chained = chain(DeviceId(spec.device), self._chain, from_seq=0, prev_hash=GENESIS, entries=entries)

    def rows(self) -> list[Row]:
        return [(c.entry.event_id, c.incarnation, c.seq, c.hash, c.entry.body) for c in self._chained]

    def speak(self) -> tuple[int, bytes]:
        """Greet, send everything, and return what central acknowledged."""
        last = self._chained[-1]
        nonce = bytes(range(16))
        hello = {
            "number": 1,
            "agent_version": "0.1.0",
            "schema_min": 1,
            "schema_max": 1,
            "chains": [[self._chain, last.seq, last.hash, -1]],
            "oldest_seq": 0,
            "facts": 0,
            "facts_sum": b"",
            "feeds": {},
            "wall": int(AT),
            "free_bytes": 1 << 30,
        }
        _, welcome, _ = self._ask("hello", "welcome", nonce, b"", 0, hello)
        raws = [encode_entry(each.entry) for each in self._chained]
        frame = [0, len(raws), bytes(32), last.hash[:16], zstandard.ZstdCompressor().compress(pack(raws))]
        _, _, ack = self._ask("frame", "ack", nonce, welcome[5], welcome[6], frame)
        self._mouth.close()
        return ack["seq"], ack["hash"]

    def _ask(
        self, word: str, answer: str, nonce: bytes, token: bytes, generation: int, payload: object
    ) -> tuple[str, list[Any], dict[str, Any]]:
        fields = [1, word, self.spec.device, self._chain, nonce, token, generation, self.spec.key_id, pack(payload)]
        return self._mouth.ask(self._up, signed(fields, self._key), answer)


def forge_acknowledgement(pipe: BrokerProcess, spec: Spec) -> int:
    """Hear a device's frame and acknowledge it in central's name with another key; return the seq."""
    mouth = Mouth(pipe, f"ws/1/main/{spec.shard}/{spec.device}/up")
    topic, fields, said = mouth.hear("frame")
    frame = msgspec.convert(said, Frame)
    seq = frame.from_seq + frame.n - 1
    last = last_of(DeviceId(spec.device), Incarnation(fields[3]), frame)
    ack = {"seq": seq, "hash": last, "safe_seq": seq, "quarantined": []}
    (sync_key, *_) = spec.sync_keys
    forged = [*fields[:1], "ack", *fields[2:7], sync_key[0], pack(ack)]
    mouth.say(topic.replace("/up", "/down"), signed(forged, Ed25519PrivateKey.generate()))
    mouth.close()
    return seq


def last_of(device: DeviceId, chain: Incarnation, frame: Frame) -> Digest:
    """Return the hash of a frame's last entry, as whoever hears the frame can reckon it."""
    last = Digest(frame.prev_hash)
    for seq, raw in enumerate(unpack_entries(frame.entries), start=frame.from_seq):
        last = chain_hash(chain, seq, last, content_hash(device, raw))
    return last


def _act(ward: str, number: int) -> Entry:
    source, target, qty = (ward, f"issued@{ward}", 1) if number else (f"opening@{ward}", ward, OPENED)
    wall = AT + number
    return Entry(
        event_id=make_event_id(wall // 1000, number.to_bytes(10, "big")),
        hlc=hlc((wall // 1000 << 16) + number),
        wall=AT,
        mono=number,
        boot_id=boot_id(bytes(16)),
        clock_quality=ClockQuality.FREE,
        kind="issue" if number else "opening",
        schema=1,
        body=encode_body({"lines": [{"item": ITEM, "qty": qty, "source": source, "target": target}]}),
        actor=actor_id("N1001"),
    )
