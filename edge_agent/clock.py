"""The one place of the edge that asks the time or draws a random number.

Story time (when things happen) may run fast, from the configuration; link time (time-outs of wires) is the monotonic
clock and never does. The rule that must not be broken: nothing else in this package imports `time`, `os.urandom` or
`secrets`.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.core.recognise import Draft
from protocols.entry import SCHEMA_NOW, ClockQuality, Entry, encode_body
from protocols.values.hlc import Hlc, merge_hlc, next_hlc
from protocols.values.ids import BootId, EventId, Incarnation, boot_id, incarnation, make_event_id
from protocols.values.instant import Instant, StoryTime


def _system_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Clock:
    """Story time and link time; without a `story`, story time is the system's clock."""

    story: StoryTime | None = None
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    system_us: Callable[[], int] = _system_us

    def now(self) -> Instant:
        """Return when something happens now."""
        if self.story is None:
            return Instant(self.system_us())
        return self.story.at(self.monotonic_ns())

    @property
    def rate(self) -> float:
        """Return story seconds a real second; 1 for the system's clock."""
        return 1.0 if self.story is None else self.story.rate

    def real_now(self) -> Instant:
        """Return the system's time, whatever the story: certificates know no story."""
        return Instant(self.system_us())

    @property
    def quality(self) -> ClockQuality:
        """Return how far this clock may be believed."""
        return ClockQuality.UNKNOWN if self.story is None else ClockQuality.FREE

    def mono_us(self) -> int:
        """Return microseconds of the monotonic clock."""
        return self.monotonic_ns() // 1000

    def link_now(self) -> Instant:
        """Return link time as an instant: microseconds of the monotonic clock, of no use outside this process."""
        return Instant(self.mono_us())

    def link_s(self) -> float:
        """Return link time in seconds."""
        return self.monotonic_ns() / 1_000_000_000


def chance() -> float:
    """Return a random number in 0..1, from the system."""
    return int.from_bytes(os.urandom(7), "big") / (1 << 56)


def new_incarnation() -> Incarnation:
    """Draw the 16 random bytes of a new ledger."""
    return incarnation(os.urandom(16))


def new_boot_nonce() -> bytes:
    """Draw the 16 random bytes that tell this run from a copy of this disk; they never touch the disk."""
    return os.urandom(16)


class Pen:
    """Turns drafts into entries: gives them an id, the time and this run's name. `last` is the ledger's last clock."""

    def __init__(self, clock: Clock, last: Hlc, draw: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._last = last
        self._boot: BootId = boot_id(draw(16))
        self._draw = draw

    def hear(self, seen: Hlc) -> None:
        """Take the hybrid clock of what another device wrote, unless it is far ahead."""
        self._last = merge_hlc(self._last, seen, self._clock.now())

    def entry(self, draft: Draft, event: EventId | None = None) -> Entry:
        """Return one entry, now, under a new event id or the one given. Raises `WeBroke` for a body not to be said."""
        wall = self._clock.now()
        self._last = next_hlc(self._last, wall)
        return Entry(
            event_id=event or make_event_id(max(0, wall // 1000), self._draw(10)),
            hlc=self._last,
            wall=wall,
            mono=self._clock.mono_us(),
            boot_id=self._boot,
            clock_quality=self._clock.quality,
            kind=draft.kind,
            schema=SCHEMA_NOW,
            body=encode_body(draft.body),
            actor=draft.actor,
        )
