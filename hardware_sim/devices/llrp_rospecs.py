"""The ROSpecs inside a simulated LLRP reader: their states, their triggers, and which inventories fall due when.

It knows reader time only, and neither bytes nor tags: it says *that* antennas listened from one instant to another;
what they heard is asked elsewhere. States and refusals follow LLRP 1.1 chapter 10: a ROSpec is added disabled; enabled,
it waits for its start trigger; active, it goes through its AISpecs in order. It differs from a real reader in one way:
two ROSpecs may be active at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.messages import nested, number_at, number_of, rows_at
from protocols.values.instant import Instant

ROUNDS_CATCH_UP_MAX = 16
"""Rounds run at once when the clock was looked at too late; older ones are as if nobody had listened."""

OPEN_SLICE_US = 1_000_000
"""An AISpec without an end of its own is looked at in slices of a second."""

SLICE_US_MIN = 10_000
"""Shortest inventory: without it an AISpec of no duration would run for ever in no time."""

DISABLED, INACTIVE, ACTIVE = 0, 1, 2
"""LLRP's own numbers of the states (enumeration ROSpecState)."""


@dataclass(frozen=True, slots=True)
class Started:
    """A ROSpec became active."""

    rospec_id: int
    at: Instant


@dataclass(frozen=True, slots=True)
class Listened:
    """These antennas listened from `since` to `at`; `ends_aispec` when that ends the AISpec of this index (from 1)."""

    rospec_id: int
    spec_index: int
    antennas: tuple[int, ...]
    since: Instant
    at: Instant
    ends_aispec: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """A ROSpec became inactive."""

    rospec_id: int
    at: Instant


Step = Started | Listened | Ended


@dataclass(frozen=True, slots=True)
class Inventory:
    """One AISpec: who listens and how long; an open one until its ROSpec ends."""

    antennas: tuple[int, ...]
    lasts_us: int
    is_open: bool


Contact = tuple[int, bool]
"""An input port and the level it changes to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a ROSpec asks for, in microseconds of reader time. `start` is a name of ROSpecStartTriggerType."""

    rospec_id: int
    start: str
    offset_us: int
    period_us: int
    origin: Instant | None
    lasts_us: int | None
    inventories: tuple[Inventory, ...]
    starts_on: Contact | None = None
    stops_on: Contact | None = None

    @property
    def beat_us(self) -> int:
        """Return the length of one round."""
        return self.period_us or sum(each.lasts_us for each in self.inventories)


def read_plan(params: Params) -> Plan | str:
    """Return the plan of an added ROSpec, or what in it this reader does not support."""
    start = nested(params, "ROBoundarySpec", "ROSpecStartTrigger")
    stop = nested(params, "ROBoundarySpec", "ROSpecStopTrigger")
    kinds = {number_of("ROSpecStartTriggerType", name): name for name in ("Null", "Immediate", "Periodic", "GPI")}
    kind = kinds.get(number_at(start, "ROSpecStartTriggerType") or 0)
    specs = rows_at(params, "SpecParameter")
    if kind is None or number_at(stop, "ROSpecStopTriggerType") not in (0, 1, 2):
        return "this kind of trigger"
    if not all("AISpec" in spec for spec in specs):
        return "specs other than AISpec"
    timer = nested(start, "PeriodicTriggerValue")
    origin = number_at(timer, "UTCTimestamp")
    lasts_ms = (0, number_at(stop, "DurationTriggerValue"), number_at(stop, "GPITriggerValue", "Timeout"))[
        number_at(stop, "ROSpecStopTriggerType") or 0
    ]
    return Plan(
        rospec_id=number_at(params, "ROSpecID") or 0,
        start=kind,
        offset_us=(number_at(timer, "Offset") or 0) * 1000,
        period_us=max(SLICE_US_MIN, (number_at(timer, "Period") or 0) * 1000) if kind == "Periodic" else 0,
        origin=None if origin is None else Instant(origin),
        lasts_us=max(SLICE_US_MIN, lasts_ms * 1000) if lasts_ms else None,
        inventories=tuple(_read_inventory(nested(spec, "AISpec")) for spec in specs),
        starts_on=_read_contact(start),
        stops_on=_read_contact(stop),
    )


def _read_contact(trigger: Params) -> Contact | None:
    port = number_at(trigger, "GPITriggerValue", "GPIPortNum")
    return None if port is None else (port, bool(number_at(trigger, "GPITriggerValue", "GPIEvent")))


def _read_inventory(aispec: Params) -> Inventory:
    ids = aispec.get("AntennaIDs")
    antennas = tuple(each for each in ids if isinstance(each, int)) if isinstance(ids, list | tuple) else ()
    trigger = nested(aispec, "AISpecStopTrigger")
    if number_at(trigger, "AISpecStopTriggerType") == number_of("AISpecStopTriggerType", "Null"):
        return Inventory(antennas, OPEN_SLICE_US, is_open=True)
    lasts_ms = number_at(trigger, "DurationTrigger") or number_at(trigger, "TagObservationTrigger", "Timeout") or 0
    return Inventory(antennas, max(SLICE_US_MIN, lasts_ms * 1000), is_open=False)


@dataclass(slots=True)
class RoSpec:
    """One ROSpec as it was added, and how far it has come."""

    params: Params
    plan: Plan
    state: int = DISABLED
    _next_start: Instant | None = None
    _index: int = 0
    _started: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _since: Instant = Instant(0)  # noqa: RUF009 - Instant is an int

    def shown(self) -> Params:
        """Return the ROSpec as GET_ROSPECS answers it."""
        return dict(self.params) | {"CurrentState": self.state}

    def due(self) -> Instant | None:
        """Return when something happens next."""
        if self.state != ACTIVE:
            return self._next_start
        stop = self._since + self.plan.inventories[self._index].lasts_us
        return Instant(stop if self.plan.lasts_us is None else min(stop, self._started + self.plan.lasts_us))

    def enable(self, now: Instant) -> None:
        """Wait for the start trigger: at once, a period's first beat, or START_ROSPEC."""
        self.state = INACTIVE
        if self.plan.start == "Immediate":
            self._next_start = now
        elif self.plan.start == "Periodic":
            first = (now if self.plan.origin is None else self.plan.origin) + self.plan.offset_us
            self._next_start = self._in_phase(Instant(first), now)

    def disable(self, now: Instant) -> list[Step]:
        """Be disabled; an active one ends first."""
        steps = self.stop(now)
        self.state, self._next_start = DISABLED, None
        return steps

    def start(self, at: Instant) -> Started:
        """Become active."""
        self.state, self._index, self._next_start = ACTIVE, 0, None
        self._started = self._since = at
        return Started(self.plan.rospec_id, at)

    def stop(self, now: Instant) -> list[Step]:
        """Become inactive before the AISpecs are through."""
        return [self._listened(now, ends=True), self._end(now)] if self.state == ACTIVE else []

    def contact(self, port: int, now: Instant, *, high: bool) -> list[Step]:
        """Take a change of an input: it may start or stop this ROSpec."""
        if self.state == INACTIVE and self.plan.start == "GPI" and self.plan.starts_on == (port, high):
            return [self.start(now)]
        return self.stop(now) if self.plan.stops_on == (port, high) else []

    def advance(self, now: Instant) -> Iterator[Step]:
        """Do what fell due up to now, one step at a time; what is too long ago is left out."""
        earliest = Instant(now - ROUNDS_CATCH_UP_MAX * self.plan.beat_us)
        while True:
            self._leave_out(earliest)
            due = self.due()
            if due is None or due > now:
                return
            if self.state == ACTIVE:
                yield from self._listen_until(due)
            else:
                yield self.start(due)

    def _listen_until(self, due: Instant) -> Iterator[Step]:
        inventory = self.plan.inventories[self._index]
        over = self.plan.lasts_us is not None and due >= self._started + self.plan.lasts_us
        yield self._listened(due, ends=over or not inventory.is_open)
        if over or (not inventory.is_open and self._index + 1 == len(self.plan.inventories)):
            yield self._end(due)
            return
        self._index += 0 if inventory.is_open else 1
        self._since = due

    def _leave_out(self, earliest: Instant) -> None:
        if self.state == ACTIVE and self.plan.inventories[self._index].is_open:
            self._since = max(self._since, earliest)
        elif self._next_start is not None:
            self._next_start = self._in_phase(self._next_start, earliest)

    def _in_phase(self, start: Instant, earliest: Instant) -> Instant:
        """Return the first beat from `start` on that is not before `earliest`."""
        if start >= earliest:
            return start
        beats = -(-(earliest - start) // self.plan.beat_us)
        return Instant(start + beats * self.plan.beat_us)

    def _listened(self, at: Instant, *, ends: bool) -> Listened:
        antennas = self.plan.inventories[self._index].antennas
        return Listened(self.plan.rospec_id, self._index + 1, antennas, min(self._since, at), at, ends)

    def _end(self, at: Instant) -> Ended:
        self.state = INACTIVE
        if self.plan.start == "Immediate":
            self._next_start = at
        elif self.plan.start == "Periodic":
            self._next_start = self._in_phase(Instant(self._started + self.plan.beat_us), at)
        return Ended(self.plan.rospec_id, at)
