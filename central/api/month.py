"""The stock book by month, and what finance takes over of it: months, payables, price changes, consignment."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from central.api.door import Asks, sees_prices
from central.api.problems import Problem
from central.core.consignment import NoteStep
from central.core.journal import CODE_MAX, NAME_MAX, Account
from central.core.month import Month, Row, Sum, month_named
from central.core.rights import Caller, Right
from central.services.consignment import Consignment
from central.services.desk import Desk
from central.services.finance import (
    Finance,
    accruals_of,
    journal_csv,
    journal_json,
    journal_of,
    payables_now,
)
from central.services.month_close import MonthClose
from central.services.price_changes import ChangeStep, PriceChange, PriceChanges
from central.services.stock_book import Book, book_of, lines_behind, months_of
from central.store import queries_consignment as consigned
from central.store.queries_month import accounts_of
from protocols.movements import LINE_QTY_MAX
from protocols.values.instant import to_iso
from protocols.values.money import Money

PRICE_MAX = 10_000_000_000_000
ROWS_MAX = 5_000
"""Rows one answer gives; whoever needs more names a storeroom or an item."""
REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}
JOURNAL: dict[str, Any] = {"text/csv": {}, "application/json": {}}

Code = Annotated[str, Query(max_length=64)]
Price = Annotated[int, Field(ge=0, le=PRICE_MAX)]


class MonthOut(BaseModel):
    """One month of the stock book; what is null is known once it is closed. Value in 1e-4 yuan."""

    month: str
    closed_at: str | None
    closed_by: str | None
    lines: int | None
    late: int | None
    value: int | None


class Months(BaseModel):
    """The months, the last first."""

    items: list[MonthOut]


class ClosedOut(BaseModel):
    """A month that was closed now, and the settlements made with it."""

    month: str
    lines: int
    late: int
    value: int
    settlements: list[str]


class SumOut(BaseModel):
    """Base units and their value in 1e-4 yuan."""

    qty: int
    value: int


class StockRowOut(BaseModel):
    """One row of the roll-forward: opening + in - out = closing; `came` and `went` by what it came or went by."""

    place: str
    item: str
    consigned: bool
    opening: SumOut
    came: dict[str, SumOut]
    went: dict[str, SumOut]
    closing: SumOut


class StockMonthOut(BaseModel):
    """The roll-forward of a month; `closed` tells whether its figures still move. `rows` counts all there are."""

    month: str
    closed: bool
    rows: int
    items: list[StockRowOut]


class ValueLineOut(BaseModel):
    """One value line: a ledger line at the price of one purchase. `late_from` names the month it comes late from."""

    event: str
    line_no: int
    part: int
    at: str
    kind: str
    lot: str
    qty: int
    source: str
    target: str
    price: int
    value: int
    document: str
    supplier: str
    late_from: str


class ValueLines(BaseModel):
    """The value lines of one row: what they add in and out sums to it."""

    items: list[ValueLineOut]


class AccrualOut(BaseModel):
    """What is owed for goods of one purchase and not invoiced; below 0 a credit is owed to the hospital."""

    document: str
    supplier: str
    opening: SumOut
    received: SumOut
    returned: SumOut
    invoiced: SumOut
    closing: SumOut


class Accruals(BaseModel):
    """The accruals of a month by purchase."""

    month: str
    closing: SumOut
    items: list[AccrualOut]


class PayableOut(BaseModel):
    """What a supplier is owed by invoices that match; by days overdue: none, up to 30, 60, 90, more."""

    supplier: str
    total: int
    by_age: list[int]
    invoices: list[str]


class Payables(BaseModel):
    """What is payable, by supplier."""

    items: list[PayableOut]


class AccountIn(BaseModel):
    """An account of the hospital's finance."""

    code: str = Field(min_length=1, max_length=CODE_MAX)
    name: str = Field(min_length=1, max_length=NAME_MAX)


class Accounts(BaseModel):
    """The account of each role."""

    accounts: dict[str, AccountIn]


class PriceChangeIn(BaseModel):
    """What stock of an item, or of one lot of it, is worth from its approval on: 1e-4 yuan a base unit, and why."""

    item: str = Field(min_length=1, max_length=64)
    lot: str = Field(default="", max_length=64)
    price: Price
    reason: str = Field(min_length=1, max_length=500)


class PriceChangeOut(BaseModel):
    """One price change."""

    change: str
    item: str
    lot: str
    price: int
    reason: str
    proposed_at: str
    proposed_by: str
    state: str
    decided_by: str


class PriceChangesOut(BaseModel):
    """The price changes, the newest first."""

    items: list[PriceChangeOut]


class ChangedOut(BaseModel):
    """The state a document is in now."""

    document: str
    state: str


class TermIn(BaseModel):
    """Goods a supplier lays in from a day on: price in 1e-4 yuan a base unit when used, and the level to keep."""

    item: str = Field(min_length=1, max_length=64)
    supplier: str = Field(min_length=1, max_length=64)
    first: date
    last: date | None = None
    price: Annotated[int, Field(ge=1, le=PRICE_MAX)]
    level: int = Field(ge=0, le=LINE_QTY_MAX)


class TermsOut(BaseModel):
    """Every term of consignment."""

    items: list[TermIn]


class NoteLineOut(BaseModel):
    """One item of a settlement; `charged` and `difference` are null where the other system told nothing."""

    item: str
    used: int
    charged: int | None
    difference: int | None
    price: int
    amount: int


class NoteOut(BaseModel):
    """One settlement of what was used of a supplier's goods in a month."""

    note: str
    supplier: str
    month: str
    state: str
    made_at: str
    made_by: str
    agreed_by: str
    amount: int
    lines: list[NoteLineOut]


class Notes(BaseModel):
    """The settlements, the newest month first."""

    items: list[NoteOut]


class SaidIn(BaseModel):
    """What was said, needed where a settlement is disputed."""

    said: str = Field(default="", max_length=500)


def month_routes(desk: Desk) -> APIRouter:
    """Return the routes of these resources."""
    router = APIRouter(tags=["month"])
    _add_months(router, desk)
    _add_finance(router, desk)
    _add_price_changes(router, desk)
    _add_consignment(router, desk)
    return router


def _prices(desk: Desk, caller: Caller, subject: str) -> None:
    caller.need(Right.SEE_PRICES)
    sees_prices(desk, caller, subject)


def _book(desk: Desk, month: Month) -> Book:
    with desk.store.read() as connection:
        return book_of(connection, desk.hospital, month, desk.now())


def _add_months(router: APIRouter, desk: Desk) -> None:
    @router.get("/months")
    def months(caller: Asks) -> Months:
        """List the months of the stock book."""
        _prices(desk, caller, "months")
        with desk.store.read() as connection:
            found = months_of(connection, desk.hospital, desk.now())
        return Months(
            items=[
                MonthOut(
                    month=str(month),
                    closed_at=None if one is None else to_iso(one.at),
                    closed_by=None if one is None else one.by,
                    lines=None if one is None else one.lines,
                    late=None if one is None else one.late,
                    value=None if one is None else one.value,
                )
                for month, one in found
            ]
        )

    @router.post("/months/{month}/close", responses=REFUSED)
    def close(caller: Asks, month: str) -> ClosedOut:
        """Close a month for good: it must be the first that is open, and over."""
        done = MonthClose(desk.purchasing.documents).close(caller, month_named(month))
        one = done.closed
        return ClosedOut(month=month, lines=one.lines, late=one.late, value=one.value, settlements=list(done.notes))

    @router.get("/months/{month}/stock", responses=REFUSED)
    def stock(caller: Asks, month: str, place: Code = "", item: Code = "") -> StockMonthOut:
        """Tell what each item in each place opened with, came and went by, and closes with."""
        _prices(desk, caller, "stock-month")
        book = _book(desk, month_named(month))
        rows = [
            StockRowOut(place=key.place, item=key.item, consigned=key.consigned, **_row(row))
            for key, row in book.rows.items()
            if place in {"", key.place} and item in {"", key.item}
        ]
        return StockMonthOut(month=month, closed=book.closed is not None, rows=len(rows), items=rows[:ROWS_MAX])

    @router.get("/months/{month}/stock/lines", responses=REFUSED)
    def lines(caller: Asks, month: str, place: Code, item: Code, consigned: bool = False) -> ValueLines:
        """Open a row to the value lines that sum to it."""
        _prices(desk, caller, "stock-month")
        parts = lines_behind(_book(desk, month_named(month)), place, item, consigned=consigned)
        return ValueLines(
            items=[
                ValueLineOut(
                    event=one.event, line_no=one.line_no, part=one.part, at=to_iso(one.at), kind=one.kind, lot=one.lot,
                    qty=one.qty, source=one.source, target=one.target, price=one.price, value=one.value,
                    document=one.origin[0], supplier=one.origin[1], late_from=one.late_from,
                )
                for one in parts[:ROWS_MAX]
            ]
        )  # fmt: skip


def _row(row: Row) -> dict[str, Any]:
    return {
        "opening": _sum(row.opening),
        "came": {str(column): _sum(one) for column, one in row.came.items()},
        "went": {str(column): _sum(one) for column, one in row.went.items()},
        "closing": _sum(row.closing),
    }


def _sum(one: Sum) -> SumOut:
    return SumOut(qty=one.qty, value=one.value)


def _add_finance(router: APIRouter, desk: Desk) -> None:
    @router.get("/months/{month}/accruals", responses=REFUSED)
    def accrued(caller: Asks, month: str) -> Accruals:
        """Tell what is owed for goods received and not invoiced, by purchase."""
        _prices(desk, caller, "accruals")
        with desk.store.read() as connection:
            found = accruals_of(connection, desk.hospital, month_named(month), desk.now())
        names = ("opening", "received", "returned", "invoiced", "closing")
        rows = [
            AccrualOut(document=document, supplier=firm, **{name: _sum(getattr(one, name)) for name in names})
            for (document, firm), one in found.items()
        ]
        total = sum((one.closing for one in found.values()), Sum())
        return Accruals(month=month, closing=_sum(total), items=rows[:ROWS_MAX])

    @router.get(
        "/months/{month}/journal.{form}",
        response_class=Response,
        responses={200: {"content": JOURNAL, "description": "The entries"}, **REFUSED},
    )
    def journal(caller: Asks, month: str, form: Literal["csv", "json"]) -> Response:
        """Give a month's balanced entries for finance to import, amounts in yuan."""
        _prices(desk, caller, "journal")
        with desk.store.read() as connection:
            told = journal_of(connection, desk.hospital, month_named(month), desk.now())
        if form == "csv":
            return Response(journal_csv(told), media_type="text/csv; charset=utf-8")
        return Response(journal_json(told), media_type="application/json")

    @router.get("/payables")
    def payables(caller: Asks) -> Payables:
        """Tell what is payable to each supplier today, by how long it is overdue."""
        _prices(desk, caller, "payables")
        with desk.store.read() as connection:
            found = payables_now(connection, desk.hospital, desk.now())
        return Payables(
            items=[
                PayableOut(supplier=one.supplier, total=one.total, by_age=list(one.by_age), invoices=list(one.invoices))
                for one in found
            ]
        )

    @router.get("/finance/accounts")
    def accounts(caller: Asks) -> Accounts:
        """Tell to which account each role is booked."""
        caller.need(Right.SEE_PRICES)
        with desk.store.read() as connection:
            found = accounts_of(connection, desk.hospital)
        return Accounts(accounts={str(role): AccountIn(code=one.code, name=one.name) for role, one in found.items()})

    @router.put("/finance/accounts", responses=REFUSED)
    def set_accounts(caller: Asks, body: Accounts) -> Accounts:
        """Set the accounts of some roles; the others stay as they are."""
        told = {role: Account(one.code, one.name) for role, one in body.accounts.items()}
        Finance(desk.purchasing.documents).set_accounts(caller, told)
        return accounts(caller)


def _add_price_changes(router: APIRouter, desk: Desk) -> None:
    @router.get("/price-changes")
    def listed(caller: Asks) -> PriceChangesOut:
        """List the price changes."""
        found = PriceChanges(desk.purchasing.documents).every(caller)
        return PriceChangesOut(items=[_change(one) for one in found])

    @router.post("/price-changes", status_code=201, responses=REFUSED)
    def proposed(caller: Asks, body: PriceChangeIn) -> ChangedOut:
        """Propose a price change; another person approves it."""
        changes = PriceChanges(desk.purchasing.documents)
        number = changes.propose(caller, body.item, body.lot, Money(body.price), body.reason)
        return ChangedOut(document=number, state="proposed")

    @router.post("/price-changes/{change}/steps/{step}", responses=REFUSED)
    def decided(caller: Asks, change: str, step: Literal["approve", "refuse"]) -> ChangedOut:
        """Approve or refuse a price change."""
        state = PriceChanges(desk.purchasing.documents).decide(caller, change, ChangeStep(step))
        return ChangedOut(document=change, state=state)


def _change(one: PriceChange) -> PriceChangeOut:
    return PriceChangeOut(
        change=one.change, item=one.item, lot=one.lot, price=one.price, reason=one.reason,
        proposed_at=to_iso(one.proposed_at), proposed_by=one.proposed_by, state=one.state, decided_by=one.decided_by,
    )  # fmt: skip


def _add_consignment(router: APIRouter, desk: Desk) -> None:
    @router.get("/consignment/terms")
    def terms(caller: Asks) -> TermsOut:
        """List the goods that suppliers lay in."""
        _prices(desk, caller, "consignment")
        with desk.store.read() as connection:
            found = consigned.terms_of(connection, desk.hospital)
        return TermsOut(
            items=[
                TermIn(
                    item=one.item, supplier=one.supplier, first=one.first, last=one.last, price=one.price,
                    level=one.level,
                )
                for one in found
            ]
        )  # fmt: skip

    @router.put("/consignment/terms", responses=REFUSED)
    def set_term(caller: Asks, body: TermIn) -> TermIn:
        """Say that a supplier lays in an item from a day on."""
        Consignment(desk.purchasing.documents).set_term(
            caller, body.item, body.supplier, body.first, body.last, Money(body.price), body.level
        )
        return body

    @router.get("/consignment/settlements")
    def settlements(caller: Asks, supplier: Code = "") -> Notes:
        """List the settlements, of one supplier where it is named."""
        _prices(desk, caller, "consignment")
        with desk.store.read() as connection:
            found = consigned.notes(connection, desk.hospital, supplier=supplier)
        return Notes(items=[_note(one) for one in found])

    @router.post("/months/{month}/settlements", responses=REFUSED)
    def settle(caller: Asks, month: str) -> Notes:
        """Make the settlements of a closed month that are not there yet."""
        made = Consignment(desk.purchasing.documents).settle(caller, month_named(month))
        with desk.store.read() as connection:
            return Notes(items=[_note(one) for one in consigned.notes(connection, desk.hospital, named=made)])

    @router.post("/consignment/settlements/{note}/steps/{step}", responses=REFUSED)
    def stepped(caller: Asks, note: str, step: Literal["agree", "dispute"], body: SaidIn) -> ChangedOut:
        """Agree to a settlement with its supplier, or note that it is disputed."""
        state = Consignment(desk.purchasing.documents).step(caller, note, NoteStep(step), body.said)
        return ChangedOut(document=note, state=state)


def _note(one: consigned.Note) -> NoteOut:
    lines = [
        NoteLineOut(
            item=each.item, used=each.used, charged=each.charged, difference=each.difference, price=each.price,
            amount=each.amount,
        )
        for each in one.lines
    ]  # fmt: skip
    return NoteOut(
        note=one.note, supplier=one.supplier, month=str(one.month), state=one.state, made_at=to_iso(one.made_at),
        made_by=one.made_by, agreed_by=one.agreed_by, amount=one.amount, lines=lines,
    )  # fmt: skip
