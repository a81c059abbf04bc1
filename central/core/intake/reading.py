"""A sheet read by a mapping: rows of text for the forms, what was left out and why, and every fault by row and cell.

It knows no store. The rules that must not be broken: a row is either read, left out with a reason, or faulty; nothing
in between; and rows are numbered as the spreadsheet numbers them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from central.core.intake.cells import Raw, Refused, shown, text_of
from central.core.intake.heads import Heads, Rows
from central.core.intake.kinds import LIKE, USUAL, Kind
from central.errors import BadInput

TOTALS = re.compile(
    r"(合计|总计|小计|累计|本页合计|total|sum|制表|审核|复核|制单|备注|注)\b.*|.*(合计|总计|小计)$", re.IGNORECASE
)
"""How a row under the data begins that is none of it."""
FIXED_MAX = 200


class Left(StrEnum):
    """Why a row was left out."""

    BLANK = "blank"
    TOTAL = "total"
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which head of a sheet is which column of a kind, and what columns hold that no head gives."""

    kind: str
    columns: Mapping[str, str]
    fixed: Mapping[str, str]

    def check(self, kind: Kind, heads: Heads) -> None:
        """Check that every column a row must have is given and every head is there. Raises `BadInput`."""
        known = {column.name: needed for column, needed in kind.columns()}
        for name in (*self.columns, *self.fixed):
            if name not in known:
                raise BadInput(f"{name}: expected a column of {kind.name}")
        for name, head in self.columns.items():
            if head not in heads.known:
                raise BadInput(f"{name}: expected a head of the sheet, got {head!r:.60}; choose again")
        lacking = [name for name, needed in known.items() if needed and name not in self.given]
        if lacking:
            raise BadInput(f"{lacking[0]}: expected a head or one value for all rows, got neither")

    @property
    def given(self) -> frozenset[str]:
        """The columns that rows have a value for."""
        return frozenset(self.columns) | frozenset(self.fixed)

    def written(self) -> str:
        """Return it as text to be kept."""
        said = {"kind": self.kind, "columns": dict(self.columns), "fixed": dict(self.fixed)}
        return json.dumps(said, sort_keys=True, ensure_ascii=False)


def plan_from(text: str) -> Plan:
    """Read a plan that was kept."""
    said = json.loads(text)
    return Plan(said["kind"], said["columns"], said["fixed"])


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong with a row: its number from 1, the column (empty for the row as a whole), and why."""

    row: int
    column: str
    got: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a sheet gave: rows of text by column with their numbers, rows left out, and faults of cells."""

    rows: tuple[tuple[int, Mapping[str, str]], ...]
    left: tuple[tuple[int, Left], ...]
    faults: tuple[CellFault, ...]


def take(kind: Kind, mapping: Plan, heads: Heads, rows: Rows) -> Taken:
    """Read the rows below the heads; a row with a faulty cell is not among the rows."""
    at = {name: heads.names.index(head) for name, head in mapping.columns.items()}
    key = [at[name] for name in _key(kind) if name in at]
    read: list[tuple[int, Mapping[str, str]]] = []
    left: list[tuple[int, Left]] = []
    faults: list[CellFault] = []
    for number, row in enumerate(rows[heads.last + 1 :], start=heads.last + 2):
        why = _left(row, key, heads)
        if why is not None:
            left.append((number, why))
            continue
        told, wrong = _texts(number, row, at, mapping.fixed)
        faults += wrong
        if not wrong:
            read.append((number, told))
    return Taken(tuple(read), tuple(left), tuple(faults))


def _key(kind: Kind) -> Sequence[str]:
    (primary,) = (form for form in kind.forms if form.file == kind.file)
    return primary.key


def _left(row: Sequence[Raw], key: Sequence[int], heads: Heads) -> Left | None:
    texts = [shown(cell) for cell in row]
    if not any(texts):
        return Left.BLANK
    if [text for text in texts if text] == [name.split(" / ")[-1] for name in heads.names if name][
        : sum(map(bool, texts))
    ]:
        return Left.HEAD
    first = next(text for text in texts if text)
    keys = [texts[at] if at < len(texts) else "" for at in key]
    if TOTALS.fullmatch(first) and all(not text or TOTALS.fullmatch(text) for text in keys):
        return Left.TOTAL
    return None


def _texts(
    number: int, row: Sequence[Raw], at: Mapping[str, int], fixed: Mapping[str, str]
) -> tuple[Mapping[str, str], list[CellFault]]:
    told, wrong = dict(fixed), []
    for name, column in at.items():
        raw = row[column] if column < len(row) else None
        try:
            text = text_of(name, raw)
        except Refused as error:
            wrong.append(CellFault(number, name, shown(raw), error.zh, error.en))
            continue
        if text or name not in told:
            told[name] = text
    return told, wrong


def filled(texts: Mapping[str, str], file: str) -> dict[str, str]:
    """Return a row's texts with the usual values of a form where it has none."""
    usual = USUAL.get(file, {})
    told = dict(texts)
    for name, value in usual.items():
        if not told.get(name):
            told[name] = told.get(value.removeprefix(LIKE), "") if value.startswith(LIKE) else value
    return told
