"""Counting what lies on the shelves, scan by scan; nothing is frozen meanwhile. Pure.

The card COUNT opens a sheet or goes on with the open one, DONE leaves it open for later or for somebody else, COUNT
again closes it. Each scan is an entry of its own with the cut it was made at, so that a power cut costs nothing and
several people may count at once. In the first count a piece that the book does not have is opened in the same act. The
rule that must not be broken: a count is what was seen, never what the book says.
"""

from msgspec.structs import replace

from edge_agent.core.counts import Line
from edge_agent.core.recognise import Draft
from edge_agent.core.stock import Part, Stock, allocate
from edge_agent.core.work.bodies import entries, entry, lines_of_parts, not_yours, who_may
from edge_agent.core.work.scene import Closed, Decision, Mode, Scene, did, refuse
from edge_agent.core.work.states import Doing
from edge_agent.core.work.take import keep_raw, quantity
from edge_agent.core.work.visits import now_doing
from edge_agent.core.work.words import Word
from protocols.codes.label import Ticket
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.movements.posting import PostingLine
from protocols.movements.reports import DiscrepancyBody
from protocols.readers.scanner import Beep
from protocols.values.ids import BULK, UnitId

KIND = "count_monthly"
UNCOUNTED_TOLD_MAX = 100
"""Lines that nobody counted and that are told one by one."""


def begin_count(scene: Scene) -> Decision:
    """The card COUNT: the open sheet goes on, or a new one is opened."""
    sheet, counting = scene.facts.sheet, now_doing(scene, Doing.COUNTING)
    visit = replace(scene.present, shelf="", document="", expected=(), number=0, pack=False)
    if sheet is not None:
        about = {"sheet": sheet.number}
        return Decision(replace(visit, sheet=sheet.number), Beep.OK, Word.COUNTING, about, (counting,))
    number = f"{scene.room.ward}.{scene.today:%Y%m%d}.{scene.facts.head[-6:] or '0'}"
    blind = scene.room.blind_counts and scene.room.mode is not Mode.FIRST_COUNT
    body = CountBody(number, "open", scene.room.ward, cut=scene.facts.head, blind=blind)
    draft = Draft(KIND, write_body(body), visit.actor)
    return Decision(replace(visit, sheet=number), Beep.OK, Word.COUNTING, {"sheet": number}, (draft, counting))


def shelf(scene: Scene) -> Decision:
    """A shelf's card: what is scanned from now on lies there."""
    assert isinstance(scene.meaning, Ticket)
    code = scene.meaning.code
    return Decision(replace(scene.present, shelf=code), Beep.OK, Word.SHELF, {"shelf": code})


def count(scene: Scene) -> Decision:
    """One piece, or so many loose pieces, lie here."""
    facts, visit = scene.facts, scene.present
    if len(facts.bindings) > 1:
        name = f"product {scene.label.product} serial {scene.label.serial}"
        return refuse(scene, Word.TWO_TAGS, name=name, count=len(facts.bindings))
    if facts.item is None and not facts.bindings:
        return keep_raw(scene)
    if facts.unit and facts.sheet is not None and facts.sheet.counted:
        return Decision(visit, Beep.LOOK, Word.COUNTED_BEFORE)
    line = _line(scene)
    body = CountBody(visit.sheet, "line", scene.room.ward, cut=facts.head, lines=(line,))
    drafts: tuple[Draft, ...] = (Draft(KIND, write_body(body), visit.actor),)
    if scene.room.mode is Mode.FIRST_COUNT and not scene.here and line.qty:
        drafts = (_opening(scene, line), *drafts)
    return did(visit, drafts, (), Word.COUNTED, qty=line.qty, item=line.item, lot=line.lot)


def _line(scene: Scene) -> CountLine:
    facts, visit = scene.facts, scene.present
    bound = facts.bindings[0] if facts.bindings else None
    lies = facts.shelf
    expiry = facts.expiry.isoformat() if facts.expiry is not None else ""
    return CountLine(
        item=bound.item if bound is not None else facts.item.code if facts.item is not None else "",
        qty=1 if facts.unit else quantity(scene),
        lot=bound.lot if bound is not None else facts.lot or "",
        owner=lies.owner if lies is not None else "hospital",
        unit=facts.unit,
        position=visit.shelf or (lies.position if lies is not None else ""),
        expiry=expiry,
    )


def _opening(scene: Scene, line: CountLine) -> Draft:
    posted = PostingLine(
        item=line.item,
        qty=line.qty,
        source=scene.at("opening"),
        target=scene.room.ward,
        lot=line.lot,
        owner=line.owner,
        unit=UnitId(line.unit) if line.unit else BULK,
        target_position=line.position,
    )
    return entry(scene, "opening", (posted,), refs=(scene.present.sheet,))


def end_count(scene: Scene) -> Decision:
    """The card COUNT again: the sheet is closed at this cut."""
    visit, sheet = scene.present, scene.facts.sheet
    body = CountBody(visit.sheet, "close", scene.room.ward, cut=scene.facts.head)
    lines, recount = (sheet.lines, sheet.recount) if sheet is not None else (0, 0)
    about = {"sheet": visit.sheet, "lines": lines, "recount": recount}
    beep = Beep.LOOK if recount else Beep.OK
    draft = Draft(KIND, write_body(body), visit.actor)
    after = replace(visit, sheet="", number=0, pack=False)
    return Decision(after, beep, Word.COUNT_ENDS, about, (draft,))


def adjust(scene: Scene) -> Decision:
    """The card ADJUST: the book is moved to what the last closed count saw, line by line, citing it.

    Lines on which stock moved since are left to be recounted; lines that nobody counted are told, and left alone.
    """
    visit, closed = scene.present, scene.facts.closed
    if not who_may(visit.roles, "adjust"):
        return not_yours(scene, "adjust")
    if closed is None:
        return refuse(scene, Word.NOTHING_TO_ADJUST)
    differing = [line for line in closed.lines if line.differs]
    lines = [posted for line in differing for posted in _moves(scene, line, closed)]
    unseen = [line for line in closed.lines if not line.seen]
    drafts = [*entries(scene, "adjust", lines, refs=(closed.event,)), *_not_counted(scene, unseen, closed)]
    if not drafts:
        return refuse(scene, Word.NOTHING_TO_ADJUST)
    recount = sum(line.recount for line in closed.lines)
    about = {"sheet": closed.number, "lines": len(differing), "recount": recount, "uncounted": len(unseen)}
    beep = Beep.LOOK if recount or unseen else Beep.OK
    return Decision(visit, beep, Word.ADJUSTED, about, tuple(drafts))


def _moves(scene: Scene, line: Line, closed: Closed) -> list[PostingLine]:
    ward, unknown = scene.room.ward, scene.at("unknown")
    item, lot, unit = line.key
    there = [one for one in closed.stock if (one.item, one.lot, one.unit) == (item, lot, unit)]
    if line.counted > line.book:
        shelf = there[0] if there else Stock(item, lot, 0)
        found = Part(shelf, line.counted - line.book)
        return [_named(posted, unit) for posted in lines_of_parts([found], unknown, ward)]
    short = allocate(there, item, lot, line.book - line.counted, scene.today)
    return [_named(posted, unit) for posted in lines_of_parts(short, ward, unknown)]


def _named(line: PostingLine, unit: str) -> PostingLine:
    """Return a line with its unit, on the shelf of the end that is a storeroom."""
    found = line.source.startswith("unknown@")
    return replace(
        line,
        unit=unit,
        source_position="" if found else line.source_position,
        target_position=line.source_position if found else "",
    )


def _not_counted(scene: Scene, unseen: list[Line], closed: Closed) -> list[Draft]:
    said = f"count {closed.number}: nobody counted it"
    bodies = [
        DiscrepancyBody("not_counted", line.key.item, line.key.lot, line.key.unit, of=closed.event, said=said)
        for line in unseen[:UNCOUNTED_TOLD_MAX]
    ]
    return [Draft("discrepancy", write_body(body), scene.present.actor) for body in bodies]
