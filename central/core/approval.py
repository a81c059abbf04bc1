"""Who may say yes to a proposal: nobody needs to, a buyer, or the head; and why, so that it can be read back.

The rule is one list of checks; each that fails sends the proposal to a person and says its name. The rules that must
not be broken: a ward that is suspended and an amount over the head's limit always go to a person, whatever else is set;
and a decision names the checks it failed.

Sources: A8, A9 (S0, S3), automatic for items under agreement and under a threshold; E6, a suspended ward's requisitions
are approved one by one; approval issue row "automatic within limits".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from statistics import median

from protocols.values.money import Money


class Route(StrEnum):
    """Who must approve."""

    AUTOMATIC = "automatic"
    BUYER = "buyer"
    HEAD = "head"


class Check(StrEnum):
    """What a proposal was held against."""

    OFF = "automatic-off"
    AMOUNT = "amount"
    HEAD_AMOUNT = "head-amount"
    CHANGE = "change"
    FIRST = "first-order"
    GRADE = "grade"
    PRICE = "price"
    TRUST = "record-trust"
    SUSPENDED = "suspended"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in force: amounts in 1e-4 yuan, `change` a share of the median.

    `trust` is the line match to be reached, over at least the share `observed` of the storeroom's lines.
    """

    automatic: bool
    amount: Money
    head_amount: Money
    change: Fraction
    trust: Fraction
    observed: Fraction


@dataclass(frozen=True, slots=True)
class Asked:
    """A proposal as the rule sees it: base units, price a base unit, and what is known around it.

    `past` are the quantities ordered for this item and place in the last 90 days, `last_price` what was paid last, None
    when nothing was. `line_match` is the storeroom's over the share `observed` of its lines, None before it was
    compared. `alerts` is what the checks of an order found of it.
    """

    qty: int
    price: Money
    past: Sequence[int]
    last_price: Money | None
    high_grade: bool
    line_match: Fraction | None
    observed: Fraction | None
    suspended: bool
    alerts: tuple[str, ...] = ()

    @property
    def amount(self) -> Money:
        """What it would cost."""
        return Money(self.qty * self.price)


@dataclass(frozen=True, slots=True)
class Routed:
    """Who must approve, and the checks that were not passed."""

    route: Route
    failed: tuple[Check, ...]


def route(asked: Asked, limits: Limits) -> Routed:
    """Return who must approve a proposal."""
    failed = tuple(check for check, wrong in _checks(asked, limits) if wrong)
    if Check.HEAD_AMOUNT in failed or Check.SUSPENDED in failed:
        return Routed(Route.HEAD, failed)
    return Routed(Route.BUYER if failed else Route.AUTOMATIC, failed)


def _checks(asked: Asked, limits: Limits) -> list[tuple[Check, bool]]:
    return [
        (Check.OFF, not limits.automatic),
        (Check.AMOUNT, asked.amount > limits.amount),
        (Check.HEAD_AMOUNT, asked.amount > limits.head_amount),
        (Check.FIRST, not asked.past),
        (Check.CHANGE, bool(asked.past) and _change(asked) > limits.change),
        (Check.GRADE, asked.high_grade),
        (Check.PRICE, asked.last_price is not None and asked.price != asked.last_price),
        (Check.TRUST, not is_trusted(asked, limits)),
        (Check.SUSPENDED, asked.suspended),
        (Check.ALERT, bool(asked.alerts)),
    ]


def is_trusted(asked: Asked, limits: Limits) -> bool:
    """Tell whether a storeroom's record is trusted: it matches, and enough of it was looked at to say so.

    A line that nobody looked at differs from nothing: without the share observed, one counted line of hundreds would
    vouch for all. Source: E5 (record against physical at least 98 %), with the share that E3 asks a check to cover.
    """
    if asked.line_match is None or asked.observed is None:
        return False
    return asked.line_match >= limits.trust and asked.observed >= limits.observed


def _change(asked: Asked) -> Fraction:
    """Return how far the quantity is from the median of the past ones, as a share of that."""
    usual = Fraction(median(asked.past))
    return abs(asked.qty - usual) / usual if usual else Fraction(1)
