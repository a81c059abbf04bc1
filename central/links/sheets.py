"""Tables as an Excel workbook: sheets of typed cells with a frozen head, a filter and widths that fit what is in them.

It knows nothing of what it writes. The rules that must not be broken: a text is written as text, so that none is ever
taken for a formula (CWE-1236), codes of many digits stay whole, and money is a number of yuan, not a text.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from unicodedata import east_asian_width

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from central.errors import BadInput
from protocols.values.money import UNITS_A_YUAN, Money

ROWS_MAX = 1_048_575
"""Rows of a sheet below its head (ECMA-376: 1,048,576 in all)."""

TITLE_MAX = 31
WIDTH_MIN, WIDTH_MAX = 8, 60
FITTED_ROWS = 200
"""Rows whose text decides how wide a column is."""

NOT_IN_A_TITLE = re.compile(r"[\[\]:*?/\\]")
HEAD_FILL = PatternFill("solid", fgColor="FFE8F1FB")
FORMATS: dict[type, str] = {date: "yyyy-mm-dd", Decimal: "#,##0.00##", Fraction: "0.0%"}


@dataclass(frozen=True, slots=True)
class Yuan:
    """An amount of money as a cell."""

    amount: Money


Value = str | int | date | Decimal | Fraction | Yuan | None
"""What a cell may hold; a `Fraction` is a share and is written as a percentage."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its title, the words above its columns, and rows of as many cells."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Value]]

    def __post_init__(self) -> None:
        if not 1 <= len(self.title) <= TITLE_MAX or NOT_IN_A_TITLE.search(self.title):
            raise BadInput(f"sheet: expected a title of 1 to {TITLE_MAX} characters without []:*?/\\, got {self.title}")
        if len(self.rows) > ROWS_MAX:
            raise BadInput(f"sheet {self.title}: expected at most {ROWS_MAX} rows, got {len(self.rows)}; ask for less")
        if any(len(row) != len(self.head) for row in self.rows):
            raise BadInput(f"sheet {self.title}: expected {len(self.head)} cells in every row")


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """Return the bytes of an .xlsx file with these sheets, in their order."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        _write(book.create_sheet(sheet.title), sheet)
    told = io.BytesIO()
    book.save(told)
    return told.getvalue()


def _write(target: WriteOnlyWorksheet, sheet: Sheet) -> None:
    target.freeze_panes = "A2"
    columns: Any = target.column_dimensions  # type: ignore[attr-defined] # the stubs lack what it takes over
    for number, width in enumerate(_widths(sheet), start=1):
        columns[get_column_letter(number)].width = width
    last = f"{get_column_letter(max(1, len(sheet.head)))}{len(sheet.rows) + 1}"
    target.auto_filter.ref = f"A1:{last}"  # type: ignore[attr-defined] # as above
    target.append([_head_cell(target, word) for word in sheet.head])
    for row in sheet.rows:
        target.append([_cell(target, value) for value in row])


def _head_cell(target: WriteOnlyWorksheet, word: str) -> Cell:
    cell = _cell(target, word)
    cell.font, cell.fill, cell.alignment = Font(bold=True), HEAD_FILL, Alignment(wrap_text=True, vertical="top")
    return cell


def _cell(target: WriteOnlyWorksheet, value: Value) -> Cell:
    plain = Decimal(value.amount) / UNITS_A_YUAN if isinstance(value, Yuan) else value
    cell = WriteOnlyCell(target)
    cell.value = float(plain) if isinstance(plain, Fraction) else plain
    if isinstance(plain, str):
        cell.data_type = "s"  # also where it begins as a formula would
    elif type(plain) in FORMATS:
        cell.number_format = FORMATS[type(plain)]
    return cell


def _widths(sheet: Sheet) -> list[int]:
    columns = [[word, *(row[at] for row in sheet.rows[:FITTED_ROWS])] for at, word in enumerate(sheet.head)]
    return [min(WIDTH_MAX, max(WIDTH_MIN, 2 + max(_columns_of(cell) for cell in column))) for column in columns]


def _columns_of(cell: Value) -> int:
    """Return how many columns of a fixed font a cell takes: a Chinese character takes two."""
    said = f"{cell.amount // UNITS_A_YUAN:,}.00" if isinstance(cell, Yuan) else "" if cell is None else str(cell)
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in said)
