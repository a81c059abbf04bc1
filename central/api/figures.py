"""`/figures`: the figures of storerooms, the rows each adds up to, and the ledger lines behind a row."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from central.api.door import Asks, sees_prices
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.figure_lines import Closing
from central.core.figures import DEFINITIONS, Figure, Part
from central.services.desk import Desk
from central.services.figures import Judged, LedgerPart, Scope, figure_id, figures, heaviest, ledger_of, opened
from central.store.paging import page_of
from protocols.values.instant import to_iso
from protocols.values.money import Money

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


class ScopeOut(BaseModel):
    """What figures are of: storerooms, the moment, and their lines: observed and right, differing, not observed.

    Lines that nobody observed are in no match; their numbers are null where no figure shown is a match.
    """

    storerooms: list[str]
    as_of: str
    lines_matching: int | None
    lines_differing: int | None
    lines_not_observed: int | None
    lines_misplaced: int | None
    share_observed: float | None


class Figures(BaseModel):
    """Every figure."""

    scope: ScopeOut
    items: list[FigureOut]


class PartOut(BaseModel):
    """One row of a figure; `qty` base units, `note` why it counts as it does.

    `price` is what a base unit is counted at, in 1e-4 yuan: null of a figure without money, and to who may not see it.
    The note of a match's row is the difference, or `unobserved`; `discrepancies` are those open on the line. Its `qty`
    is the book, `physical` the pieces observed on the shelf and `matches` whether they are equal; null where nobody
    looked and of every other figure.
    """

    place: str
    item: str
    lot: str
    unit: str
    qty: int
    price: int | None
    above: int | None
    below: int | None
    note: str
    physical: int | None
    matches: bool | None
    discrepancies: list[str] = []


class OpenedOut(Listed):
    """A figure with its rows, whose numbers above and below sum to the figure's."""

    id: str
    above: int | None
    below: int | None
    parts: int
    scope: ScopeOut
    items: list[PartOut]


class LedgerLineOut(BaseModel):
    """One line of the ledger: pieces in or out, of them used, and what it adds above and below.

    Amounts are `qty` x price, of the turnover days `qty` x `closings` x price above and `used` x price below; null
    where the row is counted as one and is no sum of lines. `closings` are the days at whose end the line counts.
    """

    event: str
    day: str
    kind: str
    lot: str
    unit: str
    qty: int
    used: int
    closings: int | None
    above: int | None
    below: int | None


class ClosingOut(BaseModel):
    """A day of a row of the turnover days: pieces at its end and used in it; `above` and `below` are each x price."""

    day: str
    qty: int
    used: int
    above: int | None
    below: int | None


class LedgerOut(Listed):
    """One row with the ledger lines whose pieces sum to its quantity, and their amounts to its above and below.

    `shelf` is what the row has above beside its lines: what the shelf differs from the book. `days`, of the turnover
    days only, sum to the same above and below.
    """

    part: PartOut
    shelf: int | None
    days: list[ClosingOut]
    items: list[LedgerLineOut]


def figure_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("figures")

    @router.get("/figures")
    def listed(caller: Asks, place: Place = "") -> Figures:
        """Tell every figure of a storeroom, or of all storerooms the caller may see."""
        prices = sees_prices(desk, caller, "figures")
        found = figures(desk, caller, place)
        items = [_figure(one, shown=prices or not DEFINITIONS[one.figure.id].money) for one in found.judged]
        return Figures(scope=_scope(found.scope), items=items)

    @router.get("/figures/{id}/rows", responses={404: {"model": Problem}})
    def rows(caller: Asks, page: Paged, id: str, place: Place = "") -> OpenedOut:
        """Open a figure to its rows."""
        found = opened(desk, caller, id, place)
        figure = found.figure
        shown = not DEFINITIONS[figure.id].money or sees_prices(desk, caller, "figures")
        listed = page_of(f"figure-rows/{id}", found.parts, heaviest, page.asked)
        money = DEFINITIONS[figure.id].money
        items = [
            _part(one, found.price_of(one) if money else None, found.cases_of(one), shown=shown) for one in listed.items
        ]
        sums, scope = _sums(figure, shown=shown), _scope(found.scope)
        return OpenedOut(id=figure.id, parts=figure.parts, scope=scope, items=items, next=page.next(listed), **sums)

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
        money = DEFINITIONS[figure_id(id)].money
        shown = not money or sees_prices(desk, caller, "figures")
        row = ledger_of(desk, caller, id, place, item, lot)
        found = page_of("figure-ledger", list(enumerate(row.lines)), lambda one: (one[0],), page.asked)
        return LedgerOut(
            part=_part(row.part, row.price if money else None, shown=shown),
            shelf=row.shelf if shown else None,
            days=[_closing(one, shown=shown) for one in row.days],
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
        unit=one.flow.unit,
        qty=one.flow.qty,
        used=one.flow.used,
        closings=one.closings,
        above=one.above if shown else None,
        below=one.below if shown else None,
    )


def _closing(one: Closing, *, shown: bool) -> ClosingOut:
    above, below = (one.above, one.below) if shown else (None, None)
    return ClosingOut(day=one.day.isoformat(), qty=one.qty, used=one.used, above=above, below=below)


def _sums(figure: Figure, *, shown: bool) -> dict[str, int | None]:
    return {"above": figure.above if shown else None, "below": figure.below if shown else None}


def _scope(scope: Scope) -> ScopeOut:
    match = scope.match
    return ScopeOut(
        storerooms=[room.place for room in scope.rooms],
        as_of=to_iso(scope.as_of),
        lines_matching=None if match is None else match.lines_right,
        lines_differing=None if match is None else match.lines_differing,
        lines_not_observed=None if match is None else match.unobserved,
        lines_misplaced=None if match is None else match.misplaced,
        share_observed=None if match is None or match.share_observed is None else float(match.share_observed),
    )


def _part(one: Part, price: Money | None, cases: Sequence[str] = (), *, shown: bool) -> PartOut:
    return PartOut(
        place=one.place,
        item=one.item,
        lot=one.lot,
        unit=one.unit,
        qty=one.qty,
        price=price if shown else None,
        above=one.above if shown else None,
        below=one.below if shown else None,
        note=one.note,
        physical=one.shelf,
        matches=one.matches,
        discrepancies=list(cases),
    )
