"""`/returns`: goods that go back to a supplier, claims against one, and the credit notes that answer."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from central.api.door import Asks, sees_prices
from central.api.etags import Seen, tell_version
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.purchasing import LINES_MAX as RECEIPT_LINES_MAX
from central.core.returns import CLAIM_MAX, LINES_MAX, SAID_MAX, Back, Claimed, ReturnKind, ReturnState, ReturnStep, Why
from central.core.rights import Right
from central.services.desk import Desk
from central.services.returns import NUMBER_MAX, Credit
from central.store import queries_returns as kept
from central.store.queries_purchasing import history
from protocols.values.instant import to_iso
from protocols.values.money import Money
from protocols.values.quantity import LINE_QTY_MAX

REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}
Code = Annotated[str, Field(min_length=1, max_length=64)]
Claim = Annotated[int, Field(ge=0, le=CLAIM_MAX)]


class BackIn(BaseModel):
    """So many base units of one line of a receipt."""

    receipt: Code
    line_no: int = Field(ge=1, le=RECEIPT_LINES_MAX)
    qty: int = Field(ge=1, le=LINE_QTY_MAX)


class ReturnIn(BaseModel):
    """What goes back or is claimed: `claim` is money in 1e-4 yuan beside the goods' price."""

    kind: Literal["return", "claim"] = "return"
    why: Literal["damaged", "wrong", "recalled", "near-expiry", "short", "other"]
    lines: list[BackIn] = Field(min_length=1, max_length=LINES_MAX)
    claim: Claim = 0
    said: str = Field(min_length=1, max_length=SAID_MAX)


class ReturnStepIn(BaseModel):
    """What a step says: `refuse` and `close` why; `credit` the note's number, its day, what it gives of a claim."""

    reason: str = Field(default="", max_length=SAID_MAX)
    number: str = Field(default="", max_length=NUMBER_MAX)
    dated: date | None = None
    claim: Claim = 0


class ReturnLineOut(BaseModel):
    """One line: base units of a receipt line, the price in 1e-4 yuan they came at, null to who may not see it."""

    receipt: str
    receipt_line: int
    order_no: str
    order_line: int
    item: str
    lot: str
    qty: int
    price: Money | None


class ReturnOut(BaseModel):
    """One return or claim; money in 1e-4 yuan, null to who may not see it."""

    return_no: str
    kind: str
    supplier: str
    place: str
    why: str
    said: str
    asked_at: str
    asked_by: str
    state: str
    goods: Money | None
    claim: Money | None
    credit_note: str
    credited: Money | None
    lines: list[ReturnLineOut]


class ReturnsOut(Listed):
    """Returns and claims, the newest first."""

    items: list[ReturnOut]


def return_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("returns")

    @router.get("/returns")
    def listed(
        caller: Asks, page: Paged, state: Annotated[ReturnState | None, Query(description="Only those")] = None
    ) -> ReturnsOut:
        """List returns and claims."""
        caller.need(Right.SEE_ORDERS)
        prices = sees_prices(desk, caller, "returns")
        with desk.store.read() as connection:
            scope = caller.scope(Right.SEE_ORDERS)
            found = kept.returns_page(connection, desk.hospital, page.asked, scope, state or "")
        return ReturnsOut(items=[_told(one, prices=prices) for one in found.items], next=page.next(found))

    @router.get("/returns/{return_no}", responses={404: {"model": Problem}})
    def one(caller: Asks, response: Response, return_no: str) -> ReturnOut:
        """Tell one; its version is the number of its steps."""
        caller.need(Right.SEE_ORDERS)
        with desk.store.read() as connection:
            found = desk.returns.one(connection, caller, return_no)
            steps = history(connection, desk.hospital, return_no)
        tell_version(response, len(steps))
        return _told(found, prices=sees_prices(desk, caller, return_no))

    @router.post("/returns", status_code=201, responses=REFUSED)
    def asked(caller: Asks, response: Response, body: ReturnIn) -> ReturnOut:
        """Ask that goods go back, or that money be claimed."""
        lines = tuple(Back(line.receipt, line.line_no, line.qty) for line in body.lines)
        wanted = Claimed(ReturnKind(body.kind), Why(body.why), lines, Money(body.claim), body.said)
        made = desk.returns.ask(caller, wanted)
        response.headers["Location"] = f"/api/v1/returns/{made.return_no}"
        return _told(made, prices=sees_prices(desk, caller, made.return_no))

    @router.post("/returns/{return_no}/steps/{step}", responses=REFUSED)
    def stepped(
        caller: Asks,
        seen: Seen,
        return_no: str,
        step: Literal["approve", "refuse", "withdraw", "ship", "credit", "close"],
        body: ReturnStepIn,
    ) -> ReturnOut:
        """Approve, refuse, take back, hand out to the supplier, enter the credit note, or close without one."""
        credit = None if body.dated is None else Credit(body.number, body.dated, Money(body.claim))
        done = desk.returns.step(caller, return_no, ReturnStep(step), said=body.reason, credit=credit, seen=seen)
        return _told(done, prices=sees_prices(desk, caller, return_no))

    return router


def _told(one: kept.Return, *, prices: bool) -> ReturnOut:
    lines = [
        ReturnLineOut(
            receipt=line.receipt, receipt_line=line.receipt_line, order_no=line.order_no, order_line=line.order_line,
            item=line.item, lot=line.lot, qty=line.qty, price=line.price if prices else None,
        )
        for line in one.lines
    ]  # fmt: skip
    credit = one.credit
    return ReturnOut(
        return_no=one.return_no, kind=one.kind, supplier=one.supplier, place=one.place, why=one.why, said=one.said,
        asked_at=to_iso(one.asked_at), asked_by=one.asked_by, state=one.state, goods=one.goods if prices else None,
        claim=one.claim if prices else None, credit_note="" if credit is None else credit.number,
        credited=credit.amount if credit is not None and prices else None, lines=lines,
    )  # fmt: skip
