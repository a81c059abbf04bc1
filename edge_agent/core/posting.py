"""What an entry comes to in the book as it stands: custody, bindings, and the discrepancies it shows. Pure.

The store asks its tables what the book said before, the verification its dictionaries; both post through here and must
agree. The rule that must not be broken: a fact that cannot have been is posted all the same, beside a discrepancy.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from edge_agent.core.book import BalanceKey, Effect, Moved
from edge_agent.core.custody import step
from protocols.movements.table import Custody
from protocols.movements.tags import Binding, TagBody
from protocols.values.ids import PlaceId, is_virtual

SAID_MAX = 300


class Before(Protocol):
    """What the book said before an entry."""

    def balance(self, key: BalanceKey) -> int:
        """Return a balance, 0 when there is none."""

    def where(self, unit: str) -> tuple[str, str] | None:
        """Return a unit's state and place, None if it was never posted."""

    def binding(self, epc: str) -> Binding | None:
        """Return what a tag is bound to."""

    def tags_of(self, gtin: str, serial: str) -> Sequence[str]:
        """Return the tags bound to a product's serial number, sorted."""

    def reversed(self, event_id: bytes) -> bool:
        """Tell whether a reversal of this event was posted."""


class CustodyRow(NamedTuple):
    """Where one unit stands now."""

    unit: str
    state: str
    place: str


class Finding(NamedTuple):
    """One discrepancy an entry shows; its id is made of the event and `no`."""

    sort: str
    place: str = ""
    item: str = ""
    lot: str = ""
    unit: str = ""
    said: str = ""


class Changes(msgspec.Struct):
    """What an entry changes, beside the balances of its effect."""

    custody: list[CustodyRow] = []
    bound: list[Binding] = []
    unbound: list[str] = []
    findings: list[Finding] = []


def post(effect: Effect, before: Before) -> Changes:
    """Return what an effect comes to in the book as it stood."""
    changes = Changes()
    for moved in effect.moved:
        _move(moved, before, changes)
    for key, qty in effect.deltas:
        if qty > 0 or is_virtual(PlaceId(key.place)):
            continue
        was = before.balance(key)
        if was >= 0 > was + qty:
            said = f"{was} in the book, {-qty} taken"
            changes.findings.append(Finding("negative", key.place, key.item, key.lot, key.unit, said))
    if effect.reverses and before.reversed(effect.reverses):
        changes.findings.append(Finding("reversed_twice", said=effect.reverses.hex()))
    for binding in effect.bindings:
        _bind(binding, before, changes)
    if effect.tag is not None:
        _retag(effect.tag, before, changes)
    if effect.stated is not None and not effect.stated.closes:
        said_by = effect.stated
        finding = Finding(said_by.sort, "", said_by.item, said_by.lot, said_by.unit, said_by.said[:SAID_MAX])
        changes.findings.append(finding)
    return changes


def _move(moved: Moved, before: Before, changes: Changes) -> None:
    state, place = before.where(moved.unit) or (Custody.NONE.value, "")
    after = step(Custody(state), moved.act, at=place, source=moved.source)
    changes.custody.append(CustodyRow(moved.unit, after.state.value, moved.target or place))
    if after.impossible:
        where = moved.source or moved.target or place
        finding = Finding("custody", where, moved.item, moved.lot, moved.unit, after.impossible[:SAID_MAX])
        changes.findings.append(finding)


def _bind(binding: Binding, before: Before, changes: Changes) -> None:
    old = before.binding(binding.epc)
    others = [tag for tag in before.tags_of(binding.gtin, binding.serial) if tag != binding.epc]
    if others and binding.serial:
        said = f"product {binding.gtin} serial {binding.serial} carries the tag {others[0]} already"
        changes.findings.append(Finding("serial_twice", "", binding.item, binding.lot, binding.epc, said))
    if old is not None and (old.gtin, old.serial) != (binding.gtin, binding.serial):
        said = f"the tag was on product {old.gtin} serial {old.serial}"
        changes.findings.append(Finding("tag_twice", "", binding.item, binding.lot, binding.epc, said))
    changes.bound.append(binding)


def _retag(tag: TagBody, before: Before, changes: Changes) -> None:
    old = before.binding(tag.old)
    if old is None:
        changes.findings.append(Finding("tag_unknown", unit=tag.old, said="no piece carries this tag"))
        return
    changes.unbound.append(tag.old)
    if tag.new:
        renewed = Binding(tag.new, old.item, old.gtin, old.lot, old.serial, old.expiry, old.names)
        changes.bound.append(renewed)
