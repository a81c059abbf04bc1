"""The envelope, the messages and the packed entries: golden bytes, round trips, signatures, limits, noise."""

import contextlib
import hashlib
import hmac
import random
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.entry import GENESIS
from protocols.errors import BadValue, PeerBroke, WeBroke
from protocols.sync.codec import (
    ENVELOPE_TAG,
    Envelope,
    Signing,
    pack_entries,
    seal,
    unpack_entries,
    unseal,
)
from protocols.sync.dictionary import DICTIONARY_NOW, dictionary, newest
from protocols.sync.frames import (
    FRAME_ENTRIES_MAX,
    MESSAGE_BYTES_MAX,
    MESSAGES,
    UNPACKED_BYTES_MAX,
    Ack,
    Branch,
    Damaged,
    Delta,
    Facts,
    Fetch,
    Fork,
    Frame,
    Gap,
    Head,
    Hello,
    Hint,
    Message,
    Nack,
    NewInc,
    Offer,
    Pull,
    Refused,
    Snapshot,
    Welcome,
    Why,
)
from protocols.values.ids import DeviceId, device_id, incarnation

GOLDEN = Path(__file__).parents[2] / "vectors" / "sync" / "messages-1.txt"
ENTRIES = GOLDEN.parents[1] / "entry" / "entry-1.txt"
ENVELOPE = Envelope(device_id("ward-01"), incarnation(bytes(range(16))), b"\xb0" * 16, b"\x70" * 16, 3)
OPEN = Signing(unsigned=True)
KEY = b"a key of the tests"
HASH = bytes(range(32))
PACKED = bytes.fromhex("28b52ffd2005290000" + "92c4016ac4")  # never opened here
SAID: dict[str, Message] = {
    "hello": Hello(
        1,
        "0.1.0",
        1,
        1,
        (Branch(b"\x01" * 16, 7, HASH, 7), Branch(ENVELOPE.incarnation, 41, HASH, 40, b"\x01" * 16, 7)),
        0,
        3,
        HASH,
        {},
        1_772_438_400_000_000,
        2**33,
    ),
    "welcome": Welcome(
        1,
        (Head(ENVELOPE.incarnation, 40, HASH), Head(incarnation(b"\x01" * 16), -1, GENESIS)),
        4,
        3,
        1_772_438_400_000_000,
    ),
    "fork": Fork(1, (Head(ENVELOPE.incarnation, 41, HASH), Head(ENVELOPE.incarnation, 40, GENESIS))),
    "newinc": NewInc(1, b"\x02" * 16, Head(ENVELOPE.incarnation, 40, GENESIS)),
    "newinc_root": NewInc(1, b"\x02" * 16, None),
    "pull": Pull(3),
    "facts": Facts(3, 4, 4, HASH, 1, PACKED),
    "refused": Refused(1, "device ward-01 is not enrolled"),
    "frame": Frame(41, 2, HASH, HASH[:16], PACKED),
    "ack": Ack(42, HASH, -1, (41,)),
    "nack": Nack(Why.GAP, 50, 43, 0, ""),
    "welcome_feeds": Welcome(
        2, (Head(ENVELOPE.incarnation, 40, HASH),), 0, 0, 1_772_438_400_000_000, (Offer("ward", 7, HASH),)
    ),
    "welcome_packs": Welcome(4, (Head(ENVELOPE.incarnation, 40, HASH),), 0, 0, 1_772_438_400_000_000, dictionary=1),
    "welcome_safe": Welcome(3, (Head(ENVELOPE.incarnation, 40, HASH),), 0, 0, 1_772_438_400_000_000, safe=(17,)),
    "gap": Gap(5, 9, HASH, 0, 2, (), ("ward-01", "", "GZ-001", "", "hospital", ""), PACKED),
    "damaged": Damaged(1, 8, Head(ENVELOPE.incarnation, 7, HASH), GENESIS, b"left", "changed on the disk"),
    "fetch": Fetch("ward", 6, HASH, -1, 0),
    "delta": Delta("ward", 6, 7, HASH, PACKED),
    "snapshot": Snapshot("global", 7, HASH, GENESIS, 1, 3, b"part"),
    "hint": Hint((Offer("global", 7, HASH), Offer("ward", 3, GENESIS)), 4),
}


def _sign(data: bytes) -> bytes:
    return hmac.digest(KEY, data, "sha256")


def _verify(device: DeviceId, key_id: str, data: bytes, signature: bytes) -> bool:
    return (device, key_id) == ("ward-01", "k1") and hmac.compare_digest(_sign(data), signature)


SIGNED = Signing(key_id="k1", sign=_sign, verify=_verify)


def golden() -> dict[str, str]:
    return dict(line.split(" ", 1) for line in GOLDEN.read_text().splitlines() if not line.startswith("#"))


@pytest.mark.parametrize("word", SAID)
def test_the_bytes_of_every_released_message_never_change(word: str) -> None:
    data = bytes.fromhex(golden()[word])
    assert seal(ENVELOPE, SAID[word], OPEN) == data
    assert unseal(data, OPEN) == (ENVELOPE, SAID[word])


def test_the_bytes_of_a_signed_message_never_change() -> None:
    data = bytes.fromhex(golden()["signed_ack"])
    assert seal(ENVELOPE, SAID["ack"], SIGNED) == data
    assert unseal(data, SIGNED) == (ENVELOPE, SAID["ack"])


def test_packed_entries_of_every_release_are_read() -> None:
    raws = unpack_entries(bytes.fromhex(golden()["packed"]))
    assert raws == (b"first entry", b"second entry", b"")
    assert unpack_entries(pack_entries(raws)) == raws


def test_entries_packed_by_a_dictionary_are_read_by_its_number() -> None:
    raws = unpack_entries(bytes.fromhex(golden()["packed_by_1"]))
    entry = ENTRIES.read_text().split("\nraw ", 1)[1].split("\n", 1)[0]
    assert raws == (bytes.fromhex(entry),)
    assert hashlib.sha256(dictionary(1).as_bytes()).hexdigest() == golden()["dictionary_1"]  # type: ignore[union-attr] # it is there
    assert len(pack_entries(raws, 1)) < len(pack_entries(raws)) * 0.8
    assert unpack_entries(pack_entries(raws, 1)) == raws


def test_a_dictionary_of_a_later_version_is_the_peers_fault_and_is_named() -> None:
    words = zstandard.train_dictionary(
        400, [b"%d words of another day %d" % (n, n * 7) for n in range(900)], dict_id=32_900
    )
    packed = zstandard.ZstdCompressor(dict_data=words).compress(msgspec.msgpack.encode((b"words of another day",)))
    with pytest.raises(PeerBroke, match="32900"):
        unpack_entries(packed)


def test_frames_are_packed_by_the_newest_dictionary_that_both_know() -> None:
    assert [newest(theirs) for theirs in (0, 1, 9)] == [0, DICTIONARY_NOW, DICTIONARY_NOW]


def test_every_message_has_golden_bytes() -> None:
    assert {str(word) for word in MESSAGES} <= set(SAID) <= set(golden())


def test_the_signature_covers_its_tag_and_everything_before_it() -> None:
    data = seal(ENVELOPE, SAID["ack"], SIGNED)
    head, signature = data[:-33], data[-33:-1]
    assert data[-1] == 32
    assert signature == hmac.new(KEY, ENVELOPE_TAG + head, hashlib.sha256).digest()


@given(st.integers(0, 400), st.integers(1, 255))
def test_one_changed_byte_of_a_signed_message_is_refused(where: int, flip: int) -> None:
    data = bytearray(seal(ENVELOPE, SAID["welcome"], SIGNED))
    data[where % len(data)] ^= flip
    with pytest.raises(PeerBroke):
        unseal(bytes(data), SIGNED)


def test_an_unsigned_message_opens_only_where_the_configuration_said_so() -> None:
    data = seal(ENVELOPE, SAID["ack"], OPEN)
    with pytest.raises(PeerBroke, match="expected a signature"):
        unseal(data, SIGNED)
    with pytest.raises(PeerBroke, match="expected a signature"):
        unseal(seal(ENVELOPE, SAID["ack"], SIGNED), OPEN)
    with pytest.raises(BadValue, match="unsigned = true"):
        Signing()


def test_a_signature_by_another_device_or_key_is_refused() -> None:
    other = replace(ENVELOPE, device=device_id("ward-02"))
    with pytest.raises(PeerBroke, match="by key"):
        unseal(seal(other, SAID["ack"], SIGNED), SIGNED)
    with pytest.raises(PeerBroke, match="by key"):
        unseal(seal(ENVELOPE, SAID["ack"], replace(SIGNED, key_id="k2")), SIGNED)


def test_a_later_version_is_refused_by_its_number_and_unknown_keys_are_skipped() -> None:
    head = msgspec.msgpack.decode(seal(ENVELOPE, SAID["ack"], OPEN)[:-1])
    with pytest.raises(PeerBroke, match="version 1, got 2"):
        unseal(msgspec.msgpack.encode([2, *head[1:]]) + b"\0", OPEN)
    more = {**msgspec.msgpack.decode(head[8]), "from_the_future": [1, {"x": 2}]}
    data = msgspec.msgpack.encode([*head[:8], msgspec.msgpack.encode(more)]) + b"\0"
    assert unseal(data, OPEN) == (ENVELOPE, SAID["ack"])


def test_a_message_beyond_the_wires_limit_is_our_own_fault() -> None:
    with pytest.raises(WeBroke, match="at most"):
        seal(ENVELOPE, Frame(0, 1, HASH, HASH[:16], bytes(MESSAGE_BYTES_MAX)), OPEN)
    with pytest.raises(PeerBroke, match=str(MESSAGE_BYTES_MAX)):
        unseal(bytes(MESSAGE_BYTES_MAX + 1), OPEN)


def test_too_many_entries_are_our_own_fault_and_the_peers_fault() -> None:
    raws = [b"x"] * (FRAME_ENTRIES_MAX + 1)
    with pytest.raises(WeBroke):
        pack_entries(raws)
    packed = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(raws))
    with pytest.raises(PeerBroke):
        unpack_entries(packed)


def test_a_bomb_is_not_opened_whatever_size_it_states() -> None:
    bomb = bytes(UNPACKED_BYTES_MAX + 1)
    stated = zstandard.ZstdCompressor().compress(bomb)
    silent = zstandard.ZstdCompressor(write_content_size=False).compress(bomb)
    assert len(stated) < 1_000
    for packed in (stated, silent):
        with pytest.raises(PeerBroke, match="stated size"):
            unpack_entries(packed)


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_nesting_is_the_peers_fault(depth: int) -> None:
    payload = b"\x81\xa1x" + b"\x91" * depth + b"\x01"
    data = msgspec.msgpack.encode([1, "ack", "ward-01", bytes(16), bytes(16), b"", 0, "", payload]) + b"\0"
    with pytest.raises(PeerBroke):
        unseal(data, OPEN)
    with pytest.raises(PeerBroke):
        unpack_entries(zstandard.ZstdCompressor().compress(b"\x91" * depth))


hashes = st.binary(min_size=32, max_size=32)
heads = st.builds(Head, st.binary(min_size=16, max_size=16), st.integers(-1, 2**53 - 1), hashes)
branches = st.builds(
    Branch,
    st.binary(min_size=16, max_size=16),
    st.integers(-1, 2**53 - 1),
    hashes,
    st.integers(-1, 2**53 - 1),
    st.just(b"") | st.binary(min_size=16, max_size=16),
    st.integers(-1, 2**53 - 1),
)
seqs = st.integers(0, 2**53 - 1)
messages = st.one_of(
    st.builds(
        Hello,
        number=seqs,
        agent_version=st.text(max_size=64),
        schema_min=seqs,
        schema_max=seqs,
        chains=st.lists(branches, min_size=1, max_size=64).map(tuple),
        oldest_seq=seqs,
        facts=seqs,
        facts_sum=st.binary(max_size=32),
        feeds=st.dictionaries(st.text(max_size=9), seqs, max_size=5),
        wall=st.integers(-(2**53), 2**53 - 1),
        free_bytes=seqs,
    ),
    st.builds(Welcome, seqs, st.lists(heads, max_size=64).map(tuple), seqs, seqs, st.integers(-(2**53), 2**53 - 1)),
    st.builds(Fork, seqs, st.lists(heads, max_size=40).map(tuple)),
    st.builds(NewInc, seqs, st.binary(min_size=16, max_size=16), st.none() | heads),
    st.builds(Pull, seqs),
    st.builds(Facts, seqs, seqs, seqs, st.binary(max_size=32), st.integers(0, 500), st.binary(max_size=2_000)),
    st.builds(Refused, seqs, st.text(max_size=400)),
    st.builds(Frame, seqs, st.integers(1, 500), hashes, st.binary(min_size=16, max_size=16), st.binary(max_size=2_000)),
    st.builds(Ack, st.integers(-1, 2**53 - 1), hashes, st.integers(-1, 99), st.lists(seqs, max_size=9).map(tuple)),
    st.builds(Nack, st.sampled_from(Why), seqs, seqs, st.integers(0, 600_000), st.text(max_size=400)),
)
envelopes = st.builds(
    Envelope,
    st.just(ENVELOPE.device),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
    st.binary(max_size=16),
    seqs,
)


@given(envelopes, messages)
def test_every_message_survives_its_bytes(envelope: Envelope, message: Message) -> None:
    for signing in (OPEN, SIGNED):
        assert unseal(seal(envelope, message, signing), signing) == (envelope, message)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=60))
def test_entries_survive_being_packed(raws: list[bytes]) -> None:
    assert unpack_entries(pack_entries(raws)) == unpack_entries(pack_entries(raws, DICTIONARY_NOW)) == tuple(raws)


@settings(max_examples=2_000)
@given(st.binary(max_size=600))
def test_any_bytes_are_a_message_or_the_peers_fault(data: bytes) -> None:
    for read in (lambda raw: unseal(raw, OPEN), unpack_entries):
        with contextlib.suppress(PeerBroke):
            read(data)


def test_a_hundred_thousand_mutated_messages_raise_nothing_but_the_peers_fault() -> None:
    chance = random.Random(20260302)
    seeds = [seal(ENVELOPE, message, OPEN) for message in SAID.values()]
    packed = pack_entries([b"first entry", b"second entry" * 40])
    for number in range(100_000):
        raw = bytearray(packed if number % 7 == 6 else seeds[number % 7])
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        del raw[chance.randint(len(raw) // 2, len(raw)) :]
        try:
            if number % 7 == 6:
                unpack_entries(bytes(raw))
            else:
                unseal(bytes(raw), OPEN)
        except PeerBroke:
            pass
