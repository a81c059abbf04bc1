"""From a probability to an alarm: a sequential test for each tag, which speaks once and then waits until it is settled.

`missing`: the book says here, and the chance that it is, with a tag that lives, has been below `LOW` for `HOLD_BINS`
or below `SLOW` for much longer. `unexpected`: the book says not here, and P(here) has been above `HIGH` as long.
Each is armed again when the probability has come back for an hour, or when the book or a person has said something new.
The rule that must not be broken: one difference is one alarm.
"""

from dataclasses import dataclass
from typing import Generic

from edge_agent.core.presence.numbers import N, Ops

LOW, HIGH = 0.05, 0.95
LOW_AGAIN, HIGH_AGAIN = 0.7, 0.3
AGAIN_BINS = 60.0
"""It must have come back for so long, that one piece whose level wavers is not told twice."""
SLOW, SLOW_BINS = 0.24, 120.0
"""A piece is missing too when its P(here) has been below `SLOW` for so long: then it no longer wavers."""
SEEN = 0.983
"""A piece that is so surely here, as after a look, is not missing however silent it is: its tag is dead or hidden."""
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
    slow: N
    high: N
    back: N
    away: N
    armed_missing: N
    armed_unexpected: N
    since_fact: N
    hold: N


def judge(watch: Watch[N], p: N, live: N, ops: Ops[N]) -> tuple[N, N]:
    """Take P(here) of a bin, and P(here with a tag that lives); return whether to raise `missing` and `unexpected`.

    Both are 1 or 0. What is silent for good is missing even if only its tag is dead, until somebody has seen it there.
    """
    watch.since_fact = watch.since_fact + 1.0
    settled = ops.above(watch.since_fact, HOLD_AFTER_FACT_BINS)
    doubted = ops.above(SEEN - p, 0.0) * watch.book_here
    watch.low = (watch.low + 1.0) * ops.above(LOW - live, 0.0) * doubted
    watch.high = (watch.high + 1.0) * ops.above(p, HIGH) * (1.0 - watch.book_here)
    watch.slow = (watch.slow + 1.0) * ops.above(SLOW - live, 0.0) * doubted
    watch.back = (watch.back + 1.0) * ops.above(live, LOW_AGAIN)
    watch.away = (watch.away + 1.0) * ops.above(HIGH_AGAIN - p, 0.0)
    watch.armed_missing = _armed(watch.armed_missing, ops.above(watch.back, AGAIN_BINS))
    watch.armed_unexpected = _armed(watch.armed_unexpected, ops.above(watch.away, AGAIN_BINS))
    low = ops.above(watch.low, watch.hold - 0.5)
    slow = ops.above(watch.slow, SLOW_BINS)
    missing = (low + slow - low * slow) * watch.armed_missing
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
    watch.low, watch.slow, watch.high = watch.low * kept, watch.slow * kept, watch.high * kept
    watch.armed_missing = watch.armed_missing * kept + told
    watch.armed_unexpected = watch.armed_unexpected * kept + told
    watch.since_fact = watch.since_fact * kept
    watch.hold = watch.hold * kept + told * (HOLD_BINS + beside * (HOLD_NEXT_BINS - HOLD_BINS))


def _armed(armed: N, back: N) -> N:
    return armed + back - armed * back
