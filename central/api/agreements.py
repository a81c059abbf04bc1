"""`/vbp`, `/waivers`, `/bargaining`, `/items/{item}/equivalents`: agreements, how they go, and their quarterly pack."""

from datetime import date
from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from central.api.door import Asks, sees_prices
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.agreements import achieved
from central.core.order_checks import REASON_MAX, Excuse, Finding
from central.core.purchasing import PRICE_MAX
from central.core.rights import Right
from central.services.agreements import GroupView, equivalents, groups_now
from central.services.cycle import cycle_of
from central.services.desk import Desk
from central.services.vbp_pack import data_of, excel_of, pack_of
from central.store import queries_agreements as kept
from central.store.paging import page_of
from protocols.values.instant import business_day
from protocols.values.money import Money
from protocols.values.quantity import LINE_QTY_MAX

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}

Code = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(max_length=REASON_MAX)]


class GroupOut(BaseModel):
    """One product group of a batch, base units; shares are parts of 1, null where nothing is known.

    `elapsed` is the part of the agreement's days that is gone, `completed` received / agreed, `forecast` what that will
    be at its end; `troubles` what a regulator would find.
    """

    agreement: str
    group: str
    name_zh: str
    name_en: str
    first: date
    last: date
    last_year: int
    reported: int | None
    reported_share: float | None
    agreed: int
    received: int
    used: int
    in_stock: int
    elapsed: float | None
    completed: float | None
    forecast: float | None
    stock_days: float | None
    selected_share_of_quantity: float | None
    selected_share_of_value: float | None
    troubles: list[str]


class Groups(Listed):
    """Every group of every batch."""

    items: list[GroupOut]


class ReportIn(BaseModel):
    """What will be needed of a group, in base units; below the share wanted with a reason and its evidence."""

    qty: int = Field(ge=0, le=LINE_QTY_MAX)
    reason: Text = ""
    evidence: Text = ""


class WaiverIn(BaseModel):
    """Which finding of an item of a supplier is let pass until which day, and why."""

    finding: Finding
    item: Code
    supplier: Code
    reason: Excuse
    remark: Text = ""
    last: date


class WaiverOut(BaseModel):
    """A waiver as it was given."""

    waiver: str
    finding: Finding
    item: str
    supplier: str
    reason: Excuse
    remark: str
    first: date
    last: date
    person: str


class Waivers(Listed):
    """Every waiver, the newest first."""

    items: list[WaiverOut]


class BargainOut(BaseModel):
    """One item of a round: prices in 1e-4 yuan a base unit, `spent` of the year before; `cut` is a part of 1."""

    item: str
    qty: int
    spent: int
    price_before: int
    price_after: int | None
    cut: float | None


class RoundOut(Listed):
    """One half year's list and the cut achieved over what is settled, weighted by volume."""

    half_year: str
    achieved: float | None
    items: list[BargainOut]


class SettledIn(BaseModel):
    """The price reached, in 1e-4 yuan a base unit."""

    price: int = Field(ge=1, le=PRICE_MAX)


class StageOut(BaseModel):
    """One stage: orders that ended it, median working days, the limit (null without one), and the share within it."""

    stage: str
    orders: int
    median: float | None
    limit: int | None
    in_time: float | None


class CycleOut(BaseModel):
    """Every stage from the request to the goods; `unknown_years` are counted by weekends alone."""

    since: date
    slowest: str
    unknown_years: list[int]
    items: list[StageOut]


class EquivalentOut(BaseModel):
    """A product that may be asked for instead."""

    item: str
    selected: bool
    blocked: bool
    price: Money | None


class Equivalents(BaseModel):
    """Products of the same groups, selected ones first; a blocked one may not be ordered."""

    items: list[EquivalentOut]


def agreement_routes(desk: Desk) -> APIRouter:
    """Return the routes of these resources."""
    router = resource("agreements")
    _add_vbp(router, desk)
    _add_waivers(router, desk)
    _add_bargaining(router, desk)
    _add_cycle(router, desk)

    @router.get("/items/{item}/equivalents", responses=REFUSED)
    def instead(caller: Asks, item: str) -> Equivalents:
        """List the products of an item's groups, selected ones first."""
        caller.need(Right.SEE_ORDERS)
        prices = sees_prices(desk, caller, "equivalents")
        with desk.store.read() as connection:
            found = equivalents(connection, desk.hospital, item, business_day(desk.now()))
        shown = [
            EquivalentOut(
                item=one.item, selected=one.selected, blocked=one.blocked, price=one.price if prices else None
            )
            for one in found
        ]
        return Equivalents(items=shown)

    return router


def _add_vbp(router: APIRouter, desk: Desk) -> None:
    @router.get("/vbp")
    def listed(caller: Asks, page: Paged) -> Groups:
        """List the product groups with their pace and share of selected products."""
        caller.need(Right.SEE_ORDERS)
        with desk.store.read() as connection:
            every = sorted(groups_now(connection, desk.hospital, desk.now()), key=_group_key)
        found = page_of("vbp", every, _group_key, page.asked)
        return Groups(items=[_group(one) for one in found.items], next=page.next(found))

    @router.post("/vbp/{agreement}/{group}/reports", status_code=201, responses=REFUSED)
    def reported(caller: Asks, agreement: str, group: str, body: ReportIn) -> ReportIn:
        """Report what will be needed of a group."""
        desk.agreements.report(caller, agreement, group, body.qty, body.reason, body.evidence)
        return body

    @router.get("/vbp/packs/{quarter}", responses=REFUSED)
    def pack(caller: Asks, quarter: str) -> dict[str, Any]:
        """Give a quarter's five examined items as data; `quarter` such as 2026Q1."""
        caller.need(Right.SEE_PRICES)
        desk.looks.saw(caller, "see-prices", "vbp-pack")
        with desk.store.read() as connection:
            return data_of(pack_of(connection, desk.hospital, quarter, desk.now()))

    @router.get("/vbp/packs/{quarter}/workbook", responses={200: {"content": {XLSX: {}}}, **REFUSED})
    def excel(caller: Asks, quarter: str) -> Response:
        """Give a quarter's five examined items as an Excel workbook."""
        caller.need(Right.SEE_PRICES)
        desk.looks.saw(caller, "see-prices", "vbp-pack")
        with desk.store.read() as connection:
            content = excel_of(pack_of(connection, desk.hospital, quarter, desk.now()))
        named = {"Content-Disposition": f'attachment; filename="vbp-{quarter}.xlsx"'}
        return Response(content, media_type=XLSX, headers=named)


def _add_cycle(router: APIRouter, desk: Desk) -> None:
    @router.get("/purchase-cycle")
    def cycle(caller: Asks) -> CycleOut:
        """Tell how many working days each stage of the last 90 days' orders took, and which stage is slow."""
        caller.need(Right.SEE_ORDERS)
        with desk.store.read() as connection:
            found = cycle_of(connection, desk.hospital, desk.now())
        stages = [
            StageOut(
                stage=one.stage, orders=len(one.taken), median=one.median, limit=one.limit,
                in_time=None if one.in_time is None else round(float(one.in_time), 6),
            )
            for one in found.stages
        ]  # fmt: skip
        return CycleOut(since=found.since, slowest=found.slowest, unknown_years=list(found.unknown_years), items=stages)


def _add_waivers(router: APIRouter, desk: Desk) -> None:
    @router.get("/waivers")
    def listed(caller: Asks, page: Paged) -> Waivers:
        """List the waivers."""
        caller.need(Right.SEE_ORDERS)
        with desk.store.read() as connection:
            found = kept.waivers_page(connection, desk.hospital, page.asked)
        shown = [
            WaiverOut(
                waiver=one.id, finding=one.finding, item=one.item, supplier=one.supplier, reason=one.reason,
                remark=one.remark, first=one.first, last=one.last, person=one.person,
            )
            for one in found.items
        ]  # fmt: skip
        return Waivers(items=shown, next=page.next(found))

    @router.post("/waivers", status_code=201, responses=REFUSED)
    def waived(caller: Asks, body: WaiverIn) -> dict[str, str]:
        """Let a finding of an item of a supplier pass until a day; the order is approved by somebody else."""
        given = desk.agreements.waive(
            caller, body.finding, body.item, body.supplier, body.reason, body.remark, body.last
        )
        return {"waiver": given}


def _add_bargaining(router: APIRouter, desk: Desk) -> None:
    @router.get("/bargaining/{half_year}", responses=REFUSED)
    def listed(caller: Asks, page: Paged, half_year: str) -> RoundOut:
        """Give a half year's bargaining list, such as 2026H1."""
        caller.need(Right.SEE_PRICES)
        desk.looks.saw(caller, "see-prices", "bargaining")
        with desk.store.read() as connection:
            found = kept.bargains(connection, desk.hospital, half_year)
        cut = achieved(found)
        shown = page_of("bargaining", sorted(found, key=lambda one: one.item), lambda one: (one.item,), page.asked)
        lines = [
            BargainOut(
                item=one.item, qty=one.qty, spent=one.spent, price_before=one.before, price_after=one.after,
                cut=None if one.cut is None else float(one.cut),
            )
            for one in shown.items
        ]  # fmt: skip
        whole = None if cut is None else float(cut)
        return RoundOut(half_year=half_year, achieved=whole, items=lines, next=page.next(shown))

    @router.post("/bargaining/{half_year}/{item}", responses=REFUSED)
    def settled(caller: Asks, half_year: str, item: str, body: SettledIn) -> SettledIn:
        """Note the price a bargain reached."""
        desk.agreements.settle(caller, half_year, item, Money(body.price))
        return body


def _group_key(one: GroupView) -> tuple[str, str]:
    return one.agreement.agreement, one.group.group


def _group(one: GroupView) -> GroupOut:
    report, pace = (one.reported.report if one.reported is not None else None), one.pace

    def part(share: Fraction | None) -> float | None:
        return None if share is None else round(float(share), 6)

    return GroupOut(
        agreement=one.agreement.agreement,
        group=one.group.group,
        name_zh=one.group.name_zh,
        name_en=one.group.name_en,
        first=one.agreement.first,
        last=one.agreement.last,
        last_year=one.last_year,
        reported=report.qty if report is not None else None,
        reported_share=part(report.share) if report is not None else None,
        agreed=one.group.agreed,
        received=one.received,
        used=one.used,
        in_stock=one.held,
        elapsed=part(pace.elapsed) if pace is not None else None,
        completed=part(pace.completed) if pace is not None else None,
        forecast=part(pace.forecast) if pace is not None else None,
        stock_days=part(pace.stock_days) if pace is not None else None,
        selected_share_of_quantity=part(one.bought.share_of_qty),
        selected_share_of_value=part(one.bought.share_of_amount),
        troubles=[str(trouble) for trouble in one.troubles],
    )
