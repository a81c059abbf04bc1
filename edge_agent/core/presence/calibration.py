"""What the filter's P(here) is worth: log-odds, moved and stretched by two figures learned on simulated wards (Platt).

The model leaves things out (slow fading, what a box hides), so that its own probability may be too bold or too shy. The
rule that must not be broken: the table is learned on wards that nothing is scored on.
"""

from dataclasses import dataclass

from edge_agent.core.presence.numbers import N, Ops


@dataclass(frozen=True, slots=True)
class Platt:
    """Log-odds of being here are `shift` + `slope` times the model's."""

    shift: float
    slope: float


LEARNED = Platt(shift=0.29, slope=0.61)
"""Of 359 uncertain spells of 18 simulated ward-weeks (hard, hard with every rate varied by the seed, and nominal;
training seeds 100 to 107), one sample a spell (`tests/bench/presence_calibration`),
held by a normal prior at (0, 1)."""


def calibrated(here: N, away: N, table: Platt, ops: Ops[N]) -> N:
    """Return the calibrated P(here), from the model's chances of here and away; both are above nothing."""
    odds = table.shift + table.slope * (ops.log(here) - ops.log(away))
    return 1.0 / (1.0 + ops.exp(-odds))
