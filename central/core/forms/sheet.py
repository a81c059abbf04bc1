"""Reading a file a hospital imports by its form: rows without a fault, and every fault by file, row and column.

It is not a spreadsheet reader and knows no store. The rule that must not be broken: every fault is named with what was
expected and what came, and a row with a fault is not among the rows.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from central.core.forms.cells import Column
from protocols.errors import BadValue

ROWS_MAX = 500_000
"""Rows of one file: a year of daily use of a large hospital's busiest wards."""

GOT_SHOWN = 60

Row = dict[str, Any]


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
