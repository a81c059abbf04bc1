"""The hybrid logical clock: 48 bits of milliseconds and a 16-bit counter in one integer.

It orders entries of several devices for display, near to wall time, and never runs backwards on one device; correctness
never depends on it. Source: Kulkarni et al., Logical Physical Clocks, 2014.
"""

from typing import NewType

from protocols.errors import BadValue
from protocols.values.instant import Instant

Hlc = NewType("Hlc", int)

COUNTER_BITS = 16
MILLIS_MAX = (1 << 48) - 1
AHEAD_S_MAX = 60


def hlc(value: int) -> Hlc:
    """Check a hybrid clock value, 64 bits unsigned. Raises `BadValue`."""
    if not 0 <= value < 1 << 64:
        raise BadValue(f"hybrid clock: expected 64 bits, got {value}")
    return Hlc(value)


def next_hlc(last: Hlc, wall: Instant) -> Hlc:
    """Return the next value of a device whose last was `last`, at a wall instant; always above `last`.

    Raises `BadValue` when the 48 bits are spent (year 10889).
    """
    millis = max(0, wall // 1000)
    if millis > MILLIS_MAX:
        raise BadValue(f"hybrid clock: expected milliseconds in 48 bits, got {millis}")
    return hlc(max(last + 1, millis << COUNTER_BITS))


def merge_hlc(last: Hlc, seen: Hlc, wall: Instant) -> Hlc:
    """Return the later of the own last value and one that another device wrote.

    One that is ahead of the own wall clock by more than `AHEAD_S_MAX` is not taken over: one bad clock would carry all
    others with it.
    """
    return last if millis_of(seen) > wall // 1000 + AHEAD_S_MAX * 1000 else max(last, seen)


def millis_of(value: Hlc) -> int:
    """Return the milliseconds since 1970 in a hybrid clock value."""
    return value >> COUNTER_BITS
