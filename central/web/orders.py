"""The pages of orders: all of them, and one with its history and what may be done to it now.

It decides nothing; which step a button stands for is read from the state tables. The rule that must not be broken: a
button that would be refused is not shown, and one that is pressed late is answered in plain words.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from central.core.amendments import Change, Version
from central.core.orders import Progress
from central.core.purchasing import (
    LINES_MAX,
    ORDER_STEPS,
    OrderState,
    OrderStep,
    TakenIn,
)
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.amendments import versions_of
from central.services.awaited import OVER, at_wards, how_taken_in, to_accept, to_hand_out
from central.services.desk import Desk
from central.services.emergencies import emergencies
from central.services.handing_out import HandingOut, ToGo
from central.services.orders import orders_shown, owed_in, progress_of
from central.services.purchasing import Inspected, has_come
from central.services.reasons import names_now
from central.store import queries_purchasing as kept
from central.store.queries_agreements import alerts_of
from central.store.queries_master import Place, places
from central.store.queries_work import Order
from central.web.invoices import add_invoices, fault_of
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from central.web.returns import add_returns
from central.web.typed import day_of, in_step, whole_of, yuan_of
from protocols.values.ids import PlaceId
from protocols.values.money import Money, times

TEXT_MAX = 500
PAGE_ORDERS = 50
LOTS_BESIDE = 3
"""Empty rows of a receipt's form, for more lots of one delivery; what it brought beyond goes on the next form."""
WAITS = MappingProxyType({"accept": to_accept, "ward": at_wards, "hand-out": to_hand_out})
"""The lists of who must act: deliveries accepted on the orders' pages, those of one's wards, and goods to hand out."""
OFFERED = (("accept", Right.RECEIVE), ("hand-out", Right.RECEIVE), ("ward", Right.MOVE_STOCK))

Text = Annotated[str, Form(max_length=TEXT_MAX)]
Typed = Annotated[str, Field(max_length=TEXT_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


@dataclass(frozen=True, slots=True)
class LotRow:
    """One row of a receipt's form, as typed."""

    line_no: int
    lot: str = ""
    expiry: str = ""
    accepted: str = ""
    refused: str = ""
    why: str = ""


class ReceiptForm(BaseModel):
    """What a storekeeper enters of a delivery, lot by lot: base units accepted and refused; a row without is left out.

    `seen` is how many receipt lines the page showed: the same form sent twice is taken once.
    """

    word: str = Field(default="", max_length=WORD_MAX)
    delivery_note: str = Field(default="", max_length=TEXT_MAX)
    line_no: list[Annotated[int, Field(ge=1, le=LINES_MAX)]] = Field(default=[], max_length=LINES_MAX)
    lot: list[Typed] = Field(default=[], max_length=LINES_MAX)
    expiry: list[Typed] = Field(default=[], max_length=LINES_MAX)
    accepted: list[Typed] = Field(default=[], max_length=LINES_MAX)
    refused: list[Typed] = Field(default=[], max_length=LINES_MAX)
    why: list[Typed] = Field(default=[], max_length=LINES_MAX)
    seen: int | None = Field(default=None, ge=0)

    def rows(self) -> list[LotRow]:
        """Return the rows of the form, as typed."""
        texts = (self.lot, self.expiry, self.accepted, self.refused, self.why)
        count = max(len(self.line_no), *map(len, texts))
        numbers = [*self.line_no, *[1] * (count - len(self.line_no))]
        return [LotRow(numbers[at], *("".join(text[at : at + 1]) for text in texts)) for at in range(count)]

    def inspected(self) -> list[Inspected]:
        """Return what was inspected. Raises `BadInput`."""
        filled = [row for row in self.rows() if row.accepted.strip(" 0") or row.refused.strip(" 0")]
        if not filled:
            raise BadInput("receipt: expected at least one lot with a quantity, got none")
        return [
            Inspected(
                row.line_no, row.lot.strip(), day_of("day", row.expiry), whole_of("receipt", row.accepted),
                whole_of("receipt", row.refused), row.why.strip(),
            )
            for row in filled
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order as a page draws it; `steps` are those its state and the reader's rights admit."""

    order: Order
    progress: Progress
    amount: Money | None
    history: tuple[kept.DocumentStep, ...]
    receipts: tuple[kept.Row, ...]
    steps: tuple[OrderStep, ...]
    receiving: "Receiving"
    versions: tuple[Version, ...]
    unusual: tuple[str, ...]
    """What the checks of an approval said of the version in force, where it is an amendment."""
    handing: tuple[ToGo, ...]
    """What the hospital's own store is to hand out for it by hand, and which lots; none for who may not."""
    owed: Mapping[int, int]
    """Base units still owed of each line, by its number; none of an order nobody waits for any more."""

    @property
    def awaited(self) -> list[int]:
        """The lines of which something is owed."""
        return [number for number, qty in self.owed.items() if qty]


@dataclass(frozen=True, slots=True)
class Receiving:
    """Who takes the goods of an order in, and how; `may` shows this reader the form, `scans` the page of their ward.

    `open` tells that something is still awaited, `sent` that it is on its way or may be; `own` that this reader
    approved the order or a version of it, and so does not accept its goods.
    """

    how: TakenIn
    open: bool
    sent: bool
    own: bool
    may: bool
    scans: bool


def add_orders(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of orders, invoices and returns."""
    _add_list(pages, renderer, porter, desk)
    _add_one(pages, renderer, porter, desk)
    _add_versions(pages, renderer, porter, desk)
    _add_receipt(pages, renderer, porter, desk)
    _add_handing_out(pages, renderer, porter, desk)
    add_invoices(pages, renderer, porter, desk)
    add_returns(pages, renderer, porter, desk)


def _add_list(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/orders")
    def listed(
        request: Request,
        state: Annotated[str, Query(max_length=32)] = "",
        waits: Annotated[str, Query(max_length=32)] = "",
        page: Annotated[int, Query(ge=1, le=1000)] = 1,
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        scope, part = caller.scope(Right.SEE_ORDERS), slice((page - 1) * PAGE_ORDERS, page * PAGE_ORDERS)
        if waits in WAITS:
            with desk.store.read() as connection:
                awaited = WAITS[waits](connection, desk.hospital, caller, desk.now())
            shown, count = [(one.order, one.progress) for one in awaited[part]], len(awaited)
        else:
            shown, count = orders_shown(desk.store, desk.hospital, desk.now(), scope, state, part)
        with desk.store.read() as connection:
            names = names_now(connection, desk.hospital)
        answer = renderer.page(
            "orders_list.html.j2",
            visit,
            orders=shown,
            count=count,
            page=page,
            pages=-(-count // PAGE_ORDERS),
            state=state,
            states=list(Progress),
            waits=waits if waits in WAITS else "",
            announced=[name for name, right in OFFERED if caller.may(right)],
            names=names,
            now=desk.now(),
        )
        keep_language(request, visit, answer)
        return answer


def _add_one(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/orders/{order_no}")
    def one(request: Request, order_no: str) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = _order_page(renderer, visit, caller, desk, order_no)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/orders/{order_no}/{step}")
    def stepped(
        request: Request,
        order_no: str,
        step: str,
        word: Word = "",
        platform_order_no: Text = "",
        promised: Text = "",
        delivery_note: Text = "",
        reason: Text = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, word)
        if step not in set(OrderStep) - {OrderStep.AMEND}:
            raise NotThere(f"order: expected one of {', '.join(OrderStep)}, got {step!r:.20}")
        said = {"platform_order_no": platform_order_no, "promised": promised, "delivery_note": delivery_note}
        detail = {name: text.strip() for name, text in (said | {"reason": reason}).items() if text.strip()}
        try:
            desk.purchasing.step(caller, order_no, OrderStep(step), detail)
        except (BadInput, NotNow) as error:
            return _order_page(renderer, visit, caller, desk, order_no, fault=fault_of(error), status=409)
        return RedirectResponse(f"/orders/{order_no}", 303)


def _add_versions(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.post("/orders/{order_no}/versions/new")
    def amended(
        request: Request,
        order_no: str,
        qty: Annotated[list[int], Form(max_length=LINES_MAX)] = [],  # noqa: B006 # the framework's own default
        price: Annotated[list[str], Form(max_length=LINES_MAX)] = [],  # noqa: B006 # the framework's own default
        wanted: Text = "",
        reason: Text = "",
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, word)
        try:
            told = price or [""] * len(qty)  # who may not see prices sends none
            in_step("line", qty, told)
            changes = [
                Change(number, count, yuan_of("price", said) if said.strip() else None)
                for number, (count, said) in enumerate(zip(qty, told, strict=True), 1)
            ]
            desk.amendments.amend(caller, order_no, changes, day_of("day", wanted), reason.strip())
        except (BadInput, NotNow, NotAllowed) as error:
            return _order_page(renderer, visit, caller, desk, order_no, fault=fault_of(error), status=409)
        return RedirectResponse(f"/orders/{order_no}", 303)


def _add_receipt(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.post("/orders/{order_no}/receipts/new")
    def received(request: Request, order_no: str, form: Annotated[ReceiptForm, Form()]) -> Response:
        visit, caller = porter.visit_of(request, Right.RECEIVE)
        porter.check_form(request, visit, form.word)
        try:
            desk.purchasing.receive(caller, order_no, form.delivery_note.strip(), form.inspected(), form.seen)
        except (BadInput, NotNow, NotAllowed) as error:
            return _order_page(renderer, visit, caller, desk, order_no, fault=fault_of(error), status=409, receipt=form)
        return RedirectResponse(f"/orders/{order_no}", 303)


def _add_handing_out(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.post("/orders/{order_no}/handed-out/new")
    def handed_out(
        request: Request,
        order_no: str,
        item: Annotated[list[str], Form(max_length=LINES_MAX)] = [],  # noqa: B006 # the framework's own default
        qty: Annotated[list[int], Form(max_length=LINES_MAX)] = [],  # noqa: B006 # the framework's own default
        seen: Annotated[int, Form(ge=0)] = 0,
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.RECEIVE)
        porter.check_form(request, visit, word)
        try:
            in_step("lines", item, qty, set(item))
            wanted = dict(zip(item, qty, strict=True))
            HandingOut(desk.purchasing.documents).hand_out(caller, order_no, wanted, seen)
        except (BadInput, NotNow) as error:
            return _order_page(renderer, visit, caller, desk, order_no, fault=fault_of(error), status=409)
        return RedirectResponse(f"/orders/{order_no}", 303)


def _lot_rows(view: OrderView, receipt: ReceiptForm | None) -> list[LotRow]:
    """Return the rows of a receipt's form: what was typed, else one for each line awaited; and some that are empty."""
    awaited = [LotRow(number, accepted=str(view.owed[number])) for number in view.awaited]
    rows = awaited if receipt is None else [row for row in receipt.rows() if row != LotRow(row.line_no)]
    first = rows[0].line_no if rows else view.order.lines[0].line_no
    return rows + [LotRow(first)] * LOTS_BESIDE


def _order_page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    desk: Desk,
    order_no: str,
    *,
    fault: str = "",
    status: int = 200,
    receipt: ReceiptForm | None = None,
) -> Response:
    with desk.store.read() as connection:
        order = desk.purchasing.documents.order(connection, caller, Right.SEE_ORDERS, order_no)
        names = names_now(connection, desk.hospital)
        rooms = {room.place: room for room in places(connection, desk.hospital)}
        amended_by = kept.amenders(connection, desk.hospital, [order_no])
        history = kept.history(connection, desk.hospital, order_no)
        receipts = kept.receipts_of(connection, desk.hospital, order_no)
        come = progress_of(connection, desk.hospital, [order], desk.now())
        alerts = alerts_of(connection, desk.hospital, order_no)
        versions = tuple(versions_of(connection, desk.hospital, order))
        owed = owed_in(connection, desk.hospital, order.place, desk.now())
        arrived = has_come(connection, desk.hospital, order, desk.now())
        handing = HandingOut(desk.purchasing.documents).waiting(connection, order)
        asked = {line.requisition for line in order.lines if line.requisition}
        clocks = [one for each in asked for one in emergencies(connection, desk.hospital, desk.now(), named=each)]
    state = OrderState(history[-1].state) if history else OrderState.APPROVED
    prices = caller.may(Right.SEE_PRICES) and bool(order.supplier)
    if prices:
        desk.looks.saw(caller, "see-prices", order_no)
    buys = bool(order.supplier) and caller.may(Right.PURCHASE, PlaceId(order.place))
    may_hand = not order.supplier and caller.may(Right.RECEIVE, PlaceId(order.source))
    view = OrderView(
        order=order,
        progress=come[order_no],
        amount=Money(sum(times(line.price, line.qty) for line in order.lines)) if prices else None,
        history=tuple(history),
        receipts=tuple(receipts),
        versions=versions,
        unusual=_unusual(history),
        handing=handing if may_hand else (),
        owed={line.line_no: owed[order_no, line.line_no] for line in order.lines if (order_no, line.line_no) in owed},
        steps=tuple(
            event
            for before, event in ORDER_STEPS
            if buys and before is state and not (event is OrderStep.CANCEL and arrived)
        ),
        receiving=_receiving(caller, order, rooms.get(order.place), state, come[order_no], amended_by),
    )
    return renderer.page(
        "order.html.j2",
        visit,
        status,
        view=view,
        alerts=alerts,
        clocks=clocks,
        names=names,
        fault=fault,
        now=desk.now(),
        prices=prices,
        lots=_lot_rows(view, receipt),
        note_no="" if receipt is None else receipt.delivery_note,
    )


def _unusual(history: Sequence[kept.DocumentStep]) -> tuple[str, ...]:
    """Return what the checks of an approval said of the newest amendment."""
    amended = [one for one in history if one.step == OrderStep.AMEND]
    return tuple(amended[-1].detail.get("checks", ())) if amended else ()


def _receiving(
    caller: Caller, order: Order, room: Place | None, state: OrderState, come: Progress, amended_by: Collection[str]
) -> Receiving:
    """Return who takes an order's goods in, and whether this reader may."""
    how, own = how_taken_in(room), caller.person in {order.approved_by, *amended_by}
    sent = not order.supplier or state in {OrderState.SENT, OrderState.CONFIRMED, OrderState.ANNOUNCED}
    here = how is TakenIn.BY_HAND and bool(order.supplier) and sent and come not in OVER
    return Receiving(
        how=how,
        open=come not in OVER,
        sent=sent,
        own=own,
        may=here and caller.may(Right.RECEIVE, PlaceId(order.place)) and not own,
        scans=how is TakenIn.ON_PHONE and caller.may(Right.MOVE_STOCK, PlaceId(order.place)),
    )
