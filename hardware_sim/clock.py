"""The simulator's clock and chance: the one module here that asks the time, waits, or draws a number.

Story time may run fast; link time (keepalives, pauses of a wire) never does. Nobody below `serve` may use it.
"""

import secrets
import time

from protocols.values.instant import Instant, StoryTime

NANOS_A_MICRO = 1_000
SEED_BELOW = 1_000_000
"""Seeds drawn for a person: short enough to be typed again."""


class Clock:
    """Story time for the world, link time for wires."""

    def __init__(self, story: StoryTime) -> None:
        self.story = story

    def now(self) -> Instant:
        """Return the story instant."""
        return self.story.at(time.monotonic_ns())

    def link_now(self) -> Instant:
        """Return link time: microseconds that never run fast and never jump."""
        return Instant(time.monotonic_ns() // NANOS_A_MICRO)

    def seconds_until(self, instant: Instant) -> float:
        """Return the real seconds until a story instant, never negative."""
        return self.story.wait_s(self.now(), instant)


def real_time() -> StoryTime:
    """Return a story that is simply now: it starts at the wall clock's time and runs at rate 1."""
    return StoryTime(Instant(time.time_ns() // NANOS_A_MICRO), 1.0, time.monotonic_ns())


def monotonic_ns() -> int:
    """Return the reading that anchors a story."""
    return time.monotonic_ns()


def monotonic_s() -> float:
    """Return real seconds that never jump, for limits of waiting."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Wait so many real seconds; only where there is nothing to wait on."""
    time.sleep(seconds)


def any_seed() -> int:
    """Return a seed nobody chose."""
    return secrets.randbelow(SEED_BELOW)


def any_password() -> str:
    """Return a password nobody chose, short enough to be typed from a terminal."""
    return f"demo-{secrets.token_hex(4)}"


def any_key() -> str:
    """Return a key nobody chose."""
    return secrets.token_hex(16)
