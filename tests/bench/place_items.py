"""Place-items for the reorder benchmarks: daily requests of many lines, and lead times, from fixed seeds."""

import numpy as np

from central.core.reorder.leads import Leads, leads_of
from central.core.reorder.moments import WINDOW_DAYS, Floats

LINES, BLOCK = 400_000, 20_000
PROFILES = 300


def requests(seed: int) -> Floats:
    """Return a block's daily requests: mostly a few a month, some daily, of a few pieces."""
    chance = np.random.default_rng(seed)
    rate = np.minimum(0.9, chance.gamma(0.5, 0.4, (BLOCK, 1)) + 0.02)
    asked = chance.random((BLOCK, WINDOW_DAYS)) < rate
    return np.asarray(asked * chance.geometric(1 / chance.integers(1, 9, (BLOCK, 1)), (BLOCK, WINDOW_DAYS)), np.float64)


def leads() -> list[Leads]:
    """Return lead times of items from suppliers."""
    chance = np.random.default_rng(3)
    means = chance.choice([1, 2, 3, 5, 8], PROFILES)
    return [leads_of([int(days) for days in chance.poisson(mean, 30)]) for mean in means]
