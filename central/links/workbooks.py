"""A spreadsheet somebody uploads, as rows of cells: Excel new and old, or CSV; or one clear error saying why not.

It knows nothing of what the cells mean. The rules that must not be broken: what would fill the memory is found out
before anything is taken apart, and no macro, formula or link of a file is ever run.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, load_workbook

from central.core.intake.cells import Raw
from central.errors import BadSheet
from central.links.old_workbooks import sheets_of

FILE_BYTES_MAX = 20 * 1024 * 1024
UNPACKED_BYTES_MAX = 256 * 1024 * 1024
"""What a file may hold when unpacked: a sheet of 100,000 rows and 40 columns is some 150 MB of XML."""
MEMBERS_MAX = 2_000
ROWS_MAX = 100_000
COLUMNS_MAX = 200
SHEETS_MAX = 50
CHUNK_BYTES = 1024 * 1024
TAIL_BYTES = 64
"""A cell's address may stand across two pieces; so much of the one is kept for the next."""

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ADDRESS = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
ERROR_CELL = re.compile(rb"""(<(?:\w+:)?c\s[^>]*?\bt=)(["'])e\2""")
"""A cell that holds a formula's error, such as #REF!; the reader of workbooks would take it for empty."""
AS_TEXT = rb"\1\2str\2"
ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
MACROS, LOCKED = "_VBA_PROJECT".encode("utf-16-le"), "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet: its name, its rows from the first on, and its merged ranges as ((top, left), (bottom, right))."""

    name: str
    rows: Sequence[Sequence[Raw]]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]]


def grids_of(content: bytes, name: str) -> list[Grid]:
    """Return the sheets of a file that hold anything. Raises `BadSheet` with what to do."""
    if len(content) > FILE_BYTES_MAX:
        raise BadSheet(
            f"文件超过 {FILE_BYTES_MAX >> 20} MB；请拆分后再上传",
            f"file: expected at most {FILE_BYTES_MAX >> 20} MB, got more; split it",
        )
    if content.startswith(ZIP):
        return _by_calamine(_told_errors(content) if _check_zip(content) else content)
    if content.startswith(OLE):
        _check_ole(content)
        return [_checked(Grid(*sheet)) for sheet in sheets_of(content, SHEETS_MAX) if sheet[1]]
    return [_from_text(content, name)]


def _check_ole(content: bytes) -> None:
    if LOCKED in content:
        raise BadSheet(
            "文件有密码保护；请取消密码后另存再上传",
            "file: expected one without a password, got an encrypted one; save it without and try again",
        )
    if MACROS in content:
        raise BadSheet(
            "文件带有宏；请另存为 .xlsx 再上传",
            "file: expected one without macros, got macros; save it as .xlsx and try again",
        )


def _check_zip(content: bytes) -> bool:
    """Check a workbook before it is taken apart; tells whether a cell holds an error. Raises `BadSheet`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return _check_members(packed)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise BadSheet(
            "工作簿已损坏；请重新另存后再上传",
            "file: expected a whole Excel workbook, got a damaged one; save it again",
        ) from error


def _told_errors(content: bytes) -> bytes:
    """Return a workbook in which cells that hold an error say it as text."""
    told = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED) as again:
        for one in packed.infolist():
            with packed.open(one) as member, again.open(one.filename, "w") as to:
                _tell_errors(member, to)
    return told.getvalue()


def _tell_errors(member: IO[bytes], to: IO[bytes]) -> None:
    tail = b""
    while piece := member.read(CHUNK_BYTES):
        before, begun, rest = (tail + piece).rpartition(b"<")  # a cell's tag may stand across two pieces
        to.write(ERROR_CELL.sub(AS_TEXT, before))
        tail = begun + rest
    to.write(ERROR_CELL.sub(AS_TEXT, tail))


def _check_members(packed: zipfile.ZipFile) -> bool:
    members = packed.infolist()
    names = {one.filename for one in members}
    if len(members) > MEMBERS_MAX or sum(one.file_size for one in members) > UNPACKED_BYTES_MAX:
        raise _too_large()
    if any(name.endswith("vbaProject.bin") for name in names):
        raise BadSheet(
            "文件带有宏；请另存为 .xlsx 再上传",
            "file: expected one without macros, got macros; save it as .xlsx and try again",
        )
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise BadSheet(
            "不是 Excel 工作簿（.xlsx、.xls）或 CSV 文件",
            "file: expected an Excel workbook (.xlsx or .xls) or CSV, got another kind of file",
        )
    left, errors = UNPACKED_BYTES_MAX, False
    for one in members:
        with packed.open(one) as member:
            left, erring = _walk(member, left)
            errors = errors or erring
    return errors


def _walk(member: IO[bytes], left: int) -> tuple[int, bool]:
    """Read a member to its end without keeping it; returns how much may still come, and whether a cell holds an error.

    Raises `BadSheet`.
    """
    tail, rows, errors = b"", 0, False
    while piece := member.read(CHUNK_BYTES):
        left -= len(piece)
        if left < 0:
            raise _too_large()
        text = tail + piece
        rows += len(ROW.findall(text)) - len(ROW.findall(tail))
        far = [(_number_of(column), int(row)) for column, row in ADDRESS.findall(text)]
        if rows > ROWS_MAX or any(row > ROWS_MAX for _, row in far):
            raise BadSheet(
                f"超过 {ROWS_MAX} 行；请拆分，或删除下方的空行",
                f"file: expected at most {ROWS_MAX} rows, got more; split it, or delete empty rows below",
            )
        if any(column > COLUMNS_MAX for column, _ in far):
            raise BadSheet(
                f"超过 {COLUMNS_MAX} 列；请删除右侧的空列",
                f"file: expected at most {COLUMNS_MAX} columns, got more; delete empty columns to the right",
            )
        errors = errors or ERROR_CELL.search(text) is not None
        tail = text[-TAIL_BYTES:]
    return left, errors


def _too_large() -> BadSheet:
    return BadSheet(
        f"文件展开后超过 {UNPACKED_BYTES_MAX >> 20} MB；请拆分后再上传",
        f"file: expected at most {UNPACKED_BYTES_MAX >> 20} MB when unpacked, got more; split it",
    )


def _number_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _by_calamine(content: bytes) -> list[Grid]:
    try:
        with load_workbook(io.BytesIO(content)) as book:
            return [grid for name in book.sheet_names[:SHEETS_MAX] if (grid := _grid(book, name)).rows]
    except PasswordError as error:
        raise BadSheet(
            "文件有密码保护；请取消密码后另存再上传",
            "file: expected one without a password, got an encrypted one; save it without and try again",
        ) from error
    except (CalamineError, OSError, ValueError) as error:
        raise BadSheet(
            "工作簿打不开，可能已损坏；请重新另存后再上传",
            "file: expected an Excel workbook (.xlsx or .xls) or CSV that opens, got a damaged one",
        ) from error


def _grid(book: CalamineWorkbook, name: str) -> Grid:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height > ROWS_MAX or sheet.total_width > COLUMNS_MAX:
        raise _too_long()
    rows = [[_raw(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    return Grid(name, rows, tuple(sheet.merged_cell_ranges or ()))


def _checked(grid: Grid) -> Grid:
    if len(grid.rows) > ROWS_MAX or len(grid.rows[0]) > COLUMNS_MAX:
        raise _too_long()
    return grid


def _too_long() -> BadSheet:
    return BadSheet(
        f"超过 {ROWS_MAX} 行或 {COLUMNS_MAX} 列；请拆分后再上传",
        f"file: expected at most {ROWS_MAX} rows and {COLUMNS_MAX} columns, got more; split it",
    )


def _raw(cell: object) -> Raw:
    if cell == "":
        return None
    return cell if isinstance(cell, (str, int, float, date, datetime)) else str(cell)


def _from_text(content: bytes, name: str) -> Grid:
    text = _decoded(content)
    if "\0" in text:
        raise BadSheet(
            "不是 Excel 工作簿（.xlsx、.xls）或 CSV 文件",
            "file: expected an Excel workbook (.xlsx or .xls) or CSV, got another kind of file",
        )
    sample = text[:4096]
    delimiter = max(",\t;", key=sample.count)
    try:
        read = csv.reader(io.StringIO(text), delimiter=delimiter)
        rows: list[list[Raw]] = [list(row) for _, row in zip(range(ROWS_MAX + 1), read, strict=False)]
    except csv.Error as error:
        raise BadSheet(
            "CSV 格式有误，无法读成表格", f"file: expected a table with {delimiter!r} between its cells; {error}"
        ) from error
    if len(rows) > ROWS_MAX or any(len(row) > COLUMNS_MAX for row in rows):
        raise _too_long()
    return Grid(name, rows, ())


def _decoded(content: bytes) -> str:
    """Return a text in what Chinese programs write it in: UTF-8, or GB 18030. Raises `BadSheet`."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadSheet(
        "不是 Excel 工作簿（.xlsx、.xls）或 UTF-8、GB 18030 编码的 CSV 文件",
        "file: expected an Excel workbook (.xlsx or .xls) or CSV in UTF-8 or GB 18030, got neither",
    )
