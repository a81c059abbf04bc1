"""The numbers of all tags one by one, in plain Python: the filter's live form. `columns` is its twin, in numpy.

The text of a step is the same (`step`, `judge`), and so are the numbers. The rule that must not be broken: a tag's
numbers follow from its own reads and facts, and from the room.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from math import floor, isfinite

from edge_agent.core.presence.antennas import Listening
from edge_agent.core.presence.calibration import calibrated, claimed
from edge_agent.core.presence.company import Nudge
from edge_agent.core.presence.course import LATE_BINS, Course, Model
from edge_agent.core.presence.hazards import Hazards, Radio
from edge_agent.core.presence.judge import HOLD_BINS, HOLD_NEXT_BINS, YOUNG_BINS, Watch, judge, rebook
from edge_agent.core.presence.numbers import Floats
from edge_agent.core.presence.opening import OPENING
from edge_agent.core.presence.step import Air, Habits, Heard, Heed, Mind, Told, believe, learn, move, nudge, weigh
from edge_agent.core.presence.tables import ROUNDS
from edge_agent.core.presence.ward import Bin, Fact, NextRow, Place, RoomRow, TagOf, Ward

OPS = Floats()
TOLD = tuple(each.name for each in fields(Told))


@dataclass(frozen=True, slots=True)
class _Past:
    number: int
    minds: list[Mind[float]]
    heard: list[Heard[float]]
    air: Air


class FloatTags:
    """All tags of a storeroom."""

    def __init__(self, ward: Ward, model: Model) -> None:
        self._ward, self._radio, self._table = ward, model.radio, model.table
        self.minds: list[Mind[float]] = []
        self.habits: list[Habits[float]] = []
        self.watches: list[Watch[float]] = []
        self.by_antenna: list[list[float]] = []
        for tag in ward.tags:
            self.add(tag)
        self._heard: list[Heard[float]] = []
        self._number = -1
        self._place = {name: place for place, name in enumerate(ward.room)}
        self._past: deque[_Past] = deque(maxlen=LATE_BINS + 1)

    def add(self, tag: TagOf) -> None:
        """Take one more tag; it cannot be filtered again before the bin it came in."""
        self.minds.append(Mind(*OPENING[tag.book], going=0.0, coming=0.0, nextward=0.0, door_bins=0.0))
        self.habits.append(_no_habits(tag.book, self._radio))
        here = 1.0 if tag.book is Place.HERE else 0.0
        hold = HOLD_NEXT_BINS if tag.book is Place.NEXT else HOLD_BINS
        self.watches.append(Watch(here, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, since_fact=-YOUNG_BINS, hold=hold))
        self.by_antenna.append([0.0] * len(self._ward.room))

    def lost(self, tag: int, p: float) -> None:
        """Begin anew with a tag of the book here that was already said to be missing: it is not told again."""
        mind = self.minds[tag]
        living = p / (mind.h + mind.b + mind.z)
        away = (1.0 - p) / (mind.n + mind.g + mind.d)
        mind.h, mind.b, mind.z = mind.h * living, mind.b * living, mind.z * living
        mind.n, mind.g, mind.d = mind.n * away, mind.g * away, mind.d * away
        self.watches[tag].armed_missing = 0.0

    def p(self, tag: int) -> float:
        """Return P(here) of one tag, as it may be said."""
        return claimed(self._calibrated(tag))

    def living(self, tag: int) -> float:
        """Return the probability that it is here with a tag that lives, as it may be said."""
        return claimed(self._living(tag))

    def _calibrated(self, tag: int) -> float:
        mind = self.minds[tag]
        return calibrated(mind.here(), mind.n + mind.g, self._book(tag), self._table, OPS)

    def _living(self, tag: int) -> float:
        mind = self.minds[tag]
        living, away = mind.h + mind.b + mind.z, mind.n + mind.g + mind.d
        return calibrated(living, away, self._book(tag), self._table, OPS)

    def _book(self, tag: int) -> tuple[float, float]:
        return self.habits[tag].book_here, self.habits[tag].book_next

    def dead(self, tag: int) -> float:
        """Return the probability that it is here with a dead tag."""
        return self.minds[tag].d

    def booked(self, tag: int) -> tuple[bool, float]:
        """Return whether the book has it here, and the bins since it last said so."""
        return self.watches[tag].book_here > 0.5, self.watches[tag].since_fact

    def clear(self, tag: int) -> float:
        """Return the probability that it is here and clear."""
        return self.minds[tag].h

    def hidden(self, tag: int) -> float:
        """Return the probability that it is here behind a total shield."""
        return self.minds[tag].z

    def all_p(self) -> list[float]:
        """Return P(here) of every tag, not cut to what may be said."""
        return [self._calibrated(tag) for tag in range(len(self.minds))]

    def weigh(self, heard: Bin, listening: Listening, hazards: Hazards) -> None:
        """Weigh and learn what a bin brought."""
        self._number, self._heard = heard.number, self._column(heard, listening)
        model = (hazards, self._radio)
        for mind, habits, told in zip(self.minds, self.habits, self._heard, strict=True):
            weigh(mind, habits, told, model, OPS)
            learn(mind, habits, told, self._radio, OPS)
        for tag, name, reads, _ in heard.ant or ():
            place = self._place.get(name)
            if place is not None:
                self.by_antenna[tag][place] += reads

    def believe(self, facts: Sequence[Fact], hazards: Hazards) -> None:
        """Take facts that claim this bin; of several of one tag the last."""
        for tag, fact in {fact.tag: fact for fact in facts}.items():
            believe(self.minds[tag], _told(fact), hazards)

    def move(self, air: Air, hazards: Hazards) -> None:
        """Keep the bin, and let it pass."""
        self._past.append(_Past(self._number, list(map(copy, self.minds)), self._heard, air))
        for mind, habits, heard in zip(self.minds, self.habits, self._heard, strict=True):
            move(mind, habits, heard, air=air, hazards=hazards, ops=OPS)

    def filter_again(self, facts: Sequence[Fact], hazards: Hazards) -> None:
        """Go back to the bin the late facts claim, and filter their tags anew from there."""
        first = min(fact.at for fact in facts)
        for tag in sorted({fact.tag for fact in facts}):
            told = {fact.at: fact for fact in facts if fact.tag == tag}
            self._filter_tag(tag, told, first, hazards)

    def _filter_tag(self, tag: int, told: Mapping[int, Fact], first: int, hazards: Hazards) -> None:
        mind, habits = None, self.habits[tag]
        for past in self._past:
            if past.number < first or tag >= len(past.minds):
                continue
            if mind is None:
                mind = copy(past.minds[tag])
            else:
                weigh(mind, habits, past.heard[tag], (hazards, self._radio), OPS)
            if past.number in told:
                believe(mind, _told(told[past.number]), hazards)
            move(mind, habits, past.heard[tag], air=past.air, hazards=hazards, ops=OPS)
        if mind is not None:
            self.minds[tag] = mind

    def rebook(self, facts: Sequence[Fact]) -> None:
        """Take what the book says now."""
        for fact in facts:
            here, habits = 1.0 if fact.to is Place.HERE else 0.0, self.habits[fact.tag]
            beside = 1.0 if fact.to is Place.NEXT else 0.0
            rebook(self.watches[fact.tag], 1.0, here, beside)
            habits.book_here, habits.book_next = here, beside

    def judge(self) -> list[tuple[bool, int]]:
        """Return the alarms of this bin."""
        missing, unexpected = [], []
        for tag, watch in enumerate(self.watches):
            lost, strange = judge(watch, self._calibrated(tag), self._living(tag), OPS)
            if lost:
                missing.append((True, tag))
            if strange:
                unexpected.append((False, tag))
        return missing + unexpected

    def passed(self, tag: int) -> None:
        """Take that the door heard a tag: its next alarm waits no longer than any."""
        self.watches[tag].hold = min(self.watches[tag].hold, HOLD_BINS)

    def nudge(self, nudges: Sequence[Nudge]) -> None:
        """Multiply beliefs of some tags."""
        for each in nudges:
            nudge(self.minds[each.tag], each.gone, each.hidden, each.beside)

    def ghosts(self, rate: float) -> None:
        """Take how often, a round, a tag is read that is not there."""
        self._radio = replace(self._radio, ghost_rate=rate, ghosts=self._radio.ghosts_learned)

    def door_strays(self, rates: Mapping[str, float]) -> None:
        """Take how often a tag of each shelf is heard at the door though it stays."""
        for habits, tag in zip(self.habits, self._ward.tags, strict=True):
            habits.door_strays = rates[tag.shelf]

    # --- what was heard ---

    def _column(self, heard: Bin, listening: Listening) -> list[Heard[float]]:
        room = {row[0]: row for row in heard.room}
        beside = {row[0]: row for row in heard.next}
        door = {row[0] for row in heard.door}
        shares = self._shares(listening)
        rounds, next_rounds = min(listening.rounds, ROUNDS), min(listening.next_rounds, ROUNDS)
        found: list[Heard[float]] = []
        for tag, share in enumerate(shares):
            reads, dbm, has_dbm = _row(room.get(tag), listening.rounds)
            next_reads, next_dbm, has_next_dbm = _row(beside.get(tag), listening.next_rounds)
            alive = float(rounds) if share > 0.1 else 0.0
            found.append(
                Heard(
                    reads,
                    max(alive, reads),
                    share,
                    dbm,
                    has_dbm,
                    next_reads,
                    max(float(next_rounds), next_reads),
                    next_dbm,
                    has_next_dbm,
                    door=1.0 if tag in door else 0.0,
                )
            )
        return found

    def _shares(self, listening: Listening) -> list[float]:
        """Return the part of each tag's reads that the antennas which listen bring; untold, one lost costs all."""
        if listening.whole:
            return [1.0] * len(self.minds)
        whole = [sum(column) for column in zip(*self.by_antenna, strict=True)]
        if not sum(whole):
            return [0.0] * len(self.minds)
        spread = [each / sum(whole) for each in whole]
        return [
            sum((own + usual) * alive for own, usual, alive in zip(those, spread, listening.room, strict=True))
            / (sum(those) + 1.0)
            for those in self.by_antenna
        ]


def _row(row: RoomRow | NextRow | None, rounds: int) -> tuple[float, float, float]:
    """Return reads, scaled to the tables, the level, and whether it was told."""
    if row is None:
        return 0.0, 0.0, 0.0
    reads, dbm = float(row[1]), row[2]
    if rounds > ROUNDS:
        reads = max(min(1.0, reads), floor(reads * ROUNDS / rounds + 0.5))
    has = isfinite(dbm) and reads > 0
    return min(reads, float(ROUNDS)), dbm if has else 0.0, 1.0 if has else 0.0


def _told(fact: Fact) -> Told[float]:
    return Told(*(1.0 if name == fact.word else 0.0 for name in TOLD))


def _no_habits(book: Place, radio: Radio) -> Habits[float]:
    here, stray, next_, near = (
        Heed(0.0, 0.0, dbm, 0.0) for dbm in (radio.level_dbm, radio.stray_dbm, radio.level_dbm, radio.stray_dbm)
    )
    at = 1.0 if book is Place.HERE else 0.0, 1.0 if book is Place.NEXT else 0.0
    return Habits(here, stray, next_, near, door_strays=0.0, book_here=at[0], book_next=at[1])


def float_course(ward: Ward, model: Model | None = None) -> Course:
    """Return the filter of a storeroom over floats."""
    told = model or Model()
    return Course(ward, FloatTags(ward, told), told)
