"""Whether a probability means what it says: among uncertain ones, as many are here as the probabilities promise.

One sample is drawn of each spell in which a tag's P(here) stays uncertain (`UNCERTAIN`): a long spell counts once. The
error is the mean distance of ten bins (ECE); a perfect model errs too on so few samples, so its 95th percentile
stands beside it. The slope is that of a logistic regression of the outcome on the log-odds; 1 is right.
"""

from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from tests.bench.presence_score import Truth

UNCERTAIN = (0.02, 0.98)
PERFECT = 500
RESAMPLED = 300
FEW = 20
"""Fewer spells say nothing."""
Sample = tuple[float, bool]


def samples_of(
    truth: Truth, names: Sequence[str], told: Sequence[tuple[int, list[float]]], fixed: set[int]
) -> list[Sample]:
    """Return one (P(here), was here) of each uncertain spell; `told` is every so often P(here) of all tags."""
    chance = Random(1)
    found: list[Sample] = []
    for tag, name in enumerate(names):
        spell: list[tuple[int, float]] = []
        for number, p in told if tag not in fixed else ():
            if UNCERTAIN[0] < p[tag] < UNCERTAIN[1]:
                spell.append((number, p[tag]))
            elif spell:
                found.append(_sample(truth, name, chance.choice(spell)))
                spell = []
        if spell:
            found.append(_sample(truth, name, chance.choice(spell)))
    return found


def _sample(truth: Truth, name: str, at: tuple[int, float]) -> Sample:
    return at[1], truth.is_here(name, at[0])


def calibration(wards: Sequence[Sequence[Sample]]) -> dict[str, object]:
    """Return spells, error, a perfect model's 95th percentile, the slope, and both with 95 % intervals by wards."""
    samples = [sample for ward in wards for sample in ward]
    if len(samples) < FEW:
        return {"spells": len(samples), "error": None, "perfect_95": None, "slope": None}
    p = np.array([sample[0] for sample in samples])
    here = np.array([float(sample[1]) for sample in samples])
    rng = np.random.default_rng(1)
    perfect = [_error(p, (rng.random(len(p)) < p).astype(np.float64)) for _ in range(PERFECT)]
    return {
        "spells": len(samples),
        "error": round(_error(p, here), 4),
        "perfect_95": round(float(np.quantile(perfect, 0.95)), 4),
        "slope": round(_slope(_odds(p), here), 3),
        **_intervals(wards, rng),
    }


def _intervals(wards: Sequence[Sequence[Sample]], rng: np.random.Generator) -> dict[str, list[float]]:
    """Return where error and slope lie, 95 times of 100, by resampling wards."""
    told = [np.array(ward, dtype=np.float64).reshape(-1, 2) for ward in wards]
    errors, slopes = [], []
    for pick in rng.integers(len(told), size=(RESAMPLED, len(told))):
        p, here = np.concatenate([told[ward] for ward in pick]).T
        if 0 < here.sum() < len(here):
            errors.append(_error(p, here))
            slopes.append(_slope(_odds(p), here))
    if not errors:
        return {}
    named = {"error_95": errors, "slope_95": slopes}
    return {
        name: [round(float(each), 3) for each in np.quantile(those, (0.025, 0.975))] for name, those in named.items()
    }


def _odds(p: NDArray[np.float64]) -> NDArray[np.float64]:
    odds: NDArray[np.float64] = np.log(p / (1 - p))
    return odds


def _error(p: NDArray[np.float64], here: NDArray[np.float64]) -> float:
    place = np.minimum(9, (p * 10).astype(int))
    return float(sum(abs(here[place == k].sum() - p[place == k].sum()) for k in range(10)) / len(p))


def _slope(odds: NDArray[np.float64], here: NDArray[np.float64]) -> float:
    """Return the slope of a logistic regression, by Newton's method."""
    x = np.stack([np.ones_like(odds), odds])
    weights = np.array([0.0, 1.0])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(weights @ x, -30, 30)))
        hessian = (x * (p * (1 - p))) @ x.T + 1e-6 * np.eye(2)
        weights = weights + np.linalg.solve(hessian, x @ (here - p))
    return float(weights[1])
