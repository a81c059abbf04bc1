"""One row of agreements, prices, certificates or the platform's list, looked up and entered by hand.

A row entered goes through the same form, references and writing as a file that is imported. The rules that must not be
broken: what was there before stands in the record of acts beside what it became; nothing is removed, a row ends by its
last day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, or_, select

from central.core.forms import FORMS, Form, read_cells
from central.core.intake.kinds import KINDS, Kind
from central.core.intake.meanings import said_zh
from central.core.intake.reading import CellFault, filled
from central.core.rights import Caller
from central.errors import BadInput, NotThere
from central.services.documents import Documents
from central.services.imports import TABLES, every_fault, write_sheet
from protocols.values.ids import HospitalId

EDITED = ("agreements", "agreement-prices", "certificates", "platform-items", "item-suppliers")
"""Kinds of rows that are entered by hand; others have pages of their own."""
SHOWN_MAX = 200

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Records:
    """The rows of one hospital."""

    documents: Documents

    def find(self, caller: Caller, kind_name: str, asked: str = "") -> list[Texts]:
        """Return rows of a kind as texts, those whose key holds what is asked for. Raises `NotAllowed`, `NotThere`."""
        kind = _kind(caller, kind_name)
        table, form = TABLES[kind.file], FORMS[kind.file]
        keys = [table.c[name] for name in _targets(form, form.key)]
        chosen = select(table).where(table.c.hospital == self.documents.hospital)
        if asked.strip():
            chosen = chosen.where(or_(*(key.contains(asked.strip(), autoescape=True) for key in keys)))
        with self.documents.store.read() as connection:
            rows = connection.execute(chosen.order_by(*keys).limit(SHOWN_MAX)).mappings()
            return [_texts(form, dict(row)) for row in rows]

    def save(self, caller: Caller, kind_name: str, texts: Texts) -> tuple[CellFault, ...]:
        """Write one row, or return what is wrong with it. Raises `NotAllowed`, `NotThere`, `BadInput`."""
        kind = _kind(caller, kind_name)
        form = FORMS[kind.file]
        known = {column.name for column in form.columns}
        if set(texts) - known:
            raise BadInput(f"{sorted(set(texts) - known)[0]}: expected a column of {kind.name}")
        sheet = read_cells(form, [(1, filled({name: text.strip() for name, text in texts.items()}, form.file))])
        with self.documents.store.write() as connection:
            faults = every_fault(connection, self.documents.hospital, [sheet])
            if faults:
                return tuple(
                    CellFault(1, one.column, one.got, said_zh(one), f"expected {one.expected}") for one in faults
                )
            ((_, row),) = sheet.rows
            before = _stored(connection, self.documents.hospital, TABLES[form.file], form, row)
            write_sheet(connection, self.documents.hospital, sheet, self.documents.clock)
            after = _texts(form, row)
            changed = {name: [before.get(name, ""), text] for name, text in after.items() if before.get(name) != text}
            subject = "/".join(after[name] for name in form.key)
            self.documents.note(connection, caller, "record-save", f"{kind.name} {subject}", changed)
        return ()


def _kind(caller: Caller, name: str) -> Kind:
    if name not in EDITED:
        raise NotThere(f"records: expected one of {', '.join(EDITED)}, got {name!r:.40}")
    for right in KINDS[name].rights:
        caller.need(right)
    return KINDS[name]


def _targets(form: Form, names: Sequence[str]) -> list[str]:
    return [column.target for column in form.columns if column.name in names]


def _stored(connection: Connection, hospital: HospitalId, table: Table, form: Form, row: Mapping[str, Any]) -> Texts:
    named = [table.c[name] == row[name] for name in _targets(form, form.key)]
    found = connection.execute(select(table).where(table.c.hospital == hospital, *named)).mappings().first()
    return {} if found is None else _texts(form, dict(found))


def _texts(form: Form, row: Mapping[str, Any]) -> dict[str, str]:
    """Return a row as a file would say it."""
    return {column.name: _text(column.name, row[column.target]) for column in form.columns}


def _text(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case date():
            return value.isoformat()
        case int() if name.endswith("_yuan"):
            return f"{Decimal(value) / 10_000:f}"
        case _:
            return str(value)
