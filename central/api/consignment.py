"""`/price-changes` and `/consignment`: what stock is worth from a moment on, and what of suppliers' goods was used."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from central.api.door import Asks, sees_prices
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.consignment import NoteLine, NoteStep
from central.core.month import month_named
from central.core.refusals import TEXT_MAX, Refusal
from central.core.rights import Caller, Right
from central.services.consignment import Consignment, Running, running_now
from central.services.desk import Desk
from central.services.price_changes import PRICE_MAX, ChangeStep, PriceChange, PriceChanges
from central.store import queries_consignment as consigned
from central.store.paging import page_of
from protocols.values.instant import to_iso
from protocols.values.money import Money
from protocols.values.quantity import LINE_QTY_MAX

REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}

Code = Annotated[str, Query(max_length=64)]
Price = Annotated[int, Field(ge=0, le=PRICE_MAX)]


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
    refusal: str
    refusal_text: str


class RefusalWhy(BaseModel):
    """Why not, by a code; in words too where the code is `other`."""

    refusal: Refusal
    text: str = Field(default="", max_length=TEXT_MAX)


class PriceChangesOut(Listed):
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


class TermsOut(Listed):
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


class Notes(Listed):
    """The settlements, the newest month first."""

    items: list[NoteOut]


class RunningNoteOut(BaseModel):
    """What was used of a supplier's goods so far in a month that is open; amounts in 1e-4 yuan."""

    supplier: str
    month: str
    amount: int
    lines: list[NoteLineOut]


class RunningOut(Listed):
    """What settlements would say were their months over now, the first month first."""

    items: list[RunningNoteOut]


class SaidIn(BaseModel):
    """What was said, needed where a settlement is disputed."""

    said: str = Field(default="", max_length=500)


def consignment_routes(desk: Desk) -> APIRouter:
    """Return the routes of these resources."""
    router = resource("month")
    _add_price_changes(router, desk)
    _add_consignment(router, desk)
    return router


def _prices(desk: Desk, caller: Caller, subject: str) -> None:
    caller.need(Right.SEE_PRICES)
    sees_prices(desk, caller, subject)


def _add_price_changes(router: APIRouter, desk: Desk) -> None:
    @router.get("/price-changes")
    def listed(caller: Asks, page: Paged) -> PriceChangesOut:
        """List the price changes."""
        _prices(desk, caller, "price-changes")
        found = PriceChanges(desk.purchasing.documents).page(caller, page.asked)
        return PriceChangesOut(items=[_change(one) for one in found.items], next=page.next(found))

    @router.post("/price-changes", status_code=201, responses=REFUSED)
    def proposed(caller: Asks, body: PriceChangeIn) -> ChangedOut:
        """Propose a price change; another person approves it."""
        changes = PriceChanges(desk.purchasing.documents)
        number = changes.propose(caller, body.item, body.lot, Money(body.price), body.reason)
        return ChangedOut(document=number, state="proposed")

    @router.post("/price-changes/{change}/steps/{step}", responses=REFUSED)
    def decided(
        caller: Asks, change: str, step: Literal["approve", "refuse"], body: RefusalWhy | None = None
    ) -> ChangedOut:
        """Approve or refuse a price change; a refusal says why by its code."""
        why = ("", "") if body is None else (body.refusal, body.text)
        state = PriceChanges(desk.purchasing.documents).decide(caller, change, ChangeStep(step), why)
        return ChangedOut(document=change, state=state)


def _change(one: PriceChange) -> PriceChangeOut:
    return PriceChangeOut(
        change=one.change, item=one.item, lot=one.lot, price=one.price, reason=one.reason,
        proposed_at=to_iso(one.proposed_at), proposed_by=one.proposed_by, state=one.state, decided_by=one.decided_by,
        refusal=one.refusal, refusal_text=one.refusal_text,
    )  # fmt: skip


def _add_consignment(router: APIRouter, desk: Desk) -> None:
    @router.get("/consignment/terms")
    def terms(caller: Asks, page: Paged) -> TermsOut:
        """List the goods that suppliers lay in."""
        _prices(desk, caller, "consignment")
        with desk.store.read() as connection:
            every = sorted(consigned.terms_of(connection, desk.hospital), key=_term_key)
        found = page_of("consignment-terms", every, _term_key, page.asked)
        return TermsOut(
            next=page.next(found),
            items=[
                TermIn(
                    item=one.item, supplier=one.supplier, first=one.first, last=one.last, price=one.price,
                    level=one.level,
                )
                for one in found.items
            ],
        )  # fmt: skip

    @router.put("/consignment/terms", responses=REFUSED)
    def set_term(caller: Asks, body: TermIn) -> TermIn:
        """Say that a supplier lays in an item from a day on."""
        Consignment(desk.purchasing.documents).set_term(
            caller, body.item, body.supplier, body.first, body.last, Money(body.price), body.level
        )
        return body

    @router.get("/consignment/settlements")
    def settlements(caller: Asks, page: Paged, supplier: Code = "") -> Notes:
        """List the settlements, of one supplier where it is named."""
        _prices(desk, caller, "consignment")
        with desk.store.read() as connection:
            found = consigned.notes_page(connection, desk.hospital, page.asked, supplier=supplier)
        return Notes(items=[_note(one) for one in found.items], next=page.next(found))

    @router.get("/consignment/running")
    def running(caller: Asks, page: Paged) -> RunningOut:
        """List what was used of suppliers' goods in months that are open: what their settlements would say now."""
        _prices(desk, caller, "consignment")
        with desk.store.read() as connection:
            every = running_now(connection, desk.hospital, desk.now())
        found = page_of("running", sorted(every, key=_running_key), _running_key, page.asked)
        items = [
            RunningNoteOut(
                supplier=one.supplier, month=str(one.month), amount=one.amount, lines=_note_lines(one.lines)
            )
            for one in found.items
        ]  # fmt: skip
        return RunningOut(items=items, next=page.next(found))

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


def _term_key(one: consigned.Term) -> tuple[str, str, str]:
    return one.item, one.supplier, one.first.isoformat()


def _running_key(one: Running) -> tuple[str, str]:
    return str(one.month), one.supplier


def _note_lines(lines: Sequence[NoteLine]) -> list[NoteLineOut]:
    return [
        NoteLineOut(
            item=each.item, used=each.used, charged=each.charged, difference=each.difference, price=each.price,
            amount=each.amount,
        )
        for each in lines
    ]  # fmt: skip


def _note(one: consigned.Note) -> NoteOut:
    return NoteOut(
        note=one.note, supplier=one.supplier, month=str(one.month), state=one.state, made_at=to_iso(one.made_at),
        made_by=one.made_by, agreed_by=one.agreed_by, amount=one.amount, lines=_note_lines(one.lines),
    )  # fmt: skip
