"""Whether the wall clock was moved: against the machine's own monotonic clock, and against central's time. Pure.

What was moved becomes a `clock_step` entry, so that times around it can be read rightly later. By a date that
nobody can believe nothing happens by itself. The rule that must not be broken: a clock that is wrong is written down,
and no act of a person is refused for it.

Source: SYNC "Time": a jump above 5 s against the monotonic clock, an offset above 2 s.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocols.values.instant import MICROS, Instant

JUMP_S_MAX = 5.0
OFFSET_S_MAX = 2.0
SILENT_S_MAX = 45 * 86_400.0
"""How long a storeroom may have been switched off: a clock further ahead of the last duty than that is not believed."""
APART_S_MAX = 86_400.0
"""How far the clock may be off central's before time does nothing by itself."""


class Cause(StrEnum):
    """How it was noticed."""

    JUMP = "jump"
    OFFSET = "offset"


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The wall clock moved, or is off central's, by so many microseconds; positive is ahead."""

    cause: Cause
    by_us: int


class ClockWatch:
    """What the wall clock was ahead of the monotonic one, and which offset was written down last."""

    def __init__(self) -> None:
        self._lead_us: int | None = None
        self._said_us = 0

    def look(self, wall: Instant, mono_us: int) -> ClockStep | None:
        """Compare both clocks; call it often, so that a slow correction is not taken for a jump."""
        lead_us = wall - mono_us
        before, self._lead_us = self._lead_us, lead_us
        if before is None or abs(lead_us - before) <= JUMP_S_MAX * MICROS:
            return None
        return ClockStep(Cause.JUMP, lead_us - before)

    def heard(self, offset_us: int) -> ClockStep | None:
        """Take the offset to central's time; it is written down again only when it has changed as much once more."""
        if abs(offset_us - self._said_us) <= OFFSET_S_MAX * MICROS:
            return None
        off, was_off = (abs(each) > OFFSET_S_MAX * MICROS for each in (offset_us, self._said_us))
        self._said_us = offset_us if off else 0
        return ClockStep(Cause.OFFSET, offset_us) if off or was_off else None


def offset_us(own: Instant, central: Instant, rtt_s: float) -> int:
    """Return how far the own clock is ahead of central's, whose time came with a round trip of `rtt_s`."""
    return own - central - round(rtt_s * MICROS / 2)


def believable(now: Instant, last: Instant, central: Instant | None) -> bool:
    """Tell whether `now` may expire stock and miss duties: beside central's time, or not far behind what was last done.

    `last` is the instant of the last duty on record; `central` is None while central was not heard in this run. A dead
    clock battery shows the past, in which nothing is due; a clock set far ahead would hold a whole storeroom.
    """
    if central is not None:
        return abs(now - central) <= APART_S_MAX * MICROS
    return now - last <= SILENT_S_MAX * MICROS
