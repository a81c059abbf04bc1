"""What each ledger line, and each day, adds to a row of a figure: how an auditor comes back to its two numbers. Pure.

Amounts are 1e-4 yuan (of the turnover days times days), of the unit match pieces. It makes no row; `core.figures` does.
The rule that must not be broken: what the lines add, with what the shelf differs, is the row's above and below exactly.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from central.core.figures import UNOBSERVED, FigureId, Flow, Part, turnover_of
from protocols.values.money import Money


@dataclass(frozen=True, slots=True)
class Closing:
    """One day of a turnover row: pieces on the shelf at its end, pieces used in it, and what each adds in money."""

    day: date
    qty: int
    used: int
    above: int
    below: int


def line_adds(id: FigureId, part: Part, flow: Flow, days: tuple[date, date], price: Money) -> tuple[int, int] | None:
    """Return what a ledger line adds above and below in its row; None of a figure that counts rows and not pieces."""
    each = 1 if id is FigureId.UNIT_MATCH else price
    size = flow.qty * each
    match id:
        case FigureId.TURNOVER:
            return turnover_of(flow, *days, price)
        case FigureId.UNIT_MATCH | FigureId.VALUE_MATCH:
            return (0, 0) if part.note == UNOBSERVED else (size, size)
        case FigureId.OVERSTOCK_VALUE:
            return (size if part.above else 0), size
        case FigureId.TAGGED_VALUE:
            return (size if flow.unit else 0), size
        case _:
            return None


def shelf_adds(id: FigureId, part: Part) -> int:
    """Return what a row has above that is in no ledger line: what the shelf differs from the book, 0 or less."""
    return part.above - part.below if id in {FigureId.UNIT_MATCH, FigureId.VALUE_MATCH} else 0


def closings_of(flows: Iterable[Flow], days: tuple[date, date], price: Money) -> tuple[Closing, ...]:
    """Return the days of one item in one storeroom, whose amounts sum to the row of its turnover days."""
    first, last = days
    moved, used, held = Counter[date](), Counter[date](), 0
    for flow in flows:
        if flow.day < first:
            held += flow.qty
        else:
            moved[flow.day] += flow.qty
            used[flow.day] += flow.used
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        held += moved[day]
        found.append(Closing(day, held, used[day], held * price, used[day] * price))
    return tuple(found)
