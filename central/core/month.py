"""Months of the stock book: which month an entry is posted into, and the roll-forward 收发存月报 of its lines. Pure.

A month is open until it is closed, and closed for good: no entry is posted into it afterwards and none of its figures
changes. What is heard of later is posted into the month then open, on lines that say the month it comes from; a mistake
is put right by an entry of the open month. The rules that must not be broken: months are closed one after another, none
before its last day is over; opening + in - out = closing holds in pieces and in money, of every row and of every sum.

Sources: 月末结账, the month close of hospital accounting, corrections in the open period; I1, each figure opens.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from central.core.valuation import REVALUED, Part, holds_stock
from central.errors import BadInput, NotNow
from protocols.values.ids import HOSPITAL_OWNED
from protocols.values.instant import Instant, business_day, day_start
from protocols.values.money import Money


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One calendar month of the hospital."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (1 <= self.number <= 12 and 1970 <= self.year <= 9998):
            raise BadInput(f"month: expected one such as 2026-03, got {self.year}-{self.number}")

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def before(self) -> "Month":
        """The month before it."""
        return month_of(self.first - timedelta(days=1))

    @property
    def begins(self) -> Instant:
        """The instant it begins at."""
        return day_start(self.first)

    @property
    def ends(self) -> Instant:
        """The instant at which it is over."""
        return day_start(self.next.first)


def month_of(day: date) -> Month:
    """Return the month of a day."""
    return Month(day.year, day.month)


def month_at(at: Instant) -> Month:
    """Return the month of an instant."""
    return month_of(business_day(at))


def month_named(text: str) -> Month:
    """Parse a month such as 2026-03. Raises `BadInput`."""
    year, parted, number = text.partition("-")
    if not (parted and year.isdecimal() and number.isdecimal() and len(year) == 4 and len(number) == 2):
        raise BadInput(f"month: expected one such as 2026-03, got {text!r:.20}")
    return Month(int(year), int(number))


def heard(at: Instant, received: Instant) -> Instant:
    """Return when an entry counts as having happened: never after it was heard of, whatever a device's clock says."""
    return min(at, received)


def late_from(happened: Instant, posted: Month) -> str:
    """Return the month an entry comes late from, posted into another; empty for one of that month."""
    own = month_at(happened)
    return "" if own == posted else str(own)


def check_closing(month: Month, first_open: Month, now: Instant) -> None:
    """Check that a month may be closed now. Raises `NotNow`."""
    if month != first_open:
        raise NotNow(f"month close: expected {first_open}, the first that is open, got {month}; close them in order")
    if now < month.ends:
        raise NotNow(f"month close: expected {month} to be over, it lasts until {month.next.first - timedelta(days=1)}")


class Column(StrEnum):
    """What a storeroom's goods came by or went by: the other end of the line."""

    OPENING = "opening"
    PURCHASE = "purchase"
    TRANSFER = "transfer"
    ISSUE = "issue"
    USE = "use"
    SCRAP = "scrap"
    COUNT = "count"
    PACK = "pack"
    OWNER = "owner"
    SUSPENSE = "suspense"
    PRICE = "price"


INTERNAL = frozenset({Column.TRANSFER, Column.ISSUE})
"""What leaves one place of the hospital's stock by these comes into another."""

_COLUMN_OF: Mapping[str, Column] = {
    "opening": Column.OPENING,
    "supplier": Column.PURCHASE,
    "transit": Column.TRANSFER,
    "issued": Column.ISSUE,
    "patient": Column.USE,
    "scrap": Column.SCRAP,
    "recycler": Column.SCRAP,
    "unknown": Column.COUNT,
    "kit": Column.PACK,
    "owner": Column.OWNER,
    "suspense": Column.SUSPENSE,
    REVALUED: Column.PRICE,
}


def column_of(other: str) -> Column:
    """Return the column of the other end of a line; another storeroom is a transfer."""
    return _COLUMN_OF.get(other.partition("@")[0], Column.TRANSFER)


NOTHING = Money(0)


@dataclass(frozen=True, slots=True)
class Sum:
    """Base units and their value; sums add up."""

    qty: int = 0
    value: Money = NOTHING

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.qty + other.qty, Money(self.value + other.value))

    def __sub__(self, other: "Sum") -> "Sum":
        return Sum(self.qty - other.qty, Money(self.value - other.value))


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the roll-forward: an item in a place; a supplier's goods stand apart and have no value."""

    place: str
    item: str
    consigned: bool = False


@dataclass(slots=True)
class Row:
    """What an item in a place opened with, came by and went by in a month."""

    opening: Sum = Sum()
    came: dict[Column, Sum] = field(default_factory=dict)
    went: dict[Column, Sum] = field(default_factory=dict)

    @property
    def total_in(self) -> Sum:
        """All that came; a change of price counts here, whichever way it went."""
        return sum(self.came.values(), Sum())

    @property
    def total_out(self) -> Sum:
        """All that went."""
        return sum(self.went.values(), Sum())

    @property
    def closing(self) -> Sum:
        """Opening + in - out."""
        return self.opening + self.total_in - self.total_out

    def outward(self) -> "Row":
        """Return the row without what moved inside the hospital; of a row over all places, whose both ends it holds."""
        came = {column: one for column, one in self.came.items() if column not in INTERNAL}
        went = {column: one for column, one in self.went.items() if column not in INTERNAL}
        return Row(self.opening, came, went)

    def add(self, other: "Row") -> None:
        """Add another row to this one."""
        self.opening += other.opening
        for mine, theirs in ((self.came, other.came), (self.went, other.went)):
            for column, one in theirs.items():
                mine[column] = mine.get(column, Sum()) + one


def sides(part: Part) -> list[tuple[Key, Column, Sum, bool]]:
    """Return what a value line is to the places whose stock it moves: row, column, amount, and whether it came."""
    amount = Sum(part.qty, part.value)
    consigned = part.owner != HOSPITAL_OWNED
    ends = ((part.target, part.source, True), (part.source, part.target, False))
    return [
        (Key(place, part.item, consigned), column_of(other), amount, came)
        for place, other, came in ends
        if holds_stock(place)
    ]


def roll_forward(opening: Mapping[Key, Sum], parts: Iterable[Part]) -> dict[Key, Row]:
    """Return the rows of a month from what it opened with and its value lines, by place, then item."""
    rows: dict[Key, Row] = {key: Row(one) for key, one in opening.items()}
    for part in parts:
        for key, column, amount, came in sides(part):
            row = rows.setdefault(key, Row())
            side = row.came if came else row.went
            side[column] = side.get(column, Sum()) + amount
    return dict(sorted(rows.items(), key=lambda one: (one[0].place, one[0].item, one[0].consigned)))


def closings(rows: Mapping[Key, Row]) -> dict[Key, Sum]:
    """Return what a month's rows close with, those of nothing left out: what the next one opens with."""
    return {key: row.closing for key, row in rows.items() if row.closing != Sum()}


def grouped(rows: Mapping[Key, Row], by: Callable[[Key], str]) -> dict[str, Row]:
    """Return rows added up by a word of their key, such as the place or the item's category."""
    groups: dict[str, Row] = {}
    for key, row in rows.items():
        groups.setdefault(by(key), Row()).add(row)
    return dict(sorted(groups.items()))
