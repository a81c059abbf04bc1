"""The one place of central that asks the time or draws a random number.

Story time (when things happen: receipts, jobs, policy) may run fast, from the configuration; link time (time-outs) is
the monotonic clock and never does. The rule that must not be broken: nothing else in this package imports `time`,
`os.urandom` or `secrets`.
"""

import os
import time
from base64 import urlsafe_b64encode

from protocols.entry import ClockQuality
from protocols.values.ids import BootId, EventId, Incarnation, boot_id, incarnation, make_event_id
from protocols.values.instant import Instant, StoryTime


class Clock:
    """Story time and link time of this process; without a `story`, story time is the system's clock."""

    def __init__(self, story: StoryTime | None = None) -> None:
        self._story = story
        self.boot: BootId = boot_id(os.urandom(16))
        """The name of this process run."""

    @property
    def rate(self) -> float:
        """Story seconds a real second; 1 for the system's clock."""
        return 1.0 if self._story is None else self._story.rate

    @property
    def quality(self) -> ClockQuality:
        """How far the wall time of entries made here may be believed."""
        return ClockQuality.UNKNOWN if self._story is None else ClockQuality.FREE

    def now(self) -> Instant:
        """Return when something happens now."""
        if self._story is None:
            return Instant(time.time_ns() // 1000)
        return self._story.at(time.monotonic_ns())

    def real_now(self) -> Instant:
        """Return the system's time, whatever the story: sessions and lock-outs are about people at a screen."""
        return Instant(time.time_ns() // 1000)

    def mono_us(self) -> int:
        """Return microseconds of the monotonic clock."""
        return time.monotonic_ns() // 1000

    def link_s(self) -> float:
        """Return link time in seconds."""
        return time.monotonic()

    def event_id(self, wall: Instant) -> EventId:
        """Make the id of a new entry."""
        return make_event_id(max(0, wall // 1000), os.urandom(10))

    def new_incarnation(self) -> Incarnation:
        """Draw the name of a new chain."""
        return incarnation(os.urandom(16))


def chance() -> float:
    """Return a random number in 0..1, from the system."""
    return int.from_bytes(os.urandom(7), "big") / (1 << 56)


def new_token() -> bytes:
    """Draw the 16 bytes that bind a device's messages to one session."""
    return os.urandom(16)


def new_secret() -> str:
    """Draw what a session, a token or an invitation is known by: 256 bits as 43 characters."""
    return urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
