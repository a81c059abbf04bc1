"""What entries post, folded anew: lines from bodies, balances from lines, and the sums that must be zero.

Which kinds post is the agreed table's word (`protocols.movements`); everything else is read here on its own. The rule
that must not be broken: a stored balance or posting line is only ever compared, never used.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from hardware_sim.evidence.chains import Entry
from protocols.movements.table import MOVEMENTS


class Line(NamedTuple):
    """`qty` base units of one thing from place to place."""

    item: str
    lot: str
    owner: str
    unit: str
    qty: int
    source: str
    target: str
    source_position: str
    target_position: str


DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "item": "",
        "lot": "",
        "owner": "hospital",
        "unit": "",
        "source": "",
        "target": "",
        "source_position": "",
        "target_position": "",
    }
)
"""What a line says by leaving a field out."""


class Key(NamedTuple):
    """What a balance is kept for."""

    place: str
    position: str
    item: str
    lot: str
    owner: str
    unit: str


class Bound(NamedTuple):
    """What a tag is bound to."""

    item: str
    gtin: str
    lot: str
    serial: str
    expiry: str


def bound_in(entry: Entry) -> dict[str, Bound]:
    """Return what a `bind_tag` binds, by EPC; nothing for another kind."""
    said = entry.said.get("bindings") if entry.kind == "bind_tag" else None
    found = (one for one in said if isinstance(one, dict)) if isinstance(said, list) else ()
    return {one.get("epc", ""): Bound(*(one.get(name, "") for name in Bound._fields)) for one in found}


def lines_of(entry: Entry) -> list[Line]:
    """Return the posting lines an entry's body carries; none for a kind that posts nothing or is not known."""
    row = MOVEMENTS.get(entry.kind)
    lines = entry.said.get("lines", []) if row is not None and row.posts else []
    return [_line(line) for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


def _line(said: Mapping[str, Any]) -> Line:
    """Read one line; what is left out has its default, and a quantity that is no number moves nothing."""
    qty = said.get("qty", 0)
    texts = {name: str(said.get(name, default)) for name, default in DEFAULTS.items()}
    return Line(qty=qty if isinstance(qty, int) else 0, **texts)


def fold(lines: Iterable[Line]) -> dict[Key, int]:
    """Return the balance that lines give, zeros left out."""
    totals: defaultdict[Key, int] = defaultdict(int)
    for line in lines:
        what = (line.item, line.lot, line.owner, line.unit)
        totals[Key(line.source, line.source_position, *what)] -= line.qty
        totals[Key(line.target, line.target_position, *what)] += line.qty
    return {key: qty for key, qty in totals.items() if qty}


def nonzero_sums(balances: Mapping[Key, int]) -> list[str]:
    """Return each item, lot, owner and unit that does not sum to zero over all places, as words."""
    sums: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
    for key, qty in balances.items():
        sums[key.item, key.lot, key.owner, key.unit] += qty
    return [f"{'/'.join(what)} sums to {total}" for what, total in sums.items() if total]


def differing(stored: Mapping[Key, int], folded: Mapping[Key, int]) -> list[str]:
    """Return each balance that is not what its lines give, as words."""
    keys = sorted(key for key in stored.keys() | folded.keys() if stored.get(key, 0) != folded.get(key, 0))
    return [f"{'/'.join(key)} says {stored.get(key, 0)}, its lines give {folded.get(key, 0)}" for key in keys]
