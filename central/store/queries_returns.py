"""Returns, claims and credit notes read back, and the writes that add them.

No rule lives here. The rule that must not be broken: every query names the hospital, and nothing is changed.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from central.core.journal import Invoiced, InvoicedPart, Sort
from central.core.returns import GONE, VOID, ReturnKind, ReturnState, Why, goods_value
from central.core.rights import EVERYWHERE, Scope
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.queries_purchasing import standing_in, states
from central.store.queries_work import within
from central.store.tables.ledger import BALANCE, POSTING_LINE
from central.store.tables.purchasing import RECEIPT_LINE
from central.store.tables.returns import CREDIT_NOTE, SUPPLIER_RETURN, SUPPLIER_RETURN_LINE
from protocols.values.ids import HOSPITAL_OWNED, HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money

KIND, CREDIT = "return", "credit-note"
OPEN, USED = "open", "used"


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """One line: base units of a receipt line at the price they came at."""

    receipt: str
    receipt_line: int
    order_no: str
    order_line: int
    item: str
    lot: str
    owner: str
    qty: int
    price: Money


@dataclass(frozen=True, slots=True)
class CreditNote:
    """One credit note: what it gives for goods and for the claim."""

    document: str
    supplier: str
    number: str
    return_no: str
    dated: date
    goods: Money
    claim: Money
    entered_at: Instant

    @property
    def amount(self) -> Money:
        """What it gives in all."""
        return Money(self.goods + self.claim)


@dataclass(frozen=True, slots=True)
class Return:
    """One return or claim as it stands, with the credit note that answered it."""

    return_no: str
    kind: ReturnKind
    supplier: str
    place: str
    why: Why
    claim: Money
    said: str
    asked_at: Instant
    asked_by: str
    state: ReturnState
    lines: tuple[ReturnLine, ...]
    credit: CreditNote | None

    @property
    def goods(self) -> Money:
        """What the goods came at; nothing where none go back."""
        if self.kind is ReturnKind.CLAIM:
            return Money(0)
        return goods_value([(line.qty, line.price) for line in self.lines])

    @property
    def due(self) -> Money:
        """What is asked for in all."""
        return Money(self.goods + self.claim)


def add(connection: Connection, head: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    """Write what is asked for."""
    connection.execute(SUPPLIER_RETURN.insert().values(**head))
    connection.execute(SUPPLIER_RETURN_LINE.insert(), [dict(line) for line in lines])


def add_credit(connection: Connection, row: Mapping[str, Any]) -> None:
    """Write a credit note."""
    connection.execute(CREDIT_NOTE.insert().values(**row))


def one_return(
    connection: Connection, hospital: HospitalId, return_no: str, scope: Scope = EVERYWHERE
) -> Return | None:
    """Return one of a scope, None where there is none of that number."""
    chosen = _chosen(hospital, scope).where(SUPPLIER_RETURN.c.return_no == return_no)
    return next(iter(_whole(connection, hospital, connection.execute(chosen).all())), None)


RETURNS = Keyset("returns", (Key(SUPPLIER_RETURN.c.asked_at, falling=True), Key(SUPPLIER_RETURN.c.return_no)))


def returns_page(
    connection: Connection, hospital: HospitalId, asked: PageAsked, scope: Scope, state: str = ""
) -> Page[Return]:
    """Return a page of them, or of those in a state, the newest first. Raises `BadInput` for its cursor."""
    chosen = _chosen(hospital, scope)
    if state:
        chosen = chosen.where(SUPPLIER_RETURN.c.return_no.in_(standing_in(hospital, KIND, [state])))
    rows, cursor = RETURNS.rows(connection, chosen, asked)
    return Page(tuple(_whole(connection, hospital, rows)), cursor)


def _chosen(hospital: HospitalId, scope: Scope) -> Select[Any]:
    return select(SUPPLIER_RETURN).where(SUPPLIER_RETURN.c.hospital == hospital, within(SUPPLIER_RETURN.c.place, scope))


def _whole(connection: Connection, hospital: HospitalId, heads: Sequence[Row[Any]]) -> list[Return]:
    names = [head.return_no for head in heads]
    standing, lines = states(connection, hospital, KIND, names), _lines(connection, hospital, names)
    notes = {one.return_no: one for one in credit_notes(connection, hospital)}
    return [
        Return(
            head.return_no, ReturnKind(head.kind), head.supplier, head.place, Why(head.why), Money(head.claim),
            head.said, Instant(head.asked_at), head.asked_by, ReturnState(standing[head.return_no]),
            tuple(lines[head.return_no]), notes.get(head.return_no),
        )
        for head in heads
    ]  # fmt: skip


def _lines(connection: Connection, hospital: HospitalId, names: Sequence[str]) -> dict[str, list[ReturnLine]]:
    row = SUPPLIER_RETURN_LINE.c
    found: defaultdict[str, list[ReturnLine]] = defaultdict(list)
    chosen = select(SUPPLIER_RETURN_LINE).where(row.hospital == hospital, row.return_no.in_(names))
    for one in connection.execute(chosen.order_by(row.return_no, row.line_no)):
        found[one.return_no].append(
            ReturnLine(
                one.receipt, one.receipt_line, one.order_no, one.order_line, one.item, one.lot, one.owner, one.qty,
                Money(one.price),
            )
        )  # fmt: skip
    return found


def credit_notes(connection: Connection, hospital: HospitalId) -> list[CreditNote]:
    """Return the credit notes, the oldest first."""
    row = CREDIT_NOTE.c
    rows = connection.execute(
        select(CREDIT_NOTE).where(row.hospital == hospital).order_by(row.entered_at, row.document)
    )
    return [
        CreditNote(
            one.document, one.supplier, one.number, one.return_no, one.dated, Money(one.goods), Money(one.claim),
            Instant(one.entered_at),
        )
        for one in rows
    ]  # fmt: skip


def open_credits(connection: Connection, hospital: HospitalId, supplier: str = "") -> list[CreditNote]:
    """Return the credit notes that no payment took off yet, the oldest first; of one supplier where it is named."""
    standing = states(connection, hospital, CREDIT)
    return [
        one
        for one in credit_notes(connection, hospital)
        if standing[one.document] == OPEN and supplier in {"", one.supplier}
    ]


def credit_steps(connection: Connection, hospital: HospitalId, first: Instant, until: Instant) -> list[Invoiced]:
    """Return the credit notes entered from an instant on and before another, as invoices of less than nothing."""
    notes = [one for one in credit_notes(connection, hospital) if first <= one.entered_at < until]
    lines = _lines(connection, hospital, [one.return_no for one in notes])
    return [
        Invoiced(
            one.document, one.supplier, Sort.CREDITED, one.entered_at, Money(-one.amount),
            tuple(
                InvoicedPart((f"{line.order_no}/{line.order_line}", one.supplier), -line.qty, line.price)
                for line in lines[one.return_no]
                if one.goods and line.price
            ),
        )
        for one in notes
    ]  # fmt: skip


def sent_back(
    connection: Connection, hospital: HospitalId
) -> tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]]:
    """Return by order line the hospital's own base units that went back, and of them those a credit note gave for."""
    standing = states(connection, hospital, KIND)
    credited = {one.return_no for one in credit_notes(connection, hospital) if one.goods}
    gone, given = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    head, row = SUPPLIER_RETURN.c, SUPPLIER_RETURN_LINE.c
    rows = connection.execute(
        select(row.return_no, row.order_no, row.order_line, row.qty)
        .join(SUPPLIER_RETURN, (head.hospital == row.hospital) & (head.return_no == row.return_no))
        .where(row.hospital == hospital, head.kind == ReturnKind.RETURN.value, row.owner == HOSPITAL_OWNED)
    )
    for one in rows:
        if standing[one.return_no] in GONE:
            gone[one.order_no, one.order_line] += one.qty
            given[one.order_no, one.order_line] += one.qty if one.return_no in credited else 0
    return gone, given


def asked_back(connection: Connection, hospital: HospitalId, receipt: str) -> Counter[int]:
    """Return by line of a receipt the base units that went back or are to."""
    standing = states(connection, hospital, KIND)
    head, row = SUPPLIER_RETURN.c, SUPPLIER_RETURN_LINE.c
    rows = connection.execute(
        select(row.return_no, row.receipt_line, row.qty)
        .join(SUPPLIER_RETURN, (head.hospital == row.hospital) & (head.return_no == row.return_no))
        .where(row.hospital == hospital, row.receipt == receipt, head.kind == ReturnKind.RETURN.value)
    )
    found = Counter[int]()
    for one in rows:
        found[one.receipt_line] += one.qty if standing[one.return_no] not in VOID else 0
    return found


def receipt_line(connection: Connection, hospital: HospitalId, receipt: str, line_no: int) -> Mapping[str, Any] | None:
    """Return one line of a receipt with the owner its goods were booked for, None where there is none."""
    row, line = RECEIPT_LINE.c, POSTING_LINE.c
    found = (
        connection.execute(
            select(RECEIPT_LINE).where(row.hospital == hospital, row.receipt == receipt, row.line_no == line_no)
        )
        .mappings()
        .first()
    )
    if found is None:
        return None
    owner = connection.scalar(
        select(line.owner).where(
            line.hospital == hospital, line.event_id == found["event_id"], line.item == found["item"],
            line.lot == found["lot"],
        ).limit(1)
    )  # fmt: skip
    return {**found, "owner": owner or HOSPITAL_OWNED}


def lying_loose(connection: Connection, hospital: HospitalId, place: str, line: ReturnLine) -> list[tuple[str, int]]:
    """Return where in a storeroom the loose goods of a line lie: shelf and base units."""
    row = BALANCE.c
    rows = connection.execute(
        select(row.position, row.qty)
        .where(
            row.hospital == hospital, row.place == place, row.item == line.item, row.lot == line.lot,
            row.owner == line.owner, row.unit == "", row.qty > 0,
        )
        .order_by(row.position)
    )  # fmt: skip
    return [(one.position, one.qty) for one in rows]
