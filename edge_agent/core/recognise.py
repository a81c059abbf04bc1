"""From a scanned text to a person's act: a badge opens a visit, an item's label in a visit is an issue. Pure.

`decide` takes what was scanned, the open visit and the facts the book holds about the label; it returns what to write
and what to beep once that is on the disk. The rule that must not be broken: a refusal writes nothing, and an ok is owed
only after the entries of the decision are committed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from protocols.codes.label import Badge, Command, CommandName, Label, UnreadableLabel, read_label
from protocols.movements import Binding, Custody, MovementBody, PostingLine, VisitBody, write_body
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId, PlaceId, UnitId, virtual_place
from protocols.values.instant import Instant, plus, to_iso

VISIT_IDLE_S = 1800.0
"""Seconds of story time without a scan after which a visit is over, unless the configuration says otherwise."""

Meaning = Label | Badge | Command | UnreadableLabel


@dataclass(frozen=True, slots=True)
class Draft:
    """What an entry will say; time, ids and place in the chain are given when it is written."""

    kind: str
    body: Mapping[str, object]
    actor: ActorId


@dataclass(frozen=True, slots=True)
class Visit:
    """A person at the storeroom, from the badge to the last act."""

    actor: ActorId
    last_act: Instant

    def ends_at(self, idle_s: float) -> Instant:
        """Return when the visit is over if nothing more is scanned."""
        return plus(self.last_act, idle_s)


@dataclass(frozen=True, slots=True)
class CustodyOf:
    """Where one unit stands: its state, the place, and who brought it there when."""

    unit: UnitId
    state: str
    place: PlaceId
    at: Instant
    actor: ActorId


@dataclass(frozen=True, slots=True)
class OnShelf:
    """The balance a unit stands in: an issue must take exactly this."""

    position: str
    item: str
    lot: str
    owner: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the book says about one label: every binding of its product and serial; custody and shelf of the first."""

    bindings: tuple[Binding, ...] = ()
    custody: CustodyOf | None = None
    on_shelf: OnShelf | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from one scan: the visit afterwards, entries to write, the beep owed, a sentence for a person."""

    visit: Visit | None
    beep: Beep
    message: str
    drafts: tuple[Draft, ...] = field(default=())


def meaning_of(text: str) -> Meaning:
    """Read a scanned text; an unreadable one is a meaning too."""
    try:
        return read_label(text)
    except UnreadableLabel as error:
        return error


def decide(meaning: Meaning, *, visit: Visit | None, facts: Facts, ward: PlaceId, now: Instant) -> Decision:
    """Return what one scan comes to. A visit whose time has run out must have been ended before."""
    active = None if visit is None else replace(visit, last_act=now)
    match meaning:
        case Badge():
            return _badge(meaning.staff, visit, now)
        case Command():
            return _command(meaning, active)
        case Label():
            return _label(meaning, active, facts, ward)
        case UnreadableLabel():
            return _refuse(active, meaning.reason)


def end_visit(visit: Visit) -> Draft:
    """Return the entry that ends a visit."""
    return Draft("visit", write_body(VisitBody("end")), visit.actor)


def _refuse(visit: Visit | None, why: str) -> Decision:
    return Decision(visit, Beep.NO, why)


def _badge(staff: ActorId, visit: Visit | None, now: Instant) -> Decision:
    begin = Draft("visit", write_body(VisitBody("begin")), staff)
    drafts = (begin,) if visit is None else (end_visit(visit), begin)
    return Decision(Visit(staff, now), Beep.OK, f"{staff} is here", drafts)


def _command(command: Command, visit: Visit | None) -> Decision:
    if command.name is not CommandName.DONE:
        return _refuse(visit, f"card {command.name}: not built yet; only badges, items and the card DONE are read")
    if visit is None:
        return _refuse(None, "card DONE: expected somebody's visit to end, nobody has scanned a badge")
    return Decision(None, Beep.OK, f"{visit.actor} is done", (end_visit(visit),))


def _label(label: Label, visit: Visit | None, facts: Facts, ward: PlaceId) -> Decision:
    if visit is None:
        return _refuse(None, "item: expected a badge first, nobody is signed in; scan your badge, then the item")
    why = _why_unknown(label, facts)
    if why:
        return _refuse(visit, why)
    unit = facts.bindings[0].names
    if facts.on_shelf is None or not _in_stock(facts.custody, ward):
        return _refuse(visit, _why_not_here(unit, facts.custody, ward))
    shelf = facts.on_shelf
    line = PostingLine(
        item=shelf.item,
        lot=shelf.lot,
        owner=shelf.owner,
        unit=unit,
        qty=1,
        source=ward,
        source_position=shelf.position,
        target=virtual_place("issued", ward),
    )
    issue = Draft("issue", write_body(MovementBody(lines=(line,))), visit.actor)
    return Decision(visit, Beep.OK, f"{visit.actor} takes {shelf.item} lot {shelf.lot or '?'}", (issue,))


def _in_stock(custody: CustodyOf | None, ward: PlaceId) -> bool:
    return custody is not None and custody.state == Custody.IN_STOCK.value and custody.place == ward


def _why_unknown(label: Label, facts: Facts) -> str:
    if label.product is None or label.serial is None:
        return "label: expected a product (01) and a serial number (21); scan the label of the single piece"
    name = f"product {label.product} serial {label.serial}"
    if not facts.bindings:
        return f"{name}: expected a piece bound to a tag here, it is unknown; put it aside and tell the keeper"
    if len(facts.bindings) > 1:
        return f"{name}: expected one tag, {len(facts.bindings)} carry it; put it aside and tell the keeper"
    return ""


def _why_not_here(unit: str, custody: CustodyOf | None, ward: PlaceId) -> str:
    if custody is None:
        return f"unit {unit}: expected it in stock at {ward}, it was never received; tell the keeper"
    when = to_iso(custody.at)
    if custody.state in {Custody.ISSUED.value, Custody.USED.value}:
        return f"unit {unit}: already taken by {custody.actor or 'nobody known'} at {when}"
    return f"unit {unit}: expected it in stock at {ward}, it is {custody.state} at {custody.place} since {when}"
