"""The kinds of master data a person may change: their fields, each read by the rule of the file that imports it. Pure.

A screen and an import cannot admit different things, because both read a cell by the same column. Not here: stock,
which only entries change, and what an edge is told, which follows from the tables. The rule that must not be broken: a
change names only fields that differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from central.core.forms import FORMS
from central.core.forms.cells import Column, admitted_if, needed_text, one_of
from central.errors import BadInput
from protocols.errors import BadValue
from protocols.values.ids import item_id

AHEAD_DAYS_MAX = 366
POSITION_MAX = 32


class MasterKind(StrEnum):
    """What may be changed."""

    ITEM = "item"
    PACK = "pack"
    SUPPLIER = "supplier"
    PLACE = "place"
    POSITION = "position"


def _of(file: str, *names: str) -> tuple[Column, ...]:
    known = {column.name: column for column in FORMS[file].columns}
    return tuple(known[name] for name in names)


_YES = Column("in_use", lambda text: one_of("0", "1")(text) == "1", "0 or 1")
FIELDS: Mapping[MasterKind, tuple[Column, ...]] = MappingProxyType(
    {
        MasterKind.ITEM: _of(
            "items.csv", "name_zh", "name_en", "spec", "gtin", "unit_zh", "unit_en", "pack", "class", "criticality",
            "chargeable", "storage",
        ),
        MasterKind.PACK: _of("catalogue.csv", "middle_unit", "middle", "purchase_unit", "purchase"),
        MasterKind.SUPPLIER: _of("suppliers.csv", "name_zh", "name_en"),
        MasterKind.PLACE: _of("places.csv", "name_zh", "name_en", "parent"),
        MasterKind.POSITION: (
            Column("name_zh", needed_text, "a name"), Column("name_en", needed_text, "a name"), _YES,
        ),
    }
)  # fmt: skip
"""What a screen shows and changes of each kind; what an import alone sets, such as a place's device, is not here."""

NEW = frozenset({MasterKind.SUPPLIER, MasterKind.PLACE, MasterKind.POSITION})
"""What a screen may add; a new item is drafted in the catalogue, with its evidence."""


@dataclass(frozen=True, slots=True)
class Change:
    """The fields that differ, before and after, as texts of the import's form."""

    before: Mapping[str, str]
    after: Mapping[str, str]


def read_fields(kind: MasterKind, given: Mapping[str, str]) -> dict[str, Any]:
    """Read what a form gives of a kind's fields. Raises `BadInput` naming the first field that does not fit."""
    read: dict[str, Any] = {}
    for column in FIELDS[kind]:
        text = given.get(column.name, "").strip()
        try:
            read[column.target] = column.parse(text)
        except (ValueError, BadValue) as error:
            raise BadInput(f"{column.name}: expected {column.meant}, got {text!r:.60}") from error
    return read


def read_key(kind: MasterKind, text: str) -> str:
    """Read the code of something new. Raises `BadInput`."""
    column = {MasterKind.SUPPLIER: ("suppliers.csv", "supplier"), MasterKind.PLACE: ("places.csv", "place")}.get(kind)
    try:
        if column is not None:
            return str(_of(*column)[0].parse(text.strip()))
        place, _, position = text.strip().partition("/")
        admitted_if(bool(place) and 0 < len(position) <= POSITION_MAX, position)
        item_id(position)
    except (ValueError, BadValue) as error:
        raise BadInput(f"code: expected 1 to 64 letters and digits without spaces, got {text!r:.60}") from error
    return text.strip()


def shown(kind: MasterKind, row: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a row as a form shows them."""
    return {column.name: _text(row[column.target]) for column in FIELDS[kind]}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def change_of(before: Mapping[str, str], after: Mapping[str, str]) -> Change | None:
    """Return what differs, None where nothing does."""
    names = [name for name in after if before.get(name, "") != after[name]]
    if not names:
        return None
    return Change({name: before.get(name, "") for name in names}, {name: after[name] for name in names})


def check_day(effective_from: date, today: date) -> None:
    """Check from which day on a change is to hold. Raises `BadInput` for one that is over or too far away."""
    if not today <= effective_from <= today + timedelta(days=AHEAD_DAYS_MAX):
        raise BadInput(f"effective: expected a day from {today} to a year ahead, got {effective_from}")
