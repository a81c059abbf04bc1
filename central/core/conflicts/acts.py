"""Acts that meet what central knew and the edge did not: suspended meanwhile, forgotten and entered again. Pure.

The rule that must not be broken: an act is never refused afterwards; it stands as it was recorded, and a flag says what
is unusual about it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from central.core.conflicts import DAY_S, Flag, Sort
from protocols.movements.posting import Flag as Unusual
from protocols.values.instant import Instant, plus

AGAIN_S = DAY_S
"""The same person, piece and act within a day is perhaps one act."""


@dataclass(frozen=True, slots=True)
class Act:
    """One person's act with one piece: `policy` is the version the storeroom knew, empty where it says none."""

    event: str
    place: str
    actor: str
    kind: str
    item: str
    lot: str
    unit: str
    at: Instant
    policy: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspension:
    """A storeroom's draws are suspended by a version of its policy; lower ones an edge may still have known."""

    place: str
    version: int


def against_suspension(act: Act, suspension: Suspension) -> Flag | None:
    """Return what is to be said of an act of a suspended storeroom: valid before it knew, else against the policy."""
    if act.place != suspension.place or Unusual.EMERGENCY in act.flags:
        return None
    knew = act.policy.isdecimal() and int(act.policy) >= suspension.version
    sort = Sort.AGAINST_POLICY if knew else Sort.BEFORE_IT_KNEW
    said = (("policy", act.policy), ("suspended_by", suspension.version))
    return Flag(sort, act.place, act.event, act.item, act.lot, act.unit, detail=said)


def entered_again(forgotten: Iterable[Act], since: Iterable[Act]) -> list[Flag]:
    """Return the acts after a disk was put back that are perhaps ones it forgot: same person, piece and kind in a day.

    Each forgotten act is asked for once, against the nearest later one.
    """
    by_what: dict[tuple[str, str, str], list[Act]] = {}
    for act in sorted(since, key=lambda one: (one.at, one.event)):
        by_what.setdefault((act.actor, act.unit, act.kind), []).append(act)
    flags = []
    for old in sorted(forgotten, key=lambda one: (one.at, one.event)):
        if not old.unit or not old.actor:
            continue
        new = _nearest(old, by_what.get((old.actor, old.unit, old.kind), []))
        if new is not None:
            due, said = plus(new.at, DAY_S), (("first", old.event), ("kind", old.kind), ("actor", old.actor))
            flags.append(
                Flag(Sort.ENTERED_AGAIN, new.place, new.event, new.item, new.lot, new.unit, due_at=due, detail=said)
            )
    return flags


def _nearest(old: Act, later: list[Act]) -> Act | None:
    near = [act for act in later if act.event != old.event and abs(act.at - old.at) <= AGAIN_S * 1_000_000]
    return min(near, key=lambda act: (abs(act.at - old.at), act.event), default=None)


def unknown_items(acts: Iterable[tuple[str, str, str, str]], catalogue: Mapping[str, object]) -> list[Flag]:
    """Return a flag for each item of (event, place, item, lot) that the catalogue does not know."""
    first: dict[tuple[str, str], Flag] = {}
    for event, place, item, lot in sorted(acts):
        if item not in catalogue:
            first.setdefault((place, item), Flag(Sort.UNKNOWN_ITEM, place, event, item, lot))
    return list(first.values())


def below_zero(place: str, item: str, lot: str, unit: str, qty: int, event: str) -> Flag:
    """Return the flag of a line whose book is below zero; `event` is the last that took from it."""
    return Flag(Sort.NEGATIVE, place, event, item, lot, unit, detail=(("book", qty),))


def waits_for_count(due_at: Instant | None, now: Instant, *, vital: bool) -> bool:
    """Tell whether a line below zero is not reordered yet: it is to be counted first, a vital one is not waited for."""
    return due_at is not None and now < due_at and not vital


def counted_on(physical: int) -> int:
    """Return what a reorder counts on where the book is below zero: an empty shelf, so that S caps what is ordered."""
    return max(0, physical)
