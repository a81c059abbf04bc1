"""An act at a ward without a device of its own: what was scanned and what the ledger has, to lines or a refusal. Pure.

The rules of stock are those of a storeroom's own device: expired and held are refused unless it is an emergency or for
a patient, first to expire goes first and another lot is noted, what comes in is taken from transit first. Not here: who
may act, and what a label says. The rule that must not be broken: a use on a patient is recorded, whatever the book has.

Source: E6 (a take for a patient is always recorded, an emergency always works), FEFO on expiry itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from central.core.uses import Lying, used_lines
from protocols.movements.posting import Flag, PostingLine
from protocols.values.ids import HOSPITAL_OWNED, PlaceId, virtual_place


class Doing(StrEnum):
    """What somebody does with what is scanned."""

    TAKE = "take"
    USE = "use"
    RECEIVE = "receive"
    BACK = "back"
    COUNT = "count"


KINDS = {
    Doing.TAKE: "issue",
    Doing.USE: "use",
    Doing.RECEIVE: "ward_receipt",
    Doing.BACK: "return_to_store",
    Doing.COUNT: "count_monthly",
}
"""The kind of the table of movements each act is; who may record it stands there."""


class No(StrEnum):
    """Why an act is refused; the page says it in words."""

    UNKNOWN = "unknown"
    ELSEWHERE = "elsewhere"
    TAKEN = "taken"
    USED = "used"
    HERE = "here"
    NOT_TAKEN = "not-taken"
    NEVER_RECEIVED = "never-received"
    ONE_PIECE = "one-piece"
    EXPIRED = "expired"
    HELD = "held"
    OTHER_PIECE = "other-piece"
    NO_NOTE = "no-note"


@dataclass(frozen=True, slots=True)
class Thing:
    """What was scanned: an item, its lot and expiry as far as the label says, a piece where it names one, how many."""

    item: str
    lot: str
    unit: str
    expiry: date | None
    qty: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """What bears on an act: where the thing lies (loose: in the ward, in hand and in transit there), the lots of the
    item on the ward's shelf, when lots expire, those held, and whether the ward's permit is closed.
    """

    ward: PlaceId
    lies: Sequence[Lying]
    lots: frozenset[str]
    days: dict[str, date]
    held: frozenset[str]
    closed: bool
    today: date


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule said no; `place` is where the thing lies instead."""

    why: No
    place: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be written; `proposed` is the lot that should have gone first, where another went."""

    lines: tuple[PostingLine, ...]
    flags: tuple[str, ...] = ()
    proposed: str = ""


def decide(doing: Doing, thing: Thing, shelf: Shelf, *, emergency: bool = False) -> Act | Refusal:
    """Return what an act writes, or why it is refused. A count writes no lines and is not asked for here."""
    match doing:
        case Doing.RECEIVE:
            return _receive(thing, shelf)
        case Doing.BACK:
            return _give_back(thing, shelf)
        case _:
            return _out(doing, thing, shelf, emergency=emergency)


def _at(shelf: Shelf, role: str = "") -> list[Lying]:
    place = virtual_place(role, shelf.ward) if role else shelf.ward
    return [one for one in shelf.lies if one.place == place and one.qty > 0]


def _receive(thing: Thing, shelf: Shelf) -> Act | Refusal:
    flags = (Flag.SUSPENDED.value,) if shelf.closed else ()
    known = shelf.days.get(thing.lot)
    if thing.expiry is not None and known is not None and known != thing.expiry:
        flags = (*flags, Flag.CONTRADICTED.value)
    coming = _at(shelf, "transit")
    if thing.unit:
        if thing.qty != 1:
            return Refusal(No.ONE_PIECE)
        if _at(shelf):
            return Refusal(No.HERE)
        away = [one for one in shelf.lies if one.qty > 0 and one not in coming]
        away = [one for one in away if one.place.partition("@")[0] not in {"supplier", "opening", "unknown"}]
        if away:
            return Refusal(No.ELSEWHERE, away[0].place)
    lines, left = [], thing.qty
    for one in coming:
        part = min(left, one.qty)
        if part and (not thing.lot or one.lot == thing.lot or thing.unit):
            lines.append(PostingLine(thing.item, part, one.place, shelf.ward, one.lot, one.owner, thing.unit))
            left -= part
    if left:
        source = virtual_place("supplier", shelf.ward)
        lines.append(PostingLine(thing.item, left, source, shelf.ward, thing.lot, HOSPITAL_OWNED, thing.unit))
    return Act(tuple(lines), flags)


def _give_back(thing: Thing, shelf: Shelf) -> Act | Refusal:
    hand = [one for one in _at(shelf, "issued") if thing.unit or not thing.lot or one.lot == thing.lot]
    if sum(one.qty for one in hand) < thing.qty:
        return Refusal(No.NOT_TAKEN)
    lines, left = [], thing.qty
    for one in hand:
        part = min(left, one.qty)
        if part:
            lines.append(PostingLine(thing.item, part, one.place, shelf.ward, one.lot, one.owner, thing.unit))
            left -= part
    return Act(tuple(lines))


def _out(doing: Doing, thing: Thing, shelf: Shelf, *, emergency: bool) -> Act | Refusal:
    """Return what a take or a use writes."""
    parts = _unit_parts(doing, thing, shelf) if thing.unit else _loose_parts(doing, thing, shelf)
    if isinstance(parts, Refusal):
        return parts
    lots = {one.lot for one, _ in parts}
    flags = [Flag.EMERGENCY.value] if emergency else []
    recorded = emergency or doing is Doing.USE
    for broken, flag, no in (
        (any(_expired(shelf, lot) for lot in lots), Flag.EXPIRED, No.EXPIRED),
        (any(lot in shelf.held for lot in lots), Flag.HELD, No.HELD),
    ):
        if broken and not recorded:
            return Refusal(no)
        flags += [flag.value] if broken else []
    first = _first(shelf)
    passed_over = (
        first is not None and not any(_expired(shelf, lot) for lot in lots) and not _goes_with(shelf, lots, first)
    )
    flags += [Flag.NOT_FIRST.value] if passed_over else []
    flags += [Flag.SUSPENDED.value] if shelf.closed else []
    flags += [Flag.UNKNOWN_LOT.value] if any(not one.known for one, _ in parts) else []
    lines = [line for one, qty in parts for line in _lines(doing, thing, shelf, one.lies, qty)]
    return Act(tuple(lines), tuple(flags), first if passed_over and first is not None else "")


@dataclass(frozen=True, slots=True)
class _From:
    """Where something is taken from; `known` says that the book has it there."""

    lies: Lying
    known: bool = True

    @property
    def lot(self) -> str:
        return self.lies.lot


def _unit_parts(doing: Doing, thing: Thing, shelf: Shelf) -> list[tuple[_From, int]] | Refusal:
    if thing.qty != 1:
        return Refusal(No.ONE_PIECE)
    there = [one for one in shelf.lies if one.qty > 0]
    here, hand = _at(shelf), [one for one in there if one.place.startswith("issued@")]
    if any(one.place.startswith("patient@") for one in there):
        return Refusal(No.USED)
    if hand and doing is Doing.TAKE:
        return Refusal(No.TAKEN)
    usable = here or hand or [one for one in there if "@" not in one.place]
    if not usable:
        return Refusal(No.NEVER_RECEIVED, there[0].place if there else "")
    if doing is Doing.TAKE and not here:
        return Refusal(No.ELSEWHERE, usable[0].place)
    return [(_From(usable[0]), 1)]


def _loose_parts(doing: Doing, thing: Thing, shelf: Shelf) -> list[tuple[_From, int]]:
    """Split a quantity over what lies there, first to expire first; what the book lacks is taken all the same."""
    hand = _at(shelf, "issued") if doing is Doing.USE else []
    ranked = sorted(
        _at(shelf), key=lambda one: (_expired(shelf, one.lot), one.lot in shelf.held, _day(shelf, one.lot), one.lot)
    )
    parts: list[tuple[_From, int]] = []
    left = thing.qty
    for one in [*hand, *ranked]:
        part = min(left, one.qty) if not thing.lot or one.lot == thing.lot else 0
        if part:
            parts.append((_From(one), part))
            left -= part
    if left:
        parts.append((_From(Lying(shelf.ward, "", thing.lot, HOSPITAL_OWNED, 0), known=False), left))
    return parts


def _lines(doing: Doing, thing: Thing, shelf: Shelf, lies: Lying, qty: int) -> list[PostingLine]:
    if doing is Doing.USE:
        return used_lines(thing.item, thing.unit, lies, qty)
    hand = virtual_place("issued", shelf.ward)
    return [PostingLine(thing.item, qty, lies.place, hand, lies.lot, lies.owner, thing.unit, lies.position)]


def _expired(shelf: Shelf, lot: str) -> bool:
    """On the day itself it may still be used."""
    day = shelf.days.get(lot)
    return day is not None and day < shelf.today


def _day(shelf: Shelf, lot: str) -> date:
    return shelf.days.get(lot, date.max)


def _first(shelf: Shelf) -> str | None:
    """Return the lot in the ward that should go first, None when there is nothing to go by."""
    good = [lot for lot in shelf.lots if not _expired(shelf, lot) and lot not in shelf.held]
    ranked = sorted((_day(shelf, lot), lot) for lot in good)
    return ranked[0][1] if ranked and ranked[0][0] != date.max else None


def _goes_with(shelf: Shelf, lots: set[str], first: str) -> bool:
    return all(_day(shelf, lot) <= _day(shelf, first) for lot in lots)
