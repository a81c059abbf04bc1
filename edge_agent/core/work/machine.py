"""One scan at a time through the table of work: what it is, what follows, or why not. Pure.

`decide` looks the pair of doing and event up and lets the deed of that pair decide; it is called with facts that were
asked for exactly this scan. The rules that must not be broken: a refusal writes nothing; an ok is owed only after the
entries of the decision are committed; nothing a scanner can say leads anywhere but to a decision.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from edge_agent.core.recognise import Meaning
from edge_agent.core.work import arrive, counting, reconciling, sets, take, visits
from edge_agent.core.work.bodies import staff
from edge_agent.core.work.scene import TICKS_A_DOUBLE_S, CutShort, Decision, Facts, Room, Scene, Visit, refuse
from edge_agent.core.work.states import TABLE, Deed, Doing, Event, expected
from edge_agent.core.work.take import clock_face
from edge_agent.core.work.words import Word
from protocols.codes.label import Badge, Command, CommandName, Label, Ticket, TicketSort, UnreadableLabel
from protocols.readers.scanner import Beep
from protocols.values.instant import Instant, seconds_between

AGAIN_S = 600.0
"""Story seconds after an act before a power cut within which the same person's same label is asked about once."""
REPEATS: Mapping[Doing, tuple[str, ...]] = MappingProxyType(
    {
        Doing.TAKING: ("issue", "pack_open"),
        Doing.RECEIVING: ("ward_receipt",),
        Doing.RETURNING: ("return_to_store",),
        Doing.SCRAPPING: ("scrap",),
        Doing.COUNTING: ("count_monthly",),
        Doing.TRANSFERRING: ("transfer_in",),
        Doing.SENDING: ("transfer_out",),
        Doing.SET_OPEN: ("set_used",),
    }
)
"""The kinds that one scan of loose pieces writes, by what is being done."""

DEEDS: Mapping[Deed, Callable[[Scene], Decision]] = MappingProxyType(
    {
        Deed.OPEN: visits.open_visit,
        Deed.OPEN_UNKNOWN: visits.open_unknown,
        Deed.CLOSE: visits.close,
        Deed.BEGIN: visits.begin,
        Deed.EMERGENCY: visits.emergency,
        Deed.NUMBER: visits.number,
        Deed.WHY: visits.why,
        Deed.UNDO: visits.undo,
        Deed.UNREADABLE: visits.unreadable,
        Deed.TAKE: take.take,
        Deed.FOR_PATIENT: sets.for_patient,
        Deed.CLAIM: sets.claim,
        Deed.RECONCILE: reconciling.reconcile,
        Deed.RECEIPT: arrive.receipt,
        Deed.CHECK_NOTE: arrive.check_note,
        Deed.ARRIVE: arrive.arrive,
        Deed.GIVE_BACK: arrive.give_back,
        Deed.SCRAP: arrive.scrap,
        Deed.DESTINATION: arrive.destination,
        Deed.SEND: arrive.send,
        Deed.TRANSFER_IN: arrive.transfer_in,
        Deed.PICK_SET: sets.pick_set,
        Deed.USE_OF_SET: sets.use_of_set,
        Deed.RETURN_SET: sets.return_set,
        Deed.BEGIN_COUNT: counting.begin_count,
        Deed.SHELF: counting.shelf,
        Deed.COUNT: counting.count,
        Deed.END_COUNT: counting.end_count,
        Deed.ADJUST: counting.adjust,
    }
)

_NUMBERS = frozenset({CommandName.TIMES_5, CommandName.TIMES_10, CommandName.PACK})
_TICKETS = {
    TicketSort.DOCUMENT: Event.DOCUMENT,
    TicketSort.PATIENT: Event.PATIENT,
    TicketSort.PLACE: Event.PLACE,
    TicketSort.BIN: Event.BIN,
}


def event_of(meaning: Meaning) -> Event:
    """Return which event of the table a scan is."""
    match meaning:
        case Badge():
            return Event.BADGE
        case Label():
            return Event.ITEM
        case Ticket():
            return _TICKETS[meaning.sort]
        case UnreadableLabel():
            return Event.UNREADABLE
        case Command():
            if meaning.name in _NUMBERS:
                return Event.NUMBER
            return Event.WHY if meaning.name.why else Event[meaning.name.name]


def decide(meaning: Meaning, text: str, *, visit: Visit | None, facts: Facts, room: Room, now: Instant) -> Decision:
    """Return what one scan comes to. A visit whose time has run out must have been ended before.

    After `Word.AGAIN` the caller asks no more about `asked(...)`: the next scan of it is meant.
    """
    if visit is not None and _is_double(meaning, text, visit, facts, now):
        return Decision(visit, Beep.LOOK, Word.SCANNED_TWICE)
    active = None if visit is None else replace(visit, last_act=now, text=text)
    scene = Scene(meaning, text, active, facts, room, now)
    return _asked_again(scene) or perform(scene, event_of(meaning))


def perform(scene: Scene, event: Event) -> Decision:
    """Return what an event comes to before one scanner."""
    doing = Doing.NOBODY if scene.visit is None else scene.visit.doing
    row = TABLE.get((doing, event))
    if row is None:
        return _out_of_order(scene, doing, event)
    then, deed = row
    decision = DEEDS[deed](scene)
    after = decision.visit
    if decision.beep is Beep.NO or after is None or after.doing is not doing:
        return decision  # refused, ended, or the deed itself led elsewhere
    return replace(decision, visit=replace(after, doing=then))


def asked(scene: Scene) -> CutShort | None:
    """Return the act before a power cut that a scan of loose pieces would do a second time; an emergency never waits.

    A piece with a name tells by its custody that it was taken; loose pieces tell nothing.
    """
    visit, facts = scene.visit, scene.facts
    if visit is None or visit.emergency or not isinstance(scene.meaning, Label) or facts.unit or facts.item is None:
        return None
    for one in scene.room.cut_short:
        fresh = 0 <= seconds_between(one.at, scene.now) <= AGAIN_S
        same = one.actor == visit.actor and one.item == facts.item.code and facts.lot in (None, one.lot)
        if fresh and same and one.kind in REPEATS.get(visit.doing, ()):
            return one
    return None


def _asked_again(scene: Scene) -> Decision | None:
    before = asked(scene)
    if before is None:
        return None
    about = {"item": before.item, "lot": before.lot, "actor": staff(before.actor), "at": clock_face(before.at)}
    return replace(refuse(scene, Word.AGAIN, **about), beep=Beep.LOOK)


def _out_of_order(scene: Scene, doing: Doing, event: Event) -> Decision:
    if doing is Doing.NOBODY and event is Event.ITEM:
        return refuse(scene, Word.NO_BADGE)
    return refuse(scene, Word.OUT_OF_ORDER, event=event, doing=doing, expected=tuple(expected(doing)[:3]))


def _is_double(meaning: Meaning, text: str, visit: Visit, facts: Facts, now: Instant) -> bool:
    """Tell whether loose pieces were scanned twice by one pull of the trigger; a piece with a name tells by itself."""
    again = isinstance(meaning, Label) and text == visit.text and not facts.unit
    return again and seconds_between(visit.last_act, now) < TICKS_A_DOUBLE_S
