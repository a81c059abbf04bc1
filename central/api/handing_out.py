"""`/orders/{order_no}/handed-out`: goods of the hospital's own store on their way to a ward, where it has no device."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.problems import Problem
from central.core.notes import LINES_MAX
from central.core.rights import Right
from central.services.desk import Desk
from central.services.handing_out import HandingOut
from protocols.values.quantity import LINE_QTY_MAX

REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}

Qty = Annotated[int, Field(ge=0, le=LINE_QTY_MAX)]


class LotOut(BaseModel):
    """One lot that would go out: where it lies, and base units."""

    lot: str
    position: str
    qty: int


class OwedOut(BaseModel):
    """What an order is still owed of an item, in base units, and the lots that would go out for it now."""

    item: str
    owed: int
    lots: list[LotOut]


class ToHandOutOut(BaseModel):
    """What is still to be handed out for an order; empty where nothing is, or where a device does it."""

    order_no: str
    owed: int
    lines: list[OwedOut]


class HandedLineIn(BaseModel):
    """Base units of an item that go out, of the lots that expire first."""

    item: Annotated[str, Field(min_length=1, max_length=64)]
    qty: Qty


class HandedIn(BaseModel):
    """What goes out; `owed` is what the order was still owed when the caller looked."""

    lines: list[HandedLineIn] = Field(min_length=1, max_length=LINES_MAX)
    owed: Qty


class HandedOut(BaseModel):
    """The ledger's entry that put the goods on their way."""

    event: str


def handing_out_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("purchasing")
    handing = HandingOut(desk.purchasing.documents)

    @router.get("/orders/{order_no}/handed-out", responses={404: {"model": Problem}})
    def waiting(caller: Asks, order_no: str) -> ToHandOutOut:
        """Tell what the hospital's own store is still to hand out for an order, and of which lots."""
        caller.need(Right.SEE_ORDERS)
        with desk.store.read() as connection:
            order = desk.purchasing.documents.order(connection, caller, Right.SEE_ORDERS, order_no)
            found = handing.waiting(connection, order)
        lines = [
            OwedOut(
                item=one.item,
                owed=one.owed,
                lots=[LotOut(lot=line.lot, position=line.source_position, qty=line.qty) for line in one.lines],
            )
            for one in found
        ]
        return ToHandOutOut(order_no=order_no, owed=sum(one.owed for one in found), lines=lines)

    @router.post("/orders/{order_no}/handed-out", status_code=201, responses=REFUSED)
    def handed(caller: Asks, order_no: str, body: HandedIn) -> HandedOut:
        """Put goods on their way to the ward of an order; it receives them by one scan of the paper."""
        wanted = {line.item: line.qty for line in body.lines}
        return HandedOut(event=handing.hand_out(caller, order_no, wanted, body.owed))

    return router
