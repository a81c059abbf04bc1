"""What the engine knows beyond the scene: half a year of use here and elsewhere, lead times seen, limits, and worth.

It is read in the same transaction as the scene, and only when an engine is the policy. It gathers and decides nothing,
but for one figure of the whole hospital: what a served request must be worth so that the target is met. The rules that
must not be broken: days before a storeroom's first known use are no days without demand; a person's limits are rows of
the policy table, with their reason and their end.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
from sqlalchemy import Connection

from central.core.demand import added, netted
from central.core.orders import Ordered
from central.core.reorder import Facts, Past, Position, Source
from central.core.reorder.engine import Lines, lots_of, worth_for
from central.core.reorder.leads import Leads, fixed_leads
from central.core.reorder.moments import Floats, Sums, moments_of_many, sums_of, together
from central.core.reorder.receipts import LeadBook, days_between, filled
from central.core.reorder.season import READ_DAYS, Index, coming_days, factors_of_many, in_season_of_many, spans
from central.core.reorder.waits import points_of, waits_of_many
from central.services.positions import ORDERS_COUNTED_DAYS, Scene, used_roles
from central.services.seasons import Pool, is_asked_for
from central.store.queries_book import arrivals_at, flows_of
from central.store.queries_master import Place, uses
from central.store.queries_reorder import earliest_expiries
from central.store.queries_work import ordered
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, day_start, plus
from protocols.values.money import Money

DAY_S = 86_400
NOBODY = Sums(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Foresight:
    """Sums by item and place, lead times, and by place and item the units that are late and the next expiry.

    `seasons` are the months' indices by level and item; `worth` is set in system mode.
    """

    scene: Scene
    sums: dict[str, dict[str, Sums]] = field(default_factory=dict)
    leads: LeadBook = field(default_factory=LeadBook)
    late: dict[tuple[str, str], int] = field(default_factory=dict)
    expiries: dict[tuple[str, str], date] = field(default_factory=dict)
    seasons: dict[tuple[int, str], Index] = field(default_factory=dict)
    worth: float | None = None

    def enrich(self, facts: Facts, place: Place) -> Facts:
        """Return facts with what the engine needs besides."""
        position = facts.position
        late = min(self.late.get((facts.place, facts.item), 0), position.on_order)
        return replace(
            facts,
            position=Position(position.physical, position.on_order, position.reserved, late),
            ladder=tuple(self._source(source, facts.item) for source in facts.ladder),
            past=self._past(place, facts.item),
            cover_days=self._cover(facts, place),
        )

    def _cover(self, facts: Facts, place: Place) -> Fraction:
        """Return the days an order covers: those of the item's class at this level, where a rule names it (D7)."""
        scope = f"level-{place.level}-{self.scene.classes.get(facts.item, '')}"
        return self.scene.rules.values.get(("reorder.cover_days", scope), facts.cover_days)

    def _source(self, source: Source, item: str) -> Source:
        return replace(source, leads=self.leads.leads(source.name, item))

    def price_of(self, item: str) -> Money:
        """Return what a unit costs at its main supplier, wherever a line takes it from."""
        terms = self.scene.terms.get(item, [])
        return terms[0].price if terms else Money(0)

    def _past(self, place: Place, item: str) -> Past:
        rules, scope = self.scene.rules, f"level-{place.level}"
        everywhere = self.sums.get(item, {})
        kin = [
            sums
            for other, sums in everywhere.items()
            if other != place.place and self.scene.storerooms[other].place.level == place.level
        ]
        return Past(
            everywhere.get(place.place, NOBODY),
            together(kin),
            float(rules.number("reorder.fill_target", scope)),
            self.worth,
            self.price_of(item),
            float(rules.number("reorder.weight", self.scene.catalogue[item].criticality)),
            rules.whole("reorder.shelf_days"),
            self.seasons.get((place.level, item)),
        )


def foresight_at(connection: Connection, hospital: HospitalId, now: Instant, scene: Scene) -> Foresight:
    """Gather what the engine needs of a hospital."""
    today, days = business_day(now), scene.rules.whole("reorder.engine_days")
    expiries, seasons = earliest_expiries(connection, hospital, today), _seasons_at(connection, hospital, today, scene)
    sight = Foresight(scene, expiries=expiries, seasons=seasons)
    since = plus(now, -ORDERS_COUNTED_DAYS * DAY_S)
    lines = ordered(connection, hospital, since)
    waits: list[tuple[str, str, str, Ordered]] = []
    for room in scene.storerooms.values():
        for item, sums in _sums_at(connection, hospital, room.place, today, days).items():
            sight.sums.setdefault(item, {})[room.place.place] = sums
        arrived = arrivals_at(connection, hospital, room.place.place, since)
        here = [line for line in lines if line[0] == room.place.place]
        for item in sorted({line[1] for line in here}):
            of_item = [line for line in here if line[1] == item]
            when = filled([line[3] for line in of_item], arrived.get(item, []))
            for source in sorted({line[2] for line in of_item}):
                sight.leads.enter(source, item, [line[3] for line in of_item if line[2] == source], when, now)
            waits += [line for line in of_item if when[line[3].key] is None and line[3].until is None]
    for place, item, source, line in waits:
        leads = sight.leads.leads(source, item)
        if leads is not None and days_between(line.at, now) > leads.late_days:
            sight.late[place, item] = sight.late.get((place, item), 0) + line.qty
    return sight


def _used_since(
    connection: Connection, hospital: HospitalId, place: Place, first: date, today: date
) -> dict[str, dict[date, int]]:
    """Return what was asked of a storeroom since a day, by item and day."""
    imported = uses(connection, hospital, place.place, first, today)
    recorded = netted(flows_of(connection, hospital, place.place, used_roles(place), day_start(first)))
    return {item: added(imported.get(item, {}), recorded.get(item, {})) for item in {*imported, *recorded}}


def _seasons_at(
    connection: Connection, hospital: HospitalId, today: date, scene: Scene
) -> dict[tuple[int, str], Index]:
    """Return the index of the items whose season is asked for, by level and item; years are read for them alone."""
    if not is_asked_for(scene.rules):
        return {}
    first, pools = today - timedelta(days=READ_DAYS), defaultdict[int, Pool](Pool)
    for room in scene.storerooms.values():
        pools[room.place.level].add(_used_since(connection, hospital, room.place, first, today), today)
    return {
        (level, item): index
        for level, pool in pools.items()
        for item, index in pool.seasons(scene.rules, today).items()
    }


def _sums_at(connection: Connection, hospital: HospitalId, place: Place, today: date, window: int) -> dict[str, Sums]:
    """Return the sums of a storeroom's requests by item, over the days since its first known use."""
    first = today - timedelta(days=window)
    used = _used_since(connection, hospital, place, first, today)
    known = [day for by_day in used.values() for day, qty in by_day.items() if first <= day < today and qty > 0]
    if not known:
        return {}
    days = (today - min(known)).days
    return {
        item: sums_of([qty for day, qty in by_day.items() if first <= day < today and qty > 0], days)
        for item, by_day in sorted(used.items())
    }


def with_worth(sight: Foresight, several: list[Facts]) -> Foresight:
    """Return the foresight with the worth of a served request that meets the hospital's target (system mode)."""
    known = [(facts, facts.past) for facts in several if facts.ladder and facts.past is not None]
    if not known:
        return sight
    lines = _lines_of(known)
    target = float(sight.scene.rules.number("reorder.fill_target"))
    return replace(sight, worth=worth_for(lines, target, lines.rates * lines.weights))


def _likely(facts: Facts) -> Source:
    """Return the first source that could give what the line's cover asks for, else the last."""
    wanted = facts.demand.daily_mean * facts.cover_days
    able = (one for one in facts.ladder if one.available is None or one.available >= max(wanted, Fraction(one.pack)))
    return next(able, facts.ladder[-1])


def _lines_of(known: list[tuple[Facts, Past]]) -> Lines:
    sources = [_likely(facts) for facts, _ in known]
    own, kin = (
        np.array([[one.days, one.requests, one.total, one.squares, one.cubes] for one in sums]).T
        for sums in ([past.own for _, past in known], [past.kin for _, past in known])
    )
    leads: list[Leads] = [source.leads or fixed_leads(source.lead_days) for source in sources]
    factors = _factors(known, leads)
    moments = in_season_of_many(moments_of_many(own, kin), factors)
    packs, moqs = (np.array([getattr(source, name) for source in sources]) for name in ("pack", "moq"))
    lots = lots_of(moments, packs, moqs, np.array([float(facts.cover_days) for facts, _ in known]))
    days, weights = points_of(moments, lots, leads, np.arange(len(known)))
    return Lines(
        moments,
        waits_of_many(moments, days, weights),
        lots,
        np.array([float(past.price) for _, past in known]),
        np.array([past.weight for _, past in known]),
        moments.rate,
        np.array([float(past.shelf_days) for _, past in known]) / factors,
    )


def _factors(known: list[tuple[Facts, Past]], leads: list[Leads]) -> Floats:
    """Return what the season does to the moments of each line; 1 where there is none."""
    factors, some = np.ones(len(known)), [line for line, (_, past) in enumerate(known) if past.season is not None]
    if some:
        days = [
            spans(facts.demand.last, past.own.days, coming_days(leads[line], facts.cover_days))
            for line, (facts, past) in ((line, known[line]) for line in some)
        ]
        index = np.array([known[line][1].season for line in some], np.float64)
        past_days, coming = (np.array([one[side] for one in days], np.float64) for side in (0, 1))
        factors[some] = factors_of_many(index, past_days, coming)
    return factors
