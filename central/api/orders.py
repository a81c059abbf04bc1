"""`/orders`: what was ordered, of whom, why, and how much of it has arrived."""

from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from central.api.door import Asks, sees_prices
from central.api.etags import tell_version
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.core.orders import Progress
from central.core.priceless import without_prices
from central.core.rights import Right
from central.services.desk import Desk
from central.services.orders import progress_of
from central.services.reasons import Names, names_now
from central.store.queries_purchasing import history
from central.store.queries_work import Order, orders_page
from protocols.values.instant import to_iso
from protocols.values.money import UNITS_A_YUAN, Money, rounded_fen, times


class OrderLineOut(BaseModel):
    """One line of an order: base units, yuan a base unit, and why."""

    line_no: int
    item: str
    name_zh: str
    name_en: str
    qty: int
    price_yuan: str | None
    amount_yuan: str | None
    proposal: str
    reason: dict[str, Any]
    reason_zh: str
    reason_en: str


class OrderOut(BaseModel):
    """One order; `supplier` is empty when the hospital's own store gives it; `status` says how much has arrived."""

    order_no: str
    supplier: str
    source: str
    place: str
    status: Progress
    created_at: str
    approved_by: str
    lines: list[OrderLineOut]


class Orders(Listed):
    """Orders, the newest first."""

    items: list[OrderOut]


def order_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("orders")

    @router.get("/orders")
    def every_order(caller: Asks, page: Paged) -> Orders:
        """List orders with their lines and reasons."""
        caller.need(Right.SEE_ORDERS)
        prices = sees_prices(desk, caller, "orders")
        with desk.store.read() as connection:
            found = orders_page(connection, desk.hospital, page.asked, scope=caller.scope(Right.SEE_ORDERS))
            come = progress_of(connection, desk.hospital, list(found.items), desk.now())
            names = names_now(connection, desk.hospital)
        shown = [_order(one, come[one.order_no], names, prices=prices) for one in found.items]
        return Orders(items=shown, next=page.next(found))

    @router.get("/orders/{order_no}")
    def one_order(caller: Asks, response: Response, order_no: str) -> OrderOut:
        """Tell one order; its version is the number of its steps."""
        caller.need(Right.SEE_ORDERS)
        prices, now = sees_prices(desk, caller, order_no), desk.now()
        with desk.store.read() as connection:
            one = desk.purchasing.documents.order(connection, caller, Right.SEE_ORDERS, order_no)
            come = progress_of(connection, desk.hospital, [one], now)
            names = names_now(connection, desk.hospital)
            steps = history(connection, desk.hospital, order_no)
        tell_version(response, len(steps))
        return _order(one, come[order_no], names, prices=prices)

    return router


def _order(one: Order, come: Progress, names: Names, *, prices: bool) -> OrderOut:
    lines = []
    for line in one.lines:
        item = names.catalogue.get(line.item)
        reason_zh, reason_en = names.said(line.item, one.source, line.reason)
        lines.append(
            OrderLineOut(
                line_no=line.line_no,
                item=line.item,
                name_zh=item.name_zh if item is not None else "",
                name_en=item.name_en if item is not None else "",
                qty=line.qty,
                price_yuan=price_text(line.price) if prices else None,
                amount_yuan=str(rounded_fen(times(line.price, line.qty))) if prices else None,
                proposal=line.proposal,
                reason=dict(line.reason) if prices else without_prices(line.reason),
                reason_zh=reason_zh,
                reason_en=reason_en,
            )
        )
    return OrderOut(
        order_no=one.order_no,
        supplier=one.supplier,
        source=one.source,
        place=one.place,
        status=come,
        created_at=to_iso(one.created_at),
        approved_by=one.approved_by,
        lines=lines,
    )


def price_text(price: Money) -> str:
    """Return a price in yuan with two decimals, or as many as it needs."""
    exact = Decimal(price) / UNITS_A_YUAN
    return f"{exact:.2f}" if exact == round(exact, 2) else f"{exact.normalize():f}"
