"""`/budget-cuts`: what a run's budget left less than it found due, how much, and why."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from central.api.door import Asks, sees_prices
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.core.priceless import without_prices
from central.core.rights import Right
from central.services.desk import Desk
from central.services.reasons import Names, names_now
from central.store.queries_budget import Cut, cuts_page
from protocols.values.instant import to_iso
from protocols.values.money import Money


class BudgetCutOut(BaseModel):
    """One line that a run's budget cut: `wanted` base units were due, `given` are left of them.

    `price` a base unit, `saved` on the line and the whole run's `budget` are in 1e-4 yuan, null to who may not see
    prices, whose `reason` does not tell the budget either. `closed_at` is when a later run did not repeat the cut, null
    while it stands.
    """

    run: str
    place: str
    item: str
    name_zh: str
    name_en: str
    source: str
    wanted: int
    given: int
    price: Money | None
    saved: Money | None
    budget: Money | None
    reason: dict[str, Any]
    reason_zh: str
    reason_en: str
    made_at: str
    closed_at: str | None


class BudgetCuts(Listed):
    """Cuts, those of the newest run first."""

    items: list[BudgetCutOut]


def budget_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("orders")

    @router.get("/budget-cuts")
    def listed(caller: Asks, page: Paged, status: Annotated[Literal["open", "all"], Query()] = "open") -> BudgetCuts:
        """List what budgets cut: what the last run cut and stands, or all."""
        caller.need(Right.SEE_ORDERS)
        scope, prices = caller.scope(Right.SEE_ORDERS), sees_prices(desk, caller, "budget-cuts")
        with desk.store.read() as connection:
            found = cuts_page(connection, desk.hospital, page.asked, scope, standing=status == "open")
            names = names_now(connection, desk.hospital)
        return BudgetCuts(items=[_told(one, names, prices=prices) for one in found.items], next=page.next(found))

    return router


def _told(one: Cut, names: Names, *, prices: bool) -> BudgetCutOut:
    item = names.catalogue.get(one.item)
    reason_zh, reason_en = names.said(one.item, one.source, one.reason)
    reason = dict(one.reason) if prices else without_prices(one.reason)
    return BudgetCutOut(
        run=one.run, place=one.place, item=one.item, name_zh=item.name_zh if item is not None else "",
        name_en=item.name_en if item is not None else "", source=one.source, wanted=one.wanted, given=one.given,
        price=one.price if prices else None, saved=one.saved if prices else None,
        budget=one.budget if prices else None, reason=reason, reason_zh=reason_zh, reason_en=reason_en,
        made_at=to_iso(one.made_at), closed_at=None if one.closed_at is None else to_iso(one.closed_at),
    )  # fmt: skip
