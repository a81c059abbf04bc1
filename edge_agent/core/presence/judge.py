"""From a probability to an alarm: a sequential test for each tag, which speaks once and then waits until it is settled.

`missing`: the book says here and P(here) has been below `LOW` for `HOLD_BINS`. `unexpected`: the book says not here and
it has been above `HIGH` for as long. Each is armed again when the probability has come back, or when the book or a
person has said something new. The rule that must not be broken: one difference is one alarm.
"""

from dataclasses import dataclass
from typing import Generic

from edge_agent.core.presence.numbers import N, Ops

LOW, HIGH = 0.05, 0.95
LOW_AGAIN, HIGH_AGAIN = 0.7, 0.3
HOLD_BINS = 10.0
HOLD_NEXT_BINS = 180.0
"""The same for a piece of the next room that no door was heard to let in: its strays fade for an hour or two."""
HOLD_AFTER_FACT_BINS = 20.0
"""A piece may be scanned some minutes before it leaves, or after it came."""
YOUNG_BINS = 40.0
"""A filter that has just begun waits so much longer before it calls anything unexpected: it must learn the wall."""
HOLD_AGAIN, HOLD_MAX = 4.0, 1440.0
"""A tag whose alarm settled of itself is believed again only after so many times as long, a day at most."""


@dataclass(slots=True)
class Watch(Generic[N]):
    """One tag's test: whether the book says here, bins below and above, whether armed, bins since the last fact."""

    book_here: N
    low: N
    high: N
    armed_missing: N
    armed_unexpected: N
    since_fact: N
    hold: N


def judge(watch: Watch[N], p: N, ops: Ops[N]) -> tuple[N, N]:
    """Take the P(here) of a bin; return whether to raise `missing` and `unexpected`, as 1 or 0."""
    watch.since_fact = watch.since_fact + 1.0
    settled = ops.above(watch.since_fact, HOLD_AFTER_FACT_BINS)
    watch.low = (watch.low + 1.0) * ops.above(LOW - p, 0.0) * watch.book_here
    watch.high = (watch.high + 1.0) * ops.above(p, HIGH) * (1.0 - watch.book_here)
    watch.armed_missing = _armed(watch.armed_missing, ops.above(p, LOW_AGAIN))
    watch.armed_unexpected = _armed(watch.armed_unexpected, ops.above(HIGH_AGAIN - p, 0.0))
    missing = ops.above(watch.low, watch.hold - 0.5) * watch.armed_missing
    unexpected = ops.above(watch.high, watch.hold - 0.5) * watch.armed_unexpected * settled
    watch.armed_missing = watch.armed_missing * (1.0 - missing)
    watch.armed_unexpected = watch.armed_unexpected * (1.0 - unexpected)
    longer = 1.0 + (HOLD_AGAIN - 1.0) * (missing + unexpected)
    watch.hold = watch.hold * longer - (watch.hold * longer - HOLD_MAX) * ops.above(watch.hold * longer, HOLD_MAX)
    return missing, unexpected


def rebook(watch: Watch[N], told: N, here: N, beside: N) -> None:
    """Take what the book says now (`here`, `beside`: next door; 1 or 0) of the tags it speaks of (`told`, 1 or 0)."""
    kept = 1.0 - told
    watch.book_here = watch.book_here * kept + told * here
    watch.low, watch.high = watch.low * kept, watch.high * kept
    watch.armed_missing = watch.armed_missing * kept + told
    watch.armed_unexpected = watch.armed_unexpected * kept + told
    watch.since_fact = watch.since_fact * kept
    watch.hold = watch.hold * kept + told * (HOLD_BINS + beside * (HOLD_NEXT_BINS - HOLD_BINS))


def _armed(armed: N, back: N) -> N:
    return armed + back - armed * back
