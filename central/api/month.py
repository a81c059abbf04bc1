"""`/months`, `/payables`, `/finance/accounts`: the stock book by month, and what finance takes over of it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from central.api.door import Asks, sees_prices
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.journal import CODE_MAX, NAME_MAX, Account
from central.core.month import Key, Month, Row, Sum, month_named
from central.core.rights import Caller, Right
from central.core.valuation import Part
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
from central.services.stock_book import Book, book_of, lines_behind, months_of
from central.store.paging import page_of
from central.store.queries_finance import accounts_of
from protocols.values.instant import to_iso

REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}
JOURNAL: dict[str, Any] = {"text/csv": {}, "application/json": {}}

Code = Annotated[str, Query(max_length=64)]


class MonthOut(BaseModel):
    """One month of the stock book; what is null is known once it is closed. Value in 1e-4 yuan."""

    month: str
    closed_at: str | None
    closed_by: str | None
    lines: int | None
    late: int | None
    value: int | None


class Months(Listed):
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


class StockMonthOut(Listed):
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


class ValueLines(Listed):
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


class Accruals(Listed):
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


class Payables(Listed):
    """What is payable, by supplier."""

    items: list[PayableOut]


class AccountIn(BaseModel):
    """An account of the hospital's finance."""

    code: str = Field(min_length=1, max_length=CODE_MAX)
    name: str = Field(min_length=1, max_length=NAME_MAX)


class Accounts(BaseModel):
    """The account of each role."""

    accounts: dict[str, AccountIn]


def month_routes(desk: Desk) -> APIRouter:
    """Return the routes of these resources."""
    router = resource("month")
    _add_months(router, desk)
    _add_finance(router, desk)
    return router


def _prices(desk: Desk, caller: Caller, subject: str) -> None:
    caller.need(Right.SEE_PRICES)
    sees_prices(desk, caller, subject)


def _book(desk: Desk, month: Month) -> Book:
    with desk.store.read() as connection:
        return book_of(connection, desk.hospital, month, desk.now())


def _add_months(router: APIRouter, desk: Desk) -> None:
    @router.get("/months")
    def months(caller: Asks, page: Paged) -> Months:
        """List the months of the stock book."""
        _prices(desk, caller, "months")
        with desk.store.read() as connection:
            every = months_of(connection, desk.hospital, desk.now())
        found = page_of("months", every, lambda one: (-one[0].year * 12 - one[0].number,), page.asked)
        return Months(
            next=page.next(found),
            items=[
                MonthOut(
                    month=str(month),
                    closed_at=None if one is None else to_iso(one.at),
                    closed_by=None if one is None else one.by,
                    lines=None if one is None else one.lines,
                    late=None if one is None else one.late,
                    value=None if one is None else one.value,
                )
                for month, one in found.items
            ],
        )

    @router.post("/months/{month}/close", responses=REFUSED)
    def close(caller: Asks, month: str) -> ClosedOut:
        """Close a month for good: it must be the first that is open, and over."""
        done = MonthClose(desk.purchasing.documents).close(caller, month_named(month))
        one = done.closed
        return ClosedOut(month=month, lines=one.lines, late=one.late, value=one.value, settlements=list(done.notes))

    @router.get("/months/{month}/stock", responses=REFUSED)
    def stock(caller: Asks, page: Paged, month: str, place: Code = "", item: Code = "") -> StockMonthOut:
        """Tell what each item in each place opened with, came and went by, and closes with."""
        _prices(desk, caller, "stock-month")
        book = _book(desk, month_named(month))
        fits = [key for key in book.rows if place in {"", key.place} and item in {"", key.item}]
        found = page_of("stock-month", sorted(fits, key=_row_key), _row_key, page.asked)
        rows = [
            StockRowOut(place=key.place, item=key.item, consigned=key.consigned, **_row(book.rows[key]))
            for key in found.items
        ]
        return StockMonthOut(
            next=page.next(found), month=month, closed=book.closed is not None, rows=len(fits), items=rows
        )

    @router.get("/months/{month}/stock/lines", responses=REFUSED)
    def lines(caller: Asks, page: Paged, month: str, place: Code, item: Code, consigned: bool = False) -> ValueLines:
        """Open a row to the value lines that sum to it."""
        _prices(desk, caller, "stock-month")
        every = lines_behind(_book(desk, month_named(month)), place, item, consigned=consigned)
        parts = page_of("month-lines", every, _line_key, page.asked)
        return ValueLines(
            next=page.next(parts),
            items=[
                ValueLineOut(
                    event=one.event, line_no=one.line_no, part=one.part, at=to_iso(one.at), kind=one.kind, lot=one.lot,
                    qty=one.qty, source=one.source, target=one.target, price=one.price, value=one.value,
                    document=one.origin[0], supplier=one.origin[1], late_from=one.late_from,
                )
                for one in parts.items
            ],
        )  # fmt: skip


def _row_key(one: Key) -> tuple[str, str, int]:
    return one.place, one.item, int(one.consigned)


def _line_key(one: Part) -> tuple[int, str, int, int]:
    """Return what orders value lines: when it was, then the entry and the line's place in it."""
    return one.at, one.event, one.line_no, one.part


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
    def accrued(caller: Asks, page: Paged, month: str) -> Accruals:
        """Tell what is owed for goods received and not invoiced, by purchase."""
        _prices(desk, caller, "accruals")
        with desk.store.read() as connection:
            found = accruals_of(connection, desk.hospital, month_named(month), desk.now())
        names = ("opening", "received", "returned", "invoiced", "closing")
        shown = page_of("accruals", sorted(found), lambda key: key, page.asked)
        rows = [
            AccrualOut(document=document, supplier=firm, **{name: _sum(getattr(one, name)) for name in names})
            for (document, firm) in shown.items
            for one in (found[document, firm],)
        ]
        total = sum((one.closing for one in found.values()), Sum())
        return Accruals(next=page.next(shown), month=month, closing=_sum(total), items=rows)

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
    def payables(caller: Asks, page: Paged) -> Payables:
        """Tell what is payable to each supplier today, by how long it is overdue."""
        _prices(desk, caller, "payables")
        with desk.store.read() as connection:
            every = payables_now(connection, desk.hospital, desk.now())
        found = page_of(
            "payables", sorted(every, key=lambda one: one.supplier), lambda one: (one.supplier,), page.asked
        )
        return Payables(
            next=page.next(found),
            items=[
                PayableOut(supplier=one.supplier, total=one.total, by_age=list(one.by_age), invoices=list(one.invoices))
                for one in found.items
            ],
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
