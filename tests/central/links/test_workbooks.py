"""Spreadsheets as people upload them: what opens, and one clear error for each that does not."""

import io
import random
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from openpyxl import Workbook

from central.errors import BadInput, BadSheet
from central.links import workbooks
from central.links.workbooks import ROWS_MAX, grids_of
from tests.central.services.messy import messy_items, saved

OLE = workbooks.OLE + bytes(504)
SPOILT = 300


def repacked(change: Callable[[zipfile.ZipFile], None], *, without: str = "") -> bytes:
    """Return the messy workbook with members added."""
    told = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(messy_items())) as source,
        zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for one in source.infolist():
            if one.filename != without:
                target.writestr(one, source.read(one))
        change(target)
    return told.getvalue()


def sheet_xml(cells: str) -> Callable[[zipfile.ZipFile], None]:
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return lambda target: target.writestr("xl/worksheets/sheet1.xml", f"{head}{cells}</sheetData></worksheet>")


def test_a_workbook_opens_with_its_merged_ranges_and_numbers_as_they_are() -> None:
    (grid,) = grids_of(messy_items(), "a.xlsx")
    assert grid.name == "耗材目录"
    assert ((0, 0), (0, 8)) in grid.merged
    assert grid.rows[4][5] == 6999990101016
    assert grid.rows[6][5] == "6.9E+12"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_text_table_opens_in_the_encodings_chinese_programs_write(encoding: str, delimiter: str) -> None:
    (grid,) = grids_of(f"编码{delimiter}品名\nA{delimiter}纱布\n".encode(encoding), "a.csv")
    assert list(grid.rows) == [["编码", "品名"], ["A", "纱布"]]


def bomb(target: zipfile.ZipFile) -> None:
    target.writestr("xl/media/zeros.bin", bytes(workbooks.UNPACKED_BYTES_MAX + 1))


def million(target: zipfile.ZipFile) -> None:
    sheet_xml("<row/>" * (ROWS_MAX + 1))(target)


REFUSED = {
    "too large": (bytes(workbooks.FILE_BYTES_MAX + 1), "at most 20 MB"),
    "a zip bomb": (repacked(bomb), "at most 256 MB when unpacked"),
    "too many rows": (repacked(million, without="xl/worksheets/sheet1.xml"), "at most 100000 rows"),
    "a cell far down": (
        repacked(sheet_xml('<row r="1"><c r="A1048576"><v>1</v></c></row>'), without="xl/worksheets/sheet1.xml"),
        "at most 100000 rows",
    ),
    "a cell far right": (
        repacked(sheet_xml('<row r="1"><c s="1" r="XFD1"><v>1</v></c></row>'), without="xl/worksheets/sheet1.xml"),
        "at most 200 columns",
    ),
    "macros": (repacked(lambda target: target.writestr("xl/vbaProject.bin", b"x")), "expected one without macros"),
    "old macros": (OLE + workbooks.MACROS, "expected one without macros"),
    "a password": (OLE + workbooks.LOCKED, "expected one without a password"),
    "damaged": (messy_items()[:2000], "a damaged one"),
    "damaged old": (OLE, "a damaged one"),
    "another zip": (repacked(lambda _: None, without="[Content_Types].xml"), "another kind of file"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), "got neither|another kind of file"),
}


@pytest.mark.parametrize("sort", REFUSED)
def test_what_cannot_be_taken_is_refused_with_one_clear_error(sort: str) -> None:
    content, said = REFUSED[sort]
    with pytest.raises(BadInput, match=said):
        grids_of(content, "a.xlsx")


def test_a_size_that_a_file_lies_about_is_found_out_while_reading() -> None:
    told = bytearray(repacked(lambda target: target.writestr("xl/media/zeros.bin", bytes(3_000_000))))
    at = told.rindex(b"PK\x01\x02", 0, told.index(b"PK\x05\x06"))
    told[at + 24 : at + 28] = (10).to_bytes(4, "little")  # the size unpacked, in the directory
    with pytest.raises(BadInput, match="a damaged one"):
        grids_of(bytes(told), "a.xlsx")


def test_empty_sheets_are_passed_over() -> None:
    book = Workbook()
    book.create_sheet("数据").append(["a", "b"])
    assert [grid.name for grid in grids_of(saved(book), "a.xlsx")] == ["数据"]


def erring(rows: int) -> bytes:
    """Return a workbook, as Excel keeps it, whose formulas failed."""
    told = io.BytesIO()
    with xlsxwriter.Workbook(told) as book:
        sheet = book.add_worksheet("目录")
        sheet.write_row(0, 0, ["编码", "品名"])
        for row in range(1, rows + 1):
            sheet.write_formula(row, 0, "=A9/0", None, "#DIV/0!")
            sheet.write_formula(row, 1, "=1+1", None, 2)
        sheet.write_formula(rows, 1, "=gone!A1", None, "#REF!")
    return told.getvalue()


@pytest.mark.parametrize("piece", [1, 7, 64, workbooks.CHUNK_BYTES])
def test_a_formula_s_error_is_a_cell_that_says_so_and_not_an_empty_one(
    piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = erring(3)
    whole = grids_of(content, "a.xlsx")
    assert whole[0].rows == [["编码", "品名"], ["#DIV/0!", 2], ["#DIV/0!", 2], ["#DIV/0!", "#REF!"]]
    monkeypatch.setattr(workbooks, "CHUNK_BYTES", piece)
    assert workbooks._by_calamine(workbooks._told_errors(content)) == whole


def test_only_a_workbook_with_errors_is_written_anew() -> None:
    assert not workbooks._check_zip(messy_items())
    assert workbooks._check_zip(erring(1))


VECTORS = Path(__file__).parents[2] / "vectors/workbooks"
OLD = (VECTORS / "errors.xls").read_bytes()


def test_an_old_workbook_gives_every_kind_of_cell_and_its_merged_ranges() -> None:
    (grid,) = grids_of((VECTORS / "kinds.xls").read_bytes(), "a.xls")
    days = [date(2026, 3, 2), datetime(2026, 3, 2, 8, 30)]  # noqa: DTZ001 - a spreadsheet knows no zone
    assert grid.rows == [[*days, "08:30:00", True, 5, 6.9e12], ["m", *[None] * 5]]
    assert grid.merged == (((1, 0), (2, 1)),)


def test_an_old_workbook_s_errors_are_cells_that_say_so_too() -> None:
    assert [(grid.name, grid.rows) for grid in grids_of(OLD, "a.xls")] == [
        (
            "目录",
            [["编码", "名称", "单价"], ["C-1", "纱布", 1.5], [None, None, None], ["C-2", "#REF!", "#N/A"]],
        ),
        (
            "公式",
            [[None] * 4, [None] * 4, [None, None, "x", None], [None, None, None, "#DIV/0!"]],
        ),
    ]


def test_a_spoilt_old_workbook_is_read_or_refused_with_one_clear_error() -> None:
    chance, read = random.Random(7), 0
    for _ in range(SPOILT):
        content = bytearray(OLD)
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(8, len(content))] = chance.randrange(256)
        cut = chance.choice((len(content), chance.randrange(8, len(content))))
        with suppress(BadSheet):
            grids_of(bytes(content[:cut]), "a.xls")
            read += 1
    assert 0 < read < SPOILT
