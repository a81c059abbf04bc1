"""How long a link waits before it tries again: longer after each failure, and never all devices at one time.

It waits for nothing itself; the link's thread does.
"""

import math
from dataclasses import dataclass

DOUBLINGS_MAX = 16
"""Failures after which the back-off no longer doubles: 2**16 is beyond any sensible limit."""


@dataclass(frozen=True, slots=True)
class BackOff:
    """Full jitter: a random part of a limit that doubles with each failure, from `first_s` to `max_s`."""

    first_s: float = 0.5
    max_s: float = 60.0

    def wait_s(self, failures: int, chance: float) -> float:
        """Return the pause after so many failures in a row; `chance` is a random number of 0..1."""
        return chance * min(self.max_s, math.ldexp(self.first_s, min(failures, DOUBLINGS_MAX)))
