"""M100 frames: those nobody here wrote, every row both ways, and streams that are noisy, cut and doubled."""

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import WeBroke
from protocols.readers.m100.codec import ROWS, M100Decoder, M100Frame, crc_ok, describe, encode, tag_frame
from protocols.readers.reads import BadFrame
from protocols.readers.seeking import NOISE_MAX

VECTORS = [
    row
    for row in csv.DictReader(
        (Path(__file__).parents[3] / "vectors/serial/frames.tsv").read_text().splitlines(), delimiter="\t"
    )
    if row["proto"] == "m100"
]
TAG = tag_frame("30340242201D8D4000000001", -61)
NO_TAG = encode("error", {"code": 0x15})


def frames(data: bytes) -> list[M100Frame | BadFrame]:
    return M100Decoder().receive(data)


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["note"])
def test_a_frame_of_the_field_reads_and_writes_back(row: dict[str, str]) -> None:
    raw = bytes.fromhex(row["hex"])
    (frame,) = M100Decoder().receive(raw) or M100Decoder().receive(raw + NO_TAG)[:1]
    if row["checksum_ok"] == "False":
        assert isinstance(frame, BadFrame)
        assert frame.raw == raw
        assert "checksum" in frame.reason
        return
    assert isinstance(frame, M100Frame)
    assert encode(frame.type, frame.fields) == raw
    assert row["epc_crc_ok"] == "" or crc_ok(frame) is (row["epc_crc_ok"] == "True")


def test_a_tag_is_told_with_its_level_and_its_epc() -> None:
    (frame,) = frames(bytes.fromhex("BB02220011C43000E200001D7315016521408FC6B83EC27E"))
    assert isinstance(frame, M100Frame)
    assert describe(frame) == {
        "type": "tag",
        "rssi_dbm": -60,
        "pc": "3000",
        "epc": "E200001D7315016521408FC6",
        "crc": "B83E",
        "crc_ok": True,
    }


@pytest.mark.parametrize("words", [1, 6, 8, 31])
def test_the_length_of_an_epc_is_that_of_its_pc_word(words: int) -> None:
    epc = "BB7E" * words
    (frame,) = frames(tag_frame(epc, -40))
    assert isinstance(frame, M100Frame)
    assert frame.fields["epc"] == epc


def test_a_pc_word_longer_than_the_frame_is_a_bad_frame_and_the_next_one_reads() -> None:
    payload = bytes.fromhex("C4F800E200")
    body = b"\x02\x22" + len(payload).to_bytes(2, "big") + payload
    wrong = b"\xbb" + body + bytes([sum(body) & 255, 0x7E])
    bad, good = frames(wrong + TAG)
    assert isinstance(bad, BadFrame)
    assert bad.raw == wrong
    assert isinstance(good, M100Frame)


@pytest.mark.parametrize("noise", [b"\x00", b"\xbb", b"\xbb\x01", b"\x7e\xbb\x7e", b"\xff" * 40, TAG[:9]])
def test_noise_before_between_and_after_costs_no_frame(noise: bytes) -> None:
    decoder = M100Decoder()
    heard = decoder.receive(noise + TAG + noise + NO_TAG + noise) + decoder.give_up()
    assert [each.type for each in heard if isinstance(each, M100Frame)] == ["tag", "error"]
    assert b"".join(each.raw for each in heard if isinstance(each, BadFrame)) == noise * 3


def test_a_lying_length_costs_only_itself() -> None:
    lie = b"\xbb\x02\x22\x00\xff"
    decoder = M100Decoder()
    assert decoder.receive(lie + TAG + NO_TAG) == []
    assert [each.type for each in decoder.give_up() if isinstance(each, M100Frame)] == ["tag", "error"]


def test_endless_noise_is_told_in_pieces_and_kept_nowhere() -> None:
    told = frames(bytes(10 * NOISE_MAX))
    assert [len(each.raw) for each in told if isinstance(each, BadFrame)] == [NOISE_MAX] * 10


@given(st.lists(st.sampled_from([TAG, NO_TAG, b"\xbb", b"\x00\x01", TAG[:7]]), max_size=12), st.data())
def test_frames_are_the_same_however_the_bytes_are_cut(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cut = data.draw(st.integers(0, len(stream)))
    whole, pieces, single = M100Decoder(), M100Decoder(), M100Decoder()
    wanted = whole.receive(stream)
    assert pieces.receive(stream[:cut]) + pieces.receive(stream[cut:]) == wanted
    assert [each for byte in stream for each in single.receive(bytes([byte]))] == wanted


@pytest.mark.parametrize("name", ROWS)
def test_every_row_refuses_fields_it_does_not_have(name: str) -> None:
    with pytest.raises(WeBroke):
        encode(name, {"nonsense": 1})


@settings(max_examples=2_000)
@given(st.sampled_from(sorted(ROWS)), st.binary(max_size=80))
def test_every_payload_that_fits_a_row_writes_back(name: str, payload: bytes) -> None:
    row = ROWS[name]
    body = bytes([row.direction, row.command]) + len(payload).to_bytes(2, "big") + payload
    raw = b"\xbb" + body + bytes([sum(body) & 255, 0x7E])
    (frame,) = frames(raw)
    if isinstance(frame, M100Frame):
        assert encode(name, frame.fields) == raw


def test_a_hundred_thousand_changed_streams_raise_only_our_own_errors() -> None:
    rng = random.Random(20)
    seeds = [bytes.fromhex(row["hex"]) for row in VECTORS] + [TAG + NO_TAG + TAG]
    decoder = M100Decoder()
    for _ in range(100_000):
        raw = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 3)):
            raw[rng.randrange(len(raw))] = rng.getrandbits(8)
        heard = decoder.receive(bytes(raw[: rng.randint(0, len(raw))]))
        known = [each for each in heard if isinstance(each, M100Frame) and each.type != "unknown"]
        assert all(encode(each.type, each.fields) for each in known)
    decoder.give_up()
