"""Files of past use, lead times and order levels, read for the bench; columns say what a file is, not its name.

    use     Log_Date_Time, NSVCode, Total_Qty, Ward, Site1            needed
    orders  NSVCode, SupplierSupplier_Value, DateOrdered, DateReceived     else one assumed lead time
    levels  NSV_Code, Site1, Re_Order_Packsize, Re_Order_Level, Re_Order_Quantity     else packs of 1, no own levels

Days are numbers since 1970 or ISO dates; a file may be gzipped. The rule that must not be broken: a row that cannot be
read is told with its file and line, and nothing is guessed.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from pathlib import Path

from central.errors import BadFile

USE = frozenset({"Log_Date_Time", "NSVCode", "Total_Qty", "Ward", "Site1"})
ORDERS = frozenset({"NSVCode", "SupplierSupplier_Value", "DateOrdered", "DateReceived"})
LEVELS = frozenset({"NSV_Code", "Site1", "Re_Order_Packsize", "Re_Order_Level", "Re_Order_Quantity"})

EPOCH = date(1970, 1, 1).toordinal()
ROWS_MAX = 20_000_000
"""Rows of one file: far above a large hospital's ten years."""

EMPTY = frozenset({"", "NA", "NaN", "nan", "NULL"})


@dataclass(frozen=True, slots=True)
class Use:
    """One issue, or a return below 0."""

    day: int
    item: str
    site: str
    ward: str
    qty: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivery of an order; `received` is None while it is awaited."""

    item: str
    supplier: str
    ordered: int
    received: int | None


@dataclass(frozen=True, slots=True)
class Level:
    """The hospital's own order level and quantity of an item at a site, in base units, and the item's pack."""

    pack: int
    point: int
    lot: int


@dataclass(frozen=True, slots=True)
class History:
    """Everything a folder says; `receipts` and `levels` are None where no file has their columns.

    `set_aside` counts receipts that came before they were ordered, or say no day.
    """

    uses: list[Use]
    receipts: list[Receipt] | None
    levels: Mapping[tuple[str, str], Level] | None
    set_aside: int = 0


def unreadable(what: str) -> BadFile:
    """Return the error of a folder that cannot be benched."""
    return BadFile(what, ())


def read_history(folder: Path) -> History:
    """Read a folder. Raises `BadFile` naming file and line, or the columns that no file has."""
    if not folder.is_dir():
        raise unreadable(f"{folder}: expected a folder with CSV files of past use, found none; name one with --data")
    found: dict[frozenset[str], list[Path]] = {USE: [], ORDERS: [], LEVELS: []}
    for path in sorted(path for path in folder.iterdir() if path.name.endswith((".csv", ".csv.gz"))):
        columns = _columns(path)
        for kind in (kind for kind in found if kind <= columns):
            found[kind].append(path)
    if not found[USE]:
        raise unreadable(
            f"{folder}: expected a .csv or .csv.gz file with the columns {', '.join(sorted(USE))}, found none"
        )
    uses = [use for path in found[USE] for use in _uses(path)]
    if not uses:
        raise unreadable(f"{found[USE][0].name}: expected rows of use, found only the column names")
    rows = [row for path in found[ORDERS] for row in _receipts(path)]
    receipts = [row for row in rows if row is not None] if found[ORDERS] else None
    levels = {key: level for path in found[LEVELS] for key, level in _levels(path)} if found[LEVELS] else None
    return History(uses, receipts, levels, rows.count(None))


def _uses(path: Path) -> Iterator[Use]:
    for where, row in _rows(path):
        yield Use(
            _day(where, row, "Log_Date_Time"),
            row["NSVCode"],
            _site(row["Site1"]),
            row["Ward"],
            _number(where, row, "Total_Qty"),
        )


def _receipts(path: Path) -> Iterator[Receipt | None]:
    for where, row in _rows(path):
        if row["DateOrdered"] in EMPTY:
            yield None
            continue
        ordered = _day(where, row, "DateOrdered")
        received = None if row["DateReceived"] in EMPTY else _day(where, row, "DateReceived")
        early = received is not None and received < ordered
        yield None if early else Receipt(row["NSVCode"], row["SupplierSupplier_Value"], ordered, received)


def _levels(path: Path) -> Iterator[tuple[tuple[str, str], Level]]:
    for where, row in _rows(path):
        if any(row[column] in EMPTY for column in LEVELS):
            continue  # an item without a level of its own
        pack = round(_number(where, row, "Re_Order_Packsize"))
        point, packs = _number(where, row, "Re_Order_Level"), _number(where, row, "Re_Order_Quantity")
        if pack < 1 or point < 0 or packs <= 0:
            raise unreadable(
                f"{where}: expected a pack from 1, a level from 0 and a quantity above 0, got {dict(row)!r:.120}"
            )
        yield (row["NSV_Code"], _site(row["Site1"])), Level(pack, round(point), max(1, round(packs * pack)))


def _columns(path: Path) -> frozenset[str]:
    with _opened(path) as lines:
        return frozenset(next(csv.reader(lines), []))


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Give rows with where they stand; a row that is too short or too long is told."""
    with _opened(path) as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            where = f"{path.name} line {number}"
            if None in row or None in row.values():
                raise unreadable(f"{where}: expected as many fields as there are column names, got another number")
            if number > ROWS_MAX:
                raise unreadable(f"{where}: expected at most {ROWS_MAX} rows")
            yield where, row


class _Lines:
    """The lines of a file, plain or gzipped; what cannot be read as text is told with the file's name."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Iterator[str]:
        gzipped = self._path.name.endswith(".gz")
        self._file = (gzip.open if gzipped else open)(self._path, "rt", encoding="utf-8-sig", newline="")
        return self._each()

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _each(self) -> Iterator[str]:
        try:
            for line in self._file:
                yield str(line)
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise unreadable(f"{self._path.name}: expected UTF-8 text, plain or gzipped, got: {error}") from error


def _opened(path: Path) -> _Lines:
    return _Lines(path)


def _site(text: str) -> str:
    """Return a site's name: 240.0 and 240 are one."""
    return text.removesuffix(".0")


def _day(where: str, row: Mapping[str, str], column: str) -> int:
    text = row[column].strip()
    try:
        return date.fromisoformat(text[:10]).toordinal() - EPOCH if "-" in text[1:] else int(float(text))
    except (ValueError, OverflowError) as error:
        raise unreadable(f"{where}: expected {column} as days since 1970 or a date, got {text!r:.40}") from error


def _number(where: str, row: Mapping[str, str], column: str) -> float:
    try:
        value = float(row[column])
    except ValueError as error:
        raise unreadable(f"{where}: expected {column} as a number, got {row[column]!r:.40}") from error
    if not isfinite(value):
        raise unreadable(f"{where}: expected {column} as a number, got {row[column]!r:.40}")
    return value
