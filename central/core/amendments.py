"""Versions of an order: what is changed of it before anything came, by whom and why, and which is in force. Pure.

An order begins as version 1, which is what was approved. The newest version is in force: it is what the supplier is
sent and confirms, what is received, and what an invoice is matched with. The rules that must not be broken: no version
is ever lost or rewritten, and a version that changes nothing is none.

Source: issue row "amendments as new versions"; H1 (S0, S4), the match is with what was agreed last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from central.core.purchasing import PRICE_MAX, check_value
from central.errors import BadInput
from protocols.values.instant import Instant
from protocols.values.money import Money
from protocols.values.quantity import LINE_QTY_MAX

VERSIONS_MAX = 50
"""Versions of one order; what changes more often is cancelled and ordered anew."""


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One line of a version: base units and price a base unit."""

    line_no: int
    item: str
    qty: int
    price: Money


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an order; `wanted` is the day it is wanted for, None where that was not said."""

    version: int
    lines: tuple[VersionLine, ...]
    wanted: date | None
    made_at: Instant
    made_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is changed of one line; None leaves it."""

    line_no: int
    qty: int | None = None
    price: Money | None = None

    def __post_init__(self) -> None:
        if self.qty is not None and not 0 < self.qty <= LINE_QTY_MAX:
            raise BadInput(f"quantity of line {self.line_no}: expected 1 to {LINE_QTY_MAX}, got {self.qty}")
        if self.price is not None and not 0 <= self.price <= PRICE_MAX:
            raise BadInput(f"price of line {self.line_no}: expected 0 to {PRICE_MAX} (1e-4 yuan), got {self.price}")


def amended(
    before: Version, changes: Sequence[Change], wanted: date | None, *, at: Instant, by: str, reason: str
) -> Version:
    """Return the version that follows; `wanted` None keeps the day. Raises `BadInput` where nothing changes."""
    if before.version >= VERSIONS_MAX:
        raise BadInput(f"order: expected at most {VERSIONS_MAX} versions; cancel it and order anew")
    said = {one.line_no: one for one in changes}
    unknown = sorted(set(said) - {line.line_no for line in before.lines})
    if unknown:
        raise BadInput(f"line {unknown[0]}: expected one of the order's {len(before.lines)}")
    lines = tuple(_changed(line, said) for line in before.lines)
    day = before.wanted if wanted is None else wanted
    if (lines, day) == (before.lines, before.wanted):
        raise BadInput("amendment: expected another quantity, price or day, got the same")
    return Version(before.version + 1, lines, day, at, by, reason)


def _changed(line: VersionLine, said: Mapping[int, Change]) -> VersionLine:
    one = said.get(line.line_no)
    if one is None:
        return line
    qty, price = line.qty if one.qty is None else one.qty, line.price if one.price is None else one.price
    check_value(qty, price)
    return replace(line, qty=qty, price=price)
