"""HIBC labels: published examples, every date form, check characters that are spaces, and pairs of symbols."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codes.hibc import ALPHABET, Hibc, check_character, joined, read_hibc
from protocols.errors import BadValue

ROWS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "hibc" / "hibc.json").read_text(encoding="utf-8")
)["rows"]


def checked(text: str) -> str:
    return text + check_character(text)


def said(label: Hibc, row: dict[str, Any]) -> dict[str, Any]:
    """Return what a label says in the words of the vectors."""
    elements = dict(label.elements)
    expiry = label.expiry.isoformat() if label.expiry else None
    if expiry and "exp" in row:
        expiry = expiry[: len(row["exp"].split("T")[0])] + ("T" + elements["hour"] if "hour" in elements else "")
    return {
        "lic": elements.get("lic"),
        "pcn": elements.get("pcn"),
        "um": int(elements["um"]) if "um" in elements else None,
        "exp": expiry,
        "lot": label.lot,
        "serial": label.serial,
        "qty": label.quantity,
        "prod": label.made.isoformat() if label.made else None,
        "link": label.link,
    }


@pytest.mark.parametrize("row", [row for row in ROWS if row["valid"]], ids=lambda row: row["text"])
def test_a_published_example_reads_as_published(row: dict[str, Any]) -> None:
    text = row["text"] if row["check"] else checked(row["text"][:-1])
    says = said(read_hibc(text), row["says"])
    for name, value in row["says"].items():
        if name != "check":
            assert says[name] == value


@pytest.mark.parametrize("row", [row for row in ROWS if not row["valid"]], ids=lambda row: row["text"])
def test_a_published_mistake_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        read_hibc(row["text"])


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert len(ALPHABET) == 43
    assert check_character("+A123BJC5D6E71") == "G"
    with pytest.raises(BadValue):
        check_character("+a")
    with pytest.raises(BadValue):
        check_character("")


def test_a_check_character_may_be_a_space() -> None:
    texts = [f"+A999{number:04}1" for number in range(2000)]
    text = next(text for text in texts if check_character(text) == " ")
    assert read_hibc(text + " ").product == text[1:]
    with pytest.raises(BadValue):
        read_hibc(text)


@pytest.mark.parametrize(
    ("data", "expiry", "quantity", "lot"),
    [
        ("$LOT", None, None, "LOT"),
        ("26031LOT", date(2026, 1, 31), None, "LOT"),
        ("$$0228LOT", date(2028, 2, 29), None, "LOT"),
        ("$$2022928LOT", date(2028, 2, 29), None, "LOT"),
        ("$$3280229LOT", date(2028, 2, 29), None, "LOT"),
        ("$$428022923LOT", date(2028, 2, 29), None, "LOT"),
        ("$$528060LOT", date(2028, 2, 29), None, "LOT"),
        ("$$62806023LOT", date(2028, 2, 29), None, "LOT"),
        ("$$7LOT", None, None, "LOT"),
        ("$$8500228LOT", date(2028, 2, 29), 50, "LOT"),
        ("$$9123453280229LOT", date(2028, 2, 29), 12345, "LOT"),
        ("$$850", None, 50, None),
        ("$$3280229", date(2028, 2, 29), None, None),
    ],
)
def test_every_form_of_secondary_data_is_read(
    data: str, expiry: date | None, quantity: int | None, lot: str | None
) -> None:
    label = read_hibc(checked(f"+{data}G"))
    assert (label.expiry, label.quantity, label.lot, label.serial) == (expiry, quantity, lot, None)
    assert (label.link, label.product) == ("G", None)


def test_a_plus_marks_a_serial_number() -> None:
    assert read_hibc(checked("+$+S1G")).serial == "S1"
    label = read_hibc(checked("+A99912345/$$+3280229S1"))
    assert (label.serial, label.lot, label.expiry) == ("S1", None, date(2028, 2, 29))


@pytest.mark.parametrize(
    "data",
    [
        "$$2133128L",
        "$$3280230L",
        "$$5280000",
        "$$528367L",
        "$$42802292",
        "$$428022924L",
        "$$1328L",
        "$$$L",
        "$L" + "X" * 19,
    ],
)
def test_what_no_form_allows_is_refused(data: str) -> None:
    with pytest.raises(BadValue):
        read_hibc(checked(f"+{data}G"))


@pytest.mark.parametrize(
    "body", ["A99912345/$L/SX/SY", "A99912345/14D20280230", "A99912345/Q123456", "A9991/", "9", "-"]
)
def test_a_broken_combined_label_is_refused(body: str) -> None:
    with pytest.raises(BadValue):
        read_hibc(checked("+" + body))


def test_a_pair_belongs_together_by_its_link() -> None:
    first = checked("+A99912345")
    second = checked("+$$3280229LOT" + first[-1])
    whole = read_hibc(first + second)
    assert (whole.product, whole.lot) == ("A99912345", "LOT")
    assert joined(read_hibc(first), read_hibc(second)) == whole
    with pytest.raises(BadValue):
        joined(read_hibc(checked("+A99912346")), read_hibc(second))
    with pytest.raises(BadValue):
        read_hibc(checked("+A99912346") + second)


@given(
    st.from_regex(r"[A-Z][A-Z0-9]{3}[A-Z0-9]{1,18}[0-9]", fullmatch=True),
    st.integers(0, 30),
    st.sampled_from(ALPHABET),
)
def test_one_wrong_character_never_passes(body: str, at: int, other: str) -> None:
    text = checked("+" + body)
    at = 1 + at % (len(text) - 1)
    if text[at] == other:
        return
    with pytest.raises(BadValue):
        read_hibc(text[:at] + other + text[at + 1 :])
