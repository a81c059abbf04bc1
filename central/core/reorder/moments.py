"""Moments of demand: what the engine needs to know of the past, from sums that add up over days, places and processes.

A request is what one place asks of one item on one day. Demand is what was asked for, not what was handed out; waste,
adjustments and transfers never come here. The rule that must not be broken: nothing is divided by a mean that may be
0; a place with little history of its own borrows days of the item's other places.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from central.errors import BadInput

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

WINDOW_DAYS = 180
"""Days of the rolling window."""

OWN_DAYS_MIN = 28
"""Days of its own history from which a place speaks for itself."""

LINES_AT_ONCE = 512
"""Lines whose days a processor's cache holds."""

BORROWED_DAYS = 1
"""Days borrowed where nothing was asked for in the whole window."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Days seen, days with a request, and sums of z, z^2 and z^3 over them, z the base units of a request."""

    days: float
    requests: float
    total: float
    squares: float
    cubes: float

    def __post_init__(self) -> None:
        if self.days < 0 or self.requests > self.days or min(self.requests, self.total, self.squares, self.cubes) < 0:
            raise BadInput(f"demand sums: expected nothing below 0 and no more requests than days, got {self}")


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of a day; mean of z, z^2, z^3 over requests; requests a day."""

    mean: float
    variance: float
    size: float
    size2: float
    size3: float
    rate: float


def sums_of(sizes: Sequence[int], days: int) -> Sums:
    """Return the sums of the requests of some days."""
    return Sums(
        float(days),
        float(len(sizes)),
        float(sum(sizes)),
        float(sum(size**2 for size in sizes)),
        float(sum(size**3 for size in sizes)),
    )


def sums_of_many(daily: Floats) -> Floats:
    """Return the sums of many lines from their daily requests, lines x days: rows are those of `Sums`."""
    found = np.empty((5, len(daily)))
    found[0] = daily.shape[1]
    for start in range(0, len(daily), LINES_AT_ONCE):
        part = daily[start : start + LINES_AT_ONCE]
        to, square = slice(start, start + len(part)), part * part
        found[1, to] = np.count_nonzero(part, axis=1)
        found[2, to] = part.sum(axis=1)
        found[3, to] = square.sum(axis=1)
        found[4, to] = np.einsum("ij,ij->i", square, part)
    return found


def together(several: Iterable[Sums]) -> Sums:
    """Return the sums of several places as one."""
    rows = [(one.days, one.requests, one.total, one.squares, one.cubes) for one in several]
    return Sums(*(sum(column) for column in zip(*rows, strict=True))) if rows else Sums(0.0, 0.0, 0.0, 0.0, 0.0)


def without(every: Sums, one: Sums) -> Sums:
    """Return the sums of several places less those of one of them."""
    requests = max(0.0, every.requests - one.requests)
    return Sums(
        max(requests, every.days - one.days),
        requests,
        max(0.0, every.total - one.total),
        max(0.0, every.squares - one.squares),
        max(0.0, every.cubes - one.cubes),
    )


def moments_of(own: Sums, kin: Sums) -> Moments:
    """Return the moments of one line; `kin` are the sums of the item's other places."""
    borrowed = max(0.0, OWN_DAYS_MIN - own.days) or (float(BORROWED_DAYS) if own.requests == 0 else 0.0)
    part = borrowed / kin.days if kin.days > 0 else 0.0
    days = own.days + (borrowed if kin.days > 0 else 0.0)
    requests = own.requests + part * kin.requests
    total = own.total + part * kin.total
    squares, cubes = own.squares + part * kin.squares, own.cubes + part * kin.cubes
    if requests <= 0 or days <= 0 or total <= 0:
        return Moments(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    variance = max(0.0, (squares - total * total / days) / max(days - 1.0, 1.0))
    return Moments(total / days, variance, total / requests, squares / requests, cubes / requests, requests / days)


@dataclass(frozen=True, slots=True)
class MomentsOfMany:
    """The same for many lines: arrays of one length."""

    mean: Floats
    variance: Floats
    size: Floats
    size2: Floats
    size3: Floats
    rate: Floats


def moments_of_many(own: Floats, kin: Floats) -> MomentsOfMany:
    """Return the moments of many lines; rows of `own` and `kin` are days, requests, total, squares, cubes."""
    borrowed = np.maximum(0.0, OWN_DAYS_MIN - own[0])
    borrowed = np.where((borrowed == 0) & (own[1] == 0), float(BORROWED_DAYS), borrowed)
    part = np.divide(borrowed, kin[0], out=np.zeros_like(borrowed), where=kin[0] > 0)
    days = own[0] + np.where(kin[0] > 0, borrowed, 0.0)
    requests, total, squares, cubes = own[1:] + part * kin[1:]
    some = (requests > 0) & (days > 0) & (total > 0)

    def over(what: Floats, divisor: Floats) -> Floats:
        return np.divide(what, divisor, out=np.zeros_like(what), where=some)

    variance = np.maximum(0.0, over(squares - over(total * total, days), np.maximum(days - 1.0, 1.0)))
    return MomentsOfMany(
        over(total, days),
        variance,
        over(total, requests),
        over(squares, requests),
        over(cubes, requests),
        over(requests, days),
    )
