"""`/figures`: the figures of storerooms, the rows each adds up to, and the ledger lines behind a row."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from central.api.door import Asks, sees_prices
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.figures import DEFINITIONS, Figure, Part
from central.services.desk import Desk
from central.services.figures import Judged, LedgerPart, figure_id, figures, ledger_of, opened
from central.store.paging import page_of

Place = Annotated[str, Query(max_length=64)]


class DayOut(BaseModel):
    """A figure at the last look of a day; null where there was nothing to compare."""

    day: str
    value: float | None


class FigureOut(BaseModel):
    """One figure: above / below; `since` the first day of its data; `passes` its gate, null without one.

    `interval`: where the truth may lie of a figure that rests on a sample, 95 times of 100, null of any other. Sums in
    money are in 1e-4 yuan (times days for the turnover days), null to who may not see prices.
    """

    id: str
    row: str
    definition: str
    value: float | None
    interval: tuple[float, float] | None
    above: int | None
    below: int | None
    parts: int
    since: str | None
    gate: float | None
    passes: bool | None
    days: list[DayOut]


class Figures(BaseModel):
    """Every figure."""

    items: list[FigureOut]


class PartOut(BaseModel):
    """One row of a figure; `qty` base units, `note` why it counts as it does."""

    place: str
    item: str
    lot: str
    unit: str
    qty: int
    above: int | None
    below: int | None
    note: str


class OpenedOut(Listed):
    """A figure with its rows, whose numbers above and below sum to the figure's."""

    id: str
    above: int | None
    below: int | None
    parts: int
    items: list[PartOut]


class LedgerLineOut(BaseModel):
    """One line of the ledger: pieces in or out, and what it adds above and below where that is a sum of lines."""

    event: str
    day: str
    kind: str
    lot: str
    qty: int
    above: int | None
    below: int | None


class LedgerOut(Listed):
    """One row with the ledger lines whose pieces sum to its quantity."""

    part: PartOut
    items: list[LedgerLineOut]


def figure_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = APIRouter(tags=["figures"])

    @router.get("/figures")
    def listed(caller: Asks, place: Place = "") -> Figures:
        """Tell every figure of a storeroom, or of all storerooms the caller may see."""
        prices = sees_prices(desk, caller, "figures")
        judged = figures(desk, caller, place)
        return Figures(items=[_figure(one, shown=prices or not DEFINITIONS[one.figure.id].money) for one in judged])

    @router.get("/figures/{id}/rows", responses={404: {"model": Problem}})
    def rows(caller: Asks, page: Paged, id: str, place: Place = "") -> OpenedOut:
        """Open a figure to its rows."""
        figure, parts = opened(desk, caller, id, place)
        shown = not DEFINITIONS[figure.id].money or sees_prices(desk, caller, "figures")
        found = page_of(f"figure-rows/{id}", parts, _heaviest, page.asked)
        items = [_part(one, shown=shown) for one in found.items]
        sums = _sums(figure, shown=shown)
        return OpenedOut(id=figure.id, parts=figure.parts, items=items, next=page.next(found), **sums)

    @router.get("/figures/{id}/ledger", responses={404: {"model": Problem}})
    def ledger(
        caller: Asks,
        page: Paged,
        id: str,
        place: Place,
        item: Annotated[str, Query(max_length=64)],
        lot: Annotated[str, Query(max_length=64)] = "",
    ) -> LedgerOut:
        """Open a row of a figure to the ledger lines that sum to it."""
        shown = not DEFINITIONS[figure_id(id)].money or sees_prices(desk, caller, "figures")
        part, lines = ledger_of(desk, caller, id, place, item, lot)
        found = page_of("figure-ledger", list(enumerate(lines)), lambda one: (one[0],), page.asked)
        return LedgerOut(
            part=_part(part, shown=shown),
            next=page.next(found),
            items=[_line(one, shown=shown) for _, one in found.items],
        )

    return router


def _figure(one: Judged, *, shown: bool) -> FigureOut:
    return FigureOut(
        id=one.figure.id,
        row=DEFINITIONS[one.figure.id].row,
        definition=DEFINITIONS[one.figure.id].says,
        value=None if one.figure.value is None else float(one.figure.value),
        interval=one.figure.interval,
        parts=one.figure.parts,
        since=None if one.figure.since is None else one.figure.since.isoformat(),
        gate=None if one.gate is None else float(one.gate),
        passes=None if one.gate is None else one.figure.passes(one.gate),
        days=[DayOut(day=day.isoformat(), value=above / below if below else None) for day, above, below in one.days],
        **_sums(one.figure, shown=shown),
    )


def _line(one: LedgerPart, *, shown: bool) -> LedgerLineOut:
    return LedgerLineOut(
        event=one.flow.event,
        day=one.flow.day.isoformat(),
        kind=one.flow.kind,
        lot=one.flow.lot,
        qty=one.flow.qty,
        above=one.above if shown else None,
        below=one.below if shown else None,
    )


def _heaviest(one: Part) -> tuple[int | str, ...]:
    """Return the order the rows come in: those that weigh most first."""
    calm = int(one.above == one.below)
    return calm, -one.below, -one.above, one.place, one.item, one.lot, one.unit


def _sums(figure: Figure, *, shown: bool) -> dict[str, int | None]:
    return {"above": figure.above if shown else None, "below": figure.below if shown else None}


def _part(one: Part, *, shown: bool) -> PartOut:
    return PartOut(
        place=one.place,
        item=one.item,
        lot=one.lot,
        unit=one.unit,
        qty=one.qty,
        above=one.above if shown else None,
        below=one.below if shown else None,
        note=one.note,
    )
