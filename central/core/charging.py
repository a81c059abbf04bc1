"""Use beside charges: in which one state each chargeable piece is, and by how much a ward's day differs. Pure.

The state of a piece is looked up in one table, by where the ledger has it and by whether the other system has charged
it; so a piece is in exactly one. Loose pieces have no name: theirs are quantities, by storeroom, day and item. Here
it is no matter who scans first. The rule that must not be broken: each pair of the table leads to one state.

Source: E2 (S0), issue and charge match one to one (领用 ↔ 收费).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from central.errors import BadInput
from protocols.values.instant import Instant, seconds_between

DAY_S = 86_400.0
PATIENT_HASH_BYTES = 12
PATIENT_KEY_MIN, PATIENT_KEY_MAX = 16, 64
"""Bytes of the hospital's key that hides patients: what a keyed BLAKE2b takes; the same file as at the storerooms."""


class Lies(StrEnum):
    """Where the ledger has a piece, as far as charging asks."""

    SHELF = "shelf"
    HAND = "hand"
    USED = "used"
    BACK = "back"
    WASTED = "wasted"


class ChargeState(StrEnum):
    """The one state a chargeable piece is in."""

    ON_SHELF = "on-shelf"
    MATCHED = "matched"
    ISSUED_NOT_CHARGED = "issued-not-charged"
    AGEING = "ageing"
    CHARGED_NOT_ISSUED = "charged-not-issued"
    RETURNED = "returned"
    WASTED = "wasted"


STATES: Mapping[tuple[Lies, bool], ChargeState] = MappingProxyType(
    {
        (Lies.SHELF, False): ChargeState.ON_SHELF,
        (Lies.SHELF, True): ChargeState.CHARGED_NOT_ISSUED,
        (Lies.HAND, False): ChargeState.ISSUED_NOT_CHARGED,
        (Lies.HAND, True): ChargeState.MATCHED,
        (Lies.USED, False): ChargeState.ISSUED_NOT_CHARGED,
        (Lies.USED, True): ChargeState.MATCHED,
        (Lies.BACK, False): ChargeState.RETURNED,
        (Lies.BACK, True): ChargeState.CHARGED_NOT_ISSUED,
        (Lies.WASTED, False): ChargeState.WASTED,
        (Lies.WASTED, True): ChargeState.CHARGED_NOT_ISSUED,
    }
)
"""Every pair of where a piece lies and whether a charge of it stands; `ageing` is the second look at one of them."""

OPEN = frozenset({ChargeState.ISSUED_NOT_CHARGED, ChargeState.AGEING, ChargeState.CHARGED_NOT_ISSUED})
"""The states somebody must look at."""

_ROLES: Mapping[str, Lies] = MappingProxyType(
    {"issued": Lies.HAND, "patient": Lies.USED, "scrap": Lies.WASTED, "recycler": Lies.WASTED}
)
_OUT = frozenset({"issued", "patient"})


def lies_at(place: str, came_from: str) -> Lies:
    """Return where a piece lies, from the place the ledger has it at and the place it came from last."""
    role, virtual, _ = place.partition("@")
    if virtual:
        return _ROLES.get(role, Lies.SHELF)
    return Lies.BACK if came_from.partition("@")[0] in _OUT and "@" in came_from else Lies.SHELF


def state_of(lies: Lies, *, charged: bool, since: Instant, now: Instant, ageing_days: int) -> ChargeState:
    """Return a piece's state; what was issued and not charged for so many days is ageing."""
    found = STATES[lies, charged]
    old = seconds_between(since, now) >= ageing_days * DAY_S
    return ChargeState.AGEING if found is ChargeState.ISSUED_NOT_CHARGED and old else found


def patient_ref(key: bytes, token: str) -> str:
    """Return what stands for a patient: the same keyed hash as at a storeroom (BLAKE2b, RFC 7693), never the token."""
    return hashlib.blake2b(token.encode(), digest_size=PATIENT_HASH_BYTES, key=key[:PATIENT_KEY_MAX]).hexdigest()


@dataclass(frozen=True, slots=True)
class DayLine:
    """One ward, day and item: base units used, and charged less refunded."""

    place: str
    day: date
    item: str
    used: int
    charged: int

    @property
    def difference(self) -> int:
        """Used more than charged is above zero."""
        return self.used - self.charged


Amounts = Iterable[tuple[str, date, str, int]]


def day_lines(used: Amounts, charged: Amounts) -> list[DayLine]:
    """Return every ward, day and item of which something was used or charged: those that differ most first."""
    sums: defaultdict[tuple[str, date, str], list[int]] = defaultdict(lambda: [0, 0])
    for side, rows in enumerate((used, charged)):
        for place, day, item, qty in rows:
            sums[place, day, item][side] += qty
    found = [DayLine(*key, *both) for key, both in sums.items() if any(both)]
    return sorted(found, key=lambda one: (-abs(one.difference), one.day, one.place, one.item))


@dataclass(frozen=True, slots=True)
class ChargeItem:
    """What a code of the other system is: `ratio` base units of an item for one, from a day to a day."""

    code: str
    item: str
    first: date
    last: date | None
    ratio: int

    def holds(self, day: date) -> bool:
        """Tell whether it is in force on a day."""
        return self.first <= day and (self.last is None or day <= self.last)


def item_of(code: str, day: date, known: Iterable[ChargeItem]) -> ChargeItem:
    """Return what a code is on a day. Raises `BadInput` where it is nothing or not one thing."""
    found = [one for one in known if one.code == code and one.holds(day)]
    if len(found) == 1:
        return found[0]
    said = "none" if not found else " and ".join(one.item for one in found)
    raise BadInput(f"code: expected a charge item of one item on {day}, {code!r:.40} is {said}; add charge_items.csv")
