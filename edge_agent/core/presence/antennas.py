"""Which antennas really listened in a bin, how busy the room was, and how often each thing at the door is a stray.

An antenna that says it is alive may be blind: its reference tag is unread for minutes, or it suddenly hears next to
nothing of what it heard before. A blind antenna proves nothing, so its rounds count as none. What is learned here
belongs to the room and not to one tag; both forms of the filter share this file. The rule that must not be broken: an
antenna is called blind only by what it failed to hear itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_agent.core.presence.hazards import Hazards
from edge_agent.core.presence.step import Air
from edge_agent.core.presence.ward import Bin, Ward

REF_SILENT_BINS = 5
"""A reference tag unread for so long: its antenna is blind."""
USUAL_MEMORY = 0.98
"""What an antenna usually hears in a bin follows what it hears with a memory of fifty bins."""
USUAL_LEAST = 20.0
"""An antenna that usually hears fewer reads a bin is not judged by a sudden silence."""
SUDDEN_SHARE = 0.05
"""Below this share of the usual, a bin's reads of a whole antenna are a fault of the antenna."""
USUAL_FORGET = 0.9995
"""How a blind antenna's usual fades, so that a shelf that was cleared for good is judged again after some hours."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What was alive in one bin: antennas of the room by place (1 or 0), rounds of room, neighbour and door."""

    room: tuple[int, ...]
    rounds: int
    next_rounds: int
    air: Air

    @property
    def whole(self) -> bool:
        """Return whether every antenna of the room listened."""
        return all(self.room)


class Antennas:
    """The antennas of one storeroom over time."""

    def __init__(self, ward: Ward, hazards: Hazards) -> None:
        self._ward, self._hazards = ward, hazards
        self._ref = dict(ward.ref or {})
        self._ref_due: dict[str, int] = {}
        self._ref_lost: set[str] = set()
        self._apart = False
        self._mute: set[str] = set()
        self._usual: dict[str, float] = {}
        self._visit_before = False

    def listen(self, heard: Bin) -> Listening:
        """Return what listened in a bin."""
        ward = self._ward
        alive = {name: _rounds(heard.rounds, name, "room") for name in ward.room}
        if heard.ant:
            self._hear_apart(heard, alive)
        self._hear_refs(heard)
        mute = self._fell_silent("", float(sum(row[1] for row in heard.room))) if any(alive.values()) else False
        for name in ward.room:
            if mute or name in self._mute or self._is_blind(name, heard.number):
                alive[name] = 0
        return Listening(
            room=tuple(1 if alive[name] else 0 for name in ward.room),
            rounds=max(alive.values()),
            next_rounds=_beside(heard.rounds, ward.next, "next", ward.rounds_a_bin),
            air=self._air(heard),
        )

    def state(self) -> dict[str, object]:
        """Return what must be kept over a restart."""
        return {"ref": dict(self._ref_due), "usual": dict(self._usual), "visit": self._visit_before}

    def restore(self, ref: Mapping[str, int], usual: Mapping[str, float], visit: bool) -> None:
        """Take what was kept."""
        self._ref_due, self._usual, self._visit_before = dict(ref), dict(usual), visit

    def _hear_apart(self, heard: Bin, alive: Mapping[str, int]) -> None:
        """Compare what each antenna hears with what it usually hears; a bin that does not tell says nothing."""
        counts = dict.fromkeys(self._ward.room, 0.0)
        for _, name, reads, _ in heard.ant or ():
            counts[name] = counts.get(name, 0.0) + reads
        for name in self._ward.room:
            if alive[name]:
                silent = self._fell_silent(name, counts[name])
                (self._mute.add if silent else self._mute.discard)(name)

    def _hear_refs(self, heard: Bin) -> None:
        if not self._ref:
            return
        numbers = {row[0] for row in heard.room if row[1] > 0}
        apart = {(row[0], row[1]) for row in heard.ant or () if row[2] > 0}
        for name, tag in self._ref.items():
            self._apart = self._apart or (tag, name) in apart
            by_any = tag in numbers and not heard.ant and name not in self._ref_lost
            if (tag, name) in apart or by_any or (tag in numbers and not self._apart):
                self._ref_due[name] = heard.number
            if heard.ant:
                lost = (tag, name) not in apart and self._apart
                (self._ref_lost.add if lost else self._ref_lost.discard)(name)

    def _is_blind(self, name: str, number: int) -> bool:
        """Return whether an antenna's reference tag is unread for too long."""
        if name not in self._ref:
            return False
        last = self._ref_due.get(name)
        if last is None:  # never heard: a blind antenna once other reference tags were heard, else no reference at all
            return bool(self._ref_due) and number > 12 * REF_SILENT_BINS
        return number - last >= REF_SILENT_BINS

    def _fell_silent(self, name: str, reads: float) -> bool:
        usual = self._usual.get(name, reads)
        if usual > USUAL_LEAST and reads < SUDDEN_SHARE * usual:
            self._usual[name] = usual * USUAL_FORGET
            return True
        self._usual[name] = USUAL_MEMORY * usual + (1.0 - USUAL_MEMORY) * reads
        return False

    def _air(self, heard: Bin) -> Air:
        hazards = self._hazards
        came = heard.visit is not None and heard.visit > 0
        visit = 1.0 if came else hazards.after if self._visit_before else hazards.idle
        if heard.visit is None:
            visit = max(visit, hazards.visits_unknown)
        self._visit_before = came
        watched = bool(heard.door) or _beside(heard.rounds, self._ward.door, "door", 1) > 0
        return Air(visit, 1.0 if watched else 0.0)


def _rounds(rounds: Mapping[str, int], name: str, channel: str) -> int:
    """Return the rounds of an antenna, told by its own name or by its channel's; untold is none."""
    told = rounds.get(name)
    return told if told is not None else rounds.get(channel, 0)


def _beside(rounds: Mapping[str, int], names: Sequence[str], channel: str, usual: int) -> int:
    """Return the rounds of a channel beside the room; where only the room's are told, it listened as usual."""
    if not names or not rounds:
        return 0
    if channel not in rounds and not any(name in rounds for name in names):
        return usual
    return max(_rounds(rounds, name, channel) for name in names)


class Doorway:
    """How often a tag of each shelf is heard at the door though it stays, and how often one that leaves is heard."""

    def __init__(self, ward: Ward, hazards: Hazards) -> None:
        self._tags: dict[str, int] = {}
        for tag in ward.tags:
            self._tags[tag.shelf] = self._tags.get(tag.shelf, 0) + 1
        self.strays: dict[str, float] = dict.fromkeys(self._tags, 0.0)
        self.hits, self.passages = 0.0, 0.0
        self._hazards = hazards

    def add(self, shelf: str) -> None:
        """Take one more tag of a shelf."""
        self._tags[shelf] = self._tags.get(shelf, 0) + 1
        self.strays.setdefault(shelf, 0.0)

    def rehome(self, old: str, new: str) -> None:
        """Take that one tag of a shelf belongs to another now."""
        self._tags[old] -= 1
        self.add(new)

    def stray_rate(self, shelf: str, bins: int) -> float:
        """Return the chance a bin that a tag of this shelf is heard at the door though it stays, above the least."""
        return self.strays[shelf] / (STRAY_TAG_BINS + bins * max(1, self._tags[shelf]))

    def hit(self) -> float:
        """Return the chance that a tag which passes the door is heard there."""
        return (self.hits + self._hazards.door_hit * PASSAGES) / (self.passages + PASSAGES)


STRAY_TAG_BINS = 100_000.0
"""Weight of the belief that strays are rare, in bins of one tag."""
PASSAGES = 10.0
"""Weight of the first belief about the door, in passages."""
