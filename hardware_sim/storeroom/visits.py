"""When people come into a storeroom: a rhythm of the day and of the week, and how long they stay.

It says nothing of what they do there. It is pure: the same generator in the same state gives the same visits.
"""

import numpy as np

from hardware_sim.storeroom.happenings import DAY_S, Visit
from hardware_sim.storeroom.rates import WorldRates
from hardware_sim.storeroom.stock import SHELVES

HOURS = (1, 1, 1, 1, 1, 2, 5, 9, 10, 9, 8, 6, 4, 5, 7, 7, 6, 5, 3, 3, 3, 2, 2, 1)
"""How busy each hour of a day is."""

WEEK = (0.35, 0.15, 0.10, 0.10, 0.05, -0.60, -0.15)
"""Monday to Sunday: what the full rhythm adds to an average day; with `weekly_rhythm` 1, Sunday has 40 % of it."""

STAY_S = (40.0, 300.0)
STAFF = 12


def day_factor(rates: WorldRates, day: int) -> float:
    """Return how busy a day is, day 0 a Monday; the mean over a week is 1."""
    return 1.0 + rates.weekly_rhythm * WEEK[day % 7]


def draw_visits(rates: WorldRates, days: int, rng: np.random.Generator) -> list[Visit]:
    """Return all visits in order of their beginning."""
    chances = np.array(HOURS) / sum(HOURS)
    visits = []
    for day in range(days):
        count = int(rng.poisson(rates.visits_a_day * day_factor(rates, day)))
        begins = day * DAY_S + (rng.choice(len(HOURS), count, p=chances) + rng.random(count)) * 3600
        stays = rng.uniform(*STAY_S, count)
        for since, stay in zip(begins.tolist(), stays.tolist(), strict=True):
            visits.append(a_visit(since, stay, rng))
    return sorted(visits)


def a_visit(since_s: float, stay_s: float, rng: np.random.Generator) -> Visit:
    """Return one visit by somebody, before some shelf."""
    actor = f"N{int(rng.integers(1, STAFF + 1)):02d}"
    return Visit(since_s, since_s + stay_s, actor, int(rng.integers(len(SHELVES))))
