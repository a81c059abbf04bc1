"""Balances: what each place holds of each item, lot, owner and unit, as a fold of posting lines.

Not here: the stored balance, which is only a faster answer to the same question. The rule that must not be broken: a
line takes from one place what it gives to another, so every sum over all places is zero.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Holding(NamedTuple):
    """What a balance is kept of, and where."""

    place: str
    position: str
    item: str
    lot: str
    owner: str
    unit: str


class Move(NamedTuple):
    """`qty` base units going from one holding's place and position to another's."""

    item: str
    lot: str
    owner: str
    unit: str
    qty: int
    source: str
    source_position: str
    target: str
    target_position: str


def fold(moves: Iterable[Move]) -> dict[Holding, int]:
    """Return the balance of every holding the moves touch, zeros left out."""
    totals: defaultdict[Holding, int] = defaultdict(int)
    for move in moves:
        what = (move.item, move.lot, move.owner, move.unit)
        totals[Holding(move.source, move.source_position, *what)] -= move.qty
        totals[Holding(move.target, move.target_position, *what)] += move.qty
    return {holding: qty for holding, qty in totals.items() if qty}


def unbalanced(balances: Mapping[Holding, int]) -> dict[tuple[str, str, str, str], int]:
    """Return each (item, lot, owner, unit) whose sum over all places is not zero, with that sum."""
    sums: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
    for holding, qty in balances.items():
        sums[holding.item, holding.lot, holding.owner, holding.unit] += qty
    return {key: total for key, total in sums.items() if total}
