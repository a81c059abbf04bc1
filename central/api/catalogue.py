"""`/catalogue`: items with codes, packs, tier, class and state; new items from draft to use; reviews and trim."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from central.api.door import Asks, sees_prices
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.catalogue import ItemState, ItemStep
from central.core.rights import Right
from central.services.catalogue import NAME_MAX, PACK_MAX, Drafted, Shown, catalogue_now, trims_now
from central.services.desk import Desk
from central.store import queries_catalogue as kept
from central.store.paging import page_of
from protocols.values.instant import business_day
from protocols.values.money import Money

REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 409, 422)}
Name = Annotated[str, Field(max_length=NAME_MAX)]
Text = Annotated[str, Field(max_length=500)]


class CatalogueLineOut(BaseModel):
    """One line: packs in base units, `abc` its class by value (empty before the first), `warnings` about its codes."""

    item: str
    name_zh: str
    name_en: str
    spec: str
    item_class: str
    tier: str
    mode: str
    abc: str
    state: ItemState
    registration: str
    udi_di: str
    gtin: str
    insurance_code: str
    platform_code: str
    pack: int
    middle_unit: str
    middle: int
    purchase_unit: str
    purchase: int
    warnings: list[str]


class CatalogueOut(Listed):
    """The catalogue by item; `count` before the page was cut."""

    count: int
    items: list[CatalogueLineOut]


class DraftIn(BaseModel):
    """A new item."""

    item: Name
    name_zh: Name
    name_en: Name
    spec: Name = ""
    unit_zh: Name
    unit_en: Name
    pack: int = Field(ge=1, le=PACK_MAX)
    item_class: Literal["low", "high", "implant"]
    criticality: Literal["vital", "essential", "normal"]
    registration: Name = ""
    udi_di: Name = ""
    insurance: Name = ""
    platform: Name = ""
    tier: Literal["", "basic", "specialist", "high-value"] = ""
    mode: Literal["usual", "on-request"] = "usual"


class EvidenceIn(BaseModel):
    """What was given for a new item: its title and the number of the minutes; a file is given on the page."""

    title: Text
    number: Name


class ReasonGiven(BaseModel):
    """Why."""

    reason: Text = ""


class ItemStateOut(BaseModel):
    """The state an item is in now."""

    item: str
    state: ItemState


class ReviewLineOut(BaseModel):
    """One item of a quarter's review: months with use of all ward-months; money in 1e-4 yuan, null where not shown."""

    item: str
    months_used: int
    months: int
    spent: Money | None
    instead: list[str]
    decision: str
    reason: str
    person: str


class ReviewOut(Listed):
    """One quarter's review."""

    quarter: str
    items: list[ReviewLineOut]


class DecisionIn(BaseModel):
    """What is decided about an item, and why."""

    decision: Literal["keep", "retire"]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class TrimOut(BaseModel):
    """How far a class was trimmed against the year's baseline; `share` is null without one."""

    item_class: str
    baseline: int
    active: int
    share: float | None


class TrimsOut(BaseModel):
    """The trim of every class."""

    year: int
    items: list[TrimOut]


def catalogue_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("catalogue")
    _add_lines(router, desk)
    _add_acts(router, desk)
    _add_reviews(router, desk)
    return router


def _add_lines(router: APIRouter, desk: Desk) -> None:
    @router.get("/catalogue")
    def listed(
        caller: Asks,
        page: Paged,
        state: Annotated[ItemState | None, Query()] = None,
    ) -> CatalogueOut:
        """List the catalogue, of one state or whole."""
        caller.need(Right.SEE_ORDERS)
        with desk.store.read() as connection:
            found = [
                one for one in catalogue_now(connection, desk.hospital) if state is None or one.line.state is state
            ]
        shown = page_of("catalogue", found, lambda one: (one.line.item,), page.asked)
        lines = [_line(one) for one in shown.items]
        return CatalogueOut(count=len(found), items=lines, next=page.next(shown))

    @router.get("/catalogue/trims")
    def trimmed(caller: Asks) -> TrimsOut:
        """Tell how far each class was trimmed against the frozen baseline."""
        caller.need(Right.SEE_ORDERS)
        year = business_day(desk.now()).year
        with desk.store.read() as connection:
            found = trims_now(connection, desk.hospital, year)
        shown = [
            TrimOut(
                item_class=name, baseline=one.baseline, active=one.active,
                share=None if one.share is None else round(float(one.share), 6),
            )
            for name, one in found.items()
        ]  # fmt: skip
        return TrimsOut(year=year, items=shown)


def _add_acts(router: APIRouter, desk: Desk) -> None:
    @router.post("/catalogue", status_code=201, responses=REFUSED)
    def drafted(caller: Asks, body: DraftIn) -> ItemStateOut:
        """Draft a new item; it is not ordered before it is active."""
        told = body.model_dump()
        told["class_"] = told.pop("item_class")
        desk.catalogue.draft(caller, Drafted(**told))
        return ItemStateOut(item=body.item, state=ItemState.DRAFT)

    @router.post("/catalogue/{item}/evidence", status_code=201, responses=REFUSED)
    def given(caller: Asks, item: str, body: EvidenceIn) -> ItemStateOut:
        """Give evidence for a drafted item."""
        desk.catalogue.give_evidence(caller, item, body.title, body.number)
        return ItemStateOut(item=item, state=ItemState.EVIDENCE)

    @router.post("/catalogue/{item}/steps/{step}", responses=REFUSED)
    def stepped(
        caller: Asks, item: str, step: Literal["return", "approve", "activate", "retire"], body: ReasonGiven
    ) -> ItemStateOut:
        """Return, approve, activate or retire an item; two people are needed until it is approved."""
        return ItemStateOut(item=item, state=desk.catalogue.step(caller, item, ItemStep(step), body.reason))

    @router.post("/catalogue/baseline", status_code=201, responses=REFUSED)
    def frozen(caller: Asks) -> dict[str, int]:
        """Freeze this year's baseline, once."""
        return {"items": desk.catalogue.freeze(caller)}


def _add_reviews(router: APIRouter, desk: Desk) -> None:
    @router.get("/catalogue/reviews/{quarter}")
    def review(caller: Asks, page: Paged, quarter: str) -> ReviewOut:
        """Give a quarter's review."""
        caller.need(Right.SEE_ORDERS)
        prices = sees_prices(desk, caller, "review")
        with desk.store.read() as connection:
            every = sorted(kept.reviews(connection, desk.hospital, quarter), key=lambda one: one.item)
        found = page_of("reviews", every, lambda one: (one.item,), page.asked)
        shown = [
            ReviewLineOut(
                item=one.item, months_used=one.usage.used, months=one.usage.all, spent=one.spent if prices else None,
                instead=list(one.instead), decision=one.decision, reason=one.reason, person=one.person,
            )
            for one in found.items
        ]  # fmt: skip
        return ReviewOut(quarter=quarter, items=shown, next=page.next(found))

    @router.post("/catalogue/reviews/{quarter}/{item}", responses=REFUSED)
    def decided(caller: Asks, quarter: str, item: str, body: DecisionIn) -> DecisionIn:
        """Decide about an item of a review."""
        desk.catalogue.decide(caller, quarter, item, body.decision, body.reason)
        return body


def _line(one: Shown) -> CatalogueLineOut:
    line, codes = one.line, one.line.codes
    return CatalogueLineOut(
        item=line.item, name_zh=line.name_zh, name_en=line.name_en, spec=line.spec, item_class=line.class_,
        tier=line.tier, mode=line.mode, abc=one.abc, state=line.state, registration=codes.registration,
        udi_di=codes.udi_di, gtin=codes.gtin, insurance_code=codes.insurance, platform_code=codes.platform,
        pack=codes.pack, middle_unit=line.middle_unit, middle=codes.middle, purchase_unit=line.purchase_unit,
        purchase=codes.purchase, warnings=[str(fault) for fault in one.faults],
    )  # fmt: skip
