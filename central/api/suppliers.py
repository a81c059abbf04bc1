"""`/suppliers`, `/cases`, `/shortages`, `/purchase-tasks`: how suppliers stand, and what is open with them."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.rights import Right
from central.core.suppliers import SCORE_UNITS, CaseKind, CaseStep, Tally
from central.errors import NotThere
from central.services.deliveries import dealings_now
from central.services.desk import Desk
from central.services.suppliers import TEXT_MAX, Firm, Matter, Watched, firms_now, shortages_now, uncovered_now
from central.store import queries_suppliers as kept
from central.store.paging import page_of
from protocols.values.instant import to_iso

REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}
Code = Annotated[str, Field(max_length=64)]
Text = Annotated[str, Field(max_length=TEXT_MAX)]


class TallyOut(BaseModel):
    """One dimension: what was done of what was asked, and the share; null where nothing was asked."""

    dimension: str
    done: int
    asked: int
    share: float | None
    documents: list[str]


class SupplierScoreOut(BaseModel):
    """One quarter's score, a part of 1, its grade, and the rules it was made under."""

    quarter: str
    score: float
    grade: str
    effective_from: date
    policy_version: str
    tallies: list[TallyOut]


class PaperOut(BaseModel):
    """One certificate: `standing` is valid, soon, very-soon, lapsed or not-yet."""

    kind: str
    number: str
    item: str
    first: date
    last: date
    standing: str


class SupplierCaseOut(BaseModel):
    """One case: hours taken so far, the limit (null without one), and whether it is within it."""

    case_no: str
    kind: str
    supplier: str
    item: str
    said: str
    opened_at: str
    opened_by: str
    state: str
    hours: float | None
    limit_hours: int | None
    in_time: bool | None


class FirmOut(BaseModel):
    """One supplier: grade in force, this quarter so far, delivery rate of 90 days by quantity and by line, papers."""

    supplier: str
    name_zh: str
    name_en: str
    grade: str | None
    blocked: bool
    delivery_rate_by_quantity: float | None
    delivery_rate_by_line: float | None
    this_quarter: list[TallyOut]
    papers: list[PaperOut]
    cases: list[SupplierCaseOut]
    items: list[str]


class Firms(Listed):
    """Every supplier; `uncovered` are high-risk items with fewer than two sources, with those they have."""

    items: list[FirmOut]
    uncovered: dict[str, list[str]]


class SupplierScores(Listed):
    """A supplier's quarters, the newest first."""

    items: list[SupplierScoreOut]


class CaseIn(BaseModel):
    """What happened with a supplier; an emergency and a disruption name their item."""

    kind: CaseKind
    supplier: Code
    item: Code = ""
    said: Text


class CaseStepIn(BaseModel):
    """What was done."""

    said: Text = ""


class CaseStateOut(BaseModel):
    """The state a case is in now."""

    case_no: str
    state: str


class SupplierCases(Listed):
    """Cases, the newest first."""

    items: list[SupplierCaseOut]


class ShortageOut(BaseModel):
    """One item whose supply is watched: 0 to 5 points and the level they make."""

    item: str
    level: str
    points: int
    stock_days: float | None
    lead_days: int
    short_share: float
    sources: int


class Shortages(Listed):
    """Items whose supply is watched or warned of, the worst first."""

    items: list[ShortageOut]


class PurchaseTaskOut(BaseModel):
    """Work that a grade brings."""

    task: str
    kind: str
    supplier: str
    item: str
    reason: str
    made_at: str


class PurchaseTasks(Listed):
    """Work that is not done."""

    items: list[PurchaseTaskOut]


def supplier_routes(desk: Desk) -> APIRouter:
    """Return the routes of these resources."""
    router = resource("suppliers")
    _add_suppliers(router, desk)
    _add_cases(router, desk)
    _add_watch(router, desk)
    return router


def _add_suppliers(router: APIRouter, desk: Desk) -> None:
    @router.get("/suppliers")
    def listed(caller: Asks, page: Paged) -> Firms:
        """List the suppliers as they stand."""
        caller.need(Right.SEE_PRICES)
        now = desk.now()
        with desk.store.read() as connection:
            dealt = dealings_now(connection, desk.hospital, now)
            found = firms_now(connection, desk.hospital, now, dealt)
            lacking = uncovered_now(connection, desk.hospital, now, dealt)
        shown = page_of("suppliers", found, lambda one: (one.supplier,), page.asked)
        return Firms(items=[_firm(one) for one in shown.items], uncovered=lacking, next=page.next(shown))

    @router.get("/suppliers/{supplier}", responses=REFUSED)
    def one(caller: Asks, supplier: str) -> FirmOut:
        """Tell how one supplier stands."""
        caller.need(Right.SEE_PRICES)
        with desk.store.read() as connection:
            found = firms_now(connection, desk.hospital, desk.now(), only=supplier)
        if not found:
            raise NotThere(f"supplier: expected one that is known, got {supplier!r:.40}")
        return _firm(found[0])

    @router.get("/suppliers/{supplier}/scores", responses=REFUSED)
    def scored(caller: Asks, page: Paged, supplier: str) -> SupplierScores:
        """List a supplier's quarterly scores."""
        caller.need(Right.SEE_PRICES)
        with desk.store.read() as connection:
            every = kept.scores(connection, desk.hospital, supplier=supplier)
        found = page_of("scores", sorted(every, key=_quarter), _quarter, page.asked)
        return SupplierScores(items=[_score(one) for one in found.items], next=page.next(found))


def _add_cases(router: APIRouter, desk: Desk) -> None:
    @router.get("/cases")
    def listed(caller: Asks, page: Paged) -> SupplierCases:
        """List the cases with suppliers."""
        caller.need(Right.SEE_ORDERS)
        with desk.store.read() as connection:
            every = [matter for one in firms_now(connection, desk.hospital, desk.now()) for matter in one.matters]
        found = page_of("cases", sorted(every, key=_newest), _newest, page.asked)
        return SupplierCases(items=[_case(one) for one in found.items], next=page.next(found))

    @router.post("/cases", status_code=201, responses=REFUSED)
    def opened(caller: Asks, body: CaseIn) -> CaseStateOut:
        """Open a case with a supplier; its clock starts."""
        case_no = desk.suppliers.open_case(caller, body.kind, body.supplier, body.item, body.said)
        return CaseStateOut(case_no=case_no, state="open")

    @router.post("/cases/{case_no}/steps/{step}", responses=REFUSED)
    def moved(
        caller: Asks,
        case_no: str,
        step: Literal["confirm", "solve", "restore", "block", "lift", "withdraw"],
        body: CaseStepIn,
    ) -> CaseStateOut:
        """Move a case; blocking and lifting need the head, and blocking another person than its opener."""
        state = desk.suppliers.move_case(caller, case_no, CaseStep(step), body.said)
        return CaseStateOut(case_no=case_no, state=state)


def _add_watch(router: APIRouter, desk: Desk) -> None:
    @router.get("/shortages")
    def watched(caller: Asks, page: Paged) -> Shortages:
        """List the items whose supply is watched or warned of."""
        caller.need(Right.SEE_ORDERS)
        with desk.store.read() as connection:
            every = sorted(shortages_now(connection, desk.hospital, desk.now()), key=_worst)
        found = page_of("shortages", every, _worst, page.asked)
        shown = [
            ShortageOut(
                item=one.supply.item, level=one.level, points=one.points,
                stock_days=None if one.supply.stock_days is None else round(float(one.supply.stock_days), 1),
                lead_days=one.supply.lead_days, short_share=float(one.supply.short_share), sources=one.supply.sources,
            )
            for one in found.items
        ]  # fmt: skip
        return Shortages(items=shown, next=page.next(found))

    @router.get("/purchase-tasks")
    def waiting(caller: Asks, page: Paged) -> PurchaseTasks:
        """List the work that a grade brought and nobody did yet."""
        caller.need(Right.SEE_PRICES)
        with desk.store.read() as connection:
            every = sorted(kept.tasks(connection, desk.hospital), key=_task)
        found = page_of("purchase-tasks", every, _task, page.asked)
        shown = [
            PurchaseTaskOut(
                task=one.task, kind=one.kind, supplier=one.supplier, item=one.item, reason=one.reason,
                made_at=to_iso(one.made_at),
            )
            for one in found.items
        ]  # fmt: skip
        return PurchaseTasks(items=shown, next=page.next(found))

    @router.post("/purchase-tasks/{task}/done", status_code=204, responses=REFUSED)
    def done(caller: Asks, task: str) -> None:
        """Note that a task is done."""
        desk.suppliers.finish_task(caller, task)


def _newest(one: Matter) -> tuple[int, str]:
    return -one.case.opened_at, one.case.case_no


def _worst(one: Watched) -> tuple[int, str]:
    return -one.points, one.supply.item


def _task(one: kept.Task) -> tuple[int, str]:
    return -one.made_at, one.task


def _quarter(one: kept.Score) -> tuple[int]:
    return (-int(one.quarter.replace("Q", "")),)


def _tallies(found: dict[Any, Tally]) -> list[TallyOut]:
    return [
        TallyOut(
            dimension=dimension, done=one.done, asked=one.asked,
            share=None if one.share is None else round(float(one.share), 6), documents=list(one.documents),
        )
        for dimension, one in found.items()
    ]  # fmt: skip


def _score(one: kept.Score) -> SupplierScoreOut:
    return SupplierScoreOut(
        quarter=one.quarter, score=one.score / SCORE_UNITS, grade=one.grade, effective_from=one.effective_from,
        policy_version=one.policy_version, tallies=_tallies(one.tallies),
    )  # fmt: skip


def _case(one: Matter) -> SupplierCaseOut:
    case, clock = one.case, one.clock
    return SupplierCaseOut(
        case_no=case.case_no, kind=case.kind, supplier=case.supplier, item=case.item, said=case.said,
        opened_at=to_iso(case.opened_at), opened_by=case.opened_by, state=case.state,
        hours=None if clock is None else round(clock.taken_h, 2),
        limit_hours=None if clock is None else clock.limit_h,
        in_time=None if clock is None else clock.in_time,
    )  # fmt: skip


def _firm(one: Firm) -> FirmOut:
    by_qty, by_line = one.rate.by_qty, one.rate.by_line
    return FirmOut(
        supplier=one.supplier, name_zh=one.name_zh, name_en=one.name_en, grade=one.grade, blocked=one.blocked,
        delivery_rate_by_quantity=None if by_qty is None else round(float(by_qty), 6),
        delivery_rate_by_line=None if by_line is None else round(float(by_line), 6),
        this_quarter=_tallies(dict(one.tallies)),
        papers=[
            PaperOut(
                kind=paper.certificate.kind, number=paper.certificate.number, item=paper.certificate.item,
                first=paper.certificate.first, last=paper.certificate.last, standing=paper.standing,
            )
            for paper in one.papers
        ],
        cases=[_case(matter) for matter in one.matters],
        items=sorted(offer.item for offer in one.offers),
    )  # fmt: skip
