"""The pages of figures: all of them with their gates and trends, and one opened to the rows it adds up to.

It decides nothing. The rule that must not be broken: what a figure is opened to sums to it, and amounts are shown to
who may see prices.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from central.core.figures import BY_ITEM, BY_LINE, DEFINITIONS, Definition
from central.core.rights import Caller, Right
from central.services.desk import Desk
from central.services.figures import Judged, figures, ledger_of, opened
from central.services.stock import storerooms
from central.store.queries_master import items, places
from central.web.porter import Porter, keep_language
from central.web.render import Renderer

ROWS_SHOWN_MAX = 300
"""More than a person reads; the heaviest rows come first, and the API gives all."""
WIDTH, HEIGHT, EDGE = 160, 32, 3
"""Of a trend, in its own units."""

PlaceQuery = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as a page draws it; `trend` are the points of a line, empty for fewer than two days."""

    judged: Judged
    definition: Definition
    trend: str


def add_figures(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of figures."""

    @pages.get("/figures")
    def listed(request: Request, place: PlaceQuery = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        found = figures(desk, caller, place)
        shown = [Shown(one, DEFINITIONS[one.figure.id], trend_of(one)) for one in found.judged]
        rooms = storerooms(desk, caller)
        answer = renderer.page("figures.html.j2", visit, rooms=rooms, place=place, shown=shown, scope=found.scope)
        keep_language(request, visit, answer)
        return answer

    @pages.get("/figures/{id}")
    def rows(request: Request, id: str, place: PlaceQuery = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        found = opened(desk, caller, id, place)
        figure, parts = found.figure, found.parts
        definition = DEFINITIONS[figure.id]
        with desk.store.read() as connection:
            names, rooms = items(connection, desk.hospital), places(connection, desk.hospital)
        answer = renderer.page(
            "figure.html.j2", visit, figure=figure, definition=definition, parts=parts[:ROWS_SHOWN_MAX], place=place,
            amounts=_amounts(desk, caller, definition), catalogue=names, rooms={room.place: room for room in rooms},
            opens=figure.id in BY_LINE | BY_ITEM, by_line=figure.id in BY_LINE, scope=found.scope, found=found,
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer

    @pages.get("/figures/{id}/ledger")
    def ledger(
        request: Request,
        id: str,
        place: PlaceQuery,
        item: Annotated[str, Query(max_length=64)],
        lot: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        row = ledger_of(desk, caller, id, place, item, lot)
        definition = DEFINITIONS[row.id]
        with desk.store.read() as connection:
            names, rooms = items(connection, desk.hospital), places(connection, desk.hospital)
        answer = renderer.page(
            "figure_ledger.html.j2", visit, id=id, row=row, part=row.part, definition=definition, catalogue=names,
            amounts=_amounts(desk, caller, definition), rooms={room.place: room for room in rooms},
            by_line=row.id in BY_LINE,
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer


def trend_of(one: Judged) -> str:
    """Return a figure's days as the points of a line in a box of `WIDTH` x `HEIGHT`, highest value at its top."""
    values = [(number, above / below) for number, (_, above, below) in enumerate(one.days) if below]
    if len(values) < 2:
        return ""
    low, high = min(value for _, value in values), max(value for _, value in values)
    last, span = values[-1][0] or 1, (high - low) or 1.0
    return " ".join(
        f"{EDGE + number / last * (WIDTH - 2 * EDGE):.1f},{EDGE + (high - value) / span * (HEIGHT - 2 * EDGE):.1f}"
        for number, value in values
    )


def _amounts(desk: Desk, caller: Caller, definition: Definition) -> bool:
    """Tell whether a figure's sums are shown, and note a look at prices."""
    if not definition.money:
        return True
    if not caller.may(Right.SEE_PRICES):
        return False
    desk.looks.saw(caller, "see-prices", "figures")
    return True
