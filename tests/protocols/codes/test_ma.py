"""MA codes: published examples, the check digit, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from protocols.codes.ma import ma_check_digit, read_ma
from protocols.errors import BadValue

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "udi" / "ma.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("row", VECTORS["codes"], ids=lambda row: row["text"])
def test_a_published_code_reads_as_published(row: dict[str, Any]) -> None:
    said = read_ma(row["text"])
    for name in ("product", "lot", "serial"):
        assert getattr(said, name) == row["says"].get(name)
    for name in ("expiry", "made"):
        day = getattr(said, name)
        assert (day.isoformat() if day else None) == row["says"].get(name)


@pytest.mark.parametrize(("text", "digit"), VECTORS["checks"])
def test_the_check_digit_is_that_of_the_manual(text: str, digit: str | None) -> None:
    assert ma_check_digit(text) == digit


def test_the_check_of_the_identifier_is_told() -> None:
    assert dict(read_ma("MA.156.M0.100204.13351764").elements)["di_check"] == "right"
    assert dict(read_ma("MA.156.M0.100204.13351765").elements)["di_check"] == "wrong"


def test_a_check_digit_that_proves_nothing_refuses_nothing() -> None:
    said = read_ma("MA.156.M0.100472.11103316.S1576130942.P190101.LABS20191201.E191201.C7")
    assert (said.lot, said.serial) == ("ABS20191201", "1576130942")
    assert dict(read_ma("MA.156.M0.100472.91103316").elements)["di_check"] == "not proved"


def test_the_day_it_may_be_used_until_stands_in_for_an_expiry() -> None:
    said = read_ma("MA.156.M0.100204.13351764.V270131")
    assert said.expiry is not None
    assert said.expiry.isoformat() == "2027-01-31"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MA",
        "MA.156.M0.100204",
        "MA.156.M0.100204.13351764.",
        "MA.156.M0.100204.13351764.L",
        "MA.156.M0.100204.13351764.Z1",
        "MA.156.M0.100204.13351764.E270231",
        "MA.156.M0.100204.13351764.E270200",
        "MA.156.M0.100204.13351764.LA.LB",
        "MA.156.M0.100350.01004YA10017.SLMSAGAAAC.M210628.LAY21062803.E220628.V220627.C4",
        "MA.156.M0.100204.13351764.C1.LA",
        "MA.156.M0.100204.1335\0764",
        "ma.156.M0.100204.13351764",
    ],
)
def test_a_broken_code_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        read_ma(text)


def test_a_day_that_is_none_is_told_as_this_codes_own_field() -> None:
    with pytest.raises(BadValue, match="MA: expected a day of the calendar as YYMMDD for valid_until, got '2'"):
        read_ma("MA.156.M0.100204.13351764.V2.L1")


def test_characters_outside_the_table_have_no_check_digit() -> None:
    for text in ("", "中", "a\0b", "_"):
        with pytest.raises(BadValue):
            ma_check_digit(text)
