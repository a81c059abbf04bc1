"""What one entry says to the edge's book: lines of stock, units moved or held, beliefs, bindings. Pure.

`effect_of` is the only reading of an entry's body here; what an effect comes to in a book as it stands is told by
`posting`. The rule that must not be broken: every line takes from one place what it gives to another, so that the sum
over places stays zero for each (item, lot, owner, unit).
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from edge_agent.core.custody import Act, act_of
from protocols.movements.bodies import read_body
from protocols.movements.posting import PostingLine, posting_of
from protocols.movements.reports import DiscrepancyBody, StandingBody
from protocols.movements.table import movement_of
from protocols.movements.tags import SIGHTED, BindBody, Binding, ObserveBody, TagBody

BIND, OBSERVE, DISCREPANCY = "bind_tag", "observe", "discrepancy"
TAGS = frozenset({"tag_replaced", "tag_killed"})
HOLDS = frozenset({"inspect_fail", "hold_near_expiry", "hold_expired", "hold_recall"})
STANDINGS = HOLDS | {"inspect_ok"}


class BalanceKey(NamedTuple):
    """What a balance is kept for; `unit` is empty for bulk."""

    place: str
    position: str
    item: str
    lot: str
    owner: str
    unit: str


class Moved(NamedTuple):
    """One unit an act met: where it was taken from and brought to, both empty when it stayed."""

    unit: str
    act: Act
    source: str
    target: str
    item: str = ""
    lot: str = ""


class LotHeld(NamedTuple):
    """Loose stock of one lot that must not be taken (`kind` says why), or may again (`kind` empty)."""

    item: str
    lot: str
    kind: str


class Effect(msgspec.Struct, frozen=True):
    """What one entry says, read and put in order; what it comes to depends on the book before it."""

    deltas: tuple[tuple[BalanceKey, int], ...] = ()
    moved: tuple[Moved, ...] = ()
    belief: ObserveBody | None = None
    bindings: tuple[Binding, ...] = ()
    tag: TagBody | None = None
    held: tuple[LotHeld, ...] = ()
    reverses: bytes = b""
    stated: DiscrepancyBody | None = None
    occurred_at: int | None = None


def effect_of(kind: str, raw_body: bytes) -> Effect:
    """Return what an entry says. Raises `BadValue` or `PeerBroke` for a body the table of movements does not admit."""
    if movement_of(kind).posts:
        return _posting(kind, raw_body)
    if kind == OBSERVE:
        return Effect(belief=read_body(raw_body, ObserveBody))
    if kind == BIND:
        return Effect(bindings=read_body(raw_body, BindBody).bindings)
    if kind in TAGS:
        return Effect(tag=read_body(raw_body, TagBody))
    if kind in STANDINGS:
        return _standing(kind, read_body(raw_body, StandingBody))
    if kind == DISCREPANCY:
        return Effect(stated=read_body(raw_body, DiscrepancyBody))
    return Effect()


def as_fact(effect: Effect) -> Effect:
    """Return an effect as a fact has it: what another storeroom's readers hear is no belief of this one."""
    is_sighting = effect.belief is not None and effect.belief.model == SIGHTED
    return msgspec.structs.replace(effect, belief=None) if is_sighting else effect


def _posting(kind: str, raw_body: bytes) -> Effect:
    body = posting_of(kind, raw_body)
    return Effect(
        deltas=_deltas(body.lines),
        moved=_moved(kind, body.lines),
        reverses=_event(body.reverses) if kind == "reversal" else b"",
        occurred_at=body.occurred_at,
    )


def _event(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""  # it names nothing; what it posts stands


def _deltas(lines: Iterable[PostingLine]) -> tuple[tuple[BalanceKey, int], ...]:
    total: dict[BalanceKey, int] = {}
    for line in lines:
        item, lot, owner, unit = line.item, line.lot, line.owner, line.unit
        source = BalanceKey(line.source, line.source_position, item, lot, owner, unit)
        target = BalanceKey(line.target, line.target_position, item, lot, owner, unit)
        total[source] = total.get(source, 0) - line.qty
        total[target] = total.get(target, 0) + line.qty
    return tuple([each for each in total.items() if each[1]])


def _moved(kind: str, lines: Iterable[PostingLine]) -> tuple[Moved, ...]:
    """Return each unit once, from where its first line takes it to where its last brings it."""
    sources: dict[str, str] = {}
    last: dict[str, PostingLine] = {}
    for line in lines:
        if line.unit:
            sources.setdefault(line.unit, line.source)
            last[line.unit] = line
    return tuple(
        [
            Moved(unit, act_of(kind, line.target), sources[unit], line.target, line.item, line.lot)
            for unit, line in last.items()
        ]
    )


def _standing(kind: str, body: StandingBody) -> Effect:
    act = act_of(kind)
    return Effect(
        moved=tuple(Moved(unit, act, "", "") for unit in body.units),
        held=tuple(LotHeld(lot.item, lot.lot, kind if kind in HOLDS else "") for lot in body.lots),
    )


def unbalanced(balances: Iterable[tuple[BalanceKey, int]]) -> list[tuple[str, str, str, str]]:
    """Return each (item, lot, owner, unit) whose sum over all places is not zero."""
    sums: dict[tuple[str, str, str, str], int] = {}
    for key, qty in balances:
        what = (key.item, key.lot, key.owner, key.unit)
        sums[what] = sums.get(what, 0) + qty
    return [what for what, total in sums.items() if total]
