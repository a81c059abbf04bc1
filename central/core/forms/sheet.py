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
class Fault:
    """One fault of a file: its row (0 for the file as a whole), its column, what was expected, and what came.

    `also` is the row that says the same where a key stands twice, `in_file` the file that lacks what the cell names.
    """

    file: str
    row: int
    column: str
    expected: str
    got: str = ""
    also: int = 0
    in_file: str = ""

    def __str__(self) -> str:
        if not self.column:
            return f"{self.file}{f' row {self.row}' if self.row else ''}: {self.expected}"
        if self.also:
            return f"{self.file} row {self.row}: expected {self.expected} once, got them in row {self.also} too"
        return f"{self.file} row {self.row} {self.column}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file gave: the rows without a fault, with their numbers in the file (the head is row 1), and the faults.

    `names` is what its first key column names, in rows with a fault too, so that no other file is blamed for naming it;
    None where the file could not be read as a table.
    """

    form: Form
    rows: tuple[tuple[int, Row], ...]
    found: tuple[Fault, ...]
    names: frozenset[str] | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults in words."""
        return tuple(map(str, self.found))


def read_form(form: Form, text: str) -> Sheet:
    """Read a file's text. Columns may stand in any order; a column the form does not know is a fault."""
    table = csv.reader(StringIO(text.removeprefix("\ufeff")))
    try:
        lines = [line for _, line in zip(range(ROWS_MAX + 2), table, strict=False)]
    except csv.Error as error:
        return faulty(form, f"expected a table with commas; {error}")
    if len(lines) > ROWS_MAX + 1:
        return faulty(form, f"expected at most {ROWS_MAX} rows, got more; split the file")
    head = [name.strip() for name in lines[0]] if lines else []
    names = [column.name for column in form.columns]
    if sorted(head) != sorted(names):
        return Sheet(form, (), (Fault(form.file, 1, "", _bad_head(head, names)),))
    rows = [(n, line) for n, line in enumerate(lines[1:], start=2) if any(map(str.strip, line))]
    return read_cells(form, [(n, dict(zip(head, map(str.strip, line), strict=False))) for n, line in rows])


def faulty(form: Form, said: str) -> Sheet:
    """Return a file that cannot be read as a whole."""
    return Sheet(form, (), (Fault(form.file, 0, "", said),))


def _bad_head(head: Sequence[str], names: Sequence[str]) -> str:
    lacking = [name for name in names if name not in head]
    foreign = [name for name in head if name not in names]
    said = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"does not know {', '.join(foreign)}"] * bool(foreign)
    return f"expected the columns {','.join(names)}; it {' and '.join(said) or 'names one twice'}"


def read_cells(form: Form, lines: Sequence[tuple[int, Mapping[str, str]]]) -> Sheet:
    """Read rows of texts by column name, each with its number; a column that is not there reads as nothing."""
    rows: list[tuple[int, Row]] = []
    faults: list[Fault] = []
    names: set[str] = set()
    seen: dict[tuple[Any, ...], int] = {}
    for number, given in lines:
        names.add(given.get(form.key[0], ""))
        row, wrong = _read_row(form, number, given)
        key = tuple(row.get(name) for name in form.key)
        if not wrong and key in seen:
            wrong = [Fault(form.file, number, form.key[0], ", ".join(form.key), also=seen[key])]
        seen.setdefault(key, number)
        if not wrong:
            rows.append((number, row))
        faults += wrong
    return Sheet(form, tuple(rows), tuple(faults), frozenset(names))


def _read_row(form: Form, number: int, cells: Mapping[str, str]) -> tuple[Row, list[Fault]]:
    row: Row = {}
    faults: list[Fault] = []
    for column in form.columns:
        cell = cells.get(column.name, "")
        try:
            row[column.target] = column.parse(cell)
        except (BadValue, ValueError):
            faults.append(Fault(form.file, number, column.name, column.meant, repr(cell[:GOT_SHOWN])))
    return row, faults


def unknown_references(sheet: Sheet, known: Mapping[str, frozenset[str]]) -> list[Fault]:
    """Return a fault for each cell that names what neither the files nor the store have.

    `known` is by file; what a file that is not there names cannot be judged.
    """
    return [
        Fault(sheet.form.file, number, name, f"one that {file} names", repr(row[name]), in_file=file)
        for number, row in sheet.rows
        for name, file in sheet.form.refers.items()
        if row[name] and file in known and row[name] not in known[file]
    ]
