"""The entry's bytes and hashes: golden values, round trips, and that nothing but `PeerBroke` escapes a decoder."""

import contextlib
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.entry import (
    BODY_BYTES_MAX,
    GENESIS,
    ClockQuality,
    Entry,
    chain,
    content_hash,
    decode_body,
    decode_entry,
    encode_body,
    encode_entry,
)
from protocols.errors import BadValue, PeerBroke, WeBroke
from protocols.values.hlc import hlc
from protocols.values.ids import actor_id, boot_id, device_id, incarnation, make_event_id
from protocols.values.instant import from_iso

GOLDEN = Path(__file__).parents[1] / "vectors" / "entry" / "entry-1.txt"
DEVICE = device_id("ward-01")
INCARNATION = incarnation(bytes(range(16)))


def an_entry(kind: str = "visit", body: bytes = b'{"phase":"begin"}', chance: int = 7) -> Entry:
    wall = from_iso("2026-03-02T16:00:00+08:00")
    return Entry(
        event_id=make_event_id(wall // 1000, chance.to_bytes(10, "big")),
        hlc=hlc((wall // 1000) << 16),
        wall=wall,
        mono=1_500_000,
        boot_id=boot_id(b"\xb0" * 16),
        clock_quality=ClockQuality.FREE,
        kind=kind,
        schema=1,
        body=body,
        actor=actor_id("N1001"),
    )


entries = st.builds(
    an_entry,
    kind=st.sampled_from(["visit", "issue", "observe", "from_the_future"]),
    body=st.binary(max_size=300),
    chance=st.integers(0, 2**80 - 1),
)


def test_the_bytes_and_hashes_of_the_released_entry_never_change() -> None:
    golden = dict(line.split(" ", 1) for line in GOLDEN.read_text().splitlines() if not line.startswith("#"))
    raw = encode_entry(an_entry())
    first, second = chain(DEVICE, INCARNATION, from_seq=0, prev_hash=GENESIS, entries=[an_entry(), an_entry(chance=8)])
    assert raw.hex() == golden["raw"]
    assert first.content_hash.hex() == golden["content_hash"]
    assert first.hash.hex() == golden["hash_0"]
    assert second.hash.hex() == golden["hash_1"]


@given(entries)
def test_an_entry_survives_its_bytes(entry: Entry) -> None:
    assert decode_entry(encode_entry(entry)) == entry


@given(entries, st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_never_keeps_the_content_hash(entry: Entry, where: int, flip: int) -> None:
    raw = bytearray(encode_entry(entry))
    before = content_hash(DEVICE, bytes(raw))
    raw[where % len(raw)] ^= flip
    assert content_hash(DEVICE, bytes(raw)) != before


@given(st.lists(entries, min_size=1, max_size=8), st.integers(0, 7))
def test_a_chain_may_be_continued_anywhere_and_ends_in_the_same_hash(many: list[Entry], cut: int) -> None:
    whole = chain(DEVICE, INCARNATION, from_seq=0, prev_hash=GENESIS, entries=many)
    cut = min(cut, len(many))
    first = whole[:cut]
    prev = first[-1].hash if first else GENESIS
    assert first + chain(DEVICE, INCARNATION, from_seq=cut, prev_hash=prev, entries=many[cut:]) == whole


def test_the_same_entry_sent_again_elsewhere_keeps_its_content_hash_and_not_its_chain_hash() -> None:
    here = chain(DEVICE, INCARNATION, from_seq=0, prev_hash=GENESIS, entries=[an_entry()])[0]
    there = chain(DEVICE, incarnation(b"\x01" * 16), from_seq=5, prev_hash=GENESIS, entries=[an_entry()])[0]
    assert here.content_hash == there.content_hash
    assert here.hash != there.hash


def test_the_same_values_in_other_bytes_are_refused() -> None:
    raw = encode_entry(an_entry())
    stretched = raw.replace(b"\xa5visit", b"\xd9\x05visit")
    assert stretched != raw
    with pytest.raises(PeerBroke, match="canonical"):
        decode_entry(stretched)


@settings(max_examples=2_000)
@given(st.binary(max_size=400))
def test_any_bytes_are_an_entry_or_the_peers_fault(raw: bytes) -> None:
    with contextlib.suppress(PeerBroke):
        assert encode_entry(decode_entry(raw)) == raw


def test_a_hundred_thousand_mutated_entries_raise_nothing_but_the_peers_fault() -> None:
    chance = random.Random(20260302)
    seed = encode_entry(an_entry())
    parsed = 0
    for _ in range(100_000):
        raw = bytearray(seed)
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        del raw[chance.randint(len(raw) // 2, len(raw)) :]
        try:
            decode_entry(bytes(raw))
            parsed += 1
        except PeerBroke:
            pass
    assert parsed < 100_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=10), json_values, max_size=6))
def test_a_body_survives_its_bytes_whatever_order_its_keys_came_in(body: dict[str, Any]) -> None:
    raw = encode_body(body)
    assert decode_body(raw) == body
    assert encode_body(dict(reversed(list(body.items())))) == raw


def test_a_body_beyond_its_limit_is_our_fault_and_says_so() -> None:
    with pytest.raises(WeBroke, match="split the act"):
        encode_body({"x": "y" * BODY_BYTES_MAX})
    with pytest.raises(BadValue, match="at most"):
        an_entry(body=b" " * (BODY_BYTES_MAX + 1))


@pytest.mark.parametrize("raw", [b"", b"[]", b'"x"', b"{", b"\xff", b"[" * 5_000])
def test_a_body_that_is_no_map_is_the_peers_fault(raw: bytes) -> None:
    with pytest.raises(PeerBroke, match="JSON map"):
        decode_body(raw)
