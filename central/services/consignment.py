"""Settle what was used of suppliers' goods, month by month, and lay in again what was used.

The rules are in core. The rules that must not be broken: a settlement is made of the value lines of a closed month, in
the transaction that closes it or later from the same lines; who made one by hand does not agree to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from central.core.consignment import (
    NoteLine,
    NoteState,
    NoteStep,
    lots_used,
    note_after,
    note_lines,
    to_lay_in,
    used_of,
)
from central.core.month import Month
from central.core.purchasing import LINE_VALUE_MAX, check_value
from central.core.rights import Caller, Right
from central.core.valuation import Part
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.documents import Documents, check_text, number_of
from central.services.price_changes import PRICE_MAX
from central.services.stock_book import open_parts
from central.store import queries_consignment as kept
from central.store import queries_month as months
from central.store.audit import note
from central.store.merge import merge
from central.store.queries_master import LEVEL_STORE, places, suppliers, terms
from central.store.queries_purchasing import DocumentStep, add_step
from central.store.tables.month import CONSIGNMENT_LINE, CONSIGNMENT_NOTE, CONSIGNMENT_TERM
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money
from protocols.values.quantity import LINE_QTY_MAX

KIND = "consignment"
SAID_MAX = 500


def settle_month(
    connection: Connection,
    hospital: HospitalId,
    month: Month,
    now: Instant,
    parts: Sequence[Part],
    person: str,
) -> list[str]:
    """Make the settlements of a closed month from its value lines, one a supplier; returns those that are new."""
    made = []
    there = {one.supplier for one in kept.notes(connection, hospital, month=month)}
    for supplier, used in used_of(parts).items():
        if not used or supplier in there:
            continue
        charged = kept.charged_in(connection, hospital, month, lots_used(parts, supplier))
        made.append(_write(connection, hospital, supplier, month, now, note_lines(used, charged), person))
    return made


@dataclass(frozen=True, slots=True)
class Running:
    """What a settlement would say were its month over now; it is none, and nobody agrees to it yet."""

    supplier: str
    month: Month
    lines: tuple[NoteLine, ...]

    @property
    def amount(self) -> Money:
        """What it comes to so far."""
        return Money(sum(one.amount for one in self.lines))


def running_now(connection: Connection, hospital: HospitalId, now: Instant) -> list[Running]:
    """Return what was used of suppliers' goods in months that are open, by the same lines that settle them."""
    lent = {one.item for one in kept.terms_of(connection, hospital)}
    lent |= {item for item, _ in kept.held(connection, hospital)}
    if not lent:
        return []
    try:
        months_open = open_parts(connection, hospital, now, lent)
    except NotNow:
        return []  # more months are open than are reckoned at once; the page of months says so
    found = []
    for month, parts in months_open:
        for supplier, used in used_of(parts).items():
            charged = kept.charged_in(connection, hospital, month, lots_used(parts, supplier)) if used else None
            found.append(Running(supplier, month, tuple(note_lines(used, charged))))
    return [one for one in found if one.lines]


def _write(
    connection: Connection,
    hospital: HospitalId,
    supplier: str,
    month: Month,
    now: Instant,
    lines: Sequence[NoteLine],
    person: str,
) -> str:
    for one in lines:
        if abs(one.amount) > LINE_VALUE_MAX:
            raise NotNow(
                f"settlement of {supplier}: expected a line of at most {LINE_VALUE_MAX} (1e-4 yuan), got {one.used} of "
                f"{one.item} at {one.price}; put the use or the price right, then close {month}"
            )
    number = number_of("CS", supplier, str(month))
    head = {"hospital": hospital, "note": number, "supplier": supplier, "month": str(month)}
    connection.execute(CONSIGNMENT_NOTE.insert().values(**head, made_at=now, made_by=person))
    connection.execute(
        CONSIGNMENT_LINE.insert(),
        [
            {
                "hospital": hospital, "note": number, "line_no": line_no, "item": one.item, "used": one.used,
                "charged": one.charged, "price": one.price,
            }
            for line_no, one in enumerate(lines, 1)
        ],
    )  # fmt: skip
    detail = {"supplier": supplier, "month": str(month), "amount": sum(one.amount for one in lines)}
    add_step(connection, hospital, number, KIND, DocumentStep(0, KIND, "make", NoteState.MADE, now, person, detail))
    note(connection, hospital, now, person=person, act="consignment-make", subject=number, detail=detail)
    return number


@dataclass(frozen=True, slots=True)
class Consignment:
    """The goods on consignment of one hospital."""

    documents: Documents

    def set_term(
        self, caller: Caller, item: str, supplier: str, first: date, last: date | None, price: Money, level: int
    ) -> None:
        """Say that a supplier lays in an item from a day on; said again of the same day it replaces what was said.

        Raises `NotAllowed`, `NotThere`, `BadInput`.
        """
        caller.need(Right.PURCHASE)
        if last is not None and last < first:
            raise BadInput(f"consignment: expected an end from {first} on, got {last}")
        if not (0 < price <= PRICE_MAX and 0 <= level <= LINE_QTY_MAX):
            raise BadInput(f"consignment: expected a price above 0 and a level of 0 or more, got {price} and {level}")
        check_value(level, price)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        with self.documents.store.write() as connection:
            offered = {one.supplier for one in terms(connection, hospital).get(item, ())}
            if supplier not in offered:
                raise NotThere(f"consignment: expected an item that {supplier!r:.40} offers, got {item!r:.40}")
            row = {"hospital": hospital, "item": item, "supplier": supplier, "first": first, "last": last}
            merge(
                connection,
                CONSIGNMENT_TERM,
                [row | {"price": price, "level": level, "person": caller.person, "at": now}],
            )
            detail = {"first": first.isoformat(), "price": price, "level": level}
            self.documents.note(connection, caller, "consignment-term", f"{item} {supplier}", detail)

    def settle(self, caller: Caller, month: Month) -> list[str]:
        """Make the settlements of a closed month that are not there yet. Raises `NotAllowed`, `NotNow`."""
        caller.need(Right.INVOICE)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        with self.documents.store.write() as connection:
            if month not in {one.month for one in months.closed_months(connection, hospital)}:
                raise NotNow(f"settlement: expected a month that is closed, got {month}; close it first")
            parts = months.parts_of(connection, hospital, month)
            return settle_month(connection, hospital, month, now, parts, caller.person)

    def step(self, caller: Caller, number: str, event: NoteStep, said: str = "") -> NoteState:
        """Agree to a settlement with its supplier, or note that it is disputed and why.

        Raises `NotAllowed` for who made it, `NotThere`, `NotNow`, `BadInput`.
        """
        caller.need(Right.INVOICE)
        check_text("what was said", said, SAID_MAX, empty=event is NoteStep.AGREE)
        with self.documents.store.write() as connection:
            found = kept.notes(connection, self.documents.hospital, named=[number])
            if not found:
                raise NotThere(f"settlement: expected one that was made, got {number!r:.40}")
            after = note_after(found[0].state, event)
            if event is NoteStep.AGREE and found[0].made_by == caller.person:
                raise NotAllowed("settlement: expected somebody who did not make it")
            self.documents.write(connection, caller, number, KIND, event, after, {"said": said} if said else {})
        return after


def to_lay_in_now(
    connection: Connection, hospital: HospitalId, now: Instant, on_order: dict[tuple[str, str], int]
) -> dict[tuple[str, str], int]:
    """Return what is to be laid in again at the central store, by place and item; `on_order` is by place and item."""
    stores = [room.place for room in places(connection, hospital) if room.level == LEVEL_STORE]
    if not stores:
        return {}
    held = kept.held(connection, hospital)
    return {
        (stores[0], item): to_lay_in(one.level, held[item, supplier], on_order.get((stores[0], item), 0))
        for (item, supplier), one in kept.terms_on(connection, hospital, business_day(now)).items()
        if supplier in suppliers(connection, hospital)
    }
