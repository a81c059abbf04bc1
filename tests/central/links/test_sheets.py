"""A workbook read back by another reading of the same format: types stay, and no text becomes a formula."""

import csv
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from io import BytesIO
from tempfile import TemporaryFile

import pytest
from openpyxl import load_workbook

from central.errors import BadInput
from central.links.sheets import Sheet, Value, Wrong, Yuan, csv_into, workbook, xlsx_into
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


@pytest.mark.parametrize("write", [lambda sheet: workbook([sheet]), lambda sheet: csv_into(BytesIO(), sheet)])
def test_a_row_of_another_length_is_refused(write: Callable[[Sheet], object]) -> None:
    with pytest.raises(BadInput, match="expected 2 cells in every row"):
        write(Sheet("s", ("x", "y"), [(1,)]))


def csv_of(*rows: Sequence[Value]) -> str:
    told = BytesIO()
    csv_into(told, Sheet("s", tuple("abcdefg"[: len(rows[0])]), rows))
    return told.getvalue().decode("utf-8")


def test_a_text_table_begins_with_its_mark_and_holds_what_another_program_reads() -> None:
    row = ("纱布,大", 12, date(2026, 3, 2), Yuan(yuan("0.0085")), Fraction(4, 5), None, -3)
    assert csv_of(row) == '\ufeffa,b,c,d,e,f,g\r\n"纱布,大",12,2026-03-02,0.0085,0.800000,,-3\r\n'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-a", "@SUM(A1)", "\t=1", "-2+3"])
def test_no_text_of_a_text_table_becomes_a_formula(text: str) -> None:
    (_, row) = csv.reader(csv_of((text,)).removeprefix("\ufeff").splitlines())
    assert row == ["'" + text]


def test_a_faulty_cell_is_marked_with_what_is_wrong() -> None:
    sheet = load_workbook(BytesIO(workbook([Sheet("s", ("x",), [(Wrong("6.9E+12", "digits are lost"),)])])))["s"]
    cell = sheet["A2"]
    assert (cell.value, cell.comment.text, cell.fill.fgColor.rgb) == ("6.9E+12", "digits are lost", "FFF8D7DA")


def test_the_same_rows_make_the_same_bytes() -> None:
    rows = [("纱布", 1, date(2026, 3, 2))] * 3
    assert workbook([Sheet("s", ("a", "b", "c"), rows)]) == workbook([Sheet("s", ("a", "b", "c"), iter(rows))])


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(count: int) -> int:
        rows = ((f"HC-{number}", "一次性使用中心静脉导管包", number) for number in range(count))
        tracemalloc.start()
        try:
            with TemporaryFile() as target:
                assert xlsx_into(target, [Sheet("s", ("a", "b", "c"), rows)]) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(500), peak(10_000)
    assert many < 2 * few
