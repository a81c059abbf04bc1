"""The forms of the files a hospital imports: which columns, what each may hold, and what a wrong one is told.

A form is data; `read_form` is its only reading. It is not a spreadsheet reader and knows no store. The rule that must
not be broken: every fault is named by file, row and column with what was expected and what came, and a row with a fault
is not among the rows.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from types import MappingProxyType
from typing import Any, TypeVar

from protocols.codes.gtin import gtin14
from protocols.errors import BadValue
from protocols.movements import LINE_QTY_MAX
from protocols.values.ids import device_id, is_virtual, item_id, lot_no, place_id, supplier_id
from protocols.values.money import yuan

ROWS_MAX = 500_000
"""Rows of one file: a year of daily use of a large hospital's busiest wards."""

TEXT_MAX = 200
GOT_SHOWN = 60
COUNT_MAX = 1_000_000
"""Largest pack, minimum order or level of rank that is not a typing error."""

T = TypeVar("T")
Parse = Callable[[str], Any]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the name in the file and of the table's column, how it is read, and in words what is expected."""

    name: str
    parse: Parse
    meant: str
    kept_as: str = ""

    @property
    def target(self) -> str:
        """The name under which the value is kept."""
        return self.kept_as or self.name


@dataclass(frozen=True, slots=True)
class Form:
    """One file: its columns, which of them are the key, and which name a row of another file."""

    file: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    refers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file gave: the rows without a fault, with their numbers in the file (the head is row 1), and the faults.

    `names` is what its first key column names, in rows with a fault too, so that no other file is blamed for naming it;
    None where the file could not be read as a table.
    """

    form: Form
    rows: tuple[tuple[int, Row], ...]
    faults: tuple[str, ...]
    names: frozenset[str] | None = None


def _words(text: str) -> str:
    return _if(0 < len(text) <= TEXT_MAX, text)


def _maybe(text: str) -> str:
    return _if(len(text) <= TEXT_MAX, text)


def _if(admitted: bool, value: T) -> T:
    if not admitted:
        raise ValueError
    return value


def _whole(low: int, high: int) -> Parse:
    def parse(text: str) -> int:
        return int(_if(text.isascii() and text.isdigit() and low <= int(text) <= high, text))

    return parse


def _one_of(*words: str) -> Parse:
    return lambda text: _if(text in words, text)


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    return _if(day.isoformat() == text, day)  # ISO 8601 knows weeks and forms without hyphens; a table has one form


def _day_or_none(text: str) -> date | None:
    return _day(text) if text else None


def _gtin_or_none(text: str) -> str:
    return gtin14(text) if text else ""


def _storeroom(text: str) -> str:
    return _if(not is_virtual(place_id(text)), text)


def _storeroom_or_none(text: str) -> str:
    return _storeroom(text) if text else ""


def _device_or_none(text: str) -> str:
    return device_id(text) if text else ""


def _price(text: str) -> int:
    return yuan(_if(text.isascii() and text.replace(".", "", 1).isdigit(), text))


_ITEM = Column("item", item_id, "an item code of 1..64 ASCII characters without space")
_SUPPLIER = Column("supplier", supplier_id, "a supplier code of 1..64 ASCII characters without space")
_PLACE = Column("place", _storeroom, "a storeroom such as ward-01")
_NAME_ZH = Column("name_zh", _words, f"a name of 1..{TEXT_MAX} characters")
_NAME_EN = Column("name_en", _words, f"a name of 1..{TEXT_MAX} characters")
_PIECES = f"a whole number from 1 to {COUNT_MAX}"
_DAY = "a day such as 2026-03-02"
_QTY = Column("qty", _whole(0, LINE_QTY_MAX), f"a whole number of base units from 0 to {LINE_QTY_MAX}")
_LOT = Column("lot", lot_no, "a lot of at most 64 ASCII characters without space, or nothing")

_STOCKED: Mapping[str, str] = MappingProxyType({"place": "places.csv", "item": "items.csv"})

_FORMS = (
    Form(
        "items.csv",
        (
            _ITEM, _NAME_ZH, _NAME_EN,
            Column("spec", _maybe, f"at most {TEXT_MAX} characters"),
            Column("gtin", _gtin_or_none, "a GTIN of 8, 12, 13 or 14 digits with a right check digit, or nothing"),
            Column("unit_zh", _words, "the base unit's name"),
            Column("unit_en", _words, "the base unit's name"),
            Column("pack", _whole(1, COUNT_MAX), _PIECES),
            Column("class", _one_of("low", "high", "implant"), "low, high or implant"),
            Column("criticality", _one_of("vital", "essential", "normal"), "vital, essential or normal"),
            Column("chargeable", lambda text: _one_of("0", "1")(text) == "1", "0 or 1"),
            Column("storage", _maybe, f"at most {TEXT_MAX} characters"),
        ),
        ("item",),
        {},
    ),
    Form("suppliers.csv", (_SUPPLIER, _NAME_ZH, _NAME_EN), ("supplier",), {}),
    Form(
        "item_suppliers.csv",
        (
            _ITEM, _SUPPLIER,
            Column("rank", _whole(1, 99), "a rank from 1 (main) to 99"),
            Column("price_yuan", _price, "yuan a base unit with at most four decimals", "price"),
            Column("pack", _whole(1, COUNT_MAX), _PIECES),
            Column("moq", _whole(0, COUNT_MAX), f"a whole number from 0 to {COUNT_MAX}"),
            Column("lead_days", _whole(0, 365), "whole days from 0 to 365"),
            Column("platform_code", _maybe, f"at most {TEXT_MAX} characters"),
        ),
        ("item", "supplier"),
        {"item": "items.csv", "supplier": "suppliers.csv"},
    ),
    Form(
        "lots.csv",
        (
            _ITEM, _LOT,
            Column("made", _day_or_none, f"{_DAY}, or nothing"),
            Column("expiry", _day_or_none, f"{_DAY}, or nothing"),
        ),
        ("item", "lot"),
        {"item": "items.csv"},
    ),
    Form(
        "places.csv",
        (
            _PLACE, Column("level", _whole(1, 2), "1 (the hospital's storeroom) or 2 (a ward's)"), _NAME_ZH, _NAME_EN,
            Column("parent", _storeroom_or_none, "the storeroom that fills it, or nothing"),
            Column("device", _device_or_none, "the device that watches it, such as ward-01, or nothing"),
        ),
        ("place",),
        {"parent": "places.csv"},
    ),
    Form("use.csv", (_PLACE, _ITEM, Column("day", _day, _DAY), _QTY), ("place", "item", "day"), _STOCKED),
    Form("stock.csv", (_PLACE, _ITEM, _LOT, _QTY), ("place", "item", "lot"), _STOCKED),
)  # fmt: skip

FORMS: Mapping[str, Form] = MappingProxyType({form.file: form for form in _FORMS})
"""Every file that can be imported, by name, in the order in which they refer to each other."""


def read_form(form: Form, text: str) -> Sheet:
    """Read a file's text. Columns may stand in any order; a column the form does not know is a fault."""
    table = csv.reader(StringIO(text.removeprefix("\ufeff")))
    try:
        lines = [line for _, line in zip(range(ROWS_MAX + 2), table, strict=False)]
    except csv.Error as error:
        return Sheet(form, (), (f"{form.file}: expected a table with commas; {error}",))
    if len(lines) > ROWS_MAX + 1:
        return Sheet(form, (), (f"{form.file}: expected at most {ROWS_MAX} rows, got more; split the file",))
    head = [name.strip() for name in lines[0]] if lines else []
    names = [column.name for column in form.columns]
    if sorted(head) != sorted(names):
        return Sheet(form, (), (_bad_head(form, head, names),))
    return _read_rows(form, head, [(n, line) for n, line in enumerate(lines[1:], start=2) if any(map(str.strip, line))])


def _bad_head(form: Form, head: Sequence[str], names: Sequence[str]) -> str:
    lacking = [name for name in names if name not in head]
    foreign = [name for name in head if name not in names]
    said = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"does not know {', '.join(foreign)}"] * bool(foreign)
    return f"{form.file} row 1: expected the columns {','.join(names)}; it {' and '.join(said) or 'names one twice'}"


def _read_rows(form: Form, head: Sequence[str], lines: Sequence[tuple[int, Sequence[str]]]) -> Sheet:
    rows: list[tuple[int, Row]] = []
    faults: list[str] = []
    names: set[str] = set()
    seen: dict[tuple[Any, ...], int] = {}
    for number, cells in lines:
        given = dict(zip(head, map(str.strip, cells), strict=False))
        names.add(given.get(form.key[0], ""))
        row, wrong = _read_row(form, number, given)
        key = tuple(row.get(name) for name in form.key)
        if not wrong and key in seen:
            wrong = [f"{form.file} row {number}: expected {', '.join(form.key)} once, got them in row {seen[key]} too"]
        seen.setdefault(key, number)
        if not wrong:
            rows.append((number, row))
        faults += wrong
    return Sheet(form, tuple(rows), tuple(faults), frozenset(names))


def _read_row(form: Form, number: int, cells: Mapping[str, str]) -> tuple[Row, list[str]]:
    row: Row = {}
    faults: list[str] = []
    for column in form.columns:
        cell = cells.get(column.name, "")
        try:
            row[column.target] = column.parse(cell)
        except (BadValue, ValueError):
            faults.append(_bad_cell(form, number, column, cell))
    return row, faults


def _bad_cell(form: Form, number: int, column: Column, cell: str) -> str:
    return f"{form.file} row {number} {column.name}: expected {column.meant}, got {cell[:GOT_SHOWN]!r}"


def unknown_references(sheet: Sheet, known: Mapping[str, frozenset[str]]) -> list[str]:
    """Return a fault for each cell that names what neither the files nor the store have.

    `known` is by file; what a file that is not there names cannot be judged.
    """
    return [
        f"{sheet.form.file} row {number} {name}: expected one that {file} names, got {row[name]!r}"
        for number, row in sheet.rows
        for name, file in sheet.form.refers.items()
        if row[name] and file in known and row[name] not in known[file]
    ]
