"""An old Excel workbook (.xls, BIFF in an OLE file) as sheets of cells; a cell whose formula failed says so.

Read by xlrd, not by calamine: that one gives failed cells as empty ones, and a spoilt file can end the whole process.
"""

import io
import struct
from collections.abc import Iterator
from datetime import datetime, time

import xlrd
from xlrd.xldate import xldate_as_datetime

from central.core.intake.cells import Raw
from central.errors import BadSheet

UNKNOWN_ERROR = "#UNKNOWN!"
SPOILT = (
    xlrd.XLRDError,
    xlrd.compdoc.CompDocError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    TypeError,
    ValueError,
)
"""What xlrd raises where a file is spoilt: it trusts what it reads."""

Merged = tuple[tuple[int, int], tuple[int, int]]
"""A merged range as (top, left), (bottom, right), from 0."""
Sheet = tuple[str, list[list[Raw]], tuple[Merged, ...]]
"""A sheet's name, its rows from the first on, all as wide, and its merged ranges."""


def sheets_of(content: bytes, most: int) -> Iterator[Sheet]:
    """Give the first so many sheets, one after the other. Raises `BadSheet` with what to do."""
    try:
        with xlrd.open_workbook(
            file_contents=content, on_demand=True, ragged_rows=True, formatting_info=True, logfile=io.StringIO()
        ) as book:
            for name in book.sheet_names()[:most]:
                yield _sheet(book, name)
                book.unload_sheet(name)
    except SPOILT as error:
        if "encrypted" in str(error):
            raise BadSheet(
                "文件有密码保护；请取消密码后另存再上传",
                "file: expected one without a password, got an encrypted one; save it without and try again",
            ) from error
        raise BadSheet(
            "旧格式工作簿（.xls）已损坏；请另存为 .xlsx 再上传",
            "file: expected a whole .xls workbook, got a damaged one; save it as .xlsx and try again",
        ) from error


def _sheet(book: xlrd.Book, name: str) -> Sheet:
    read = book.sheet_by_name(name)
    rows = [_trimmed([_raw(cell, book.datemode) for cell in read.row(number)]) for number in range(read.nrows)]
    while rows and not rows[-1]:
        rows.pop()
    width = max(map(len, rows), default=0)
    merged = tuple(((top, left), (below - 1, right - 1)) for top, below, left, right in read.merged_cells)
    return name, [[*row, *[None] * (width - len(row))] for row in rows], merged


def _trimmed(cells: list[Raw]) -> list[Raw]:
    """Return a row without the empty cells at its end: a format alone is nothing."""
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _raw(cell: xlrd.sheet.Cell, datemode: int) -> Raw:
    match cell.ctype:
        case xlrd.XL_CELL_EMPTY | xlrd.XL_CELL_BLANK:
            return None
        case xlrd.XL_CELL_ERROR:
            return str(xlrd.error_text_from_code.get(cell.value, UNKNOWN_ERROR))
        case xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value)
        case xlrd.XL_CELL_DATE:
            return _day(cell.value, datemode)
        case xlrd.XL_CELL_NUMBER:
            return float(cell.value)
        case _:
            return str(cell.value) or None


def _day(value: float, datemode: int) -> Raw:
    """Return a serial number as the day, time or both that Excel shows; one that is no day stays a number."""
    try:
        found: datetime = xldate_as_datetime(value, datemode)
    except (ValueError, OverflowError):
        return value
    if 0 <= value < 1:
        return str(found.time())
    return found.date() if found.time() == time() else found
