"""The whole book at one entry, as bytes: what a checkpoint keeps of entries that were trimmed. Pure.

`own` is the part of the balances that the entries of this ledger made, without the facts of others: it is what central
is told when it lost entries that stand nowhere else any more. The rule that must not be broken: reading what was
written gives the same book.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from edge_agent.core.book import BalanceKey, Effect
from edge_agent.core.fold import BindingRow, Fold
from protocols.errors import PeerBroke
from protocols.sync.machine import BookRow


@dataclass(slots=True)
class Cut:
    """The book behind one entry. `events` counts the trimmed events that stand in no table of entries any more."""

    fold: Fold = field(default_factory=Fold)
    own: dict[BalanceKey, int] = field(default_factory=dict)
    events: int = 0
    upto_rowid: int = 0

    def add_own(self, effect: Effect) -> None:
        """Add what an entry of the ledger itself did to the balances."""
        for key, qty in effect.deltas:
            total = self.own.pop(key, 0) + qty
            if total:
                self.own[key] = total

    def own_rows(self) -> list[BookRow]:
        """Return the own balances as lines."""
        return [(*key, qty) for key, qty in self.own.items()]


class _Form(msgspec.Struct):
    balances: list[BookRow]
    own: list[BookRow]
    custody: dict[str, tuple[str, str, bytes]]
    beliefs: dict[str, tuple[float, str, int, bytes]]
    bindings: dict[str, BindingRow]
    held: list[tuple[str, str, str, bytes]]
    undone: list[tuple[bytes, bytes]]
    discrepancies: dict[str, tuple[str, str, str, str, str, str, bytes, bytes]]
    events: int


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(_Form).decode


def write_cut(cut: Cut) -> bytes:
    """Return a book as JSON bytes."""
    fold = cut.fold
    return _encode(
        _Form(
            [(*key, qty) for key, qty in sorted(fold.balances.items())],
            sorted(cut.own_rows()),
            fold.custody,
            fold.beliefs,
            fold.bindings,
            [(*key, *value) for key, value in sorted(fold.held.items())],
            sorted(fold.undone.items()),
            fold.discrepancies,
            cut.events,
        )
    )


def read_cut(raw: bytes, upto_rowid: int) -> Cut:
    """Read a book back. Raises `PeerBroke` for bytes that are none."""
    try:
        form = _decode(raw)
    except (msgspec.MsgspecError, ValueError) as error:
        raise PeerBroke(f"checkpoint: expected a book as JSON; {error}") from error
    fold = Fold(
        _balances(form.balances),
        form.custody,
        form.beliefs,
        form.bindings,
        {(item, lot): (kind, event) for item, lot, kind, event in form.held},
        dict(form.undone),
        form.discrepancies,
    )
    for epc, row in form.bindings.items():
        fold.labels.setdefault((row[1], row[3]), []).append(epc)
    return Cut(fold, _balances(form.own), form.events, upto_rowid)


def _balances(rows: Iterable[BookRow]) -> dict[BalanceKey, int]:
    return {BalanceKey(*row[:6]): row[6] for row in rows}
