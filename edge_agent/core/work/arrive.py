"""Goods that come in, go back, go elsewhere or are scrapped: by a whole note in one scan, or piece by piece. Pure.

The rule that must not be broken: a note is taken in once, however often it is scanned.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from edge_agent.core.recognise import Draft
from edge_agent.core.stock import ConsumeOn, Part, Stock, allocate, is_expired
from edge_agent.core.work.bodies import entries, entry, lines_of_parts, not_yours, raw, who_may
from edge_agent.core.work.scene import Decision, Document, Scene, did, refuse
from edge_agent.core.work.take import ON_SHELF, keep_raw, quantity
from edge_agent.core.work.words import Word
from protocols.codes.label import Ticket
from protocols.movements.bodies import write_body
from protocols.movements.posting import Flag, PostingLine
from protocols.movements.table import Custody
from protocols.movements.tags import BindBody, Binding
from protocols.permits import Answer, Gated
from protocols.readers.scanner import Beep
from protocols.values.ids import BULK, PlaceId, UnitId

BINDINGS_A_DRAFT = 100
NOWHERE = "?"
"""Where a transfer goes after a storeroom's card that is not known: what is scanned then was meant to leave."""
_MAY_ARRIVE = frozenset({Custody.NONE.value, Custody.TRANSIT.value, Custody.RETURNED.value})


def receipt(scene: Scene) -> Decision:
    """A delivery note is scanned: everything on it came as written."""
    note, refusal = _note(scene)
    if note is None:
        assert refusal is not None
        return refusal
    drafts = (*bindings(scene, note.bindings), *entries(scene, "ward_receipt", note.lines, refs=note.refs))
    qty = sum(line.qty for line in note.lines)
    return did(scene.present, drafts, (), Word.RECEIVED, number=note.number, qty=qty)


def check_note(scene: Scene) -> Decision:
    """A delivery note after the card RECEIVE: each piece is scanned, what did not come is told at the end."""
    note, refusal = _note(scene)
    if note is None:
        assert refusal is not None
        return refusal
    wanted: dict[tuple[str, str], int] = {}
    for line in note.lines:
        wanted[line.item, line.lot] = wanted.get((line.item, line.lot), 0) + line.qty
    visit = replace(scene.present, document=note.number, expected=tuple(wanted.items()))
    drafts = bindings(scene, note.bindings)
    return Decision(visit, Beep.OK, Word.CHECKING, {"number": note.number}, drafts)


def _note(scene: Scene) -> tuple[Document | None, Decision | None]:
    assert isinstance(scene.meaning, Ticket)
    note = scene.facts.document
    if note is None or note.sort != "delivery":
        about = {"number": scene.meaning.code}
        return None, Decision(scene.visit, Beep.LOOK, Word.UNKNOWN_NOTE, about, (raw(scene),))
    if note.brought:
        return None, Decision(scene.visit, Beep.LOOK, Word.NOTE_RECEIVED, {"number": note.number})
    if not note.approved:
        refusal = gate(scene, Gated.REPLENISHMENT)
        if refusal is not None:
            return None, refusal
    return note, None


def gate(scene: Scene, act: Gated) -> Decision | None:
    """Return the refusal of an act that the storeroom's permit does not let pass; a shadow refuses nothing."""
    standing = scene.room.standing
    if standing.answer(act) is Answer.ASK and not scene.room.shadow:
        return refuse(scene, Word.NEEDS_APPROVAL, permit=standing.permit.value, act=act.value)
    return None


def bindings(scene: Scene, bound: Sequence[Binding]) -> tuple[Draft, ...]:
    """Return the entries that bind the tags a note brings."""
    starts = range(0, len(bound), BINDINGS_A_DRAFT)
    bodies = [BindBody(tuple(bound[at : at + BINDINGS_A_DRAFT])) for at in starts]
    return tuple(Draft("bind_tag", write_body(body), scene.present.actor) for body in bodies)


def arrive(scene: Scene) -> Decision:
    """A piece or loose pieces are received one scan at a time, by a note or without one."""
    visit = scene.present
    note = scene.facts.document
    named = note.refs if note is not None and note.number == visit.document else (visit.document,)
    decision = _arrive(scene, "ward_receipt", named if visit.document else ())
    if decision.word is not Word.ARRIVED or decision.visit is None:
        return decision
    came, qty = (decision.about["item"], decision.about["lot"]), int(str(decision.about["qty"]))
    left = tuple((key, short - qty if key == came else short) for key, short in visit.expected)
    return replace(decision, visit=replace(decision.visit, expected=left))


def transfer_in(scene: Scene) -> Decision:
    """A piece that another storeroom sent is put onto the shelf."""
    if scene.present.to == NOWHERE:
        return refuse(scene, Word.NO_DESTINATION)
    return gate(scene, Gated.TRANSFER_IN) or _arrive(scene, "transfer_in", ())


def _arrive(scene: Scene, kind: str, refs: tuple[str, ...]) -> Decision:
    facts, visit, ward = scene.facts, scene.present, scene.room.ward
    if facts.item is None and not facts.bindings:
        return keep_raw(scene)
    if len(facts.bindings) > 1:
        name = f"product {scene.label.product} serial {scene.label.serial}"
        return refuse(scene, Word.TWO_TAGS, name=name, count=len(facts.bindings))
    custody = facts.custody
    if custody is not None and custody.state in ON_SHELF and custody.place == ward:
        return refuse(scene, Word.NOT_HERE, unit=facts.unit, state=custody.state, place=custody.place)
    way = custody is not None and custody.state == Custody.TRANSIT.value
    source = PlaceId(custody.place) if custody is not None and way else _sender(scene, kind)
    item = facts.bindings[0].item if facts.bindings else facts.item.code if facts.item else ""
    lot = facts.bindings[0].lot if facts.bindings else facts.lot or ""
    line = PostingLine(
        item=item,
        qty=1 if facts.unit else quantity(scene),
        source=source,
        target=ward,
        lot=lot,
        unit=UnitId(facts.unit) if facts.unit else BULK,
        target_position=visit.shelf,
    )
    flags = [Flag.EXPIRED] if is_expired(facts.expiry, scene.today) else []
    if custody is not None and custody.state not in _MAY_ARRIVE:
        flags.append(Flag.IMPLIED)  # the book has it elsewhere: it is here all the same, and somebody should look
    draft = entry(scene, kind, (line,), flags, refs=refs)
    return did(visit, (draft,), flags, Word.ARRIVED, qty=line.qty, item=item, lot=lot)


def _sender(scene: Scene, kind: str) -> PlaceId:
    """Return where goods come from that nobody said are on their way: transit by a note, else a supplier."""
    return scene.at("transit" if kind == "transfer_in" or scene.present.document else "supplier")


def give_back(scene: Scene) -> Decision:
    """What was taken and not used comes back to the shelf."""
    facts, ward = scene.facts, scene.room.ward
    if facts.unit:
        return _give_back_unit(scene)
    if facts.item is None:
        return refuse(scene, Word.UNKNOWN_ITEM, product=scene.label.product)
    if facts.item.consume_on is ConsumeOn.PACK:
        return refuse(scene, Word.USED_ON_OPENING, item=facts.item.code)
    parts = allocate(facts.hand, facts.item.code, facts.lot, quantity(scene), scene.today)
    lines = [replace_shelf(line, home(scene, line.lot)) for line in lines_of_parts(parts, scene.at("issued"), ward)]
    flags = [] if all(part.known for part in parts) else [Flag.UNKNOWN_LOT]
    return _done(scene, "return_to_store", lines, flags, Word.RETURNED)


def replace_shelf(line: PostingLine, shelf: str) -> PostingLine:
    """Return a line that leaves no shelf, for what is in a hand lies on none, and is laid on one."""
    return replace(line, unit="", source_position="", target_position=shelf)


def home(scene: Scene, lot: str) -> str:
    """Return the shelf something is laid back on: the one scanned, else where it came from, else where its like lie."""
    facts = scene.facts
    alike = sorted(facts.stock, key=lambda one: (one.lot != lot, one.position == "", one.position))
    return scene.present.shelf or facts.home or next((one.position for one in alike), "")


def _give_back_unit(scene: Scene) -> Decision:
    facts, custody = scene.facts, scene.facts.custody
    if custody is None or custody.state != Custody.ISSUED.value:
        state = "unknown" if custody is None else custody.state
        return refuse(scene, Word.NOT_IN_HAND, unit=facts.unit, state=state)
    held = next((one for one in facts.hand if one.unit == facts.unit), Stock("", "", 1))
    line = PostingLine(
        item=held.item or (facts.item.code if facts.item else "?"),
        qty=1,
        source=custody.place,
        target=scene.room.ward,
        lot=held.lot,
        owner=held.owner,
        unit=UnitId(facts.unit),
        target_position=home(scene, held.lot),
    )
    flags = [Flag.EXPIRED] if is_expired(facts.expiry, scene.today) else []
    return _done(scene, "return_to_store", [line], flags, Word.RETURNED)


def scrap(scene: Scene) -> Decision:
    """What may not be used any more leaves as waste."""
    return _leave(scene, "scrap", scene.at("scrap"), Word.SCRAPPED)


def destination(scene: Scene) -> Decision:
    """The storeroom that a transfer goes to, by its card or by an order's list of what to pick for it.

    After one that is not known nothing leaves, and nothing comes in.
    """
    assert isinstance(scene.meaning, Ticket)
    listed = scene.facts.document
    to = listed.to if listed is not None else scene.facts.place
    if not to or to == scene.room.ward:
        refused = refuse(scene, Word.UNKNOWN_PLACE, code=scene.meaning.code)
        return replace(refused, visit=replace(scene.present, to=NOWHERE, document="", number=0, pack=False))
    number = "" if listed is None else listed.number
    return Decision(replace(scene.present, to=to, document=number), Beep.OK, Word.DESTINATION, {"to": to})


def send(scene: Scene) -> Decision:
    """Goods leave for another storeroom; until it takes them in they are in transit beside it."""
    if scene.present.to == NOWHERE:
        return refuse(scene, Word.NO_DESTINATION)
    return _leave(scene, "transfer_out", PlaceId(f"transit@{scene.present.to}"), Word.SENT)


def _leave(scene: Scene, kind: str, target: PlaceId, word: Word) -> Decision:
    facts, visit, ward = scene.facts, scene.present, scene.room.ward
    if not who_may(visit.roles, kind):
        return not_yours(scene, kind)
    if facts.unit:
        custody, shelf = facts.custody, facts.shelf
        if custody is None or custody.state not in ON_SHELF or custody.place != ward or shelf is None:
            state, place = ("unknown", "?") if custody is None else (custody.state, custody.place)
            return refuse(scene, Word.NOT_HERE, unit=facts.unit, state=state, place=place)
        parts, unit = [Part(shelf, 1)], UnitId(facts.unit)
    else:
        if facts.item is None:
            return refuse(scene, Word.UNKNOWN_ITEM, product=scene.label.product)
        parts, unit = allocate(facts.stock, facts.item.code, facts.lot, quantity(scene), scene.today), BULK
    lines = [_named(line, unit) for line in lines_of_parts(parts, ward, target)]
    flags = [] if all(part.known for part in parts) else [Flag.UNKNOWN_LOT]
    refs = () if facts.document is None or kind != "transfer_out" else facts.document.refs
    return _done(scene, kind, lines, flags, word, refs=refs)


def _named(line: PostingLine, unit: UnitId) -> PostingLine:
    return replace(line, unit=unit, target_position="")


def _done(
    scene: Scene, kind: str, lines: list[PostingLine], flags: list[Flag], word: Word, *, refs: tuple[str, ...] = ()
) -> Decision:
    qty, first = sum(line.qty for line in lines), lines[0]
    to = scene.present.to
    return did(
        scene.present, (entry(scene, kind, lines, flags, refs=refs),), flags, word,
        qty=qty, item=first.item, lot=first.lot, to=to,
    )  # fmt: skip
