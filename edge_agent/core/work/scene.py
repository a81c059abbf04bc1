"""The values of work: who is here and what was done, what the book says of one scan, and what a scan comes to. Pure.

A `Scene` is all that a deed may look at. The rule that must not be broken: a visit remembers what it wrote by the
entries' event ids, so that what is undone or used later names the very entry.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from edge_agent.core.counts import Line as CountedLine
from edge_agent.core.permits import NO_POLICY, Standing
from edge_agent.core.recognise import Draft, Meaning
from edge_agent.core.stock import Item, Stock
from edge_agent.core.work.states import Doing
from edge_agent.core.work.words import Word, sentence
from protocols.codes.label import Label
from protocols.movements.posting import Flag, PostingLine
from protocols.movements.table import Custody
from protocols.movements.tags import Binding
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId, EventId, PlaceId, UnitId, virtual_place
from protocols.values.instant import Instant, business_day, plus

BEGINNING = Instant(0)
DONE_MAX = 500
"""Acts of one visit that can still be undone; older ones are the keeper's."""
TICKS_A_DOUBLE_S = 1.0
"""Story seconds within which the same text from the same scanner is one scan: a trigger held too long."""


class Done(msgspec.Struct, frozen=True):
    """One entry of this visit that posted lines; entries of one scan share `act`."""

    act: int
    event_id: str
    kind: str
    lines: tuple[PostingLine, ...]


class Visit(msgspec.Struct, frozen=True):
    """A person at the storeroom, from the badge to the last act; nobody's name in an emergency without a badge."""

    actor: ActorId
    last_act: Instant
    began: Instant = BEGINNING
    doing: Doing = Doing.TAKING
    emergency: bool = False
    number: int = 0
    pack: bool = False
    reason: str = ""
    patient: str = ""
    roles: tuple[str, ...] | None = None
    to: str = ""
    document: str = ""
    expected: tuple[tuple[tuple[str, str], int], ...] = ()
    shelf: str = ""
    sheet: str = ""
    done: tuple[Done, ...] = ()
    text: str = ""

    def ends_at(self, idle_s: float) -> Instant:
        """Return when the visit is over if nothing more is scanned."""
        return plus(self.last_act, idle_s)

    @property
    def in_hand(self) -> tuple[PostingLine, ...]:
        """Return the lines this visit issued and has neither used nor undone."""
        lines = [line for done in self.done if done.kind == "issue" for line in done.lines]
        gone = {(line.item, line.lot, line.unit) for done in self.done if done.kind == "use" for line in done.lines}
        return tuple(line for line in lines if (line.item, line.lot, line.unit) not in gone)


class CustodyOf(msgspec.Struct, frozen=True):
    """Where one unit stands: its state, the place, and who brought it there when."""

    unit: UnitId
    state: str
    place: PlaceId
    at: Instant
    actor: ActorId


class Unclaimed(msgspec.Struct, frozen=True):
    """One unit that the book has here and the readers say has left, since when."""

    stock: Stock
    since: Instant


class Document(msgspec.Struct, frozen=True):
    """A delivery note, a procedure set or a list of what to pick, as the hospital's data have it.

    `lines` go into this storeroom; of a list of what to pick, to the storeroom `to`.

    `brought` is the event that took it in, empty before; `rest` are a set's lines that are neither used nor returned.
    `order` is the order it was sent for, empty where none is known.
    """

    number: str
    sort: str
    lines: tuple[PostingLine, ...]
    bindings: tuple[Binding, ...] = ()
    approved: bool = False
    brought: str = ""
    rest: tuple[PostingLine, ...] = ()
    order: str = ""
    to: str = ""

    @property
    def refs(self) -> tuple[str, ...]:
        """Return what an entry made by it names: the order first, for that is what central looks for."""
        return (self.order, self.number) if self.order else (self.number,)


class Sheet(msgspec.Struct, frozen=True):
    """A count that is open: its lines so far, those that stock moved on since, whether this very piece is on it."""

    number: str
    lines: int = 0
    recount: int = 0
    counted: bool = False


class Closed(msgspec.Struct, frozen=True):
    """A closed count that nobody adjusted yet: its closing event, its lines, and the stock of those that differ."""

    number: str
    event: str
    lines: tuple[CountedLine, ...]
    stock: tuple[Stock, ...]


class Week(msgspec.Struct, frozen=True):
    """What the weekly reconcile holds side by side since the last one was signed, in base units and documents.

    Deliveries by note against those that wait; taken against used, given back and still in hands; open discrepancies.
    """

    notes: int = 0
    waiting: int = 0
    taken: int = 0
    used: int = 0
    back: int = 0
    hand: int = 0
    open: int = 0

    @property
    def even(self) -> bool:
        """Tell whether nothing is left open."""
        return not (self.waiting or self.hand or self.open)


class Mode(StrEnum):
    """How far a storeroom is in service: it counts its first stock, only watches, or is live."""

    LIVE = "live"
    SHADOW = "shadow"
    FIRST_COUNT = "first-count"


class Facts(msgspec.Struct, frozen=True):
    """What the book and the hospital's data say about one scan; `home` is the shelf that a piece was taken from."""

    unit: str = ""
    bindings: tuple[Binding, ...] = ()
    custody: CustodyOf | None = None
    item: Item | None = None
    factor: int = 1
    expiry: date | None = None
    lot: str | None = None
    recalled: bool = False
    stock: tuple[Stock, ...] = ()
    hand: tuple[Stock, ...] = ()
    unclaimed: tuple[Unclaimed, ...] = ()
    document: Document | None = None
    sheet: Sheet | None = None
    closed: Closed | None = None
    week: Week | None = None
    head: str = ""
    place: str = ""
    home: str = ""
    roles: tuple[str, ...] | None = None

    @property
    def shelf(self) -> Stock | None:
        """Return where the unit lies in this storeroom."""
        return next((one for one in self.stock if one.unit and one.unit == self.unit), None)


class CutShort(msgspec.Struct, frozen=True):
    """An act that was recorded shortly before the power went: its beep may never have been heard."""

    kind: str
    actor: ActorId
    item: str
    lot: str
    qty: int
    at: Instant


class Room(msgspec.Struct, frozen=True):
    """What holds in the storeroom now: whether it only watches, its permit, and the key that hides patients.

    `cut_short` are the acts that nobody may have heard the beep of; who repeats one is asked once. `master` is the
    version of the hospital's data that is known here, -1 where there is none.
    """

    ward: PlaceId
    standing: Standing = NO_POLICY
    master: int = -1
    mode: Mode = Mode.LIVE
    patient_key: bytes = b""
    blind_counts: bool = False
    cut_short: tuple[CutShort, ...] = ()

    @property
    def shadow(self) -> bool:
        """Tell whether no rule refuses here yet."""
        return self.mode is not Mode.LIVE


class Scene(msgspec.Struct, frozen=True):
    """One scan, before anything has come of it. `visit` is renewed already; its `last_act` is now."""

    meaning: Meaning
    text: str
    visit: Visit | None
    facts: Facts
    room: Room
    now: Instant

    @property
    def today(self) -> date:
        """Return the business day."""
        return business_day(self.now)

    @property
    def label(self) -> Label:
        """Return the product's label that was scanned."""
        assert isinstance(self.meaning, Label)
        return self.meaning

    @property
    def present(self) -> Visit:
        """Return the visit of a deed that only somebody can do."""
        assert self.visit is not None
        return self.visit

    def at(self, role: str) -> PlaceId:
        """Return a virtual place beside this storeroom."""
        return virtual_place(role, self.room.ward)

    @property
    def here(self) -> bool:
        """Tell whether the book has the unit in stock on these shelves."""
        custody = self.facts.custody
        return custody is not None and custody.state == Custody.IN_STOCK.value and custody.place == self.room.ward


class Decision(msgspec.Struct, frozen=True):
    """What follows from one scan: the visit afterwards, entries to write, the beep owed, a sentence for a person."""

    visit: Visit | None
    beep: Beep
    word: Word
    about: Mapping[str, object] = {}
    drafts: tuple[Draft, ...] = ()

    @property
    def message(self) -> str:
        """Return the sentence in English, for the log, with the cause that only a technician reads."""
        cause = self.about.get("why", "") if self.word is Word.UNREADABLE else self.about.get("unit", "")
        said = sentence(self.word, self.about)
        return f"{said} ({cause})" if cause and self.beep is Beep.NO else said


def refuse(scene: Scene, word: Word, **about: object) -> Decision:
    """Return that nothing was done and why; what was being done goes on, a number card waits no longer."""
    visit = scene.visit
    return Decision(None if visit is None else replace(visit, number=0, pack=False), Beep.NO, word, about)


def did(visit: Visit | None, drafts: Sequence[Draft], flags: Sequence[Flag], word: Word, **about: object) -> Decision:
    """Return that something was done; it is a look where anything was unusual that a person should see."""
    loud = [flag for flag in flags if flag not in QUIET]
    after = None if visit is None else replace(visit, number=0, pack=False, reason="")
    return Decision(after, Beep.LOOK if loud else Beep.OK, word, {**about, "flags": tuple(flags)}, tuple(drafts))


QUIET = frozenset({Flag.EMERGENCY, Flag.CLAIMED, Flag.NOT_FIRST})
"""Flags of acts that are right as they are: the record says it, nobody need look."""


def wrote(visit: Visit, written: Sequence[tuple[str, EventId, tuple[PostingLine, ...]]]) -> Visit:
    """Return a visit that remembers the entries of its last act: kind, event id and lines of each."""
    act = visit.done[-1].act + 1 if visit.done else 0
    posted = [(kind, event, lines) for kind, event, lines in written if lines and kind != "reversal"]
    new = tuple(Done(act, event.hex(), kind, lines) for kind, event, lines in posted)
    return replace(visit, done=(*visit.done, *new)[-DONE_MAX:])
