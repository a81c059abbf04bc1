"""Agreements as rules: what of last year's need was reported, how an agreed volume goes, what is bargained for.

Volumes are base units of a product group, not of one specification; shares are exact. Pace and forecast are in
`reorder.vbp`. The rules that must not be broken: a report below the share wanted needs a reason and its evidence; the
hospital's own target is a goal beside the days of stock, never a licence to overstock.

Sources: C1-C4 (S2), C3 (S0: at least 110 %), A5 (S0: 500,000 yuan a year, each half year, 5-8 %), A11, C9 valid days.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from central.core.reorder.vbp import Pace
from central.errors import BadInput
from protocols.values.money import Money

TEXT_MAX = 500
JULY = 7


class Kind(StrEnum):
    """What an agreement is."""

    VBP = "vbp"
    FRAMEWORK = "framework"


@dataclass(frozen=True, slots=True)
class Report:
    """What is reported of a product group beside what was bought of it the year before, in base units."""

    qty: int
    last_year: int
    reason: str
    evidence: str

    @property
    def share(self) -> Fraction | None:
        """The share of last year's purchases; None where there were none."""
        return Fraction(self.qty, self.last_year) if self.last_year else None


def check_report(report: Report, least: Fraction) -> None:
    """Check a report; `least` is the share that needs no reason (C1: 80 %). Raises `BadInput`."""
    if report.qty < 0:
        raise BadInput(f"report: expected a quantity of 0 or more, got {report.qty}")
    if max(len(report.reason), len(report.evidence)) > TEXT_MAX:
        raise BadInput(f"report: expected reason and evidence of at most {TEXT_MAX} characters")
    share = report.share
    if share is None or share >= least or (report.reason.strip() and report.evidence.strip()):
        return
    raise BadInput(
        f"report: expected at least {float(least):.0%} of last year's {report.last_year}, got {report.qty}; "
        "give the reason and name its evidence, or report more"
    )


class Trouble(StrEnum):
    """What a regulator would find of a group."""

    NOT_REPORTED = "not-reported"
    REPORTED_LITTLE = "reported-little"
    BEHIND = "behind"
    UNSELECTED = "unselected"
    OVERSTOCKED = "overstocked"


@dataclass(frozen=True, slots=True)
class Bought:
    """What was bought of selected and of all products of a group: base units and money."""

    selected_qty: int
    qty: int
    selected_amount: Money
    amount: Money

    @property
    def share_of_qty(self) -> Fraction | None:
        """Selected products' share by quantity; None where nothing was bought."""
        return Fraction(self.selected_qty, self.qty) if self.qty else None

    @property
    def share_of_amount(self) -> Fraction | None:
        """Selected products' share by value; None where nothing was bought."""
        return Fraction(self.selected_amount, self.amount) if self.amount else None


@dataclass(frozen=True, slots=True)
class Purchase:
    """Base units of an item bought of a supplier on a day, and what they cost; `document` is the order's number."""

    item: str
    supplier: str
    day: date
    qty: int
    amount: Money
    document: str = ""


def bought_of(purchases: Iterable[Purchase], selected: Mapping[str, bool]) -> Bought:
    """Return what was bought of the products of a group; `selected` tells of each item whether it was."""
    mine = [one for one in purchases if one.item in selected]
    chosen = [one for one in mine if selected[one.item]]
    return Bought(
        sum(one.qty for one in chosen),
        sum(one.qty for one in mine),
        Money(sum(one.amount for one in chosen)),
        Money(sum(one.amount for one in mine)),
    )


@dataclass(frozen=True, slots=True)
class Goals:
    """The policy's figures: share to report, target by law and by the hospital, share of selected, days of stock."""

    report: Fraction
    legal: Fraction
    own: Fraction
    selected: Fraction
    stock_days: Fraction


def troubles(report: Report | None, last_year: int, pace: Pace | None, bought: Bought, goals: Goals) -> list[Trouble]:
    """Return what is wrong with a group (C2, C3, C4); `pace` is None where nothing was agreed.

    Above the hospital's own target with more days of stock than the limit counts as overstocked.
    """
    share = report.share if report is not None else None
    of_selected = bought.share_of_qty
    checks = [
        (Trouble.NOT_REPORTED, report is None and last_year > 0),
        (Trouble.REPORTED_LITTLE, share is not None and share < goals.report),
        (Trouble.BEHIND, pace is not None and pace.forecast < goals.legal),
        (Trouble.UNSELECTED, of_selected is not None and of_selected < goals.selected),
        (Trouble.OVERSTOCKED, pace is not None and (pace.stock_days or 0) > goals.stock_days),
    ]
    return [trouble for trouble, wrong in checks if wrong]


def half_year(day: date) -> str:
    """Return the round of bargaining a day falls in, such as 2026H1; its list is made on the first day (A5)."""
    return f"{day.year}H{2 if day.month >= JULY else 1}"


def half_year_start(day: date) -> date:
    """Return the first day of a day's round: 1 January or 1 July."""
    return date(day.year, JULY if day.month >= JULY else 1, 1)


@dataclass(frozen=True, slots=True)
class Bargain:
    """One item of a round: what was bought in the year before and its price; the price reached, None while open."""

    item: str
    qty: int
    spent: Money
    before: Money
    after: Money | None = None

    @property
    def cut(self) -> Fraction | None:
        """The share by which the price fell; None while open."""
        return None if self.after is None or not self.before else 1 - Fraction(self.after, self.before)


def key_list(purchases: Iterable[Purchase], exempt: Iterable[str], least: Money) -> list[Bargain]:
    """Return the items on which at least so much was spent in the year, dearest first; `exempt` are VBP items.

    The price before is that of the last purchase.
    """
    skipped, of_item = set(exempt), dict[str, list[Purchase]]()
    for one in purchases:
        if one.item not in skipped:
            of_item.setdefault(one.item, []).append(one)
    listed = []
    for item, several in of_item.items():
        spent = Money(sum(one.amount for one in several))
        last = max((one for one in several if one.qty), key=lambda one: (one.day, one.document), default=None)
        if spent >= least and last is not None:
            qty = sum(one.qty for one in several)
            listed.append(Bargain(item, qty, spent, Money(last.amount // last.qty)))
    return sorted(listed, key=lambda one: (-one.spent, one.item))


def achieved(lines: Sequence[Bargain]) -> Fraction | None:
    """Return the cut achieved over the lines that are settled, weighted by volume; None before any (A5)."""
    settled = [(one.qty * one.before, one.qty * one.after) for one in lines if one.after is not None]
    before = sum(first for first, _ in settled)
    return 1 - Fraction(sum(last for _, last in settled), before) if before else None


@dataclass(frozen=True, slots=True)
class Dated:
    """A price from a day to a last day, None where it has no end."""

    price: Money
    first: date
    last: date | None

    def holds(self, day: date) -> bool:
        """Tell whether it is in force on a day."""
        return self.first <= day and (self.last is None or day <= self.last)


def price_on(prices: Iterable[Dated], day: date) -> Money | None:
    """Return the price in force on a day, of two the later begun; None when none is (C9)."""
    valid = [one for one in prices if one.holds(day)]
    return max(valid, key=lambda one: one.first).price if valid else None


def year_before(day: date) -> tuple[date, date]:
    """Return the first and last day of the twelve months before a day."""
    try:
        first = day.replace(year=day.year - 1)
    except ValueError:
        first = date(day.year - 1, 3, 1)  # of 29 February
    return first, day - timedelta(days=1)


def quarter_of(day: date) -> str:
    """Return the quarter a day falls in, such as 2026Q1."""
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"


def quarter_days(quarter: str) -> tuple[date, date]:
    """Return the first and last day of a quarter. Raises `BadInput` for another text."""
    year, _, number = quarter.partition("Q")
    if not (year.isdecimal() and len(year) == 4 and number in {"1", "2", "3", "4"}):
        raise BadInput(f"quarter: expected one such as 2026Q1, got {quarter!r:.20}")
    first = date(int(year), 3 * int(number) - 2, 1)
    after = date(int(year) + 1, 1, 1) if number == "4" else date(int(year), 3 * int(number) + 1, 1)
    return first, after - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement as it was imported."""

    agreement: str
    kind: Kind
    name_zh: str
    name_en: str
    supplier: str
    group_id: str
    parties: str
    first: date
    last: date
    freight: str

    def holds(self, day: date) -> bool:
        """Tell whether it is in force on a day."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class FrameworkPrice:
    """The price of an item under a framework agreement with a supplier."""

    agreement: Agreement
    item: str
    dated: Dated

    def is_over(self, day: date) -> bool:
        """Tell whether its last day is gone, its own or its agreement's."""
        ends = self.agreement.last if self.dated.last is None else min(self.agreement.last, self.dated.last)
        return ends < day


@dataclass(frozen=True, slots=True)
class Group:
    """One product group of a batch: its products with the winning price, None where not selected."""

    agreement: str
    group: str
    name_zh: str
    name_en: str
    unit: str
    last_year: int
    agreed: int
    products: dict[str, Money | None]

    @property
    def won(self) -> dict[str, Money]:
        """The products that were selected, with their winning prices."""
        return {item: price for item, price in self.products.items() if price is not None}


@dataclass(frozen=True, slots=True)
class Platform:
    """One code of the platform; `supplier` is empty where it holds for every one."""

    code: str
    item: str
    supplier: str
    listed: Dated
    insurance_code: str


def groups_in_force(agreements: Iterable[Agreement], groups: Iterable[Group], day: date) -> list[Group]:
    """Return the product groups of the batches in force on a day of which something was selected."""
    held = {one.agreement for one in agreements if one.holds(day)}
    return [group for group in groups if group.agreement in held and group.won]


def winning_prices(groups: Iterable[Group]) -> tuple[dict[str, Money], dict[str, Money]]:
    """Return winning prices by item, and by item not selected the lowest winning price of its group."""
    winning: dict[str, Money] = {}
    selected: dict[str, Money] = {}
    for group in groups:
        won = group.won
        for item in group.products:
            if item in won:
                winning[item] = min(won[item], winning.get(item, won[item]))
            else:
                selected[item] = min(won.values())
    return winning, {item: price for item, price in selected.items() if item not in winning}


def selected_for(groups: Iterable[Group]) -> dict[str, list[str]]:
    """Return for each product that was not selected the selected ones of its group (C8)."""
    return {item: sorted(group.won) for group in groups for item, price in group.products.items() if price is None}


def selected_first(items: Iterable[str], instead: Mapping[str, Sequence[str]]) -> list[str]:
    """Return items with the selected equivalents of each before it, each once (C8)."""
    return list(dict.fromkeys(one for item in items for one in (*instead.get(item, ()), item)))
