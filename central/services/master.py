"""Change master data by hand: at once or from a day on, with its history, by the rules of the files it is imported by.

What edges are told follows by itself: the feed makes a version when a row differs. The rules that must not be broken: a
change and its record are one transaction; a coming change does not touch what holds today.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, func, select

from central.core.master import FIELDS, NEW, Change, MasterKind, change_of, check_day, read_fields, read_key, shown
from central.core.rights import Caller, Right
from central.errors import BadInput, NotNow, NotThere
from central.services.documents import Documents
from central.store.merge import merge
from central.store.tables.catalogue import CATALOGUE_ITEM
from central.store.tables.master import ITEM, PLACE, SUPPLIER
from central.store.tables.master_history import MASTER_CHANGE, POSITION
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day

TABLES: Mapping[MasterKind, tuple[Table, tuple[str, ...]]] = {
    MasterKind.ITEM: (ITEM, ("item",)),
    MasterKind.PACK: (CATALOGUE_ITEM, ("item",)),
    MasterKind.SUPPLIER: (SUPPLIER, ("supplier",)),
    MasterKind.PLACE: (PLACE, ("place",)),
    MasterKind.POSITION: (POSITION, ("place", "position")),
}
OF_FILE: Mapping[str, MasterKind] = {
    "items.csv": MasterKind.ITEM, "suppliers.csv": MasterKind.SUPPLIER, "places.csv": MasterKind.PLACE,
}  # fmt: skip
LEVEL_WARD = 2
LISTED_MAX = 200
IMPORT = "import"
"""Who a change of an import is said to be by; the record of acts names the person."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a kind: its code, its fields as a form shows them, and when it was last changed by whom."""

    key: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of a thing; `applied_at` is None while it is to come."""

    seq: int
    at: Instant
    person: str
    effective_from: date
    change: Change
    applied_at: Instant | None


@dataclass(frozen=True, slots=True)
class Master:
    """The master data of one hospital; `changed` makes the feed look at once."""

    documents: Documents
    changed: Callable[[], None] = lambda: None

    def listed(self, caller: Caller, kind: MasterKind, question: str = "", after: str = "") -> list[Thing]:
        """Return things of a kind whose code or name holds a text, by code, at most `LISTED_MAX` behind one."""
        caller.need(Right.SEE_STOCK)
        with self.documents.store.read() as connection:
            rows = _rows(connection, self.documents.hospital, kind)
        asked = question.strip().casefold()
        found = [one for one in rows if asked in " ".join((one.key, *one.fields.values())).casefold()]
        return [one for one in found if one.key > after][:LISTED_MAX]

    def one(self, caller: Caller, kind: MasterKind, key: str) -> tuple[Thing, list[Changed]]:
        """Return a thing and its history, the newest first. Raises `NotThere`."""
        caller.need(Right.SEE_STOCK)
        with self.documents.store.read() as connection:
            row = _row(connection, self.documents.hospital, kind, key)
            if row is None:
                raise NotThere(f"{kind}: expected one that is known, got {key!r:.40}")
            return Thing(key, shown(kind, row)), _history(connection, self.documents.hospital, kind, key)

    def change(
        self, caller: Caller, kind: MasterKind, key: str, given: Mapping[str, str], effective_from: date
    ) -> Changed | None:
        """Change a thing, or enter what is to change from a day on; None where nothing differs.

        Raises `NotAllowed`, `NotThere`, `BadInput`, `NotNow` for a second coming change of the same thing.
        """
        caller.need(Right.MANAGE_MASTER)
        today = business_day(self.documents.clock.now())
        check_day(effective_from, today)
        hospital = self.documents.hospital
        with self.documents.store.write() as connection:
            row = _row(connection, hospital, kind, key)
            if row is None:
                raise NotThere(f"{kind}: expected one that is known, got {key!r:.40}")
            read = read_fields(kind, given)
            self._check(connection, kind, key, read)
            change = change_of(shown(kind, row), shown(kind, read))
            if change is None:
                return None
            if any(one.applied_at is None for one in _history(connection, hospital, kind, key)):
                raise NotNow(f"{kind}: expected no change of {key} still to come, there is one; it takes effect first")
            made = self._keep(connection, caller.person, kind, key, change, effective_from)
            if effective_from <= today:
                _apply(connection, hospital, kind, key, made, self.documents.clock.now())
            self.documents.note(connection, caller, f"change-{kind}", key, dict(change.after))
        self.changed()
        return made

    def add(self, caller: Caller, kind: MasterKind, key: str, given: Mapping[str, str]) -> str:
        """Add a supplier, a ward's storeroom or a position; returns its code. Raises as `change` does."""
        caller.need(Right.MANAGE_MASTER)
        if kind not in NEW:
            raise BadInput(f"{kind}: expected a draft in the catalogue for a new item, not a row here")
        code, read, hospital = read_key(kind, key), read_fields(kind, given), self.documents.hospital
        with self.documents.store.write() as connection:
            if _row(connection, hospital, kind, code) is not None:
                raise NotNow(f"{kind}: expected a new code, {code} is known; change that one")
            self._check(connection, kind, code, read)
            more = {"level": LEVEL_WARD, "device": ""} if kind is MasterKind.PLACE else {}
            merge(connection, TABLES[kind][0], [_key_of(hospital, kind, code) | read | more])
            change = Change({}, shown(kind, read))
            made = self._keep(connection, caller.person, kind, code, change, business_day(self.documents.clock.now()))
            _mark(connection, hospital, kind, code, made.seq, self.documents.clock.now())
            self.documents.note(connection, caller, f"add-{kind}", code, dict(change.after))
        self.changed()
        return code

    def apply_due(self, now: Instant) -> int:
        """Let the changes take effect whose day has come; returns how many."""
        hospital, column = self.documents.hospital, MASTER_CHANGE.c
        with self.documents.store.write() as connection:
            coming = (column.hospital == hospital, column.applied_at.is_(None))
            today = column.effective_from <= business_day(now)
            due = connection.execute(MASTER_CHANGE.select().where(*coming, today).order_by(column.at)).all()
            for row in due:
                _apply(connection, hospital, MasterKind(row.kind), row.key, _changed(row), now)
        if due:
            self.changed()
        return len(due)

    def _check(self, connection: Connection, kind: MasterKind, key: str, read: Mapping[str, Any]) -> None:
        """Raise `BadInput` for what names something that is not there."""
        hospital = self.documents.hospital
        parent = str(read.get("parent", "")) if kind is MasterKind.PLACE else ""
        if parent and (parent == key or _row(connection, hospital, MasterKind.PLACE, parent) is None):
            raise BadInput(f"parent: expected another storeroom that is known, got {parent!r:.40}")
        room = key.partition("/")[0]
        if kind is MasterKind.POSITION and _row(connection, hospital, MasterKind.PLACE, room) is None:
            raise BadInput(f"code: expected a storeroom that is known before the stroke, got {room!r:.40}")

    def _keep(
        self, connection: Connection, person: str, kind: MasterKind, key: str, change: Change, effective_from: date
    ) -> Changed:
        now = self.documents.clock.now()
        return keep_change(connection, self.documents.hospital, person, kind, key, change, effective_from, now)


def keep_change(  # a row of the history has that many parts
    connection: Connection, hospital: HospitalId, person: str, kind: MasterKind, key: str, change: Change,
    effective_from: date, now: Instant,
) -> Changed:  # fmt: skip
    """Add a change to the history of a thing, not yet in effect."""
    column = MASTER_CHANGE.c
    where = (column.hospital == hospital, column.kind == kind, column.key == key)
    newest = connection.scalar(select(func.max(column.seq)).where(*where))
    seq = 0 if newest is None else int(newest) + 1
    row = {"hospital": hospital, "kind": kind.value, "key": key, "seq": seq, "at": now, "person": person}
    told = {"before": json.dumps(dict(change.before), sort_keys=True, ensure_ascii=False)}
    told |= {"after": json.dumps(dict(change.after), sort_keys=True, ensure_ascii=False)}
    connection.execute(MASTER_CHANGE.insert().values(**row, **told, effective_from=effective_from))
    return Changed(seq, now, person, effective_from, change, None)


def note_import(
    connection: Connection, hospital: HospitalId, file: str, rows: Iterable[Mapping[str, Any]], now: Instant
) -> int:
    """Note what an import changes of things that are known already, before it is written; returns how many."""
    kind = OF_FILE.get(file)
    if kind is None:
        return 0
    known, noted = {one.key: one.fields for one in _rows(connection, hospital, kind)}, 0
    for row in rows:
        key = str(row[TABLES[kind][1][0]])
        change = change_of(known[key], shown(kind, row)) if key in known else None
        if change is not None:
            made = keep_change(connection, hospital, IMPORT, kind, key, change, business_day(now), now)
            _mark(connection, hospital, kind, key, made.seq, now)
            noted += 1
    return noted


def _apply(
    connection: Connection, hospital: HospitalId, kind: MasterKind, key: str, made: Changed, now: Instant
) -> None:
    row = _row(connection, hospital, kind, key)
    if row is None:
        return
    read = read_fields(kind, {**shown(kind, row), **made.change.after})
    table = TABLES[kind][0]
    which = [table.c[name] == value for name, value in _key_of(hospital, kind, key).items()]
    connection.execute(table.update().where(*which).values({table.c[name]: value for name, value in read.items()}))
    _mark(connection, hospital, kind, key, made.seq, now)


def _mark(connection: Connection, hospital: HospitalId, kind: MasterKind, key: str, seq: int, now: Instant) -> None:
    column = MASTER_CHANGE.c
    which = (column.hospital == hospital, column.kind == kind, column.key == key, column.seq == seq)
    connection.execute(MASTER_CHANGE.update().where(*which).values(applied_at=now))


def _key_of(hospital: HospitalId, kind: MasterKind, key: str) -> dict[str, Any]:
    names = TABLES[kind][1]
    parts = key.split("/", len(names) - 1) if len(names) > 1 else [key]
    return {"hospital": hospital, **dict(zip(names, parts, strict=False))}


def _row(connection: Connection, hospital: HospitalId, kind: MasterKind, key: str) -> Mapping[str, Any] | None:
    table, names = TABLES[kind]
    asked = _key_of(hospital, kind, key)
    if len(asked) != len(names) + 1:
        return None
    found = connection.execute(table.select().where(*(table.c[name] == value for name, value in asked.items()))).first()
    return None if found is None else dict(found._mapping)


def _rows(connection: Connection, hospital: HospitalId, kind: MasterKind) -> list[Thing]:
    table, names = TABLES[kind]
    rows = connection.execute(table.select().where(table.c.hospital == hospital).order_by(*(table.c[n] for n in names)))
    return [Thing("/".join(row._mapping[n] for n in names), shown(kind, dict(row._mapping))) for row in rows]


def _history(connection: Connection, hospital: HospitalId, kind: MasterKind, key: str) -> list[Changed]:
    column = MASTER_CHANGE.c
    where = (column.hospital == hospital, column.kind == kind, column.key == key)
    rows = connection.execute(MASTER_CHANGE.select().where(*where).order_by(column.seq.desc()))
    return [_changed(row) for row in rows]


def _changed(row: Any) -> Changed:  # noqa: ANN401 # a row of Core has no type of its own
    change = Change(json.loads(row.before), json.loads(row.after))
    return Changed(row.seq, Instant(row.at), row.person, row.effective_from, change, row.applied_at)


__all__ = ["FIELDS", "Changed", "Master", "Thing", "note_import"]
