"""What fails in a storeroom: readers that are off, antennas that are lost or blind, a dead sensor, dead tags.

It is pure, and only says when. A lost antenna is one of which the reader says so, a blind one hears nothing and says
nothing: only its reference tag tells. The rule that must not be broken: a reader that is off has no rounds, a blind
antenna has.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hardware_sim.storeroom.happenings import DAY_S, Death
from hardware_sim.storeroom.rates import WorldRates
from hardware_sim.storeroom.stock import DOOR_ANTENNAS, ROOM_ANTENNAS

SPREAD = 0.7
"""Standard deviation of the logarithm of how long a failure lasts."""


class Span(NamedTuple):
    """From one instant to another, in seconds since the trace began; `antenna` 0 is the whole reader."""

    since_s: float
    until_s: float
    antenna: int = 0


@dataclass(frozen=True, slots=True)
class Failures:
    """All failures of one storeroom."""

    reader_off: tuple[Span, ...] = ()
    next_off: tuple[Span, ...] = ()
    lost: tuple[Span, ...] = ()
    blind: tuple[Span, ...] = ()
    sensor_dead: tuple[Span, ...] = ()
    deaths: tuple[Death, ...] = ()


def draw_failures(rates: WorldRates, days: int, tags: int, rng: np.random.Generator) -> Failures:
    """Draw everything that fails in so many days."""

    def spans(a_week: float, median_s: float, antennas: tuple[int, ...] = (0,)) -> tuple[Span, ...]:
        found = []
        for _ in range(int(rng.poisson(a_week * days / 7))):
            since = float(rng.uniform(0, days * DAY_S))
            lasts = median_s * float(np.exp(rng.normal(0, SPREAD)))
            found.append(Span(since, since + lasts, antennas[int(rng.integers(len(antennas)))]))
        return tuple(sorted(found))

    outage_s, antenna_s = rates.outage_median_min * 60, rates.antenna_median_h * 3600
    antennas = ROOM_ANTENNAS + DOOR_ANTENNAS
    return Failures(
        reader_off=spans(rates.outages_a_week, outage_s),
        next_off=spans(rates.next_outages_a_week, outage_s),
        lost=spans(rates.lost_antennas_a_week, antenna_s, antennas),
        blind=spans(rates.blind_a_week, antenna_s, antennas),
        sensor_dead=spans(rates.sensor_dead_a_week, rates.sensor_dead_median_h * 3600),
        deaths=tuple(
            Death(float(rng.uniform(0, days * DAY_S)), int(rng.integers(tags)))
            for _ in range(int(rng.poisson(rates.deaths_a_thousand_tag_days * tags * days / 1000)))
        ),
    )


def shares(spans: tuple[Span, ...], since_s: float, bins: int, bin_s: float) -> np.ndarray:
    """Return the share of each bin that lies in any of the spans, for bins from an instant on."""
    share = np.zeros(bins)
    edges = since_s + bin_s * np.arange(bins)
    for span in spans:
        share += np.clip(np.minimum(span.until_s, edges + bin_s) - np.maximum(span.since_s, edges), 0, bin_s) / bin_s
    return np.minimum(share, 1.0)
