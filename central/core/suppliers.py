"""Suppliers as rules: what a quarter's documents score, the grade that follows, certificates, cover, and cases.

A score is four shares, done of asked, each counted over documents that are named, so that anybody can count again. The
rules that must not be broken: a dimension nobody asked anything in weighs nothing; without any document there is no new
grade; a certificate still holds on its last day.

Sources: B1 (S0) on time at least 98 %, quality 100 %, emergency within 2 h, after-sales within 48 h, per quarter; B2
(S0) grades A, B, C; B3 (S0) main and backup, restored within 72 h; B4 (S4) incidents; B6 certificates, 90 and 30 days.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from central.errors import BadInput, NotNow
from protocols.values.instant import Instant, seconds_between

SCORE_UNITS = 10_000
"""A score is kept as whole 1e-4."""
HOUR_S = 3600
SOURCES_MIN = 2
"""Suppliers a high-risk item needs at least (B3)."""


class Dimension(StrEnum):
    """The four dimensions."""

    ON_TIME = "on-time"
    QUALITY = "quality"
    EMERGENCY = "emergency"
    SERVICE = "service"


class Grade(StrEnum):
    """What a quarter's score makes a supplier."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True, slots=True)
class Tally:
    """What was done of what was asked in one dimension, and the documents that say so."""

    done: int
    asked: int
    documents: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.done <= self.asked:
            raise BadInput(f"tally: expected 0 <= done <= asked, got {self.done} of {self.asked}")

    @property
    def share(self) -> Fraction | None:
        """Done / asked; None where nothing was asked."""
        return Fraction(self.done, self.asked) if self.asked else None


Tallies = Mapping[Dimension, Tally]


@dataclass(frozen=True, slots=True)
class Marks:
    """The policy's figures: weight and gate of each dimension, and the score below which a supplier is graded C."""

    weights: Mapping[Dimension, Fraction]
    gates: Mapping[Dimension, Fraction]
    c_below: Fraction


def tally_of(outcomes: Iterable[tuple[str, bool]]) -> Tally:
    """Return the tally of documents, each with whether it was done as asked."""
    listed = sorted(outcomes)
    return Tally(sum(ok for _, ok in listed), len(listed), tuple(name for name, _ in listed))


def score_of(tallies: Tallies, marks: Marks) -> Fraction | None:
    """Return the weighted share over the dimensions in which something was asked; None in none."""
    known = {dimension: share for dimension, one in tallies.items() if (share := one.share) is not None}
    weight = sum((marks.weights[dimension] for dimension in known), Fraction(0))
    if not weight:
        return None
    return sum((marks.weights[dimension] * share for dimension, share in known.items()), Fraction(0)) / weight


def failed(tallies: Tallies, marks: Marks) -> list[Dimension]:
    """Return the dimensions below their gates."""
    return [
        dimension for dimension, one in tallies.items() if one.share is not None and one.share < marks.gates[dimension]
    ]


def grade_of(tallies: Tallies, marks: Marks) -> Grade | None:
    """Return a quarter's grade: A where every gate is reached, C below the score of C, else B; None without any."""
    score = score_of(tallies, marks)
    if score is None:
        return None
    if score < marks.c_below:
        return Grade.C
    return Grade.B if failed(tallies, marks) else Grade.A


@dataclass(frozen=True, slots=True)
class Delivered:
    """One order line to a supplier: base units ordered and still owed, the day promised, and the day it was whole."""

    order_no: str
    line_no: int
    supplier: str
    item: str
    qty: int
    owed: int
    promised: date
    whole: date | None

    @property
    def name(self) -> str:
        """The line as a document."""
        return f"{self.order_no}/{self.line_no}"

    @property
    def in_time(self) -> bool:
        """Tell whether it was complete by its promised day."""
        return self.whole is not None and self.whole <= self.promised


def punctuality(lines: Iterable[Delivered], first: date, last: date) -> Tally:
    """Return the tally of lines promised from a day to a day, both past."""
    return tally_of((one.name, one.in_time) for one in lines if first <= one.promised <= last)


@dataclass(frozen=True, slots=True)
class Rate:
    """How much of what was due a supplier delivered: base units and lines."""

    ordered: int
    delivered: int
    lines: int
    lines_whole: int

    @property
    def by_qty(self) -> Fraction | None:
        """Delivered / ordered; None where nothing was due."""
        return Fraction(self.delivered, self.ordered) if self.ordered else None

    @property
    def by_line(self) -> Fraction | None:
        """Lines that came whole / lines."""
        return Fraction(self.lines_whole, self.lines) if self.lines else None


def delivery_rate(lines: Iterable[Delivered], first: date, last: date) -> Rate:
    """Return the delivery rate of the lines promised from a day to a day (B5)."""
    due = [one for one in lines if first <= one.promised <= last]
    return Rate(
        sum(one.qty for one in due),
        sum(one.qty - one.owed for one in due),
        len(due),
        sum(one.owed == 0 for one in due),
    )


def shares_of_deliveries(rates: Mapping[str, Rate]) -> dict[str, Fraction]:
    """Return each distributor's share of all lines that were due, none where nothing was due (B5, concentration)."""
    lines = sum(rate.lines for rate in rates.values())
    return {supplier: Fraction(rate.lines, lines) for supplier, rate in rates.items()} if lines else {}


class Standing(StrEnum):
    """How a certificate stands on a day."""

    VALID = "valid"
    SOON = "soon"
    VERY_SOON = "very-soon"
    LAPSED = "lapsed"
    NOT_YET = "not-yet"


def standing(first: date, last: date, day: date, warn_days: int, warn_days_again: int) -> Standing:
    """Return how a certificate stands: it warns so many days before its last day, and again (B6: 90 and 30)."""
    left = (last - day).days
    if day < first:
        return Standing.NOT_YET
    if left < 0:
        return Standing.LAPSED
    if left <= warn_days_again:
        return Standing.VERY_SOON
    return Standing.SOON if left <= warn_days else Standing.VALID


class CaseKind(StrEnum):
    """What a matter with a supplier is."""

    EMERGENCY = "emergency"
    TICKET = "ticket"
    DISRUPTION = "disruption"
    INCIDENT = "incident"


class CaseState(StrEnum):
    """Where it stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    SOLVED = "solved"
    RESTORED = "restored"
    BLOCKED = "blocked"
    LIFTED = "lifted"
    WITHDRAWN = "withdrawn"


class CaseStep(StrEnum):
    """What may happen to it."""

    CONFIRM = "confirm"
    SOLVE = "solve"
    RESTORE = "restore"
    BLOCK = "block"
    LIFT = "lift"
    WITHDRAW = "withdraw"


_K, _S, _E = CaseKind, CaseState, CaseStep
CASE_STEPS: Mapping[tuple[CaseKind, CaseState, CaseStep], CaseState] = MappingProxyType(
    {
        (_K.EMERGENCY, _S.OPEN, _E.CONFIRM): _S.CONFIRMED,
        (_K.EMERGENCY, _S.OPEN, _E.WITHDRAW): _S.WITHDRAWN,
        (_K.TICKET, _S.OPEN, _E.SOLVE): _S.SOLVED,
        (_K.TICKET, _S.OPEN, _E.WITHDRAW): _S.WITHDRAWN,
        (_K.DISRUPTION, _S.OPEN, _E.RESTORE): _S.RESTORED,
        (_K.DISRUPTION, _S.OPEN, _E.WITHDRAW): _S.WITHDRAWN,
        (_K.INCIDENT, _S.OPEN, _E.BLOCK): _S.BLOCKED,
        (_K.INCIDENT, _S.OPEN, _E.WITHDRAW): _S.WITHDRAWN,
        (_K.INCIDENT, _S.BLOCKED, _E.LIFT): _S.LIFTED,
    }
)
"""What is admitted. A supplier is blocked while one of its incidents is; only another person than its opener blocks."""


def case_after(kind: CaseKind, state: CaseState, event: CaseStep) -> CaseState:
    """Return a case's state after an event. Raises `NotNow` naming both when the table does not admit it."""
    after = CASE_STEPS.get((kind, state, event))
    if after is None:
        can = ", ".join(step for one, before, step in CASE_STEPS if (one, before) == (kind, state))
        raise NotNow(f"{kind}: cannot {event} one that is {state}; it can {can or 'do nothing more'}")
    return after


@dataclass(frozen=True, slots=True)
class Clock:
    """How long a case took or takes, and whether that is within its limit; hours."""

    taken_h: float
    limit_h: int
    running: bool

    @property
    def in_time(self) -> bool:
        """Tell whether it is not over its limit."""
        return self.taken_h <= self.limit_h


def clock_of(opened: Instant, ended: Instant | None, now: Instant, limit_h: int) -> Clock:
    """Return the clock of a case (B1: 2 h and 48 h; B3: 72 h); it runs until it ended."""
    return Clock(seconds_between(opened, now if ended is None else ended) / HOUR_S, limit_h, ended is None)


@dataclass(frozen=True, slots=True)
class Offer:
    """A supplier that may bring an item: its rank, and why it does not count as a source; empty: it counts."""

    supplier: str
    rank: int
    unfit: tuple[str, ...] = ()


def uncovered(offers: Mapping[str, Sequence[Offer]], high_risk: Iterable[str]) -> dict[str, list[str]]:
    """Return the high-risk items with fewer than two sources that count, each with those it has (B3)."""
    found = {}
    for item in sorted(high_risk):
        fit = [one.supplier for one in sorted(offers.get(item, ()), key=lambda one: one.rank) if not one.unfit]
        if len(fit) < SOURCES_MIN:
            found[item] = fit
    return found


@dataclass(frozen=True, slots=True)
class Supply:
    """What is known of one item's supply: days its stock lasts (None: unused), days its source needs, share of lines
    that came short, sources that count."""

    item: str
    stock_days: Fraction | None
    lead_days: int
    short_share: Fraction
    sources: int


class Level(StrEnum):
    """How near a shortage is."""

    NONE = "none"
    WATCH = "watch"
    WARN = "warn"


SHORT_SHARES = (Fraction(5, 100), Fraction(20, 100))
"""Shares of lines that came short from which a point and two are given; a start, to be fitted by the hospital."""
WATCH_FROM, WARN_FROM = 2, 3


def shortage_points(supply: Supply) -> int:
    """Return 0 to 5 points: stock ending before a delivery 2 (before two 1), short deliveries 1 or 2, one source 1."""
    if supply.stock_days is None:
        return 0
    points = sum(supply.stock_days < times * supply.lead_days for times in (1, 2))
    points += sum(supply.short_share >= share for share in SHORT_SHARES)
    return points + (supply.sources < SOURCES_MIN)


def shortage_level(supply: Supply) -> Level:
    """Return the level of a shortage (G1); nothing is warned of while stock outlasts two deliveries."""
    points = shortage_points(supply)
    if points < WATCH_FROM:
        return Level.NONE
    lasts = supply.stock_days is None or supply.stock_days >= 2 * supply.lead_days
    return Level.WATCH if lasts or points < WARN_FROM else Level.WARN
