"""`decode_line`: every kind of line gets one JSON answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codes.label import CommandName, make_badge, make_command
from protocols.decode import decode_line
from protocols.readers.llrp import codec
from protocols.readers.llrp.messages import Message
from protocols.readers.uhfreader18.codec import encode_answer
from protocols.values.ids import actor_id


def test_an_epc_is_told_in_its_four_forms() -> None:
    assert decode_line("epc\t3066C4409047E140075BCD15\n") == {
        "ok": {
            "scheme": "SGTIN-96",
            "tag_uri": "urn:epc:tag:sgtin-96:3.95060001343.05.123456789",
            "pure_identity": "urn:epc:id:sgtin:95060001343.05.123456789",
            "element_string": "(01)09506000134352(21)123456789",
            "digital_link": "https://id.gs1.org/01/09506000134352/21/123456789",
        }
    }


def test_an_epc_of_no_scheme_is_not_an_error() -> None:
    answer = decode_line("epc\tE2801191A5030063")["ok"]
    assert isinstance(answer, dict)
    assert answer["scheme"] is None
    assert answer["reason"]


def test_lot_and_expiry_behind_an_epc_are_told() -> None:
    answer = decode_line("epc\tF7B795211411234538566CB0AFC42E6C7E2045433200")["ok"]
    assert isinstance(answer, dict)
    assert answer["element_string"] == "(01)79521141123453(21)32a/b"
    assert answer["data"] == {"17": "270131", "10": "A1"}


@pytest.mark.parametrize(
    ("text", "issuer", "product"),
    [
        ("+A123BJC5D6E71G+$$52001510X3GD", "HIBC", "A123BJC5D6E71"),
        ("MA.156.M0.100204.13351764.L7", "MA", "MA.156.M0.100204.13351764"),
        ("AHM7", "AHM", None),
    ],
)
def test_every_issuer_is_told_in_one_form(text: str, issuer: str, product: str | None) -> None:
    answer = decode_line(f"barcode\t{text}\\r")["ok"]
    assert isinstance(answer, dict)
    assert (answer["issuer"], answer["product"]) == (issuer, product)
    assert set(answer) == {"issuer", "product", "lot", "expiry", "made", "serial", "elements"}


@pytest.mark.parametrize("separator", ["\\x1d", "\\u001d", "\x1d"])
@pytest.mark.parametrize("suffix", ["", "\\r", "\\r\\n"])
def test_a_barcode_is_told_with_its_dates_and_elements(separator: str, suffix: str) -> None:
    assert decode_line(f"barcode\t]d20106901234567892172701311126010110LOT{separator}21S1{suffix}\r\n") == {
        "ok": {
            "issuer": "GS1",
            "product": "06901234567892",
            "lot": "LOT",
            "expiry": "2027-01-31",
            "made": "2026-01-01",
            "serial": "S1",
            "elements": {"01": "06901234567892", "17": "270131", "11": "260101", "10": "LOT", "21": "S1"},
        }
    }


@pytest.mark.parametrize(
    ("text", "issuer", "elements"),
    [
        (make_badge(actor_id("N0042")), "badge", {"staff": "N0042"}),
        (make_command(CommandName.UNDO), "command", {"command": "UNDO"}),
    ],
)
def test_our_own_codes_are_told_as_such(text: str, issuer: str, elements: dict[str, str]) -> None:
    answer = decode_line(f"barcode\t{text}")["ok"]
    assert isinstance(answer, dict)
    assert (answer["issuer"], answer["product"], answer["elements"]) == (issuer, None, elements)


def test_an_llrp_message_is_told_and_written_anew() -> None:
    raw = codec.encode(Message("KEEPALIVE", 7)).hex()
    assert decode_line(f"llrp\t{raw}") == {"ok": {"type": "KEEPALIVE", "id": 7, "params": {}, "reencoded": raw}}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("", "KIND"),
        ("epc", "KIND"),
        ("epc 30", "KIND"),
        ("nfc\t00", "KIND"),
        ("epc\t", "hex"),
        ("epc\tXYZ", "hex"),
        ("barcode\t", "characters"),
        ("barcode\t\\q", "backslash"),
        ("barcode\tA\\", "backslash"),
        ("barcode\t10D9T", "expected a product's label"),
        ("barcode\t+A123BJC5D6E71H", "HIBC"),
        ("llrp\t", "header"),
        ("llrp\t0", "hex"),
        ("m100\tBB", "rest of a frame"),
        ("uhfreader18\t05", "rest of a frame"),
    ],
)
def test_a_line_that_cannot_be_decoded_is_answered_in_one_sentence(line: str, word: str) -> None:
    answer = decode_line(line)
    assert list(answer) == ["error"]
    assert word in str(answer["error"])
    assert "\n" not in str(answer["error"])


@given(st.sampled_from(["epc\t", "barcode\t", "llrp\t", ""]), st.text(max_size=80))
def test_any_text_gets_one_json_answer(kind: str, text: str) -> None:
    answer = decode_line(kind + text)
    assert list(answer) in (["ok"], ["error"])
    assert json.loads(json.dumps(answer)) == answer


def test_a_stream_of_an_m100_is_told_frame_by_frame_with_what_is_bad_in_it() -> None:
    tag = "BB02220011C43000E200001D7315016521408FC6B83EC27E"
    assert decode_line(f"m100\t{tag}00BB01FF000115167E")["ok"] == [
        {
            "type": "tag",
            "rssi_dbm": -60,
            "pc": "3000",
            "epc": "E200001D7315016521408FC6",
            "crc": "B83E",
            "crc_ok": True,
        },
        {"type": "bad_frame", "reason": "expected the beginning of a frame", "raw": "00"},
        {"type": "error", "code": 0x15, "meaning": "no tag"},
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("BB02220011C43000E200001D7315016521408FC6B83EC37E", "expected checksum C2, got C3"),
        ("BB0222", "m100: expected at least one whole frame; expected the rest of a frame, from 'BB0222'"),
        ("", "expected at least one whole frame; got no bytes"),
        ("zz", "expected the hex of a stream"),
    ],
)
def test_a_stream_without_a_frame_is_an_error(text: str, why: str) -> None:
    assert why in str(decode_line(f"m100\t{text}")["error"])


def test_a_line_of_a_uhfreader18_is_told_tag_by_tag_with_its_commands() -> None:
    answer = encode_answer("tags", 1, 1, {"antenna_mask": 2, "tags": [{"epc": "3034AAAA", "level": 0xC4}] * 2})
    told = decode_line(f"uhfreader18\t040001DB4B{answer.hex()}")["ok"]
    assert isinstance(told, list)
    assert [(each["type"], each.get("epc"), each.get("rssi_dbm")) for each in told] == [
        ("inventory", None, None),
        ("tag", "3034AAAA", -60),
        ("tag", "3034AAAA", -60),
    ]
    assert "expected CRC" in str(decode_line("uhfreader18\t040001DB4C")["error"])
