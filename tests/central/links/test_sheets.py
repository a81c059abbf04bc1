"""A workbook read back by another reading of the same format: types stay, and no text becomes a formula."""

from datetime import date
from fractions import Fraction
from io import BytesIO

import pytest
from openpyxl import load_workbook

from central.errors import BadInput
from central.links.sheets import Sheet, Yuan, workbook
from protocols.values.money import yuan


def test_cells_come_back_as_what_they_are() -> None:
    row = ("06999990101016", 12, date(2026, 3, 2), Yuan(yuan("0.0085")), Fraction(4, 5), None)
    book = load_workbook(BytesIO(workbook([Sheet("集采进度", ("a", "b", "c", "d", "e", "f"), [row])])))
    sheet = book["集采进度"]
    assert [cell.value for cell in sheet[1]] == ["a", "b", "c", "d", "e", "f"]
    text, number, day, money, share, nothing = (cell.value for cell in sheet[2])
    assert (text, number, str(day)[:10], money, share, nothing) == (
        "06999990101016",
        12,
        "2026-03-02",
        0.0085,
        0.8,
        None,
    )
    assert sheet["E2"].number_format == "0.0%"
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_no_text_becomes_a_formula(text: str) -> None:
    (cell,) = load_workbook(BytesIO(workbook([Sheet("s", ("x",), [(text,)])])))["s"][2]
    assert (cell.data_type, cell.value) == ("s", text)


@pytest.mark.parametrize("title", ["", "a" * 32, "2026/Q1"])
def test_a_title_that_excel_refuses_is_refused_here(title: str) -> None:
    with pytest.raises(BadInput, match="expected a title"):
        Sheet(title, ("x",), [])


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(BadInput, match="expected 2 cells in every row"):
        Sheet("s", ("x", "y"), [(1,)])
