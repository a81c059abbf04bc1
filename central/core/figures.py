"""The figures by which storerooms are judged: each a ratio of two sums over rows that are kept and can be shown. Pure.

A figure is never computed beside its rows: it is their sum, so that what is opened adds up to what was said. Sums are
whole numbers (pieces, lines, 1e-4 yuan, or 1e-4 yuan times days). The rule that must not be broken: a definition never
changes under its id; another definition has another id.

Sources: requirement rows D1, D5, D6, E4, E5, I1 and the decisions behind them (turnover days = mean closing stock value
x days / value used; no use for more than six months; per line, not netted over lots).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from central.core.match import LINE_MATCH, UNIT_MATCH, VALUE_MATCH, Observed
from central.core.spot import sample_interval
from protocols.values.money import Money


class FigureId(StrEnum):
    """Every figure, by the id of its definition."""

    LINE_MATCH = LINE_MATCH
    UNIT_MATCH = UNIT_MATCH
    VALUE_MATCH = VALUE_MATCH
    SPOT_MATCH = "spot-match.1"
    TRACE_RATE = "trace-rate.1"
    TURNOVER = "turnover-days.1"
    OVERSTOCK_VALUE = "overstock-value.1"
    OVERSTOCK_ITEMS = "overstock-items.1"
    COVERAGE = "coverage.1"
    TAGGED_VALUE = "tagged-value.1"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure is: the requirement it answers, what is above and below, and the policy row of its gate.

    `at_most` tells that the gate is a ceiling; `money` that its sums tell what things cost.
    """

    row: str
    says: str
    gate: str
    at_most: bool = False
    days: bool = False
    money: bool = False


DEFINITIONS: Mapping[FigureId, Definition] = MappingProxyType(
    {
        FigureId.LINE_MATCH: Definition(
            "E5", "observed lines whose shelf equals the book / observed lines", "match.line_gate"
        ),
        FigureId.UNIT_MATCH: Definition(
            "E5", "over observed lines: (pieces booked - |difference| of each line) / pieces booked", ""
        ),
        FigureId.VALUE_MATCH: Definition("E5", "the unit match, each piece at its price", "", money=True),
        FigureId.SPOT_MATCH: Definition(
            "E5", "lines that people counted and found as booked / lines that people counted", "match.line_gate"
        ),
        FigureId.TRACE_RATE: Definition(
            "E4", "high-value pieces used with receipt, store, issue and patient known / those used", "trace.gate"
        ),
        FigureId.TURNOVER: Definition(
            "D5", "sum of each day's closing stock value / value used in those days", "turnover.days_max",
            at_most=True, days=True, money=True,
        ),
        FigureId.OVERSTOCK_VALUE: Definition(
            "D6", "value of items not used for more than the limit of days / value of stock", "overstock.share_max",
            at_most=True, money=True,
        ),
        FigureId.OVERSTOCK_ITEMS: Definition(
            "D6", "items not used for more than the limit of days / items in stock", "overstock.share_max", at_most=True
        ),
        FigureId.COVERAGE: Definition("D1", "positions in a storeroom whose readers are heard / positions", ""),
        FigureId.TAGGED_VALUE: Definition("D1", "value of tagged pieces / value of stock", "", money=True),
    }
)  # fmt: skip


BY_LINE = frozenset({FigureId.LINE_MATCH, FigureId.UNIT_MATCH, FigureId.VALUE_MATCH})
"""Figures whose rows are one item and lot in one storeroom."""
BY_ITEM = frozenset({FigureId.TURNOVER, FigureId.OVERSTOCK_VALUE, FigureId.OVERSTOCK_ITEMS, FigureId.TAGGED_VALUE})
"""Figures whose rows are one item in one storeroom, over its lots."""


@dataclass(frozen=True, slots=True)
class Part:
    """One row of a figure; `qty` is what the ledger's lines of it sum to, `note` why it counts as it does.

    `shelf` is of a match's row: the pieces that were observed there, None where nobody looked.
    """

    place: str
    item: str
    lot: str
    unit: str
    qty: int
    above: int
    below: int
    note: str = ""
    shelf: int | None = None

    @property
    def matches(self) -> bool | None:
        """Tell whether book and shelf of a line are equal, None where nobody looked and of a row that is no line."""
        return None if self.shelf is None else self.shelf == self.qty


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: the two sums and how many rows they have; `since` the first day the ledger has anything to say."""

    id: FigureId
    above: int
    below: int
    parts: int
    since: date | None

    @property
    def value(self) -> Fraction | None:
        """Above / below, None where there is nothing to compare."""
        return Fraction(self.above, self.below) if self.below else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the truth may lie, 95 times of 100, of a figure that rests on a sample of lines; None of any other."""
        sampled = self.id is FigureId.SPOT_MATCH and self.below
        return sample_interval(self.above, self.below) if sampled else None

    def passes(self, gate: Fraction) -> bool | None:
        """Tell whether a gate is met, None where there is nothing to compare."""
        if self.value is None:
            return None
        return self.value <= gate if DEFINITIONS[self.id].at_most else self.value >= gate


def total(id: FigureId, parts: Iterable[Part], since: date | None) -> Figure:
    """Return the figure that rows add up to."""
    listed = list(parts)
    return Figure(id, sum(one.above for one in listed), sum(one.below for one in listed), len(listed), since)


# --- E5 ---


UNOBSERVED = "unobserved"
"""The note of a line that nobody observed: it adds nothing above and nothing below."""


def match_parts(id: FigureId, place: str, lines: Iterable[Observed], prices: Mapping[str, Money]) -> list[Part]:
    """Return the rows of a match figure, one a line; +5 and -5 are two wrong lines."""
    parts = []
    for one in lines:
        line, off = one.line, abs(one.line.difference)
        if id is FigureId.LINE_MATCH:
            above, below = int(off == 0), 1
        else:
            each = prices.get(line.item, 0) if id is FigureId.VALUE_MATCH else 1
            above, below = (line.book - off) * each, line.book * each
        note = f"{line.difference:+d}" if off else ""
        if not one.counts:
            above, below, note = 0, 0, UNOBSERVED
        shelf = line.physical if one.counts else None
        parts.append(Part(place, line.item, line.lot, "", line.book, above, below, note, shelf))
    return parts


# --- D5 ---


@dataclass(frozen=True, slots=True)
class Flow:
    """What one ledger line did to an item in a storeroom: pieces in (or out) on a day, and pieces used.

    `unit` is the tagged piece it names, empty of loose ones and of a sum of lines.
    """

    event: str
    day: date
    kind: str
    place: str
    item: str
    lot: str
    qty: int
    used: int
    unit: str = ""


def closings(day: date, first: date, last: date) -> int:
    """Return on how many closings of a period a movement of a day still lies on the shelf."""
    return max(0, (last - max(day, first)).days + 1)


def turnover_of(flow: Flow, first: date, last: date, price: int) -> tuple[int, int]:
    """Return what one ledger line adds to stock value x days and to value used, of the days `first` to `last`."""
    used = flow.used * price if first <= flow.day <= last else 0
    return flow.qty * closings(flow.day, first, last) * price, used


def turnover_parts(flows: Iterable[Flow], first: date, last: date, prices: Mapping[str, Money]) -> list[Part]:
    """Return the rows of the turnover days, one an item and storeroom."""
    sums: dict[tuple[str, str], tuple[int, int, int]] = {}
    for flow in flows:
        above, below = turnover_of(flow, first, last, prices.get(flow.item, Money(0)))
        before = sums.get((flow.place, flow.item), (0, 0, 0))
        sums[flow.place, flow.item] = (before[0] + flow.qty, before[1] + above, before[2] + below)
    return [Part(place, item, "", "", *sums[place, item]) for place, item in sorted(sums)]


# --- D6 ---


@dataclass(frozen=True, slots=True)
class Stocked:
    """An item in a storeroom: pieces there, of them tagged, and the day since which it lies unused."""

    place: str
    item: str
    qty: int
    tagged: int
    idle_since: date | None


def overstock_parts(
    id: FigureId, stocked: Iterable[Stocked], today: date, days_max: int, prices: Mapping[str, Money]
) -> list[Part]:
    """Return the rows of an overstock figure; unused for exactly `days_max` days is not yet too long."""
    parts = []
    for one in stocked:
        idle = None if one.idle_since is None else (today - one.idle_since).days
        size = 1 if id is FigureId.OVERSTOCK_ITEMS else one.qty * prices.get(one.item, 0)
        above = size if idle is not None and idle > days_max else 0
        parts.append(Part(one.place, one.item, "", "", one.qty, above, size, "" if idle is None else str(idle)))
    return parts


def tagged_parts(stocked: Iterable[Stocked], prices: Mapping[str, Money]) -> list[Part]:
    """Return the rows of the tagged share of value."""
    return [
        Part(one.place, one.item, "", "", one.qty, one.tagged * price, one.qty * price)
        for one in stocked
        for price in (prices.get(one.item, 0),)
    ]


# --- E4 ---


class Hole(StrEnum):
    """What a chain lacks."""

    UNNAMED = "unnamed"
    NO_RECEIPT = "no_receipt"
    NO_ISSUE = "no_issue"
    NO_PATIENT = "no_patient"


RECEIVED_FROM = frozenset({"supplier", "transit", "opening", "kit", "owner", "unknown"})
TAKEN_TO = frozenset({"issued", "patient", "owner"})


@dataclass(frozen=True, slots=True)
class Link:
    """One movement of a piece: roles of both ends, empty for a storeroom; `patient` whether one is named."""

    source: str
    target: str
    patient: bool


def holes(links: Iterable[Link]) -> tuple[Hole, ...]:
    """Return what the chain of a used piece lacks: into a storeroom, out of it by somebody's hand, to a patient."""
    listed = list(links)
    received = any(one.source in RECEIVED_FROM and not one.target for one in listed)
    issued = any(not one.source and one.target in TAKEN_TO for one in listed)
    patient = any(one.target == "patient" and one.patient for one in listed)
    lacking = ((Hole.NO_RECEIPT, received), (Hole.NO_ISSUE, issued), (Hole.NO_PATIENT, patient))
    return tuple(hole for hole, there in lacking if not there)
