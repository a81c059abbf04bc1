"""`/orders/{order_no}/…`: what happens to an order after its approval, until its goods are there."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from central.api.door import Asks, sees_prices
from central.api.etags import Seen, tell_version
from central.api.one_hop import resource
from central.api.problems import Problem
from central.core.amendments import VERSIONS_MAX, Change, Version
from central.core.purchasing import LINES_MAX, PRICE_MAX, OrderStep
from central.core.rights import Right
from central.services.amendments import versions_of
from central.services.desk import Desk
from central.services.purchasing import Inspected
from central.store import queries_purchasing as kept
from protocols.values.instant import to_iso
from protocols.values.money import Money
from protocols.values.quantity import LINE_QTY_MAX

REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}

Number = Annotated[str, Field(min_length=1, max_length=64)]
Qty = Annotated[int, Field(ge=0, le=LINE_QTY_MAX)]


class StepIn(BaseModel):
    """What a step must say: `send` a platform order number if there is one, `confirm` the day the supplier promises,
    `announce` the delivery note's number, `close` and `cancel` the reason."""

    platform_order_no: str = Field(default="", max_length=64)
    promised: date | None = None
    delivery_note: str = Field(default="", max_length=64)
    reason: str = Field(default="", max_length=500)
    version: int = Field(default=0, ge=0, le=VERSIONS_MAX, description="Which the supplier confirms; 0: in force")


class ChangeIn(BaseModel):
    """What is changed of one line: base units, price in 1e-4 yuan; null leaves it."""

    line_no: int = Field(ge=1, le=LINES_MAX)
    qty: int | None = Field(default=None, ge=1, le=LINE_QTY_MAX)
    price: int | None = Field(default=None, ge=0, le=PRICE_MAX)


class AmendIn(BaseModel):
    """What is changed of an order and why; `wanted` is the day it is wanted for."""

    lines: list[ChangeIn] = Field(default=[], max_length=LINES_MAX)
    wanted: date | None = None
    reason: str = Field(min_length=1, max_length=500)


class VersionLineOut(BaseModel):
    """One line of a version; the price in 1e-4 yuan a base unit, null to who may not see it."""

    line_no: int
    item: str
    qty: int
    price: Money | None


class VersionOut(BaseModel):
    """One version of an order: what was changed by whom, when and why."""

    version: int
    lines: list[VersionLineOut]
    wanted: date | None
    made_at: str
    made_by: str
    reason: str


class VersionsOut(BaseModel):
    """Every version of an order, the first first; the last is in force."""

    order_no: str
    versions: list[VersionOut]


class StateOut(BaseModel):
    """The state a document is in now."""

    document: str
    state: str


class InspectedIn(BaseModel):
    """One lot that came of one order line: base units accepted and refused, and why any were refused."""

    line_no: int = Field(ge=1, le=LINES_MAX)
    lot: str = Field(default="", max_length=64)
    expiry: date | None = None
    accepted: Qty
    refused: Qty = 0
    why: str = Field(default="", max_length=500)


class ReceiptIn(BaseModel):
    """What one delivery note brought."""

    delivery_note: Number
    lines: list[InspectedIn] = Field(min_length=1, max_length=LINES_MAX)


class ReceiptOut(BaseModel):
    """The receipt that was written."""

    receipt: str


class DocumentStepOut(BaseModel):
    """One step of a document."""

    step: str
    state: str
    at: str
    actor: str
    detail: dict[str, Any]


class ReceiptLineOut(BaseModel):
    """One line of a receipt, in base units."""

    receipt: str
    delivery_note: str
    order_line: int
    item: str
    lot: str
    expiry: date | None
    accepted: int
    refused: int
    refused_why: str
    at: str
    actor: str


class HistoryOut(BaseModel):
    """What has happened to an order since its approval."""

    document: str
    steps: list[DocumentStepOut]
    receipts: list[ReceiptLineOut]


def purchasing_routes(desk: Desk) -> APIRouter:
    """Return the routes of these resources."""
    router = resource("purchasing")
    _add_orders(router, desk)
    return router


def _add_orders(router: APIRouter, desk: Desk) -> None:
    @router.post("/orders/{order_no}/steps/{step}", responses=REFUSED)
    def stepped(
        caller: Asks,
        seen: Seen,
        order_no: str,
        step: Literal["send", "confirm", "announce", "close", "cancel"],
        body: StepIn,
    ) -> StateOut:
        """Send an order, note what the supplier says, close or cancel it."""
        detail = {name: value for name, value in body.model_dump(mode="json").items() if value}
        state = desk.purchasing.step(caller, order_no, OrderStep(step), detail, seen)
        return StateOut(document=order_no, state=state)

    @router.post("/orders/{order_no}/versions", status_code=201, responses=REFUSED)
    def amended(caller: Asks, seen: Seen, order_no: str, body: AmendIn) -> VersionOut:
        """Amend an order of which nothing has come: a new version, to be sent and confirmed anew."""
        changes = [Change(one.line_no, one.qty, None if one.price is None else Money(one.price)) for one in body.lines]
        made = desk.amendments.amend(caller, order_no, changes, body.wanted, body.reason, seen)
        return _version(made, prices=sees_prices(desk, caller, order_no))

    @router.get("/orders/{order_no}/versions", responses={404: {"model": Problem}})
    def versions(caller: Asks, response: Response, order_no: str) -> VersionsOut:
        """Tell every version of an order."""
        caller.need(Right.SEE_ORDERS)
        prices = sees_prices(desk, caller, order_no)
        with desk.store.read() as connection:
            order = desk.purchasing.documents.order(connection, caller, Right.SEE_ORDERS, order_no)
            found = versions_of(connection, desk.hospital, order)
            steps = kept.history(connection, desk.hospital, order_no)
        tell_version(response, len(steps))
        return VersionsOut(order_no=order_no, versions=[_version(one, prices=prices) for one in found])

    @router.post("/orders/{order_no}/receipts", status_code=201, responses=REFUSED)
    def received(caller: Asks, order_no: str, body: ReceiptIn) -> ReceiptOut:
        """Accept and refuse what a delivery brought for the level-1 storeroom."""
        lines = [Inspected(**line.model_dump()) for line in body.lines]
        return ReceiptOut(receipt=desk.purchasing.receive(caller, order_no, body.delivery_note, lines))

    @router.get("/orders/{order_no}/history", responses={404: {"model": Problem}})
    def history(caller: Asks, response: Response, order_no: str) -> HistoryOut:
        """Tell what has happened to an order since its approval."""
        caller.need(Right.SEE_ORDERS)
        documents = desk.purchasing.documents
        with desk.store.read() as connection:
            order = documents.order(connection, caller, Right.SEE_ORDERS, order_no)
            steps = kept.history(connection, desk.hospital, order.order_no)
            receipts = kept.receipts_of(connection, desk.hospital, order.order_no)
        tell_version(response, len(steps))
        return HistoryOut(
            document=order_no,
            steps=[step_out(one) for one in steps],
            receipts=[ReceiptLineOut(**{**row, "at": to_iso(row["at"])}) for row in receipts],
        )


def _version(one: Version, *, prices: bool) -> VersionOut:
    lines = [
        VersionLineOut(line_no=line.line_no, item=line.item, qty=line.qty, price=line.price if prices else None)
        for line in one.lines
    ]
    return VersionOut(
        version=one.version, lines=lines, wanted=one.wanted, made_at=to_iso(one.made_at), made_by=one.made_by,
        reason=one.reason,
    )  # fmt: skip


def step_out(one: kept.DocumentStep) -> DocumentStepOut:
    """Return a step of a document as it is told."""
    return DocumentStepOut(step=one.step, state=one.state, at=to_iso(one.at), actor=one.actor, detail=dict(one.detail))
