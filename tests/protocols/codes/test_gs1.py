"""GS1 element strings: what is read, and every lenience of the library underneath that is refused here."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codes.gs1 import FNC1, MESSAGE_MAX, gs1_date, read_bracketed, read_message
from protocols.codes.gtin import gtin_check_digit
from protocols.errors import BadValue

VECTORS = Path(__file__).parents[2] / "vectors" / "udi" / "gs1_china.json"
GTIN = "0106901234567892"
LOT_TEXT = st.text("!\"%&'()*+,-./0123456789:;<=>?ABCXYZ_abcxyz", min_size=1, max_size=20)


@pytest.mark.parametrize("row", json.loads(VECTORS.read_text()), ids=lambda row: row["source"])
def test_a_published_label_reads_as_published(row: dict[str, Any]) -> None:
    message = read_bracketed(row["bracketed"])
    assert dict(message.elements) == row["elements"]
    assert message.gtin == row["elements"]["01"]
    assert message.lot == row["elements"].get("10")
    assert message.serial == row["elements"].get("21")
    assert message.expiry == date.fromisoformat(row["expiry"])
    assert message.made == (date.fromisoformat(row["made"]) if row["made"] else None)


def test_a_symbol_and_its_bracketed_text_say_the_same() -> None:
    symbol = read_message(f"{GTIN}11141231171507071" + f"0A213B1{FNC1}211234")
    assert symbol == read_bracketed("(01)06901234567892 (11)141231 (17)150707 (10)A213B1 (21)1234")


@given(LOT_TEXT, LOT_TEXT)
def test_any_lot_and_serial_of_set_82_come_back(lot: str, serial: str) -> None:
    message = read_message(f"{GTIN}10{lot}{FNC1}21{serial}")
    assert (message.lot, message.serial) == (lot, serial)


@pytest.mark.parametrize("text", [FNC1 + GTIN, GTIN + FNC1, f"{GTIN}{FNC1}10A"])
def test_a_separator_before_after_or_behind_a_fixed_length_is_allowed(text: str) -> None:
    assert read_message(text).gtin == "06901234567892"


@pytest.mark.parametrize(
    ("digits", "day"),
    [
        ("270200", date(2027, 2, 28)),
        ("280200", date(2028, 2, 29)),
        ("270131", date(2027, 1, 31)),
        ("760101", date(2076, 1, 1)),
        ("770101", date(1977, 1, 1)),
    ],
)
def test_a_date_has_its_century_and_day_zero_is_the_months_end(digits: str, day: date) -> None:
    assert gs1_date(digits) == day


REFUSED = {
    "nothing": "",
    "a separator alone": FNC1,
    "two separators": f"{GTIN}{FNC1}{FNC1}10A",
    "GTIN with a wrong check digit": "0106901234567893",
    "content with a wrong check digit": "020690123456789337" + "5",
    "SSCC with a wrong check digit": "00095201234567891234",
    "GLN with a wrong check digit": "4149521141123455",
    "GRAI with a wrong check digit": "800309521141123450",
    "GRAI without its zero": "800319521141123454",
    "GDTI with a wrong check digit": "2539521141987651ABC",
    "GSRN with a wrong check digit": "8018952114112345678907",
    "ITIP with a wrong check digit": "8006095211411234550102",
    "ITIP piece above total": "8006095211411234540302",
    "lot empty": "10",
    "count empty": f"30{FNC1}{GTIN}",
    "potency empty": "7004",
    "lot too long": "10" + "A" * 21,
    "lot too long, with an identifier behind": "10" + "A" * 20 + "17270131",
    "harvest date of eight digits": "700727010127",
    "harvest date of ten digits": "70072701012701",
    "harvest date, second date none": "7007270101279901",
    "month 13": "17271301",
    "month 00": "17270001",
    "30 February": "17270230",
    "day zero where it may not be": "7003270100" + "1200",
    "hour 24": "70032701012400",
    "unknown identifier": "0506901234567892",
    "cut in the GTIN": "010690123456789",
    "a space": f"{GTIN}10A B",
    "a character outside the set": f"{GTIN}10A^B",
    "digits of another script": "01٠٦٩٠١٢٣٤٥٦٧٨٩٢",
    "two lots": f"10A{FNC1}10B",
    "an item and its own content": f"{GTIN}02069012345678923" + "75",
    "longer than a scan": "10A" + FNC1 + "91" + "A" * MESSAGE_MAX,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_a_message_that_breaks_the_standard_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        read_message(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "()",
        "(01)",
        "(01)06901234567893",
        "(10)",
        "(1)A",
        "(10)A(",
        "(10)A)B",
        "x(10)A",
        "(05)A",
        "(0106)A",
        "(10)A\x1d",
        "01",
    ],
)
def test_bracketed_text_that_breaks_the_standard_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        read_bracketed(text)


def test_the_same_element_twice_is_said_once() -> None:
    assert read_message(f"10A{FNC1}10A").elements == (("10", "A"),)


def test_the_item_of_a_piece_is_its_product() -> None:
    payload = "0952114112345"
    assert read_message(f"8006{payload}{gtin_check_digit(payload)}0102").gtin == "09521141123454"
