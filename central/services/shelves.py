"""Where the lines of a page lie, and how sure the storeroom is of each: positions of the book, bounds of the shelf.

It reads for the lines it is given and for no others. The rule that must not be broken: a line that no reader ever spoke
of counts as the book has it and is called sure of nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.certainty import Certainty
from central.core.reconcile import Line
from central.services.desk import Desk
from central.services.policy import rules_at
from central.services.reconcile import bounds_of
from central.services.stated import sure_lines
from central.services.stock import StockLine
from central.store.queries_book import units_against
from central.store.queries_lines import Lying, lying_among
from central.store.queries_misplaced import on_other_shelves


@dataclass(frozen=True, slots=True)
class Shelved:
    """One line: base units by position (empty: none is known), and between what bounds the shelf is believed to be.

    `watched` tells that readers spoke of a piece of it; without, the bounds are the book's. `strayed` are the pieces
    that readers hear on another shelf than the book's, by that shelf.
    """

    positions: tuple[tuple[str, int], ...]
    sure: Certainty
    watched: bool
    strayed: tuple[tuple[str, int], ...] = ()


def shelved(connection: Connection, desk: Desk, place: str, lines: Sequence[StockLine]) -> list[Shelved]:
    """Return where each of a page's lines lies and how sure that is, in their order."""
    if not lines:
        return []
    rows = lying_among(connection, desk.hospital, place, [(line.item, line.lot) for line in lines])
    bounds = bounds_of(rules_at(connection, desk.hospital, desk.now()))
    units = units_against(connection, desk.hospital, place, bounds, also=sorted({row.unit for row in rows} - {""}))
    loose: dict[tuple[str, str], int] = {}
    for row in rows:
        if not row.unit:
            loose[row.item, row.lot] = loose.get((row.item, row.lot), 0) + row.qty
    plain = [Line(line.item, line.lot, line.book, line.physical) for line in lines]
    told = sure_lines(place, plain, units, loose)
    heard = {(unit.item, unit.lot) for unit in units if unit.heard() is not None}
    strays = on_other_shelves(connection, desk.hospital, place)
    return [
        Shelved(
            _positions(rows, line),
            sure,
            (line.item, line.lot) in heard,
            tuple(strays.get((line.item, line.lot), {}).items()),
        )
        for line, sure in told
    ]


def _positions(rows: Sequence[Lying], line: Line) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for row in rows:
        if (row.item, row.lot) == (line.item, line.lot):
            found[row.position] = found.get(row.position, 0) + row.qty
    return tuple(sorted((position, qty) for position, qty in found.items() if qty))
