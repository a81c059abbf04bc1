"""Goods of the simulated quarter: what lies where, what is on its way, what is owed, and the lines that move it.

Forms only; nothing here reckons a figure.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from protocols.movements.posting import PostingLine
from protocols.values.money import Money

Place = str
Held = tuple[Place, str, str, str]
"""Place, item, lot, owner."""


@dataclass
class Coming:
    """A delivery on its way."""

    day: date
    order: str
    item: str
    qty: int


@dataclass
class Owed:
    """What was accepted of an order and not invoiced yet."""

    supplier: str
    order: str
    qty: int
    price: Money
    since: date


def used(ward: str, item: str, lot: str, owner: str, qty: int) -> list[PostingLine]:
    """Return the lines of a use; a supplier's goods change hands on the way."""
    if owner == "hospital":
        return [PostingLine(item, qty, ward, f"patient@{ward}", lot=lot)]
    sold = PostingLine(item, qty, ward, f"owner@{ward}", lot=lot, owner=owner)
    return [sold, PostingLine(item, qty, f"owner@{ward}", f"patient@{ward}", lot=lot)]


def taken_back(line: PostingLine) -> PostingLine:
    return PostingLine(line.item, line.qty, line.target, line.source, lot=line.lot, owner=line.owner)


def opened(path: Path) -> dict[Held, int]:
    rows = [line.split(",") for line in path.read_text("utf-8").splitlines()[1:]]
    return {(place, item, lot, "hospital"): int(qty) for place, item, lot, qty in rows}
