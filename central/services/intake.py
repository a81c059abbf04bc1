"""Bring in a spreadsheet: upload it, say which head is which column, try it without writing, apply it.

What is written goes where an import of files writes, checked by the same forms and references, in one transaction. The
rules that must not be broken: a try changes nothing; nothing is applied that was not read by the plan that stands with
the file; a column a sheet does not have leaves what the hospital holds.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from central.core.forms import Fault, Form, Sheet, read_cells
from central.core.intake.cells import Raw, shown
from central.core.intake.heads import HEAD_ROWS_MAX, Heads, heads_at, heads_of, spread, suggested
from central.core.intake.kinds import KINDS, Kind
from central.core.intake.meanings import said_zh
from central.core.intake.reading import CellFault, Left, Plan, Taken, filled, plan_from, take
from central.core.rights import Caller
from central.errors import BadInput, BadSheet, NotNow, NotThere
from central.links import sheets
from central.links.workbooks import Grid, grids_of
from central.services.documents import Documents, check_text
from central.services.imports import STOCK, TABLES, every_fault, write_sheet
from central.store import queries_intake as kept
from central.store.queries_master import places, suppliers
from protocols.values.ids import HospitalId

NAME_MAX = 120
FILE_LETTERS = 16
UPLOADED, APPLIED = "uploaded", "applied"
PLACE_COLUMNS, SUPPLIER_COLUMNS = ("place", "parent"), ("supplier", "distributor")


@dataclass(frozen=True, slots=True)
class Looked:
    """An uploaded file as a person sees it before it is tried: its sheets, heads, first rows, and the plan so far."""

    upload: kept.Uploaded
    kind: Kind
    sheets: tuple[str, ...]
    heads: Heads | None
    rows: Sequence[Sequence[Raw]]
    plan: Plan
    known_plan: str
    plans: tuple[kept.KeptPlan, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What applying would do: rows by file that are new or known, rows left out with why, faults by row and cell."""

    good: tuple[int, ...]
    fresh: Mapping[str, int]
    known: Mapping[str, int]
    left: tuple[tuple[int, Left], ...]
    faults: tuple[CellFault, ...]

    @property
    def faulty_rows(self) -> int:
        """How many rows have a fault."""
        return len({one.row for one in self.faults})


@dataclass(frozen=True, slots=True)
class Intake:
    """The spreadsheets of one hospital; `letters` draws what a file is known by."""

    documents: Documents
    letters: Callable[[], str]

    def upload(self, caller: Caller, kind_name: str, name: str, content: bytes) -> str:
        """Keep a file and guess how it is read; returns what it is known by. Raises `NotAllowed`, `BadInput`."""
        kind = kind_of(kind_name)
        _need(caller, kind)
        check_text("file", name, NAME_MAX)
        grids = grids_of(content, name)
        if not grids:
            raise BadSheet("文件里没有数据", "file: expected a sheet with rows, got an empty one")
        grid, heads = _likeliest(grids)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        file = self.letters()[:FILE_LETTERS]
        row: dict[str, Any] = {"hospital": hospital, "file": file, "kind": kind.name, "name": name, "content": content}
        row |= {"sha256": hashlib.sha256(content).hexdigest(), "sheet": grid.name, "state": UPLOADED}
        row |= {"first_head": heads.first if heads else 0, "last_head": heads.last if heads else 0}
        row |= {"rows_applied": 0, "rows_left": 0, "person": caller.person, "at": now}
        with self.documents.store.write() as connection:
            plan = _plan_for(connection, hospital, kind, heads)
            kept.add(connection, row | {"plan": plan.written()})
            self.documents.note(connection, caller, "intake-upload", file, {"kind": kind.name, "name": name})
        return file

    def look(self, caller: Caller, file: str) -> Looked:
        """Return a file with its heads, first rows and plan. Raises `NotAllowed`, `NotThere`, `NotNow`."""
        one = self._open(caller, file)
        with self.documents.store.read() as connection:
            plans = kept.plans(connection, self.documents.hospital, one.upload.kind)
        match = next((plan.name for plan in plans if one.heads and plan.fingerprint == one.heads.fingerprint), "")
        return Looked(one.upload, one.kind, one.sheets, one.heads, one.rows, one.plan, match, tuple(plans))

    def place_heads(self, caller: Caller, file: str, sheet: str, first: int, last: int) -> None:
        """Say in which sheet and rows (from 1) the heads stand; the plan is guessed anew. Raises `BadInput`."""
        one = self._open(caller, file)
        grid = next((grid for grid in one.grids if grid.name == sheet), None)
        if grid is None or not 1 <= first <= last <= min(len(grid.rows), first + HEAD_ROWS_MAX - 1):
            raise BadInput(f"heads: expected a sheet of the file and rows in it, got {sheet!r:.40} {first}..{last}")
        heads = heads_at(spread(grid.rows, grid.merged), first - 1, last - 1)
        with self.documents.store.write() as connection:
            plan = _plan_for(connection, self.documents.hospital, one.kind, heads)
            change = {"sheet": sheet, "first_head": first - 1, "last_head": last - 1, "plan": plan.written()}
            kept.change(connection, self.documents.hospital, file, **change)

    def plan(self, caller: Caller, file: str, plan: Plan, name: str = "") -> None:
        """Keep how a file is read, under a name for the next file with such heads too. Raises `BadInput`, `NotNow`."""
        one = self._open(caller, file)
        plan.check(one.kind, one.placed)
        if name.strip():
            check_text("name", name, NAME_MAX)
        with self.documents.store.write() as connection:
            kept.change(connection, self.documents.hospital, file, plan=plan.written())
            if name.strip():
                now = self.documents.clock.now()
                named = kept.KeptPlan(name.strip(), one.placed.fingerprint, plan.written(), caller.person, now)
                kept.keep_plan(connection, self.documents.hospital, one.kind.name, named)
            self.documents.note(connection, caller, "intake-plan", file, {"name": name.strip()})

    def try_out(self, caller: Caller, file: str) -> Tried:
        """Return what applying would do; nothing is written. Raises as `plan` does."""
        one = self._open(caller, file)
        taken = one.taken()
        with self.documents.store.read() as connection:
            return _tried(connection, self.documents.hospital, one.kind, one.plan, taken)

    def apply(self, caller: Caller, file: str, *, without_faulty: bool) -> Tried:
        """Write the rows; with faults only when they are to be left out. Raises `NotNow`, and as `plan` does."""
        one, hospital = self._open(caller, file), self.documents.hospital
        taken = one.taken()
        with self.documents.store.write() as connection:
            if kept.uploads(connection, hospital, file=file) != [one.upload]:
                raise NotNow(f"import {file}: it was changed or applied meanwhile; look at it again")
            tried = _tried(connection, hospital, one.kind, one.plan, taken)
            if tried.faults and not without_faulty:
                raise NotNow(f"import: expected no fault, got {len(tried.faults)}; mend them or leave those rows out")
            if not tried.good:
                raise NotNow("import: expected a row to apply, got none")
            for sheet in _sheets(connection, hospital, one.kind, one.plan, taken, frozenset(tried.good)):
                if sheet.rows:
                    write_sheet(connection, hospital, sheet, self.documents.clock)
            now, left = self.documents.clock.now(), tried.faulty_rows
            done = {"state": APPLIED, "rows_applied": len(tried.good), "rows_left": left, "applied_at": now}
            kept.change(connection, hospital, file, **done)
            detail = {"kind": one.kind.name, "rows": len(tried.good), "left": left}
            self.documents.note(connection, caller, "intake-apply", file, detail)
        return tried

    def answers(self, caller: Caller, file: str, *, zh: bool) -> bytes:
        """Return the sheet as it came with an answer beside each row, its faulty cells marked, as a workbook."""
        one = self._open(caller, file)
        taken = one.taken()
        with self.documents.store.read() as connection:
            tried = _tried(connection, self.documents.hospital, one.kind, one.plan, taken)
        head = ("行" if zh else "row", "结果" if zh else "result", "原因" if zh else "why", *one.placed.names)
        told = _answer_rows(one.rows, one.placed, one.plan, tried, zh=zh)
        return sheets.workbook([sheets.Sheet("结果" if zh else "answers", head, told)])

    def _open(self, caller: Caller, file: str) -> "_Opened":
        with self.documents.store.read() as connection:
            found = kept.uploads(connection, self.documents.hospital, file=file)
            content = kept.content(connection, self.documents.hospital, file)
        if not found:
            raise NotThere(f"import: expected a file that was uploaded, got {file!r:.40}")
        (upload,) = found
        _need(caller, KINDS[upload.kind])
        if upload.state == APPLIED:
            raise NotNow(f"import {file}: it was applied; upload the file again to bring in more")
        if content is None:
            raise NotNow(f"import {file}: its bytes are no longer kept; upload the file again")
        return _Opened(upload, grids_of(content, upload.name))


class _Opened:
    """An uploaded file taken apart."""

    def __init__(self, upload: kept.Uploaded, grids: Sequence[Grid]) -> None:
        self.upload, self.grids = upload, grids
        self.kind, self.plan = KINDS[upload.kind], plan_from(upload.plan)
        self.sheets = tuple(grid.name for grid in grids)
        grid = next((one for one in grids if one.name == upload.sheet), grids[0])
        self.rows = spread(grid.rows, grid.merged)
        heads = heads_at(self.rows, upload.first_head, upload.last_head)
        self.heads = heads if heads.known else None

    @property
    def placed(self) -> Heads:
        """The heads. Raises `BadInput` where nobody has said yet where they stand."""
        if self.heads is None:
            raise BadInput("heads: expected rows of heads, got none; say where they stand")
        return self.heads

    def taken(self) -> Taken:
        """Read the rows by the plan. Raises `BadInput`."""
        self.plan.check(self.kind, self.placed)
        return take(self.kind, self.plan, self.placed, self.rows)


def kind_of(name: str) -> Kind:
    """Return a kind by its name. Raises `BadInput`."""
    if name not in KINDS:
        raise BadInput(f"kind: expected one of {', '.join(KINDS)}, got {name!r:.40}")
    return KINDS[name]


def _need(caller: Caller, kind: Kind) -> None:
    for right in kind.rights:
        caller.need(right)


def _likeliest(grids: Sequence[Grid]) -> tuple[Grid, Heads | None]:
    for grid in grids:
        heads = heads_of(spread(grid.rows, grid.merged))
        if heads is not None:
            return grid, heads
    return grids[0], None


def _plan_for(connection: Connection, hospital: HospitalId, kind: Kind, heads: Heads | None) -> Plan:
    """Return the newest plan kept for such heads, else what is likely."""
    if heads is None:
        return Plan(kind.name, {}, {})
    for one in kept.plans(connection, hospital, kind.name):
        if one.fingerprint == heads.fingerprint:
            return plan_from(one.plan)
    return Plan(kind.name, suggested(kind, heads), {})


def _sheets(
    connection: Connection, hospital: HospitalId, kind: Kind, plan: Plan, taken: Taken, only: frozenset[int] | None
) -> Iterator[Sheet]:
    """Give the forms' sheets that the rows become; `only` names the rows that count, None all of them."""
    names = _codes(connection, hospital)
    for form in kind.becomes(plan.given):
        chosen = [one for one in taken.rows if only is None or one[0] in only]
        rows = [(number, _coded(filled(texts, form.file), names)) for number, texts in chosen]
        if form.file != kind.file:
            rows = _once(form, [one for one in rows if any(one[1].get(name) for name in kind.beside[form.file])])
        sheet = read_cells(form, rows)
        yield _kept_where_silent(connection, hospital, sheet, plan)


def _codes(connection: Connection, hospital: HospitalId) -> Mapping[str, Mapping[str, str]]:
    """Return, by column, the code of each storeroom and supplier by a name only one has."""
    rooms = [(one.place, (one.name_zh, one.name_en)) for one in places(connection, hospital)]
    firms = list(suppliers(connection, hospital).items())
    of_rooms, of_firms = _by_name(rooms), _by_name(firms)
    return dict.fromkeys(PLACE_COLUMNS, of_rooms) | dict.fromkeys(SUPPLIER_COLUMNS, of_firms)


def _by_name(pairs: Iterable[tuple[str, tuple[str, str]]]) -> Mapping[str, str]:
    named = [(name, code) for code, names in pairs for name in set(names)]
    count = Counter(name for name, _ in named)
    return {name: code for name, code in named if count[name] == 1}


def _coded(texts: dict[str, str], names: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {column: names.get(column, {}).get(text, text) for column, text in texts.items()}


def _once(form: Form, rows: list[tuple[int, dict[str, str]]]) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a form beside the first, the same one once: a lot stands in many storerooms."""
    found: dict[tuple[str, ...], tuple[int, dict[str, str]]] = {}
    for number, texts in rows:
        found.setdefault(tuple(texts.get(column.name, "") for column in form.columns), (number, texts))
    return list(found.values())


def _kept_where_silent(connection: Connection, hospital: HospitalId, sheet: Sheet, plan: Plan) -> Sheet:
    """Let a row that the hospital knows keep what the sheet has no column for."""
    file = sheet.form.file
    silent = [column.target for column in sheet.form.columns if column.name not in plan.given]
    if file not in TABLES or not silent or not sheet.rows:
        return sheet
    held = _held(connection, hospital, sheet, silent)
    rows = tuple((number, {**row, **held.get(_key(sheet.form, row), {})}) for number, row in sheet.rows)
    return Sheet(sheet.form, rows, sheet.found, sheet.names)


def _key(form: Form, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.target] for column in form.columns if column.name in form.key)


def _held(
    connection: Connection, hospital: HospitalId, sheet: Sheet, columns: Sequence[str]
) -> Mapping[tuple[Any, ...], Mapping[str, Any]]:
    table = TABLES[sheet.form.file]
    keys = [column.target for column in sheet.form.columns if column.name in sheet.form.key]
    chosen = select(*(table.c[name] for name in {*keys, *columns})).where(table.c.hospital == hospital)
    rows = connection.execute(chosen).mappings()
    return {tuple(row[name] for name in keys): {name: row[name] for name in columns} for row in rows}


def _tried(connection: Connection, hospital: HospitalId, kind: Kind, plan: Plan, taken: Taken) -> Tried:
    made = list(_sheets(connection, hospital, kind, plan, taken, None))
    found = [_as_cell(fault) for fault in every_fault(connection, hospital, made)]
    faults = tuple(sorted(dict.fromkeys((*taken.faults, *found)), key=lambda one: (one.row, one.column)))
    bad = {one.row for one in faults}
    fresh, known = {}, {}
    for sheet in made:
        good = [row for number, row in sheet.rows if number not in bad]
        held = _held(connection, hospital, sheet, []) if sheet.form.file in TABLES and sheet.form.file != STOCK else {}
        known[sheet.form.file] = sum(_key(sheet.form, row) in held for row in good)
        fresh[sheet.form.file] = len(good) - known[sheet.form.file]
    good_rows = tuple(number for number, _ in taken.rows if number not in bad)
    return Tried(good_rows, fresh, known, taken.left, faults)


def _as_cell(fault: Fault) -> CellFault:
    en = f"row {fault.also} says the same" if fault.also else f"expected {fault.expected}"
    return CellFault(fault.row, fault.column, fault.got.strip("'"), said_zh(fault), en)


def _answer_rows(
    rows: Sequence[Sequence[Raw]], heads: Heads, plan: Plan, tried: Tried, *, zh: bool
) -> Iterator[tuple[sheets.Value, ...]]:
    of_row: dict[int, list[CellFault]] = {}
    for one in tried.faults:
        of_row.setdefault(one.row, []).append(one)
    left = dict(tried.left)
    for number, row in enumerate(rows[heads.last + 1 :], start=heads.last + 2):
        wrong = of_row.get(number, [])
        why = "; ".join(f"{one.column}: {one.zh if zh else one.en}" for one in wrong)
        marked = {plan.columns.get(one.column, ""): one for one in wrong}
        cells = [_marked(shown(cell), marked.get(name), zh=zh) for name, cell in zip(heads.names, row, strict=False)]
        cells += [None] * (len(heads.names) - len(cells))
        yield (number, _result(wrong, left.get(number), zh=zh), why, *cells)


def _marked(text: str, fault: CellFault | None, *, zh: bool) -> sheets.Value:
    return text if fault is None else sheets.Wrong(text, fault.zh if zh else fault.en)


def _result(wrong: Sequence[CellFault], left: Left | None, *, zh: bool) -> str:
    if wrong:
        return "有错" if zh else "faulty"
    if left is not None:
        said = {Left.BLANK: ("空行，跳过", "blank, left out"), Left.TOTAL: ("合计行，跳过", "a total, left out")}
        return said.get(left, ("重复表头，跳过", "the heads again, left out"))[0 if zh else 1]
    return "可导入" if zh else "good"
