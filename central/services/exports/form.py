"""The one form in which a list leaves as a table: its columns in both languages, its filters, who may have it.

It knows no list; those stand in the modules beside it. The rules that must not be broken: a table holds the rows of the
storerooms its reader may see and no price for who may not see prices; it is made whole, in a file, before its first
byte leaves, so that nobody takes a half for a whole and no slow reader holds the store.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from tempfile import TemporaryFile
from typing import BinaryIO
from weakref import finalize

from sqlalchemy import Connection

from central.core.rights import Caller, Right, Scope
from central.errors import BadInput
from central.links.sheets import Sheet, Value, csv_into, xlsx_into
from central.services.desk import Desk
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import HOSPITAL_ZONE, Instant, to_datetime

FILTER_MAX = 64
CHUNK_BYTES = 64 * 1024


class Form(StrEnum):
    """What a table leaves as."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA: Mapping[Form, str] = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Both:
    """A word in both languages."""

    zh: str
    en: str


Cell = Value | Both


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the word above it, and whether it says a price."""

    zh: str
    en: str
    priced: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What one table is made from: the desk, who asks for it, where, and the filters given."""

    desk: Desk
    caller: Caller
    scope: Scope
    filters: Mapping[str, str]

    @property
    def hospital(self) -> HospitalId:
        """The hospital whose rows these are."""
        return self.desk.hospital

    def read(self) -> AbstractContextManager[Connection]:
        """Give one moment of the store; a list holds one at a time."""
        return self.desk.store.read()

    @property
    def chosen(self) -> Scope:
        """The storerooms asked for: the one named, or all its reader may see."""
        place = PlaceId(self.given("place"))
        return Scope(everywhere=False, places=frozenset({place})) if place else self.scope

    def given(self, name: str) -> str:
        """Return a filter, empty where it was not given."""
        return self.filters.get(name, "")

    def day(self, name: str) -> date | None:
        """Return a filter that is a day. Raises `BadInput`."""
        text = self.given(name)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise BadInput(f"{name}: expected a day such as 2026-03-02, got {text!r:.20}") from error


Rows = Callable[[Asked], Iterator[tuple[Cell, ...]]]


@dataclass(frozen=True, slots=True)
class Export:
    """One list as a table: `filters` are those of its page, `rows` gives as many cells as there are columns."""

    name: str
    title: Both
    right: Right
    filters: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: Rows


def moment(at: Instant | int | None) -> datetime | None:
    """Return an instant as the hospital's wall clock shows it, for a cell: spreadsheets know no zone."""
    if at is None:
        return None
    return to_datetime(Instant(at)).astimezone(HOSPITAL_ZONE).replace(tzinfo=None, microsecond=0)


def table_of(export: Export, form: Form, desk: Desk, caller: Caller, filters: Mapping[str, str], zh: bool) -> BinaryIO:
    """Make a table in a file, to be read from its beginning and closed; `zh` chooses the language of its words.

    Raises `NotAllowed`, `BadInput` for a filter this list does not have or one that is wrong.
    """
    given = {name: text.strip() for name, text in filters.items() if text.strip()}
    foreign = sorted(set(given) - set(export.filters))
    if foreign:
        raise BadInput(f"{foreign[0]}: expected a filter of this table ({', '.join(export.filters) or 'none'})")
    place = given.get("place", "")
    caller.need(export.right, PlaceId(place) if place else None)
    priced = caller.may(Right.SEE_PRICES)
    if priced and any(column.priced for column in export.columns):
        desk.looks.saw(caller, "see-prices", f"export {export.name}")
    shown = [at for at, column in enumerate(export.columns) if priced or not column.priced]
    head = [export.columns[at].zh if zh else export.columns[at].en for at in shown]
    asked = Asked(desk, caller, caller.scope(export.right), given)
    _check_days(asked)
    rows = export.rows(asked)
    cells = (tuple(_said(row[at], zh) for at in shown) for row in rows)
    return _file_of(Sheet(export.title.zh if zh else export.title.en, head, cells), form)


def _check_days(asked: Asked) -> None:
    """Raise `BadInput` for a period that ends before it begins: an empty table would say that nothing happened."""
    first, last = asked.day("first"), asked.day("last")
    if first is not None and last is not None and last < first:
        raise BadInput(f"last: expected a day from {first} on, which `first` is, got {last}; swap the two days")


def _file_of(sheet: Sheet, form: Form) -> BinaryIO:
    target: BinaryIO = TemporaryFile()  # noqa: SIM115 # whoever reads it closes it
    try:
        csv_into(target, sheet) if form is Form.CSV else xlsx_into(target, [sheet])
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return target


def _said(cell: Cell, zh: bool) -> Value:
    if isinstance(cell, Both):
        return cell.zh if zh else cell.en
    return cell


def chunks_of(table: BinaryIO) -> Iterator[bytes]:
    """Give a file's bytes; it is closed at the end, and as well when nobody reads on or ever began to."""
    chunks = _chunks(table)
    finalize(chunks, table.close)
    return chunks


def _chunks(table: BinaryIO) -> Iterator[bytes]:
    with table:
        while chunk := table.read(CHUNK_BYTES):
            yield chunk
