"""Which lines a storeroom is asked to count next, and what a count says of a line. Pure.

A line's risk is how many of its pieces are expected to be wrong times what one costs: a tagged piece is wrong with the
probability that its readers give against the book; loose pieces, and tagged ones of which no reader ever spoke, slip at
a rate a movement since somebody last counted them. The rule that must not be broken: a ward is asked for a few lines a
day, the riskiest, and never for one on which nothing can be wrong.

Sources: E1 (daily check), PRESENCE.md ("count next = lines by expected wrong units", a look is a sensor).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from central.core.reconcile import UnitState, presence_in
from protocols.values.instant import Instant
from protocols.values.money import Money


class LineKey(NamedTuple):
    """One item and lot in one storeroom."""

    item: str
    lot: str


@dataclass(frozen=True, slots=True)
class Risk:
    """One line: how many pieces are expected to be wrong, and what one costs in 1e-4 yuan."""

    key: LineKey
    wrong: float
    price: Money

    @property
    def value(self) -> float:
        """What is expected to be wrong, in 1e-4 yuan."""
        return self.wrong * self.price


@dataclass(frozen=True, slots=True)
class Counted:
    """One line of a count entry, in the order written; an empty `actor` is the readers."""

    key: LineKey
    unit: str
    qty: int
    actor: str
    sheet: str
    book: int


@dataclass(frozen=True, slots=True)
class LineCount:
    """What one sheet says of a line, beside the book at its last scan."""

    counted: int
    book: int

    @property
    def is_right(self) -> bool:
        """Tell whether book and count agreed."""
        return self.counted == self.book


@dataclass(frozen=True, slots=True)
class LastCount:
    """When a line was last counted by a person, and what came out."""

    at: Instant
    found: LineCount


def wrong_units(place: str, units: Iterable[UnitState]) -> dict[LineKey, float]:
    """Return how many tagged pieces of each line are expected to stand wrongly in a storeroom's book."""
    wrong: dict[LineKey, float] = {}
    for state in units:
        p, booked = presence_in(state, place), state.booked_in(place)
        key = LineKey(state.item, state.lot)
        wrong[key] = wrong.get(key, 0.0) + (1 - p if booked else p)
    return wrong


def unheard_in(place: str, units: Iterable[UnitState]) -> dict[LineKey, int]:
    """Return how many pieces of each line a storeroom's book has of which no reader there ever spoke."""
    return Counter(LineKey(state.item, state.lot) for state in units if state.belief is None and state.booked_in(place))


def slipped(movements: int, book: int, slip: float) -> float:
    """Return how many pieces that nothing hears are expected to be wrong after so many movements, at most all."""
    return min(movements * slip, float(max(book, 1)))


def choose(risks: Iterable[Risk], most: int, value_min: float) -> list[Risk]:
    """Return the riskiest lines, at most so many, each worth at least so much; the same lines for the same risks."""
    worth = [risk for risk in risks if risk.wrong > 0 and risk.value >= value_min]
    return sorted(worth, key=lambda risk: (-risk.value, -risk.wrong, risk.key))[:most]


@dataclass(frozen=True, slots=True)
class Standing:
    """A count that a storeroom was asked for on a day; `lasts` tells that it stays on later days until it is done."""

    day: date
    lasts: bool


def left_on(day: date, asked: Iterable[Standing], most: int) -> int:
    """Return how many more lines a storeroom may be asked for on a day, of at most so many a day.

    What was asked for that day takes a place even once it is counted, and so does what lasts from an earlier one.
    """
    return max(0, most - sum(one.day == day or (one.lasts and one.day < day) for one in asked))


def day_with_room(first: date, asked: Sequence[Standing], most: int, ahead: int) -> date | None:
    """Return the first day with room for one more line, at most so many days ahead; None where none of them has any.

    On a later day, what lasts is taken to be done before it begins.
    """
    if left_on(first, asked, most):
        return first
    done = [Standing(one.day, lasts=False) for one in asked]
    days = (first + timedelta(days=number) for number in range(1, ahead + 1))
    return next((day for day in days if left_on(day, done, most)), None)


def line_counts(counted: Iterable[Counted]) -> dict[tuple[str, LineKey], LineCount]:
    """Return what each sheet says of each line; one person's scans add up, another's word replaces them.

    A unit that is scanned twice is one. The book is the one at the line's last scan.
    """
    said: dict[tuple[str, LineKey, str], tuple[str, int]] = {}
    books: dict[tuple[str, LineKey], int] = {}
    for one in counted:
        actor, qty = said.get((one.sheet, one.key, one.unit), (one.actor, 0))
        total = one.qty if one.unit or actor != one.actor else qty + one.qty
        said[one.sheet, one.key, one.unit] = (one.actor, total)
        books[one.sheet, one.key] = one.book
    sums: dict[tuple[str, LineKey], int] = {}
    for (sheet, key, _), (_, qty) in said.items():
        sums[sheet, key] = sums.get((sheet, key), 0) + qty
    return {place: LineCount(qty, books[place]) for place, qty in sums.items()}


def last_counts(counted: Iterable[tuple[Instant, Counted]]) -> dict[LineKey, LastCount]:
    """Return the last count of each line by people, of lines in the order they were counted."""
    every = list(counted)
    found = line_counts(one for _, one in every)
    newest = {one.key: (at, one.sheet) for at, one in every}
    return {key: LastCount(at, found[sheet, key]) for key, (at, sheet) in newest.items()}
