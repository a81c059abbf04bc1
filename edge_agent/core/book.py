"""What one entry does to the edge's book: balances, custody, beliefs, bindings. Pure.

`effect_of` is the only reading of an entry's body here; the store writes an effect into tables, the verification folds
it into dictionaries, and both must agree. The rule that must not be broken: every line takes from one place what it
gives to another, so that the sum over places stays zero for each (item, lot, owner, unit).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.movements import (
    BindBody,
    Binding,
    Custody,
    Movement,
    ObserveBody,
    PostingLine,
    Where,
    lines_of,
    movement_of,
    place_sort,
    read_body,
)

BIND = "bind_tag"
OBSERVE = "observe"


class BalanceKey(NamedTuple):
    """What a balance is kept for; `unit` is empty for bulk."""

    place: str
    position: str
    item: str
    lot: str
    owner: str
    unit: str


class CustodyStep(NamedTuple):
    """Where one unit stands after a line."""

    unit: str
    state: str
    place: str


@dataclass(frozen=True, slots=True)
class Effect:
    """Everything one entry changes in the book."""

    deltas: tuple[tuple[BalanceKey, int], ...] = ()
    custody: tuple[CustodyStep, ...] = ()
    belief: ObserveBody | None = None
    bindings: tuple[Binding, ...] = ()


STATE_AT = {
    Where.STORE: Custody.IN_STOCK,
    Where.KIT: Custody.IN_STOCK,
    Where.TRANSIT: Custody.TRANSIT,
    Where.ISSUED: Custody.ISSUED,
    Where.PATIENT: Custody.USED,
}
"""Custody by where a unit arrives, for kinds whose row says SAME (reversals, adjustments); elsewhere it is GONE."""


def effect_of(kind: str, raw_body: bytes) -> Effect:
    """Return what an entry does. Raises `BadValue` or `PeerBroke` for a body the table of movements does not admit."""
    row = movement_of(kind)
    if row.posts:
        lines = lines_of(kind, raw_body)
        return Effect(deltas=tuple(_deltas(lines)), custody=tuple(_custody(row, lines)))
    if kind == OBSERVE:
        return Effect(belief=read_body(raw_body, ObserveBody))
    if kind == BIND:
        return Effect(bindings=read_body(raw_body, BindBody).bindings)
    return Effect()


def _deltas(lines: Iterable[PostingLine]) -> Iterable[tuple[BalanceKey, int]]:
    for line in lines:
        what = (line.item, line.lot, line.owner, line.unit)
        yield BalanceKey(line.source, line.source_position, *what), -line.qty
        yield BalanceKey(line.target, line.target_position, *what), line.qty


def _custody(row: Movement, lines: Iterable[PostingLine]) -> Iterable[CustodyStep]:
    for line in lines:
        if line.unit:
            by_place = STATE_AT.get(place_sort(line.target), Custody.GONE)
            state = by_place if row.custody is Custody.SAME else row.custody
            yield CustodyStep(line.unit, state.value, line.target)


@dataclass(slots=True)
class Fold:
    """The book as dictionaries, built entry by entry. It grows with the stock, not with the history."""

    balances: dict[BalanceKey, int] = field(default_factory=dict)
    custody: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    beliefs: dict[str, tuple[float, str, int, bytes]] = field(default_factory=dict)
    bindings: dict[str, tuple[str, str, str, str, str]] = field(default_factory=dict)

    def post(self, event_id: bytes, effect: Effect) -> None:
        """Add one entry's effect."""
        for key, qty in effect.deltas:
            total = self.balances.pop(key, 0) + qty
            if total:
                self.balances[key] = total
        for step in effect.custody:
            self.custody[step.unit] = (step.state, step.place, event_id)
        if effect.belief is not None:
            said = effect.belief
            self.beliefs[said.epc] = (said.p, said.model, said.since, event_id)
        for bound in effect.bindings:
            self.bindings[bound.epc] = (bound.item, bound.gtin, bound.lot, bound.serial, bound.expiry)


def unbalanced(balances: Iterable[tuple[BalanceKey, int]]) -> list[tuple[str, str, str, str]]:
    """Return each (item, lot, owner, unit) whose sum over all places is not zero."""
    sums: dict[tuple[str, str, str, str], int] = {}
    for key, qty in balances:
        what = (key.item, key.lot, key.owner, key.unit)
        sums[what] = sums.get(what, 0) + qty
    return [what for what, total in sums.items() if total]
