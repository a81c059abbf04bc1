"""Presence by an outage-aware window: a tag unread through a whole window of proven rounds is gone.

Each antenna has a clock that only its own ended rounds advance; a tag is judged by the clock of the antenna that hears
it most, so that an outage or a lost antenna freezes it. Within the window the probability is Bayes' rule on the tag's
own learned read rate: a tag that is seldom heard must be silent for longer than the window before it is called gone.

It does not know doors, neighbours, shelves or shielding; a tag that is blocked for a window looks like one that is
gone. The rule that must not be broken: nothing here moves but by `RoundEnded.at`.

A belief is said when it is new, when it falls below `GONE`, and when a read brings it back. A piece that the book
has sent away and that is still heard through two whole windows is said to be here once more, after the book's fact.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from edge_agent.core.presence import Belief, ForeignTags
from protocols.readers.reads import AntennaChanged, BadFrame, LinkDown, LinkUp, ReaderEvent, RoundEnded, TagRead
from protocols.values.ids import Epc
from protocols.values.instant import MICROS, Instant

MODEL = "window-1"
WINDOW_S = 600.0
GONE = 0.05
"""A belief below this is an alert. It rises only by a read, and then to `P_HIGH` at once: it never flickers."""
P_LOW, P_HIGH = 0.01, 0.99
"""A window never claims more than this."""
ODDS_GONE_UNSCANNED = 1e-6
"""Prior odds that a piece left within a window without a scan; starting value, to be fitted."""
ODDS_GONE_BOOKED = 9.0
"""Prior odds that a piece left when the book says so: nine of ten."""
RATE_READS, RATE_ROUNDS = 1, 4
"""A tag's read rate before anything is learned: one of four, low on purpose."""
RATE_MEMORY_ROUNDS = 512
"""Rounds after which what was learned is halved, so that the rate follows the shelf."""
ROUNDS_PROVEN_MAX = 3
"""One ended round proves at most this many nominal rounds before it; a stalled reader proves nothing more."""
TAGS_MAX = 50_000
FOREIGN_TOLD_APART_MAX = 1_000
FOREIGN_EVERY_S = 3_600.0


class _Said(Enum):
    NOTHING = 0
    HERE = 1
    GONE = 2


@dataclass(slots=True, eq=False)
class _Clock:
    """What one antenna has proven: microseconds and rounds."""

    proven: int = 0
    rounds: int = 0
    lost: bool = False


@dataclass(slots=True)
class _Reader:
    antennas: dict[int, _Clock]
    last_end: Instant | None = None
    heard: dict[Epc, TagRead] = field(default_factory=dict)


@dataclass(slots=True)
class _Tag:
    """One known tag; marks are readings of `watch`, the clock it is judged by."""

    watch: _Clock
    mark_proven: int
    mark_rounds: int
    booked_mark: int
    here: bool
    booked_at: Instant
    said: _Said = _Said.NOTHING
    warned: bool = False
    heard_at: Instant | None = None
    again_at: Instant | None = None
    reads: int = 0
    misses: int = 0
    heard_by: dict[tuple[str, int], int] = field(default_factory=dict)

    @property
    def silence(self) -> int:
        """Return the proven microseconds without a read."""
        return self.watch.proven - self.mark_proven

    def mark(self) -> None:
        """Start a new silence now."""
        self.mark_proven, self.mark_rounds = self.watch.proven, self.watch.rounds

    def move_to(self, clock: _Clock) -> None:
        """Judge by another antenna from now on; what was proven since the booking counts on."""
        if clock is not self.watch:
            self.booked_mark = clock.proven - (self.watch.proven - self.booked_mark)
            self.watch = clock

    def p_silent(self) -> float:
        """Return the probability that it is here after the silence so far."""
        rate = (self.reads + RATE_READS) / (self.reads + self.misses + RATE_ROUNDS)
        likelihood = (1.0 - rate) ** (self.watch.rounds - self.mark_rounds)
        odds = ODDS_GONE_UNSCANNED if self.here else ODDS_GONE_BOOKED
        return min(P_HIGH, max(P_LOW, likelihood / (likelihood + odds)))


class Window:
    """The presence of one storeroom's tags. `antennas` names those of each reader, `round_s` its nominal round.

    `fixed` tags are the room's own and no goods, such as reference tags: they are neither judged nor foreign.
    """

    def __init__(
        self,
        antennas: Mapping[str, Sequence[int]],
        *,
        round_s: float,
        window_s: float = WINDOW_S,
        fixed: Collection[Epc] = (),
    ) -> None:
        self._fixed = frozenset(fixed)
        self._readers = {name: _Reader({number: _Clock() for number in those}) for name, those in antennas.items()}
        self._proven_max = round(round_s * ROUNDS_PROVEN_MAX * MICROS)
        self._window = round(window_s * MICROS)
        self._ward = _Clock()
        self._tags: dict[Epc, _Tag] = {}
        self._foreign: set[Epc] = set()
        self._foreign_reads = 0
        self._foreign_since: Instant | None = None

    def book(self, epc: Epc, here: bool, at: Instant, shelf: str = "") -> None:
        """Take what the book says of a tag. Beyond `TAGS_MAX` a new tag stays unknown."""
        tag = self._tags.get(epc)
        if tag is None:
            if len(self._tags) < TAGS_MAX:
                ward = self._ward
                self._tags[epc] = _Tag(ward, ward.proven, ward.rounds, ward.proven, here, at)
            return
        if here and not tag.here:
            tag.mark()
        tag.here, tag.booked_at, tag.booked_mark = here, at, tag.watch.proven
        tag.warned, tag.again_at = False, None

    def seen(self, epc: Epc, here: bool, at: Instant) -> None:
        """A window follows reads alone; what a person saw changes nothing."""

    def sighted(self, epc: Epc, p: float) -> None:
        """A window follows its own reads alone; what others hear changes nothing."""

    def believed(self, epc: Epc, p: float, since: Instant) -> None:
        """Take the belief that the last run left in the ledger."""
        tag = self._tags.get(epc)
        if tag is not None:
            tag.said = _Said.GONE if p < GONE else _Said.HERE
            tag.warned = tag.said is _Said.HERE and not tag.here and since > tag.booked_at

    def receive(self, event: ReaderEvent, reader: str) -> list[Belief | ForeignTags]:
        """Take what a reader says; return what is believed anew. A reader that was not named is ignored."""
        said_by = self._readers.get(reader)
        if said_by is None:
            return []
        match event:
            case TagRead():
                self._read(said_by, event)
            case RoundEnded():
                return self._round(said_by, reader, event)
            case LinkDown() | LinkUp():
                said_by.last_end = None
            case AntennaChanged():
                if event.antenna in said_by.antennas:
                    said_by.antennas[event.antenna].lost = not event.connected
            case BadFrame():
                pass
        return []

    # --- reads and rounds ---

    def _read(self, reader: _Reader, read: TagRead) -> None:
        if read.antenna not in reader.antennas or read.epc in self._fixed:
            return
        if read.epc not in self._tags:
            self._foreign_reads += read.count
            if len(self._foreign) < FOREIGN_TOLD_APART_MAX:
                self._foreign.add(read.epc)
            return
        best = reader.heard.get(read.epc)
        if best is None or (read.rssi_dbm or -999) > (best.rssi_dbm or -999):
            reader.heard[read.epc] = read

    def _round(self, reader: _Reader, name: str, ended: RoundEnded) -> list[Belief | ForeignTags]:
        step = 0 if reader.last_end is None else min(max(0, ended.at - reader.last_end), self._proven_max)
        reader.last_end = ended.at
        for number in ended.antennas:
            clock = reader.antennas.get(number)
            if clock is not None and not clock.lost and ended.proves_silence:
                clock.proven += step
                clock.rounds += 1
        clocks = [clock for each in self._readers.values() for clock in each.antennas.values()]
        self._ward.proven = min(clock.proven for clock in clocks)
        self._ward.rounds = min(clock.rounds for clock in clocks)
        said: list[Belief | ForeignTags] = []
        for epc, read in reader.heard.items():
            said += self._heard(epc, self._tags[epc], name, read)
        heard, reader.heard = reader.heard, {}
        for epc, tag in self._tags.items():
            if epc not in heard and tag.said is not _Said.GONE and tag.silence >= self._window:
                said += self._silent(epc, tag)
        return said + self._foreign_hour(ended.at)

    def _heard(self, epc: Epc, tag: _Tag, name: str, read: TagRead) -> list[Belief | ForeignTags]:
        self._learn(tag)
        by = (name, read.antenna)
        tag.heard_by[by] = tag.heard_by.get(by, 0) + 1
        best_name, best_antenna = max(tag.heard_by, key=tag.heard_by.__getitem__)
        tag.move_to(self._readers[best_name].antennas[best_antenna])
        tag.mark()
        tag.heard_at = read.last_seen
        if tag.said is _Said.NOTHING or (tag.here and tag.said is _Said.GONE):
            return [self._say(epc, tag, _Said.HERE, P_HIGH, read.first_seen)]
        if tag.here or tag.warned:
            return []
        return self._heard_though_booked_out(epc, tag, read)

    def _heard_though_booked_out(self, epc: Epc, tag: _Tag, read: TagRead) -> list[Belief | ForeignTags]:
        if tag.again_at is None:
            tag.again_at = read.first_seen
            if tag.said is _Said.GONE:  # it came back: two windows from now, not from the booking
                tag.booked_mark = tag.watch.proven
        if tag.watch.proven - tag.booked_mark < 2 * self._window:
            return []
        tag.warned = True
        return [self._say(epc, tag, _Said.HERE, P_HIGH, max(tag.again_at, tag.booked_at))]

    def _silent(self, epc: Epc, tag: _Tag) -> list[Belief | ForeignTags]:
        p = tag.p_silent()
        if p >= GONE:
            return []
        tag.warned, tag.again_at = False, None
        since = tag.booked_at if tag.heard_at is None else tag.heard_at
        return [self._say(epc, tag, _Said.GONE, p, since)]

    def _say(self, epc: Epc, tag: _Tag, what: _Said, p: float, since: Instant) -> Belief:
        tag.said = what
        return Belief(epc, round(p, 4), since, MODEL)

    def _learn(self, tag: _Tag) -> None:
        """Count the rounds since the last read; a silence of a whole window was an absence and teaches nothing."""
        if tag.heard_at is not None and tag.silence <= self._window:
            tag.misses += max(0, tag.watch.rounds - tag.mark_rounds - 1)
        tag.reads += 1
        if tag.reads + tag.misses > RATE_MEMORY_ROUNDS:
            tag.reads, tag.misses = tag.reads // 2, tag.misses // 2

    # --- tags of nobody ---

    def _foreign_hour(self, now: Instant) -> list[Belief | ForeignTags]:
        if not self._foreign_reads:
            return []
        if self._foreign_since is None:
            self._foreign_since = now
        if now - self._foreign_since < FOREIGN_EVERY_S * MICROS:
            return []
        told = ForeignTags(len(self._foreign), self._foreign_reads, len(self._foreign) < FOREIGN_TOLD_APART_MAX)
        self._foreign, self._foreign_reads, self._foreign_since = set(), 0, None
        return [told]
