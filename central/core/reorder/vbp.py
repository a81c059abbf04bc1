"""Volume-based procurement as the engine sees it: which product first, at what price at most, and how fast it goes.

An agreed volume is a pace to watch, never a reason to overfill: what the forecast lacks is told beside the days of
stock, and no quantity is raised for it. The rule that must not be broken: a price over the winning price is blocked
(requirement row A7), by one unit of money already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from central.errors import BadInput
from protocols.values.money import Money


@dataclass(frozen=True, slots=True)
class Product:
    """One product of a group and what it is offered at; `winning_price` where it was selected."""

    item: str
    price: Money
    winning_price: Money | None = None

    @property
    def blocked(self) -> bool:
        """Tell whether it is offered above its winning price."""
        return self.winning_price is not None and self.price > self.winning_price


def in_order(products: Sequence[Product]) -> tuple[list[Product], list[Product]]:
    """Return the products of a group as they should be shown, selected ones first and cheap before dear; and those
    that are blocked.
    """
    allowed = [one for one in products if not one.blocked]
    return (
        sorted(allowed, key=lambda one: (one.winning_price is None, one.price, one.item)),
        [one for one in products if one.blocked],
    )


@dataclass(frozen=True, slots=True)
class Volume:
    """An agreed volume from a day to a day (both included), what was received of it, and what was used of that."""

    agreed: int
    first: date
    last: date
    received: int
    used: int

    def __post_init__(self) -> None:
        if self.agreed < 1 or self.last < self.first or min(self.received, self.used) < 0:
            raise BadInput(f"agreed volume: expected an amount above 0 over at least a day, got {self}")


@dataclass(frozen=True, slots=True)
class Pace:
    """Share of the year gone and of the volume received; the share forecast at its end; days the stock lasts.

    Days are None where nobody uses it.
    """

    elapsed: Fraction
    completed: Fraction
    forecast: Fraction
    stock_days: Fraction | None

    @property
    def behind(self) -> bool:
        """Tell whether the volume will not be reached at this pace."""
        return self.forecast < 1


def pace_of(volume: Volume, today: date, *, daily_use: Fraction, stock: int) -> Pace:
    """Return the pace at the end of a day: what was received, and the rest of the time at the mean daily use.

    What is in stock is used first, so that the forecast counts it once.
    """
    whole = (volume.last - volume.first).days + 1
    gone = min(whole, max(0, (today - volume.first).days + 1))
    coming = max(Fraction(0), daily_use * (whole - gone) - stock)
    return Pace(
        Fraction(gone, whole),
        Fraction(volume.received, volume.agreed),
        (volume.received + coming) / volume.agreed,
        stock / daily_use if daily_use > 0 else None,
    )
