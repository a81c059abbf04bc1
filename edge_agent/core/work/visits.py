"""Coming and going, number and reason cards, taking back the last act, and what cannot be read. Pure."""

from msgspec.structs import replace

from edge_agent.core.lines import mirrored
from edge_agent.core.recognise import Draft
from edge_agent.core.work.bodies import staff
from edge_agent.core.work.scene import Decision, Scene, Visit, did, refuse
from edge_agent.core.work.states import MODES, Doing, Event
from edge_agent.core.work.take import keep_raw
from edge_agent.core.work.words import Word
from protocols.codes.label import Badge, Command, CommandName, UnreadableLabel
from protocols.movements.bodies import write_body
from protocols.movements.posting import Flag, MovementBody
from protocols.movements.reports import DiscrepancyBody, VisitBody
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId

NUMBER_MAX = 100
"""Most that number cards add up to: more is a slip, and a person scans twice."""
MISSING_TOLD_MAX = 20
"""Lines of a checked delivery that are named one by one when they did not come."""


def end_visit(visit: Visit) -> Draft:
    """Return the entry that ends a visit."""
    return Draft("visit", write_body(VisitBody("end")), visit.actor)


def open_visit(scene: Scene) -> Decision:
    """A badge: whoever was here is done, this person begins."""
    assert isinstance(scene.meaning, Badge)
    actor = scene.meaning.staff
    begin = Draft("visit", write_body(VisitBody("begin")), actor)
    before = closing(scene) if scene.visit is not None else ()
    visit = Visit(actor, scene.now, scene.now, roles=scene.facts.roles)
    return Decision(visit, Beep.OK, Word.HERE, {"actor": actor}, (*before, begin))


def open_unknown(scene: Scene) -> Decision:
    """The emergency card without a badge: somebody is here, nobody knows who."""
    body = VisitBody("begin", (Flag.EMERGENCY.value,))
    visit = Visit(ActorId(""), scene.now, scene.now, emergency=True)
    return Decision(visit, Beep.OK, Word.EMERGENCY_HERE, {}, (Draft("visit", write_body(body), ActorId("")),))


def emergency(scene: Scene) -> Decision:
    """The emergency card in a visit: from now on no rule refuses."""
    visit = replace(scene.present, emergency=True)
    body = VisitBody("begin", (Flag.EMERGENCY.value,))
    return Decision(visit, Beep.OK, Word.EMERGENCY_HERE, {}, (Draft("visit", write_body(body), visit.actor),))


def close(scene: Scene) -> Decision:
    """The visit is over: the card DONE, the door, or nothing for too long."""
    visit = scene.present
    return Decision(None, Beep.OK, Word.DONE, {"actor": staff(visit.actor)}, closing(scene))


def closing(scene: Scene) -> tuple[Draft, ...]:
    """Return the entries that end a visit, with what a checked delivery still lacked."""
    visit = scene.present
    return (*_missing(scene, visit), end_visit(visit))


def _missing(scene: Scene, visit: Visit) -> tuple[Draft, ...]:
    if visit.doing is not Doing.RECEIVING or not visit.document:
        return ()
    wanted = visit.expected
    short = [f"{qty} of {item} lot {lot or '?'}" for (item, lot), qty in wanted if qty > 0]
    bodies = [
        DiscrepancyBody("not_delivered", item=item, lot=lot, said=f"delivery {visit.document}: {qty} did not come")
        for (item, lot), qty in wanted
        if qty > 0
    ]
    if len(bodies) > MISSING_TOLD_MAX:
        said = f"delivery {visit.document}: {len(short)} lines did not come whole"
        bodies = [DiscrepancyBody("not_delivered", said=said)]
    return tuple(Draft("discrepancy", write_body(body), visit.actor) for body in bodies)


def begin(scene: Scene) -> Decision:
    """A command card: from now on something else is being done."""
    assert isinstance(scene.meaning, Command)
    visit = replace(scene.present, document="", expected=(), to="", shelf="", number=0, pack=False)
    draft = now_doing(scene, MODES[Event[scene.meaning.name.name]])
    return Decision(visit, Beep.OK, Word.DOING, {"what": scene.meaning.name.value}, (draft,))


def now_doing(scene: Scene, doing: Doing) -> Draft:
    """Return the entry that says what is done from now on, so that after a restart nothing is taken for a take."""
    return Draft("visit", write_body(VisitBody("doing", doing=doing.value)), scene.present.actor)


def number(scene: Scene) -> Decision:
    """A number card: numbers add up until the next item; PACK makes each a whole pack."""
    assert isinstance(scene.meaning, Command)
    visit = scene.present
    if scene.meaning.name is CommandName.PACK:
        return Decision(replace(visit, pack=True), Beep.OK, Word.PACK)
    total = min(NUMBER_MAX, visit.number + (scene.meaning.name.times or 0))
    return Decision(replace(visit, number=total), Beep.OK, Word.NUMBER, {"number": total})


def why(scene: Scene) -> Decision:
    """A reason card: it goes with the next item."""
    assert isinstance(scene.meaning, Command)
    reason = scene.meaning.name.why
    return Decision(replace(scene.present, reason=reason), Beep.OK, Word.WHY, {"reason": reason})


def undo(scene: Scene) -> Decision:
    """The card UNDO: the last act of this visit that still stands is reversed, entry by entry."""
    visit = scene.present
    if not visit.done:
        return refuse(scene, Word.NOTHING_TO_UNDO)
    last = visit.done[-1].act
    undone = [done for done in reversed(visit.done) if done.act == last]
    drafts = []
    for done in undone:
        flags = tuple(flag.value for flag in (Flag.EMERGENCY,) if visit.emergency)
        body = MovementBody(mirrored(done.lines), reverses=done.event_id, flags=flags)
        drafts.append(Draft("reversal", write_body(body), visit.actor))
    left = tuple(done for done in visit.done if done.act != last)
    return did(replace(visit, done=left), drafts, (), Word.UNDONE, kind=undone[-1].kind)


def unreadable(scene: Scene) -> Decision:
    """A code that says nothing to us; in an emergency even that is kept."""
    assert isinstance(scene.meaning, UnreadableLabel)
    if scene.present.emergency and scene.present.doing is Doing.TAKING:
        return keep_raw(scene)
    return refuse(scene, Word.UNREADABLE, why=scene.meaning.reason)
