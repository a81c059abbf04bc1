"""What the engine knows beyond the scene: half a year of use here and elsewhere, lead times seen, limits, and worth.

It is read in the same transaction as the scene, and only when an engine is the policy. It gathers and decides nothing,
but for one figure of the whole hospital: what a served request must be worth so that the target is met. The rules that
must not be broken: days before a storeroom's first known use are no days without demand; a person's limits are rows of
the policy table, with their reason and their end.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from central.core.demand import added, netted
from central.core.orders import Ordered
from central.core.reorder import Facts, Past, Source
from central.core.reorder.batch import lines_of
from central.core.reorder.engine import joined, worth_for
from central.core.reorder.expiry import Lots, expired, unusable
from central.core.reorder.keeping import shelf_days
from central.core.reorder.moments import Sums, sums_of, together, without
from central.core.reorder.receipts import LeadBook, days_between, filled
from central.core.reorder.scope import chance_lately
from central.core.reorder.season import READ_DAYS, Index
from central.services.positions import ORDERS_COUNTED_DAYS, Scene, used_roles
from central.services.seasons import Pool, is_asked_for
from central.store.queries_book import arrivals_at, flows_of
from central.store.queries_master import Place, uses
from central.store.queries_reorder import kept_when_received, lots_held
from central.store.queries_work import ordered
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, day_start, plus
from protocols.values.money import Money

DAY_S = 86_400
KEPT_LOOKED_BACK_DAYS = 365
"""Receipts of a year tell how long deliveries keep."""
NOBODY = Sums(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class ItemTerms:
    """What the rules say of an item at the storerooms of a level: days, target, weight, shelf life; and its price."""

    safety_days: Fraction
    cover_days: Fraction
    fill: float
    weight: float
    shelf_days: int
    price: Money


@dataclass(frozen=True, slots=True)
class Foresight:
    """Sums by item and place, lead times, and by place and item the units that are late and the lots
    that expire within a shelf life. `fresh` are the places and items where something came within the engine's window.

    `lately` is the chance of a request a day by now, by place and item; `known_days` are a place's days of known use,
    the engine's window at most. `seasons` are the months' indices by level and item; `worth` is set in system mode.
    `kept` are the days that what was received of an item within a year still kept, delivery by delivery.
    """

    scene: Scene
    sums: dict[str, dict[str, Sums]] = field(default_factory=dict)
    leads: LeadBook = field(default_factory=LeadBook)
    lately: dict[tuple[str, str], float] = field(default_factory=dict)
    known_days: dict[str, int] = field(default_factory=dict)
    late: dict[tuple[str, str], int] = field(default_factory=dict)
    lots: Mapping[tuple[str, str], Lots] = field(default_factory=dict)
    fresh: set[tuple[str, str]] = field(default_factory=set)
    seasons: dict[tuple[int, str], Index] = field(default_factory=dict)
    worth: float | None = None
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)
    _ladders: dict[tuple[str, str], tuple[Source, ...]] = field(default_factory=dict)
    _terms: dict[tuple[int, str], ItemTerms] = field(default_factory=dict)
    _totals: dict[tuple[int, str], Sums] = field(default_factory=dict)
    """Remembered, since many lines ask for the same."""

    def facts(self, place: Place, item: str) -> Facts:
        """Return the facts of a line with what the engine needs besides."""
        scene, terms, position = self.scene, self._terms_of(place.level, item), self.scene.position(place.place, item)
        late = min(self.late.get((place.place, item), 0), position.on_order)
        return Facts(
            place=place.place,
            item=item,
            demand=scene.demand(place.place, item),
            position=replace(position, late=late) if late else position,
            ladder=self._ladder(place, item),
            safety_days=terms.safety_days,
            cover_days=terms.cover_days,
            past=self._past(place, item, terms),
            limits=scene.limits(place.place, item),
            bins=scene.bins.get((place.place, item)),
            lots=self._near(place.place, item),
        )

    def _terms_of(self, level: int, item: str) -> ItemTerms:
        """Return what the rules say of an item at the storerooms of a level; many lines ask for the same."""
        known = self._terms.get((level, item))
        if known is None:
            rules, scope = self.scene.rules, f"level-{level}"
            own_cover = rules.values.get(("reorder.cover_days", f"{scope}-{self.scene.classes.get(item, '')}"))
            known = ItemTerms(
                rules.number("reorder.safety_days", scope),
                rules.number("reorder.cover_days", scope) if own_cover is None else own_cover,
                float(rules.number("reorder.fill_target", scope)),
                float(rules.number("reorder.weight", self.scene.catalogue[item].criticality)),
                self._keeps(item),
                self.price_of(item),
            )
            self._terms[level, item] = known
        return known

    def _keeps(self, item: str) -> int:
        """Return the days a supplier's delivery of an item keeps, by a rule of it, its receipts or the hospital."""
        ruled = self.scene.rules.values.get(("reorder.shelf_days", item))
        otherwise = self.scene.rules.whole("reorder.shelf_days")
        return shelf_days(None if ruled is None else int(ruled), self.kept.get(item, ()), otherwise)

    def _near(self, place: str, item: str) -> Lots:
        """Return the lots of a shelf that are near expiry."""
        lots = self.lots.get((place, item), ())
        near = self.scene.rules.whole("reorder.near_expiry_days") if lots else 0
        return tuple(lot for lot in lots if lot[0] <= near)

    def expiring(self, place: str, item: str) -> int:
        """Return the units near expiry that the place will not use in time, the expired ones left out."""
        lots = self._near(place, item)
        if not lots:
            return 0
        own = self.sums.get(item, {}).get(place, NOBODY)
        mean = own.total / own.days if own.days else 0.0
        return unusable(lots, mean, lots[-1][0]) - expired(lots)

    def is_dead(self, place: str, item: str) -> bool:
        """Tell whether nobody asked for an item, and none of it came, in the engine's whole window of known use."""
        days = self.scene.rules.whole("reorder.engine_days")
        asked = self.sums.get(item, {}).get(place, NOBODY).requests
        return self.known_days.get(place, 0) >= days and not asked and (place, item) not in self.fresh

    def _ladder(self, place: Place, item: str) -> tuple[Source, ...]:
        """Return the sources of an item for a storeroom: the same for all that have the same parent."""
        known = self._ladders.get((place.parent, item))
        if known is None:
            known = tuple(self._source(source, item) for source in self.scene.ladder(place, item, 0))
            self._ladders[place.parent, item] = known
        return known

    def _source(self, source: Source, item: str) -> Source:
        lots = self.lots.get((source.name, item), ()) if source.internal else ()
        return replace(source, leads=self.leads.leads(source.name, item), lots=lots)

    def price_of(self, item: str) -> Money:
        """Return what a unit costs at its main supplier, wherever a line takes it from."""
        terms = self.scene.terms.get(item, [])
        return terms[0].price if terms else Money(0)

    def _past(self, place: Place, item: str, terms: ItemTerms) -> Past:
        own = self.sums.get(item, {}).get(place.place, NOBODY)
        return Past(
            own,
            without(self._everywhere(place.level, item), own),
            terms.fill,
            self.worth,
            terms.price,
            terms.weight,
            terms.shelf_days,
            self.seasons.get((place.level, item)),
            self.lately.get((place.place, item)),
        )

    def _everywhere(self, level: int, item: str) -> Sums:
        """Return the sums of an item in all storerooms of a level."""
        known = self._totals.get((level, item))
        if known is None:
            rooms = self.scene.storerooms
            known = together(
                sums for place, sums in self.sums.get(item, {}).items() if rooms[place].place.level == level
            )
            self._totals[level, item] = known
        return known


def foresight_at(connection: Connection, hospital: HospitalId, now: Instant, scene: Scene) -> Foresight:
    """Gather what the engine needs of a hospital."""
    today = business_day(now)
    until = today + timedelta(days=scene.rules.whole("reorder.shelf_days"))
    lots, seasons = lots_held(connection, hospital, today, until), _seasons_at(connection, hospital, today, scene)
    kept = kept_when_received(connection, hospital, plus(now, -KEPT_LOOKED_BACK_DAYS * DAY_S))
    sight = Foresight(scene, lots=lots, seasons=seasons, kept=kept)
    lately = plus(now, -scene.rules.whole("reorder.engine_days") * DAY_S)
    since = plus(now, -ORDERS_COUNTED_DAYS * DAY_S)
    lines = ordered(connection, hospital, since)
    waits: list[tuple[str, str, str, Ordered]] = []
    for room in scene.storerooms.values():
        _enter_use(sight, connection, hospital, room.place, today)
        arrived = arrivals_at(connection, hospital, room.place.place, since)
        sight.fresh.update((room.place.place, item) for item, came in arrived.items() if came and came[-1].at >= lately)
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


def _enter_use(sight: Foresight, connection: Connection, hospital: HospitalId, place: Place, today: date) -> None:
    """Enter the requests of a storeroom over the days since its first known use, the engine's window at most."""
    first = today - timedelta(days=sight.scene.rules.whole("reorder.engine_days"))
    used = _used_since(connection, hospital, place, first, today)
    asked = {
        item: [(day, qty) for day, qty in sorted(by_day.items()) if first <= day < today and qty > 0]
        for item, by_day in sorted(used.items())
    }
    since = min((days[0][0] for days in asked.values() if days), default=today)
    if (known := (today - since).days) < 1:
        return
    sight.known_days[place.place] = known
    for item, days in asked.items():
        sight.sums.setdefault(item, {})[place.place] = sums_of([qty for _, qty in days], known)
        sight.lately[place.place, item] = chance_lately(((day - since).days for day, _ in days), known)


def with_worth(sight: Foresight, blocks: Iterable[Sequence[Facts]]) -> Foresight:
    """Return the foresight with the worth of a served request that meets the hospital's target (system mode)."""
    parts = [lines_of([(facts, _likely(facts)) for facts in some]) for some in map(_supplied, blocks) if some]
    if not parts:
        return sight
    lines = joined(parts)
    target = float(sight.scene.rules.number("reorder.fill_target"))
    return replace(sight, worth=worth_for(lines, target, lines.rates * lines.weights))


def _supplied(block: Sequence[Facts]) -> list[Facts]:
    return [facts for facts in block if facts.ladder]


def _likely(facts: Facts) -> Source:
    """Return the first source that could give what the line's cover asks for, else the last."""
    wanted = facts.demand.daily_mean * facts.cover_days
    able = (one for one in facts.ladder if one.available is None or one.available >= max(wanted, Fraction(one.pack)))
    return next(able, facts.ladder[-1])
