"""Presence by the six-state filter, live: what readers say becomes bins of a minute, and what the filter believes anew
is said.

Bins are cut by the instants of the readers' own streams alone. A bin is over when every reader that is heard has passed
its end, or one is a whole bin ahead; what comes later of it is dropped. Contacts of a reader's inputs (door, PIR) and
facts of the book are visits. The rule that must not be broken: rounds that no reader has proven are not in a bin.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan

from edge_agent.core.presence import Belief, ForeignTags
from edge_agent.core.presence.course import Course, Model, Raised
from edge_agent.core.presence.floats import FloatTags
from edge_agent.core.presence.foreign import Foreign
from edge_agent.core.presence.gathering import Gathering
from edge_agent.core.presence.saying import HERE_FROM, Saying
from edge_agent.core.presence.shelves import Shelves
from edge_agent.core.presence.strangers import Elsewhere, Sighting, Strangers
from edge_agent.core.presence.ward import TAGS_MAX, Bin, Fact, Kind, Place, TagOf, Ward
from protocols.movements.tags import SIGHTED
from protocols.readers.reads import AntennaChanged, InputChanged, LinkDown, LinkUp, ReaderEvent, RoundEnded, TagRead
from protocols.values.ids import Epc
from protocols.values.instant import MICROS, Instant

MODEL = "filter-2"
BIN_S = 60.0
BIN_US = round(BIN_S * MICROS)
GAP_BINS_MAX = 60
"""Bins without a sign of any reader that are filtered; a longer outage ages beliefs as an hour does."""
EPC_96_DIGITS, SERIAL_DIGITS = 24, 10
"""Hex digits of an EPC of 96 bits, and of the 38 bits of an SGTIN-96's serial (GS1 TDS 2.0 section 14.6)."""


@dataclass(slots=True)
class _Ear:
    """One antenna in the bin that is open: rounds, and reads and levels by tag."""

    rounds: int = 0
    lost: bool = False
    reads: dict[int, tuple[int, float]] = field(default_factory=dict)


@dataclass(slots=True)
class _Reader:
    ears: dict[int, _Ear]
    passed: Instant | None = None
    heard: dict[int, dict[int, int | None]] = field(default_factory=dict)
    """Since its last round: the level of each tag at each antenna."""
    strangers: dict[Epc, int | None] = field(default_factory=dict)
    """Since its last round: the level at which shelf antennas heard each stranger."""


@dataclass(slots=True)
class _Open:
    """The bin that is open."""

    number: int
    counts: dict[int, int] = field(default_factory=dict)
    beside: dict[int, int] = field(default_factory=dict)
    door: dict[int, float] = field(default_factory=dict)
    visits: int = 0


class Filter:
    """The presence of one storeroom's tags. `antennas` are all of each reader; of these (reader, antenna) pairs `door`
    watches the door and `beside` looks into the neighbouring room."""

    def __init__(
        self,
        antennas: Mapping[str, Sequence[int]],
        *,
        round_s: float,
        door: Sequence[tuple[str, int]] = (),
        beside: Sequence[tuple[str, int]] = (),
        model: Model | None = None,
        fixed: frozenset[Epc] = frozenset(),
    ) -> None:
        told = model or Model()
        self._readers = {name: _Reader({number: _Ear() for number in those}) for name, those in antennas.items()}
        self._door, self._beside = frozenset(door), frozenset(beside)
        pairs = [(name, number) for name, those in antennas.items() for number in those]
        self._tags: list[TagOf] = []
        ward = Ward(
            self._tags,
            room=tuple(_name(*pair) for pair in pairs if pair not in self._door | self._beside),
            next=tuple(_name(*pair) for pair in pairs if pair in self._beside),
            door=tuple(_name(*pair) for pair in pairs if pair in self._door),
            bin_s=BIN_S,
            round_s=min(BIN_S, round_s),
        )
        self.tags = FloatTags(ward, told)
        self.course = Course(ward, self.tags, told)
        self._numbers: dict[Epc, int] = {}
        self._booked: list[Instant] = []
        """When the book last spoke of each tag, as it was at the start."""
        self.shelves, self._gathering = Shelves(ward), Gathering(ward.room)
        self.saying = Saying(self.course, self.shelves)
        self._facts: list[Fact] = []
        self._open: _Open | None = None
        self._sensor = False
        self._foreign, self._fixed = Foreign(fixed), fixed
        self._strangers = Strangers(told.radio)
        self._elsewhere = Elsewhere()
        self.door_spoke = False
        """A bin was closed in which the door heard a piece of the book: what no later silence could tell again."""

    def book(self, epc: Epc, here: bool, at: Instant, shelf: str = "") -> None:
        """Take what the book says of a tag. Beyond `TAGS_MAX` a new tag stays unknown."""
        place = Place.HERE if here else Place.OUT
        number = self._numbers.get(epc)
        if number is None:
            if len(self._tags) < TAGS_MAX:
                self._add(epc, place, at, shelf)
            return
        self._lie(number, shelf)
        now = self._open.number if self._open is not None else 0
        self._elsewhere.forget(number)
        self._facts.append(Fact(now, min(now, at // BIN_US), number, Kind.ACT, place))
        if self._open is not None:
            self._open.visits += 1

    def seen(self, epc: Epc, here: bool, at: Instant) -> None:
        """Take what a person saw with their own eyes: the piece, or its empty place."""
        number = self._numbers.get(epc)
        if number is not None:
            now = self._open.number if self._open is not None else 0
            place = Place.HERE if here else Place.OUT
            self._elsewhere.forget(number)
            self._facts.append(Fact(now, min(now, at // BIN_US), number, Kind.COUNT, place))

    def believed(self, epc: Epc, p: float, since: Instant) -> None:
        """Take the belief that the last run left in the ledger; one that it is gone against the book goes on."""
        number = self._numbers.get(epc)
        if number is not None:
            self.saying.believed(number, p)
            if p < HERE_FROM and self._tags[number].book is Place.HERE and since > self._booked[number]:
                self.tags.lost(number, p)
        elif p >= HERE_FROM:
            self._strangers.believed(epc)

    def sighted(self, epc: Epc, p: float) -> None:
        """Take that another storeroom's readers hear a tag; it counts from the bin that is open."""
        number = self._numbers.get(epc)
        if number is not None and 0.0 < p < 1.0:
            self._elsewhere.told(number, p)

    def receive(self, event: ReaderEvent, reader: str) -> list[Belief | ForeignTags]:
        """Take what a reader says; return what is believed anew. A reader that was not named is ignored."""
        said_by = self._readers.get(reader)
        if said_by is None:
            return []
        match event:
            case TagRead():
                self._read(said_by, reader, event)
            case RoundEnded():
                return self._round(said_by, reader, event)
            case LinkDown() | LinkUp():
                said_by.passed, said_by.heard, said_by.strangers = None, {}, {}
            case AntennaChanged():
                if event.antenna in said_by.ears:
                    said_by.ears[event.antenna].lost = not event.connected
            case InputChanged():
                self._sensor = True
                if self._open is not None:
                    self._open.visits += 1
            case _:
                pass
        return []

    def _lie(self, number: int, shelf: str) -> None:
        """Take the shelf where the book has a tag; a piece that is on none keeps its last one."""
        tag = self._tags[number]
        if shelf and shelf != tag.shelf:
            self._tags[number] = replace(tag, shelf=shelf)
            self.course.rehome(tag.shelf, shelf)
            self.shelves.rehome(number, shelf)

    def _add(self, epc: Epc, place: Place, at: Instant, shelf: str) -> None:
        self._numbers[epc] = len(self._tags)
        self._booked.append(at)
        tag = TagOf(epc, _item_of(epc), "", shelf, place)
        self._tags.append(tag)
        self.tags.add(tag)
        self.course.add(tag)
        self.shelves.add(tag)
        self.saying.add()
        self._strangers.known(epc)

    # --- reads and rounds ---

    def _read(self, reader: _Reader, name: str, read: TagRead) -> None:
        if read.antenna not in reader.ears:
            return
        number = self._numbers.get(read.epc)
        if number is None:
            self._foreign.read(read.epc, read.count)
            if read.epc not in self._fixed and (name, read.antenna) not in self._door | self._beside:
                reader.strangers[read.epc] = _louder(reader.strangers.get(read.epc), read.rssi_dbm)
            return
        levels = reader.heard.setdefault(number, {})
        levels[read.antenna] = _louder(levels.get(read.antenna), read.rssi_dbm)

    def _round(self, reader: _Reader, name: str, ended: RoundEnded) -> list[Belief | ForeignTags]:
        number = ended.at // BIN_US
        said: list[Belief | ForeignTags] = []
        if self._open is None:
            self._open = _Open(number)
        reader.passed = ended.at
        while number > self._open.number and self._is_over():
            said += self._close(number)
        if number >= self._open.number:
            self._count(reader, name, ended)
        reader.heard, reader.strangers = {}, {}
        told = self._foreign.hour(ended.at)
        return said if told is None else [*said, told]

    def _is_over(self) -> bool:
        """Return whether the open bin is over for every reader that is heard, or one is a whole bin ahead."""
        assert self._open is not None
        passed = [reader.passed // BIN_US for reader in self._readers.values() if reader.passed is not None]
        return min(passed) > self._open.number or max(passed) > self._open.number + 1

    def _count(self, reader: _Reader, name: str, ended: RoundEnded) -> None:
        assert self._open is not None
        for antenna in ended.antennas:
            ear = reader.ears.get(antenna)
            if ear is not None and not ear.lost:
                ear.rounds += 1
        second = ended.at % BIN_US / MICROS
        for tag, levels in reader.heard.items():
            pairs = {(name, antenna) for antenna in levels}
            if pairs & self._door:
                self._open.door[tag] = second
            if pairs & self._beside:
                self._open.beside[tag] = self._open.beside.get(tag, 0) + 1
            if pairs - self._door - self._beside:
                self._open.counts[tag] = self._open.counts.get(tag, 0) + 1
            for antenna, level in levels.items():
                reads, total = reader.ears[antenna].reads.get(tag, (0, 0.0))
                reader.ears[antenna].reads[tag] = (reads + 1, total + (nan if level is None else level))
        for epc, level in reader.strangers.items():
            self._strangers.hear(epc, level, self._open.number)

    # --- bins ---

    def _close(self, until: int) -> list[Belief | ForeignTags]:
        """Close the open bin and open the next; a long silence of all readers is cut short."""
        assert self._open is not None
        closed = self._bin()
        for tag, odds in self._elsewhere.due(closed.number, lambda each: self.tags.minds[each].n):
            self.course.sighted(tag, odds)
        turned = self._strangers.close(closed.number, max(closed.rounds[name] for name in self.course.ward.room))
        facts = [Fact(closed.number, min(fact.at, closed.number), fact.tag, fact.kind, fact.to) for fact in self._facts]
        raised = self.course.take(closed, facts)
        chances = self.course.p()
        gathered = self._gathering.take(closed, self.course.listened)
        self.shelves.take(gathered, facts, chances, self.course.listened)
        self._facts = []
        self.door_spoke |= any(self.tags.watches[tag].book_here for tag, _ in closed.door)
        following = closed.number + 1
        if until - following > GAP_BINS_MAX:
            following = until - GAP_BINS_MAX
        self._open = _Open(following)
        for reader in self._readers.values():
            for ear in reader.ears.values():
                ear.rounds, ear.reads = 0, {}
        return [*self._new_beliefs(closed.number, raised, chances), *map(_sighting, turned)]

    def _bin(self) -> Bin:
        assert self._open is not None
        pairs = [(name, antenna) for name, reader in self._readers.items() for antenna in reader.ears]
        ears = {pair: self._readers[pair[0]].ears[pair[1]] for pair in pairs}
        rounds = {_name(*pair): ear.rounds for pair, ear in ears.items()}
        most = max(rounds.values(), default=0)
        shelf = {pair: ear for pair, ear in ears.items() if pair not in self._door | self._beside}
        room, beside = _best(shelf.values()), _best(ears[pair] for pair in pairs if pair in self._beside)
        apart = [
            (tag, _name(*pair), reads, total / reads)
            for pair, ear in shelf.items()
            for tag, (reads, total) in ear.reads.items()
        ]
        return Bin(
            self._open.number,
            rounds,
            self._open.visits if self._sensor or self._open.visits else None,
            room=tuple((tag, min(reads, most), room[tag], nan) for tag, reads in sorted(self._open.counts.items())),
            door=tuple(sorted(self._open.door.items())),
            next=tuple((tag, min(reads, most), beside[tag]) for tag, reads in sorted(self._open.beside.items())),
            ant=tuple(apart) or None,
        )

    # --- beliefs ---

    def _new_beliefs(
        self, number: int, raised: Sequence[Raised], chances: Sequence[float]
    ) -> list[Belief | ForeignTags]:
        return [
            Belief(
                Epc(self._tags[said.tag].epc),
                _share(said.p),
                Instant(said.since * BIN_US),
                MODEL,
                _share(said.dead),
                None if said.door is None else Instant(said.door * BIN_US),
                said.shelf,
            )
            for said in self.saying.after(number, raised, chances)
        ]


def _sighting(turned: Sighting) -> Belief:
    """Return what this storeroom says of a piece of another."""
    return Belief(turned.epc, _share(turned.p), Instant(turned.since * BIN_US), SIGHTED)


def _share(p: float) -> float:
    return round(min(1.0, max(0.0, p)), 4)


def _best(ears: Iterable[_Ear]) -> dict[int, float]:
    """Return each tag's mean level at the antenna that heard it best."""
    best: dict[int, float] = {}
    for ear in ears:
        for tag, (reads, total) in ear.reads.items():
            best[tag] = max(best.get(tag, total / reads), total / reads)
    return best


def _name(reader: str, antenna: int) -> str:
    return f"{reader}:{antenna}"


def _louder(one: int | None, other: int | None) -> int | None:
    return max((level for level in (one, other) if level is not None), default=None)


def _item_of(epc: Epc) -> str:
    """Return what pieces of one product share: all of an EPC of 96 bits but its serial number."""
    return epc[:-SERIAL_DIGITS] if len(epc) == EPC_96_DIGITS else ""
