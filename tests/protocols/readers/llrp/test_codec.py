"""The LLRP codec against captures of a real reader, hand-written messages, broken streams and random bytes."""

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocols.errors import PeerBroke, ProtocolsError, WeBroke
from protocols.readers.llrp.codec import (
    MESSAGE_BYTES_MAX,
    RAW_KEPT_BYTES_MAX,
    LlrpDecoder,
    decode,
    describe,
    encode,
)
from protocols.readers.llrp.fields import Value
from protocols.readers.llrp.messages import Message, tables
from protocols.readers.reads import BadFrame

VECTORS = Path(__file__).parents[3] / "vectors" / "llrp"
CAPTURES: list[dict[str, Any]] = json.loads((VECTORS / "captures.json").read_text())
SESSIONS: list[dict[str, Any]] = json.loads((VECTORS / "sessions.json").read_text())
KEEPALIVE = bytes.fromhex("043e0000000a00000001")
MUTATIONS = 100_000


def with_header(type_name: str, body: bytes, *, message_id: int = 7) -> bytes:
    head = (1 << 10 | tables().messages[type_name].number).to_bytes(2, "big")
    return head + (len(body) + 10).to_bytes(4, "big") + message_id.to_bytes(4, "big") + body


def captured() -> list[bytes]:
    return [with_header(row["type"], bytes.fromhex(row["body"])) for row in CAPTURES]


def every_message() -> list[bytes]:
    return captured() + [bytes.fromhex(row["bytes"]) for row in SESSIONS]


@pytest.mark.parametrize("row", CAPTURES, ids=lambda row: str(row["capture"]))
def test_a_real_readers_message_decodes_to_what_it_said_and_back_to_its_bytes(row: dict[str, Any]) -> None:
    raw = with_header(row["type"], bytes.fromhex(row["body"]))
    message = decode(raw)
    assert message == Message(row["type"], 7, row["params"])
    assert encode(message) == raw


@pytest.mark.parametrize("row", SESSIONS, ids=lambda row: str(row["type"]))
def test_a_message_written_by_hand_from_the_standard_decodes_and_encodes(row: dict[str, Any]) -> None:
    message = Message(row["type"], row["id"], row["params"], row["version"])
    assert encode(message).hex() == row["bytes"]
    assert decode(bytes.fromhex(row["bytes"])) == message


def test_a_described_message_is_json_that_holds_its_bytes() -> None:
    for raw in every_message():
        row = json.loads(json.dumps(describe(decode(raw))))
        assert list(row) == ["type", "id", "params", "reencoded"]
        assert bytes.fromhex(row["reencoded"]) == raw


def test_a_stream_decodes_the_same_however_it_is_cut() -> None:
    stream = b"".join(every_message())
    whole = LlrpDecoder().receive(stream)
    assert len(whole) == len(every_message())
    decoder = LlrpDecoder()
    assert [each for byte in stream for each in decoder.receive(bytes([byte]))] == whole
    for cut in range(0, len(stream), 13):
        decoder = LlrpDecoder()
        assert decoder.receive(stream[:cut]) + decoder.receive(stream[cut:]) == whole


def test_a_corrupt_message_costs_that_message_and_not_the_next() -> None:
    broken = bytearray(captured()[-1])
    broken[14] = 0x90  # the EPC's TV type becomes one that no table knows
    bad, good = LlrpDecoder().receive(bytes(broken) + KEEPALIVE)
    assert isinstance(bad, BadFrame)
    assert "TagReportData" in bad.reason
    assert bad.raw == bytes(broken)
    assert good == Message("KEEPALIVE", 1)


def test_noise_between_messages_is_reported_and_the_next_message_found() -> None:
    out = LlrpDecoder().receive(KEEPALIVE + b"\xff" * 37 + KEEPALIVE)
    assert out[0] == out[2] == Message("KEEPALIVE", 1)
    assert isinstance(out[1], BadFrame)
    assert out[1].raw == b"\xff" * 37


def test_endless_garbage_is_reported_in_pieces_and_not_kept() -> None:
    decoder = LlrpDecoder()
    for _ in range(100):
        out = decoder.receive(b"\xff" * 1000)
        assert all(isinstance(each, BadFrame) and len(each.raw) <= RAW_KEPT_BYTES_MAX for each in out)
    assert decoder.receive(b"\xff" * 20 + KEEPALIVE)[-1] == Message("KEEPALIVE", 1)


def test_a_length_beyond_the_limit_is_not_believed() -> None:
    lying = KEEPALIVE[:2] + (MESSAGE_BYTES_MAX + 1).to_bytes(4, "big") + KEEPALIVE[6:]
    assert LlrpDecoder().receive(lying + KEEPALIVE)[-1] == Message("KEEPALIVE", 1)


@pytest.mark.parametrize("more", [1, 5, 9, 10, 30, 500, 70_000, 1_000_000])
@pytest.mark.parametrize("raw", every_message(), ids=lambda raw: f"type {raw[1]}, {len(raw)} bytes")
def test_a_length_that_lies_upwards_costs_its_own_message_only(raw: bytes, more: int) -> None:
    if raw[1] == 0xFF or len(raw) + more > MESSAGE_BYTES_MAX:
        pytest.skip("a custom message has no parameters to walk")
    lying = raw[:2] + (len(raw) + more).to_bytes(4, "big") + raw[6:]
    decoder = LlrpDecoder()
    bad, *good = [each for byte in lying + raw + KEEPALIVE for each in decoder.receive(bytes([byte]))]
    assert isinstance(bad, BadFrame)
    assert good == [decode(raw), Message("KEEPALIVE", 1)]
    assert LlrpDecoder().receive(lying + raw + KEEPALIVE) == [bad, *good]


@pytest.mark.parametrize("raw", captured(), ids=lambda raw: f"type {raw[1]}, {len(raw)} bytes")
def test_a_length_that_lies_downwards_costs_its_own_message_only(raw: bytes) -> None:
    for size in range(len(raw)):
        lying = raw[:2] + size.to_bytes(4, "big") + raw[6:]
        assert LlrpDecoder().receive(lying + KEEPALIVE + raw)[-2:] == [Message("KEEPALIVE", 1), decode(raw)]


def test_an_unknown_message_type_is_skipped_by_its_length() -> None:
    unknown = bytes.fromhex("07fe0000000c00000001abcd")
    bad, good = LlrpDecoder().receive(unknown + KEEPALIVE)
    assert isinstance(bad, BadFrame)
    assert "type 1022" in bad.reason
    assert good == Message("KEEPALIVE", 1)


def test_a_parameter_no_layout_expects_is_kept_raw_and_written_back() -> None:
    body = bytes.fromhex("011f000800000000") + bytes.fromhex("03fe0006abcd")
    raw = with_header("CLOSE_CONNECTION_RESPONSE", body)
    message = decode(raw)
    assert message.params["Unexpected"] == [{"type": 1022, "data": "ABCD"}]
    assert encode(message) == raw


def test_a_missing_required_parameter_is_named() -> None:
    with pytest.raises(PeerBroke, match="expected LLRPStatus, got none"):
        decode(with_header("CLOSE_CONNECTION_RESPONSE", b""))


def test_parameters_nested_without_end_are_refused() -> None:
    inner = b""
    for _ in range(40):
        inner = bytes.fromhex("0121") + (len(inner) + 8).to_bytes(2, "big") + bytes(4) + inner
    status = bytes.fromhex("011f") + (len(inner) + 8).to_bytes(2, "big") + bytes(4) + inner
    with pytest.raises(PeerBroke, match="nested at most"):
        decode(with_header("ERROR_MESSAGE", status))


def test_text_that_is_not_utf8_does_not_cost_the_message() -> None:
    text = "端口".encode("gb18030")
    body = bytes.fromhex("011f") + (8 + len(text)).to_bytes(2, "big") + bytes(2) + len(text).to_bytes(2, "big") + text
    status = decode(with_header("CLOSE_CONNECTION_RESPONSE", body)).params["LLRPStatus"]
    assert isinstance(status, dict)
    assert status["ErrorDescription"].startswith("\\x")


@given(st.binary(max_size=40))
@example("端口".encode("gb18030"))
@example(b"C:\\xff \\x5c \xff\\xFF\x00")
def test_text_of_any_bytes_is_written_back_as_it_came(text: bytes) -> None:
    body = bytes.fromhex("011f") + (8 + len(text)).to_bytes(2, "big") + bytes(2) + len(text).to_bytes(2, "big") + text
    raw = with_header("CLOSE_CONNECTION_RESPONSE", body)
    assert encode(decode(raw)) == raw


@pytest.mark.parametrize(
    ("type_name", "params", "said"),
    [
        ("DELETE_ROSPEC", {"ROSpecID": 1 << 32}, "ROSpecID"),
        ("DELETE_ROSPEC", {}, "ROSpecID"),
        ("DELETE_ROSPEC", {"ROSpecID": "1"}, "ROSpecID"),
        ("DELETE_ROSPEC", {"ROSpecID": 1, "Rospec": 1}, "expected only"),
        ("CLOSE_CONNECTION_RESPONSE", {}, "LLRPStatus"),
        ("RO_ACCESS_REPORT", {"TagReportData": [{"EPC_96": "30"}]}, "12 bytes"),
        ("RO_ACCESS_REPORT", {"TagReportData": [{"EPC_96": "00" * 12, "EPCData": "00"}]}, "expected one of"),
        ("RO_ACCESS_REPORT", {"TagReportData": [{"EPCData": "E280/16"}]}, "hex/bits"),
        ("RO_ACCESS_REPORT", {"TagReportData": {"EPC_96": "00" * 12}}, "expected a list"),
        ("RO_ACCESS_REPORT", {"Unexpected": [{"type": 0, "data": ""}]}, "1..1023"),
        ("CUSTOM_MESSAGE", {"VendorIdentifier": 1, "MessageSubtype": 1, "Data": "XY"}, "hex"),
    ],
)
def test_the_encoder_refuses_what_the_layout_cannot_hold(type_name: str, params: dict[str, Any], said: str) -> None:
    with pytest.raises(WeBroke, match=said):
        encode(Message(type_name, 1, params))


def test_an_unknown_type_name_makes_no_message() -> None:
    with pytest.raises(WeBroke, match="type of the table"):
        Message("ADD_WARD", 1)


# --- laws ------------------------------------------------------------------------------------------------------------


def must_hold(data: bytes) -> None:
    """No bytes raise; whatever is accepted encodes, and decodes to itself."""
    for each in LlrpDecoder().receive(data):
        if isinstance(each, Message):
            assert decode(encode(each)) == each


@settings(max_examples=2000)
@given(st.binary(max_size=200))
def test_random_bytes_after_any_header_raise_nothing(body: bytes) -> None:
    must_hold(body)
    number = sorted(tables().message_of)[len(body) % len(tables().message_of)]
    must_hold(with_header(tables().message_of[number].name, body))


@settings(max_examples=2000)
@given(st.binary(max_size=80))
def test_decoding_raises_only_our_own_errors(raw: bytes) -> None:
    with suppress(ProtocolsError):
        decode(raw)


def mutations(seed: int, count: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    originals = every_message()
    for _ in range(count):
        raw = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(raw))
            raw[at] = chance.choice((raw[at] ^ 1 << chance.randrange(8), 0, 0xFF, chance.randrange(256)))
        cut = chance.randrange(4 * len(raw))
        yield bytes(raw[:cut]) if cut < len(raw) else bytes(raw)


def test_a_hundred_thousand_mutated_messages_raise_nothing() -> None:
    for raw in mutations(1, MUTATIONS):
        must_hold(raw)


def report_of(number: int, tags: int) -> bytes:
    """Return a report of tags that differ."""
    rows: list[Value] = [
        {"EPC_96": f"{number:012X}{tag:012X}", "ROSpecID": 1, "AntennaID": 1, "PeakRSSI": -50, "TagSeenCount": 1}
        for tag in range(tags)
    ]
    return encode(Message("RO_ACCESS_REPORT", number, {"TagReportData": rows}))


@pytest.mark.parametrize("missing", range(1, 120))
def test_a_report_cut_short_anywhere_does_not_cost_the_one_behind_it(missing: int) -> None:
    decoder = LlrpDecoder()
    out = [
        one
        for part in (report_of(5, 20)[:-missing], report_of(6, 20), report_of(7, 20))
        for one in decoder.receive(part)
    ]
    assert [one.id for one in out if isinstance(one, Message)][-2:] == [6, 7]
