"""The book as dictionaries, built entry by entry: what every table of the store must equal. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge_agent.core.book import BalanceKey, Effect
from edge_agent.core.posting import post
from protocols.movements.tags import Binding

BindingRow = tuple[str, str, str, str, str, str]


@dataclass(slots=True)
class Fold:
    """The book as dictionaries, built entry by entry. It grows with the stock, not with the history."""

    balances: dict[BalanceKey, int] = field(default_factory=dict)
    custody: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    beliefs: dict[str, tuple[float, str, int, bytes]] = field(default_factory=dict)
    bindings: dict[str, BindingRow] = field(default_factory=dict)
    held: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    undone: dict[bytes, bytes] = field(default_factory=dict)
    discrepancies: dict[str, tuple[str, str, str, str, str, str, bytes, bytes]] = field(default_factory=dict)
    labels: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def post(self, event_id: bytes, effect: Effect) -> None:
        """Add one entry's effect."""
        changes = post(effect, self)
        for key, qty in effect.deltas:
            total = self.balances.pop(key, 0) + qty
            if total:
                self.balances[key] = total
        for row in changes.custody:
            self.custody[row.unit] = (row.state, row.place, event_id)
        if effect.belief is not None:
            said = effect.belief
            self.beliefs[said.epc] = (said.p, said.model, said.since, event_id)
        for epc in changes.unbound:
            self._unbind(epc)
        for bound in changes.bound:
            self._bind(bound)
        self._rest(event_id, effect)
        for no, finding in enumerate(changes.findings):
            self.discrepancies[finding_id(event_id, no)] = (*finding, event_id, b"")

    def _rest(self, event_id: bytes, effect: Effect) -> None:
        for lot in effect.held:
            self.held.pop((lot.item, lot.lot), None)
            if lot.kind:
                self.held[lot.item, lot.lot] = (lot.kind, event_id)
        if effect.reverses:
            self.undone.setdefault(effect.reverses, event_id)
        if effect.stated is not None and effect.stated.closes in self.discrepancies:
            old = self.discrepancies[effect.stated.closes]
            self.discrepancies[effect.stated.closes] = (*old[:7], event_id)

    def _bind(self, bound: Binding) -> None:
        self._unbind(bound.epc)
        self.bindings[bound.epc] = binding_row(bound)
        self.labels.setdefault((bound.gtin, bound.serial), []).append(bound.epc)

    def _unbind(self, epc: str) -> None:
        old = self.bindings.pop(epc, None)
        if old is not None:
            self.labels[old[1], old[3]].remove(epc)

    # --- what `post` asks ---

    def balance(self, key: BalanceKey) -> int:
        """Return a balance, 0 when there is none."""
        return self.balances.get(key, 0)

    def where(self, unit: str) -> tuple[str, str] | None:
        """Return a unit's state and place, None if it was never posted."""
        row = self.custody.get(unit)
        return None if row is None else row[:2]

    def binding(self, epc: str) -> Binding | None:
        """Return what a tag is bound to."""
        row = self.bindings.get(epc)
        return None if row is None else Binding(epc, *row)

    def tags_of(self, gtin: str, serial: str) -> Sequence[str]:
        """Return the tags bound to a product's serial number, sorted."""
        return sorted(self.labels.get((gtin, serial), []))

    def reversed(self, event_id: bytes) -> bool:
        """Tell whether a reversal of this event was posted."""
        return event_id in self.undone


def binding_row(bound: Binding) -> BindingRow:
    """Return a binding's columns behind its tag."""
    return bound.item, bound.gtin, bound.lot, bound.serial, bound.expiry, bound.unit


def finding_id(event_id: bytes, no: int) -> str:
    """Return the id of the first, second … discrepancy that an event shows."""
    return f"{event_id.hex()}.{no}"
