"""The bench itself: every policy over sites and wards, and the figures that compare them.

Settings (k, z, fill targets, worths) are played over both halves; what is called tuned was picked on the first, and
all figures are of the second. The rule that must not be broken: baselines and engine are played in the same run, over
the same requests and lead times.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from central.core.reorder.engine import worth_scale
from central.core.reorder.moments import Floats, Whole
from central.services.reorder_bench.figures import (
    LEARNT,
    SCORED,
    Figure,
    Score,
    at_fill,
    draws_of,
    figure,
    only,
    picked,
    score,
    unserved_at_stock,
)
from central.services.reorder_bench.files import read_history
from central.services.reorder_bench.play import Levels, Played, play
from central.services.reorder_bench.record import LOSSES, Record, recorded
from central.services.reorder_bench.season import beside_season
from central.services.reorder_bench.settings import (
    Prepared,
    by_fill,
    by_target,
    by_text,
    by_worth,
    k_adu,
    normal,
    own_levels,
    prepare,
)
from central.services.reorder_bench.world import World, part_of, sites_and_wards

Tell = Callable[[str, int], None]

FILLS = (0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.9995, 0.9999)
WORTHS = tuple(float(one) for one in np.geomspace(0.3, 30_000.0, 21))
KS = (0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 32, 48)
ZS = (-0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6)
"""What is tried; worths are multiples of the median line's."""

COVER_DAYS = 7.0
"""Days an order covers, unless told."""

COVERS = (5.0, 7.0, 10.0, 14.0, 21.0, 28.0)
LINES_RATIO_MAX = 1.3
"""Beside the hospital's own levels the engine may cover other days: the first half picks those with the least stock at
the hospital's fill among covers with at most so many times its order lines."""

BETAS = (0.95, 0.98, 0.99)
TUNED_FILL = 0.98
TEXTS = ("3x", "3x-literal", "double-order")
PRICE_SEEDS = 20
PRICE_SPREAD = 1.5
"""Deviation of the logarithm of drawn prices: a hundredfold between cheap and dear."""

ITEM, SYSTEM = "engine-item", "engine-system"


@dataclass(frozen=True, slots=True)
class Side:
    """Sites or wards, played: settings by the policy they belong to; series with levels of the hospital's own.

    `promised`: the settings that promise BETAS in units, then those that promise them in requests.
    """

    ready: Prepared
    played: Played
    groups: Mapping[str, list[int]]
    promised: Mapping[str, list[int]]
    own: Whole | None

    def score(self, group: str, half: int, draws: Floats, prices: Floats | None = None) -> Score:
        """Return the figures of a policy's settings."""
        return self.score_of(self.groups[group], half, draws, prices)

    def score_of(self, settings: list[int], half: int, draws: Floats, prices: Floats | None = None) -> Score:
        """Return the figures of some settings."""
        world = self.ready.world
        days = world.days - world.half if half == SCORED else world.half - world.warm_up
        return score(self.played, settings, half, draws, prices=prices, days=days)


def bench_reorder(folder: Path, cover_days: float, tell: Tell) -> dict[str, Any]:
    """Run the bench over a folder of past use. Raises `BadFile` for what cannot be read."""
    tell("reading past use", 0)
    history = read_history(folder)
    sites, wards = sites_and_wards(history)
    tell("playing sites: series", len(sites.keys))
    whole = play_side(sites, cover_days) if sites.keys else None
    tell("playing wards: series", len(wards.keys))
    ward = play_side(wards, cover_days) if wards.keys else None
    tell("figures", 0)
    own = None if whole is None else beside_own(whole)
    report: dict[str, Any] = {name: _engine_part(name, whole, ward, own) for name in (ITEM, SYSTEM)}
    answer = {
        "item": report[ITEM],
        "system": report[SYSTEM],
        "policies": {} if whole is None else _policies(whole),
        "ward_policies": {} if ward is None else _policies(ward),
        "world": {
            "days": sites.days,
            "scored_from_day": sites.half,
            "site_series": len(sites.keys),
            "ward_series": len(wards.keys),
            "cover_days": cover_days,
            "cover_days_beside_own_levels": None if own is None else own.ready.cover_days,
            "lead_times": "assumed" if not history.receipts else "drawn from the receipts of each item, fixed seed",
            "receipts_set_aside": history.set_aside,
            "own_levels": history.levels is not None,
            "prices": "equal for every unit; drawn_prices: the median over fixed seeds",
            "request": "what one ward asks of one item on one day",
        },
    }
    tell("lost records", 0)
    answer["lost_records"] = None if whole is None else lost_records(sites, whole, cover_days)
    tell("seasons", 0)
    answer["season"] = {
        name: beside_season(world, cover_days, FILLS, TUNED_FILL) if world.keys else None
        for name, world in (("sites", sites), ("wards", wards))
    }
    tell("drawn prices: seeds", PRICE_SEEDS)
    answer["drawn_prices"] = None if whole is None else drawn_prices(whole)
    return answer


def play_side(world: World, cover_days: float) -> Side:
    """Play every policy over one world."""
    ready = prepare(world, cover_days)
    scale = worth_scale(ready.lines)
    own = own_levels(ready)
    groups: dict[str, list[Levels]] = {name: [by_text(ready, name=name)] for name in TEXTS}
    groups["k-adu"] = [k_adu(ready, k) for k in KS]
    groups["normal"] = [normal(ready, z) for z in ZS]
    groups[ITEM] = by_fill(ready, FILLS)
    groups[SYSTEM] = by_worth(ready, tuple(worth * scale for worth in WORTHS))
    if own is not None:
        groups["own"] = [own[0]]
    item = [groups[ITEM][FILLS.index(beta)] for beta in BETAS]
    units, requests = (by_target(ready, BETAS, asked) for asked in (ready.lines.moments.mean, ready.lines.rates))
    promised = {ITEM: [*item, *item], SYSTEM: [*units, *requests]}
    settings = [one for several in groups.values() for one in several] + promised[SYSTEM]
    places = {id(one): at for at, one in enumerate(settings)}
    return Side(
        ready,
        play(world, settings),
        {name: [places[id(one)] for one in several] for name, several in groups.items()},
        {name: [places[id(one)] for one in several] for name, several in promised.items()},
        None if own is None else own[1],
    )


def _engine_part(name: str, sites: Side | None, wards: Side | None, own: Side | None) -> dict[str, Any]:
    """Return the named figures of one engine, their intervals beside them."""
    found: dict[str, Figure] = {}
    nothing = Figure(None, None)
    units: dict[str, Figure] = {}
    requests: dict[str, Figure] = {}
    if sites is not None:
        draws = draws_of(len(sites.ready.world.keys))
        found |= _against_texts(name, sites, draws) | _against_own(name, own)
        promised = sites.score_of(sites.promised[name], SCORED, draws)
        units = {f"{beta:g}": figure(promised.unit_fill[:, row]) for row, beta in enumerate(BETAS)}
        asking = enumerate(BETAS, start=len(BETAS))
        requests = {f"{beta:g}": figure(promised.fill[:, row]) for row, beta in asking}
    if wards is not None:
        draws = draws_of(len(wards.ready.world.keys))
        found["ward_stock_ratio_at_literal_fill"] = _at_literal_fill(name, wards, draws)
    named = {key: found.get(key, nothing) for key in NAMED}
    return {
        **{key: one.value for key, one in named.items()},
        "unit_fill": {beta: one.value for beta, one in units.items()},
        "request_fill": {beta: one.value for beta, one in requests.items()},
        "intervals": {
            **{key: one.interval for key, one in named.items()},
            "unit_fill": {beta: one.interval for beta, one in units.items()},
            "request_fill": {beta: one.interval for beta, one in requests.items()},
        },
        "not_reached": [key for key, one in named.items() if one.value is None],
    }


NAMED = (
    "stock_ratio_at_literal_fill",
    "unserved_ratio_at_literal_stock",
    "stock_ratio_vs_tuned_kadu_98",
    "stock_ratio_vs_own_levels",
    "lines_ratio_vs_own_levels",
    "ward_stock_ratio_at_literal_fill",
)


def _at_literal_fill(name: str, side: Side, draws: Floats, prices: Floats | None = None) -> Figure:
    engine, literal = side.score(name, SCORED, draws, prices), side.score("3x-literal", SCORED, draws, prices)
    return figure(at_fill(engine, engine.stock_days, literal.fill[:, 0]) / literal.stock_days[:, 0])


def _against_texts(name: str, side: Side, draws: Floats) -> dict[str, Figure]:
    engine, literal = side.score(name, SCORED, draws), side.score("3x-literal", SCORED, draws)
    rival, target = side.score("k-adu", SCORED, draws), np.full(len(draws), TUNED_FILL)
    unserved = unserved_at_stock(engine, literal.stock_days[:, 0]) / (1 - literal.fill[:, 0])
    tuned = at_fill(engine, engine.stock_days, target) / at_fill(rival, rival.stock_days, target)
    return {
        "stock_ratio_at_literal_fill": _at_literal_fill(name, side, draws),
        "unserved_ratio_at_literal_stock": figure(unserved),
        "stock_ratio_vs_tuned_kadu_98": figure(tuned),
    }


def beside_own(sites: Side) -> Side | None:
    """Return the series that have levels of the hospital's own, played with the cover that the first half picks."""
    if sites.own is None:
        return None
    world = part_of(sites.ready.world, sites.own)
    sides = [play_side(world, cover) for cover in COVERS]
    draws = np.ones((1, len(world.keys)))
    found = []
    for side in sides:
        engine, own = side.score(ITEM, LEARNT, draws), side.score("own", LEARNT, draws)
        lines = float(at_fill(engine, engine.lines, own.fill[:, 0])[0] / own.lines[0, 0])
        stock = float(at_fill(engine, engine.stock_days, own.fill[:, 0])[0])
        if lines <= LINES_RATIO_MAX and isfinite(stock):
            found.append((stock, side))
    return min(found, key=lambda one: one[0])[1] if found else sides[-1]


def _against_own(name: str, side: Side | None) -> dict[str, Figure]:
    if side is None:
        return {}
    draws = draws_of(len(side.ready.world.keys))
    engine, own = side.score(name, SCORED, draws), side.score("own", SCORED, draws)
    fill = own.fill[:, 0]
    return {
        "stock_ratio_vs_own_levels": figure(at_fill(engine, engine.stock_days, fill) / own.stock_days[:, 0]),
        "lines_ratio_vs_own_levels": figure(at_fill(engine, engine.lines, fill) / own.lines[:, 0]),
    }


def _policies(side: Side) -> dict[str, Any]:
    """Return each policy's second half; of tuned ones at the setting that the first half picked."""
    every = draws_of(len(side.ready.world.keys))
    found: dict[str, Any] = {}
    for group, settings in side.groups.items():
        draws = only(every, side.own) if group == "own" and side.own is not None else every
        row = 0 if len(settings) == 1 else picked(side.score(group, LEARNT, draws), TUNED_FILL)
        if row is None:
            found[group] = None
            continue
        scored = side.score(group, SCORED, draws)
        found[group] = {
            "setting": side.played.names[settings[row]],
            "fill": figure(scored.fill[:, row]).value,
            "fill_interval": figure(scored.fill[:, row]).interval,
            "unit_fill": figure(scored.unit_fill[:, row]).value,
            "stock_days": figure(scored.stock_days[:, row]).value,
            "stock_days_interval": figure(scored.stock_days[:, row]).interval,
            "lines": int(scored.lines[0, row]),
            "expired_share": figure(scored.expired[:, row]).value,
        }
    return found


def lost_records(world: World, side: Side, cover_days: float) -> dict[str, Any]:
    """Return what becomes of item mode at the tuned fill when use is not recorded and nobody counts."""
    (perfect,) = by_fill(side.ready, (TUNED_FILL,))
    settings = [perfect]
    for loss in LOSSES:
        blind = prepare(replace(world, daily=recorded(world.daily, loss)), cover_days)
        settings.append(replace(by_fill(blind, (TUNED_FILL,))[0], record=Record(loss)))
        settings.append(replace(perfect, record=Record(loss, readers=True)))
    played = play(world, settings)
    told = score(
        played, range(len(settings)), SCORED, np.ones((1, len(world.keys))), prices=None, days=world.days - world.half
    )
    fill, stock = told.fill[0], told.stock_days[0]

    def row(at: int) -> dict[str, float]:
        return {
            "fill": round(float(fill[at]), 4),
            "fill_less_perfect": round(float(fill[at] - fill[0]), 4),
            "stock_over_perfect": round(float(stock[at] / stock[0]), 4),
        }

    by_loss = {f"{loss:g}": {"book": row(1 + 2 * at), "readers": row(2 + 2 * at)} for at, loss in enumerate(LOSSES)}
    return {"perfect": row(0), **by_loss}


def drawn_prices(side: Side) -> dict[str, Any]:
    """Return the stock ratio at the literal policy's fill under drawn prices: the median over fixed seeds."""
    world = side.ready.world
    items = sorted({key[0] for key in world.keys})
    at = np.array([items.index(key[0]) for key in world.keys])
    draws = np.ones((1, len(world.keys)))
    found: dict[str, list[float]] = {ITEM: [], SYSTEM: []}
    for seed in range(PRICE_SEEDS):
        prices = np.exp(np.random.default_rng(seed).normal(0.0, PRICE_SPREAD, len(items)))[at]
        scale = worth_scale(side.ready.lines) * float(np.median(prices))
        levels = by_worth(side.ready, tuple(worth * scale for worth in WORTHS), prices)
        literal = side.score("3x-literal", SCORED, draws, prices)
        for name, ratios in found.items():
            engine = side.score(name, SCORED, draws, prices)
            if name == SYSTEM:
                played = play(world, levels)
                engine = score(played, range(len(levels)), SCORED, draws, prices=prices, days=world.days - world.half)
            ratio = at_fill(engine, engine.stock_days, literal.fill[:, 0]) / literal.stock_days[:, 0]
            ratios.append(float(ratio[0]))
    return {
        name: {"stock_ratio_at_literal_fill": figure(np.array([np.nanmedian(ratios)])).value, "seeds": PRICE_SEEDS}
        for name, ratios in found.items()
    }
