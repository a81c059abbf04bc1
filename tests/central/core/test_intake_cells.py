"""A cell of somebody's spreadsheet: what the program that wrote it spoilt is told, and never taken as it looks."""

from datetime import date, datetime

import pytest

from central.core.intake.cells import Raw, Refused, text_of


@pytest.mark.parametrize("column", ["item", "lot", "order_no"])
@pytest.mark.parametrize("raw", [date(2026, 3, 2), datetime(2026, 3, 2)])  # noqa: DTZ001 # spreadsheets know no zone
def test_a_code_that_a_spreadsheet_turned_into_a_day_is_refused(column: str, raw: Raw) -> None:
    with pytest.raises(Refused, match="the code became a day"):
        text_of(column, raw)


def test_a_day_stays_a_day_and_a_code_that_looks_like_one_stays_a_code() -> None:
    assert text_of("expiry", datetime(2026, 3, 2)) == "2026-03-02"  # noqa: DTZ001 # spreadsheets know no zone
    assert text_of("item", "3-2") == "3-2"
    assert text_of("lot", "2026-03-02") == "2026-03-02"


@pytest.mark.parametrize("column", ["name_zh", "item", "qty", "price_yuan", "expiry"])
@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#DIV/0!", "#NAME?", "＃VALUE！"])
def test_a_formula_s_error_is_refused_in_every_column(column: str, error: str) -> None:
    with pytest.raises(Refused, match="formula's error"):
        text_of(column, error)


def test_a_code_that_begins_with_a_hash_is_a_code() -> None:
    assert text_of("lot", "#A1") == "#A1"
