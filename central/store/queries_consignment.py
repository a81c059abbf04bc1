"""Goods on consignment: terms, what of them lies in the hospital, settlements with their lines, and what was charged.

No rule lives here. The rule that must not be broken: every query names the hospital.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from central.core.consignment import NoteLine, NoteState
from central.core.month import Month, month_named
from central.core.valuation import holds_stock
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.queries_purchasing import states
from central.store.tables.charges import CHARGE
from central.store.tables.ledger import BALANCE, POSTING_LINE
from central.store.tables.month import CONSIGNMENT_LINE, CONSIGNMENT_NOTE, CONSIGNMENT_TERM
from central.store.tables.purchasing import DOCUMENT_STEP, RECEIPT_LINE
from protocols.values.ids import HOSPITAL_OWNED, HospitalId
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money

NOTES = Keyset(
    "settlements",
    (Key(CONSIGNMENT_NOTE.c.month, falling=True), Key(CONSIGNMENT_NOTE.c.supplier), Key(CONSIGNMENT_NOTE.c.note)),
)
"""The newest month first."""


@dataclass(frozen=True, slots=True)
class Term:
    """An item a supplier lays in, from a day to a last day, None where it has no end."""

    item: str
    supplier: str
    first: date
    last: date | None
    price: Money
    level: int

    def holds(self, day: date) -> bool:
        """Tell whether it is in force on a day."""
        return self.first <= day and (self.last is None or day <= self.last)


def terms_of(connection: Connection, hospital: HospitalId) -> list[Term]:
    """Return every term, past ones too."""
    row = CONSIGNMENT_TERM.c
    rows = connection.execute(
        CONSIGNMENT_TERM.select().where(row.hospital == hospital).order_by(row.supplier, row.item, row.first)
    )
    return [Term(one.item, one.supplier, one.first, one.last, Money(one.price), one.level) for one in rows]


def terms_on(connection: Connection, hospital: HospitalId, day: date) -> dict[tuple[str, str], Term]:
    """Return the terms in force on a day, by item and supplier, of two the later begun."""
    return {(one.item, one.supplier): one for one in terms_of(connection, hospital) if one.holds(day)}


def held(connection: Connection, hospital: HospitalId) -> Counter[tuple[str, str]]:
    """Return the base units of suppliers' goods in the hospital, by item and supplier."""
    rows = connection.execute(
        select(BALANCE.c.place, BALANCE.c.item, BALANCE.c.owner, func.sum(BALANCE.c.qty).label("qty"))
        .where(BALANCE.c.hospital == hospital, BALANCE.c.owner != HOSPITAL_OWNED)
        .group_by(BALANCE.c.place, BALANCE.c.item, BALANCE.c.owner)
    )
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if holds_stock(row.place):
            found[row.item, row.owner] += int(row.qty)
    return found


def accepted_consigned(
    connection: Connection, hospital: HospitalId, orders: Collection[str]
) -> Counter[tuple[str, int]]:
    """Return what of some orders' lines was accepted and stayed the supplier's: it is settled, never invoiced."""
    line, receipt = POSTING_LINE.c, RECEIPT_LINE.c
    rows = connection.execute(
        select(receipt.order_no, receipt.order_line, receipt.accepted)
        .join(
            POSTING_LINE,
            and_(
                line.hospital == receipt.hospital, line.event_id == receipt.event_id, line.item == receipt.item,
                line.lot == receipt.lot,
            ),
        )
        .where(receipt.hospital == hospital, receipt.order_no.in_(sorted(orders)), line.owner != HOSPITAL_OWNED)
        .group_by(receipt.receipt, receipt.line_no, receipt.order_no, receipt.order_line, receipt.accepted)
    )  # fmt: skip
    found: Counter[tuple[str, int]] = Counter()
    for row in rows:
        found[row.order_no, row.order_line] += row.accepted
    return found


def charged_in(
    connection: Connection, hospital: HospitalId, month: Month, lots: Mapping[str, set[str]]
) -> dict[str, int] | None:
    """Return what the other system charged of some items in a month, refunds taken off; None where it told nothing.

    A charge that names a lot counts where that lot is among those named; one without a lot counts.
    """
    charge = CHARGE.c
    within = (charge.hospital == hospital, charge.at >= month.begins, charge.at < month.ends)
    if connection.execute(select(charge.charge).where(*within).limit(1)).first() is None:
        return None
    rows = connection.execute(
        select(charge.item, charge.lot, func.sum(charge.qty).label("qty"))
        .where(*within, charge.item.in_(sorted(lots)))
        .group_by(charge.item, charge.lot)
    )
    found = dict.fromkeys(lots, 0)
    for row in rows:
        if row.lot in {"", *lots[row.item]}:
            found[row.item] += int(row.qty)
    return found


@dataclass(frozen=True, slots=True)
class Note:
    """One settlement as it stands."""

    note: str
    supplier: str
    month: Month
    made_at: Instant
    made_by: str
    state: NoteState
    agreed_by: str
    agreed_on: date | None
    lines: tuple[NoteLine, ...]

    @property
    def amount(self) -> Money:
        """What it comes to."""
        return Money(sum(one.amount for one in self.lines))


def notes_page(connection: Connection, hospital: HospitalId, asked: PageAsked, *, supplier: str = "") -> Page[Note]:
    """Return a page of the settlements, of one supplier where it is named. Raises `BadInput` for its cursor."""
    chosen = _chosen(hospital)
    if supplier:
        chosen = chosen.where(CONSIGNMENT_NOTE.c.supplier == supplier)
    rows, cursor = NOTES.rows(connection, chosen, asked)
    return Page(tuple(_whole(connection, hospital, rows)), cursor)


def notes(
    connection: Connection, hospital: HospitalId, *, named: Collection[str] | None = None, month: Month | None = None
) -> list[Note]:
    """Return settlements, the newest month first: those named, or those of a month; all where neither is given."""
    note = CONSIGNMENT_NOTE.c
    chosen = _chosen(hospital)
    if named is not None:
        chosen = chosen.where(note.note.in_(sorted(named)))
    if month is not None:
        chosen = chosen.where(note.month == str(month))
    return _whole(connection, hospital, connection.execute(chosen.order_by(note.month.desc(), note.supplier)).all())


def _chosen(hospital: HospitalId) -> Select[Any]:
    return CONSIGNMENT_NOTE.select().where(CONSIGNMENT_NOTE.c.hospital == hospital)


def _whole(connection: Connection, hospital: HospitalId, rows: Sequence[Row[Any]]) -> list[Note]:
    lines = _lines(connection, hospital, [row.note for row in rows])
    state, agreed = states(connection, hospital, "consignment"), _agreed(connection, hospital)
    found = []
    for row in rows:
        by, on = agreed.get(row.note, ("", None))
        found.append(
            Note(
                note=row.note,
                supplier=row.supplier,
                month=month_named(row.month),
                made_at=Instant(row.made_at),
                made_by=row.made_by,
                state=NoteState(state[row.note]),
                agreed_by=by,
                agreed_on=on,
                lines=tuple(lines.get(row.note, ())),
            )
        )
    return found


def _lines(connection: Connection, hospital: HospitalId, named: Sequence[str]) -> dict[str, list[NoteLine]]:
    line = CONSIGNMENT_LINE.c
    found: defaultdict[str, list[NoteLine]] = defaultdict(list)
    rows = connection.execute(
        CONSIGNMENT_LINE.select()
        .where(line.hospital == hospital, line.note.in_(named))
        .order_by(line.note, line.line_no)
    )
    for row in rows:
        found[row.note].append(NoteLine(row.item, row.used, row.charged, Money(row.price)))
    return dict(found)


def _agreed(connection: Connection, hospital: HospitalId) -> dict[str, tuple[str, date]]:
    step = DOCUMENT_STEP.c
    rows = connection.execute(
        select(step.document, step.actor, step.at).where(
            step.hospital == hospital, step.kind == "consignment", step.step == "agree"
        )
    )
    return {row.document: (row.actor, business_day(Instant(row.at))) for row in rows}
