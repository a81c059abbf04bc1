"""Taking from the shelf: one piece by its serial number or tag, or loose pieces by lot; for a patient at once or later.

The rules of stock are asked here: expired, held, first to expire, permit. The rule that must not be broken: what a
person in an emergency holds in the hand is recorded, whatever the book thinks of it.
"""

from msgspec.structs import replace

from edge_agent.core.lines import opened_pack, used
from edge_agent.core.recognise import Draft
from edge_agent.core.stock import ConsumeOn, Part, Stock, allocate, goes_first, is_expired, is_first
from edge_agent.core.work.bodies import entry, lines_of_parts, raw, staff, uses
from edge_agent.core.work.scene import Decision, Scene, did, refuse
from edge_agent.core.work.words import Word
from protocols.movements.posting import Flag, PostingLine
from protocols.movements.table import Custody
from protocols.permits import Answer, Gated
from protocols.readers.scanner import Beep
from protocols.values.ids import UnitId
from protocols.values.instant import Instant, to_iso

ON_SHELF = frozenset({Custody.IN_STOCK.value, Custody.HELD.value, Custody.INSPECTING.value})
_SPENT = frozenset({Custody.ISSUED.value, Custody.USED.value})


def take(scene: Scene) -> Decision:
    """A person takes what was scanned."""
    facts, visit = scene.facts, scene.present
    if len(facts.bindings) > 1 and not visit.emergency:
        name = f"product {scene.label.product} serial {scene.label.serial}"
        return refuse(scene, Word.TWO_TAGS, name=name, count=len(facts.bindings))
    if scene.label.product is None and not visit.emergency:
        return refuse(scene, Word.NO_SERIAL)
    if facts.unit and len(facts.bindings) <= 1:
        return _take_unit(scene)
    if facts.item is None or len(facts.bindings) > 1:
        return keep_raw(scene)
    if facts.stock and all(one.unit for one in facts.stock) and not visit.emergency:
        return refuse(scene, Word.NO_SERIAL)
    return _take_loose(scene)


def keep_raw(scene: Scene) -> Decision:
    """A label that nobody knows yet is kept as it came."""
    flags = (Flag.EMERGENCY,) if scene.present.emergency else ()
    visit = replace(scene.present, number=0, pack=False)
    return Decision(visit, Beep.LOOK, Word.KEPT_RAW, {"flags": flags}, (raw(scene, flags),))


def _take_unit(scene: Scene) -> Decision:
    facts, visit = scene.facts, scene.present
    if (visit.number or visit.pack) and not visit.emergency:
        return refuse(scene, Word.ONE_PIECE)
    custody = facts.custody
    if custody is not None and custody.state in _SPENT:
        if custody.state == Custody.ISSUED.value and visit.patient:
            return _use_at_last(scene)
        if not visit.emergency or any(line.unit == facts.unit for line in visit.in_hand):
            return refuse(
                scene,
                Word.ALREADY_TAKEN,
                unit=facts.unit,
                by=staff(custody.actor),
                at=clock_face(custody.at),
                item=_code(scene),
            )
    shelf = facts.shelf or _shelf_by_label(scene)
    held = shelf.held or (Custody.HELD.value if custody is not None and custody.state == Custody.HELD.value else "")
    flags, refusal = _rules(scene, replace(shelf, held=held))
    if refusal is not None:
        return refusal
    before: tuple[Draft, ...] = ()
    line = PostingLine(
        item=shelf.item,
        qty=1,
        source=scene.room.ward,
        target=scene.at("issued"),
        lot=shelf.lot,
        owner=shelf.owner,
        unit=UnitId(facts.unit),
        source_position=shelf.position,
    )
    if custody is None or custody.place != scene.room.ward or custody.state not in ON_SHELF:
        flags.append(Flag.IMPLIED)
        way = custody is not None and custody.state == Custody.TRANSIT.value
        source = custody.place if custody is not None and way else scene.at("transit")
        arrived = replace_ends(line, source=source, target=scene.room.ward)
        before = (entry(scene, "transfer_in", (arrived,), (Flag.IMPLIED,)),)
    if any(_differ(said, known) for said, known in ((scene.label.lot, shelf.lot), (scene.label.expiry, shelf.expiry))):
        flags.append(Flag.CONTRADICTED)
    return _write(scene, [line], flags, before, shelf)


def _shelf_by_label(scene: Scene) -> Stock:
    """Return where a piece that the book does not have here would lie, from its binding or its own label."""
    facts = scene.facts
    bound = facts.bindings[0] if facts.bindings else None
    item = bound.item if bound is not None else facts.item.code if facts.item is not None else ""
    lot = bound.lot if bound is not None else facts.lot or ""
    return Stock(item, lot, 1, expiry=facts.expiry)


def _code(scene: Scene) -> str:
    """Return the item's code as far as it is known."""
    return _shelf_by_label(scene).item


def clock_face(at: Instant) -> str:
    """Return an instant as a person reads it: the hospital's day and minute."""
    return to_iso(at)[:16].replace("T", " ")


def _differ(said: object, known: object) -> bool:
    return said is not None and known not in (None, "") and said != known


def _use_at_last(scene: Scene) -> Decision:
    """A piece that was issued before is used now."""
    facts, visit = scene.facts, scene.present
    held = next((one for one in facts.hand if one.unit == facts.unit), None)
    shelf = held or _shelf_by_label(scene)
    line = PostingLine(
        item=shelf.item,
        qty=1,
        source=scene.at("issued"),
        target=scene.at("patient"),
        lot=shelf.lot,
        owner=shelf.owner,
        unit=UnitId(facts.unit),
    )
    draft = entry(scene, "use", used(line, scene.room.ward), patient=visit.patient)
    return did(visit, (draft,), (), Word.USED, qty=1)


def _take_loose(scene: Scene) -> Decision:
    facts, visit = scene.facts, scene.present
    assert facts.item is not None
    if visit.pack and facts.item.pack <= 1:
        return refuse(scene, Word.NO_PACK, item=facts.item.code)
    parts = allocate(facts.stock, facts.item.code, facts.lot, quantity(scene), scene.today)
    first = parts[0].stock
    said = replace(first, expiry=first.expiry or facts.expiry)
    flags, refusal = _rules(scene, said)
    if refusal is not None:
        return refusal
    if not all(part.known for part in parts):
        flags.append(Flag.UNKNOWN_LOT)
    return _write(scene, lines_of_parts(_joined(parts), scene.room.ward, scene.at("issued")), flags, (), said)


def _joined(parts: list[Part]) -> list[Part]:
    """Return parts of one shelf as one, known or not."""
    joined: dict[tuple[str, str, str], Part] = {}
    for part in parts:
        key = (part.stock.lot, part.stock.position, part.stock.owner)
        old = joined.get(key)
        joined[key] = part if old is None else Part(old.stock, old.qty + part.qty, old.known and part.known)
    return list(joined.values())


def quantity(scene: Scene) -> int:
    """Return the base units one scan means: number cards, whole pack, and the pack that the label's GTIN is of."""
    visit, item = scene.present, scene.facts.item
    times = visit.number or 1
    if visit.pack and item is not None:
        return times * item.pack
    return times * scene.facts.factor


def _rules(scene: Scene, shelf: Stock) -> tuple[list[Flag], Decision | None]:
    """Return what is unusual about taking from this shelf, or the refusal where a rule says no."""
    visit, room = scene.present, scene.room
    flags = [Flag.EMERGENCY] if visit.emergency else []
    expired = is_expired(shelf.expiry, scene.today)
    held = shelf.held or ("hold_recall" if scene.facts.recalled else "")
    for broken, flag in ((expired, Flag.EXPIRED), (bool(held), Flag.HELD)):
        if broken and not visit.emergency and not room.shadow:
            about = {"item": shelf.item, "lot": shelf.lot, "expiry": shelf.expiry, "why": held}
            return flags, refuse(scene, Word[flag.name], **about)
        if broken:
            flags += [flag] if visit.emergency else [flag, Flag.SHADOW]
    first = goes_first(scene.facts.stock, scene.today)
    if not expired and not is_first(shelf.expiry, first):
        flags.append(Flag.NOT_FIRST)
    gated = Gated.EMERGENCY if visit.emergency else Gated.TAKE
    if room.standing.answer(gated) is Answer.TELL:
        flags.append(Flag.SUSPENDED)
    return flags, None


def _write(
    scene: Scene, lines: list[PostingLine], flags: list[Flag], before: tuple[Draft, ...], shelf: Stock
) -> Decision:
    facts, visit = scene.facts, scene.present
    first = goes_first(facts.stock, scene.today)
    proposed = first.lot if first is not None and Flag.NOT_FIRST in flags else ""
    item, ward = facts.item, scene.room.ward
    drafts: tuple[Draft, ...]
    if item is not None and item.content is not None:
        content = item.content
        opened = [one for line in lines for one in opened_pack(line, content, ward)]
        drafts = (entry(scene, "pack_open", opened, flags, proposed=proposed, patient=visit.patient),)
    elif item is not None and item.consume_on is ConsumeOn.PACK:
        opened = [one for line in lines for one in used(line, ward)]
        drafts = (entry(scene, "pack_open", opened, flags, proposed=proposed, patient=visit.patient),)
    else:
        drafts = (entry(scene, "issue", lines, flags, proposed=proposed),)
        drafts += uses(scene, lines, visit.patient) if visit.patient else ()
    qty = sum(line.qty for line in lines)
    about = {"actor": staff(visit.actor), "qty": qty, "item": shelf.item, "lot": shelf.lot, "proposed": proposed}
    return did(visit, (*before, *drafts), flags, Word.TAKES, **about)


def replace_ends(line: PostingLine, *, source: str, target: str) -> PostingLine:
    """Return a line between two other places, on the same shelf where it arrives."""
    return PostingLine(
        item=line.item,
        qty=line.qty,
        source=source,
        target=target,
        lot=line.lot,
        owner=line.owner,
        unit=line.unit,
        target_position=line.source_position,
    )
