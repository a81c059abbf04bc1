"""UHFReader18 and 288 frames: commands of the field, every row both ways, and noisy, cut and changed streams."""

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import WeBroke
from protocols.readers.reads import BadFrame
from protocols.readers.uhfreader18.codec import (
    ANSWER_ROWS,
    Uhf18CommandDecoder,
    Uhf18Decoder,
    Uhf18Frame,
    Uhf18LineDecoder,
    crc_mcrf4xx,
    describe,
    encode_answer,
    encode_command,
    parse_answer,
)

VECTORS = [
    row
    for row in csv.DictReader(
        (Path(__file__).parents[3] / "vectors/serial/frames.tsv").read_text().splitlines(), delimiter="\t"
    )
    if row["proto"] == "uhfreader18"
]
EPC, LONG = "30340242201D8D4000000001", "BB7E" * 31
TAGS_18 = encode_answer("tags", 0x01, 0x01, {"tags": [{"epc": EPC}, {"epc": LONG}]})
TAGS_288 = encode_answer("tags", 0x01, 0x01, {"antenna_mask": 4, "tags": [{"epc": EPC, "level": 0xC4}]}, address=7)
NO_TAG = encode_answer("no_tags", 0x01, 0xFB)
PUSHED_18 = encode_answer("tags", 0xEE, 0x00, {"tags": [{"epc": EPC}]})
PUSHED_288 = encode_answer("tags", 0xEE, 0x00, {"antenna_mask": 1, "tags": [{"epc": EPC, "level": 60}]})


def types(frames: list[Uhf18Frame | BadFrame]) -> list[str]:
    return [each.type for each in frames if isinstance(each, Uhf18Frame)]


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["note"])
def test_a_command_of_the_field_reads_and_writes_back(row: dict[str, str]) -> None:
    raw = bytes.fromhex(row["hex"])
    (frame,) = Uhf18CommandDecoder().receive(raw)
    assert isinstance(frame, Uhf18Frame)
    assert encode_command(frame.type, frame.fields, address=frame.address) == raw
    assert types(Uhf18LineDecoder().receive(raw)) == ["inventory"]


def test_the_crc_is_the_catalogues_mcrf4xx() -> None:
    assert crc_mcrf4xx(b"123456789") == 0x6F91


def test_both_boards_tell_their_tags_and_each_form_is_known_by_its_fit() -> None:
    heard = Uhf18Decoder().receive(TAGS_18 + TAGS_288 + PUSHED_18 + PUSHED_288)
    told = [tag for each in heard if isinstance(each, Uhf18Frame) for tag in describe(each)]
    assert [(tag["type"], tag["epc"], tag.get("antenna_mask"), tag["rssi_dbm"], tag["address"]) for tag in told] == [
        ("tag", EPC, None, None, 0),
        ("tag", LONG, None, None, 0),
        ("tag", EPC, 4, -60, 7),
        ("tag", EPC, None, None, 0),
        ("tag", EPC, 1, None, 0),
    ]


def test_a_tag_with_its_tid_is_told_with_both() -> None:
    tag: dict[str, int | str] = {"epc": EPC, "tid": "E280116020007A8B9C0D0E0F", "level": 0xC0}
    (heard,) = Uhf18Decoder().receive(encode_answer("tags", 0x01, 0x01, {"antenna_mask": 1, "tags": [tag]}))
    assert isinstance(heard, Uhf18Frame)
    assert heard.tags == [tag]


def test_no_tag_and_an_error_are_told_in_words() -> None:
    frames = Uhf18Decoder().receive(NO_TAG + encode_answer("error", 0x2F, 0xFF))
    assert [describe(each)[0]["type"] for each in frames if isinstance(each, Uhf18Frame)] == ["no_tags", "error"]


@pytest.mark.parametrize("noise", [b"\x00", b"\xff", b"\x05\x00", b"\x04\x00\x01\xdb\x4b", TAGS_288[:9]])
def test_noise_before_between_and_after_costs_no_frame(noise: bytes) -> None:
    decoder = Uhf18Decoder()
    heard = decoder.receive(noise + TAGS_288 + noise + NO_TAG + noise) + decoder.give_up()
    assert types(heard) == ["tags", "no_tags"]
    assert b"".join(each.raw for each in heard if isinstance(each, BadFrame)) == noise * 3


def test_a_wrong_crc_costs_that_frame() -> None:
    wrong = bytearray(TAGS_18)
    wrong[-1] ^= 1
    decoder = Uhf18Decoder()
    bad, good = decoder.receive(bytes(wrong) + NO_TAG) + decoder.give_up()
    assert isinstance(bad, BadFrame)
    assert "expected CRC" in bad.reason
    assert isinstance(good, Uhf18Frame)


@given(
    st.lists(st.sampled_from([TAGS_18, NO_TAG, PUSHED_288, b"\x09", b"\x00\x01", TAGS_18[:7]]), max_size=9), st.data()
)
def test_frames_are_the_same_however_the_bytes_are_cut(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cut = data.draw(st.integers(0, len(stream)))
    whole, pieces, single = Uhf18Decoder(), Uhf18Decoder(), Uhf18Decoder()
    wanted = whole.receive(stream)
    assert pieces.receive(stream[:cut]) + pieces.receive(stream[cut:]) == wanted
    assert [each for byte in stream for each in single.receive(bytes([byte]))] == wanted


@settings(max_examples=2_000)
@given(st.integers(0, len(ANSWER_ROWS) - 1), st.integers(0, 20), st.binary(max_size=90))
def test_every_answer_that_reads_writes_back(row: int, choice: int, payload: bytes) -> None:
    known = ANSWER_ROWS[row]
    status = known.statuses[choice % len(known.statuses)]
    raw = bytes([len(payload) + 5, 3, known.command, status]) + payload
    raw += crc_mcrf4xx(raw).to_bytes(2, "little")
    frame = parse_answer(raw)
    if isinstance(frame, Uhf18Frame):
        assert encode_answer(frame.type, frame.command, frame.status, frame.fields, address=3) == raw
        assert describe(frame)


def test_what_no_table_has_is_refused() -> None:
    with pytest.raises(WeBroke):
        encode_command("nonsense")
    with pytest.raises(WeBroke):
        encode_command("set_power", {"dbm": 300})
    with pytest.raises(WeBroke):
        encode_answer("tags", 0x21, 0x00, {"tags": []})
    with pytest.raises(WeBroke):
        encode_answer("tags", 0x01, 0x01, {"tags": [{"epc": LONG}] * 5})


def test_a_hundred_thousand_changed_streams_raise_nothing() -> None:
    rng = random.Random(20)
    seeds = [bytes.fromhex(row["hex"]) for row in VECTORS] + [TAGS_18, TAGS_288 + NO_TAG, PUSHED_18, PUSHED_288]
    decoders = (Uhf18Decoder(), Uhf18LineDecoder())
    for turn in range(100_000):
        raw = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(0, 2)):
            raw[rng.randrange(len(raw))] = rng.getrandbits(8)
        heard = decoders[turn % 2].receive(bytes(raw[: rng.randint(0, len(raw))]))
        assert all(describe(each) for each in heard if isinstance(each, Uhf18Frame))
    assert all(decoder.give_up() is not None for decoder in decoders)
