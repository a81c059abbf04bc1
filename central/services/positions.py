"""What can be counted on, item by item, in every storeroom: shelf, on order, promised away, demand, and who can supply.

It gathers facts and decides nothing. The rules that must not be broken: everything is read in one transaction, so that
an order and the stock it was made for are seen together; a storeroom whose facts are broken is left out and named, and
the others are seen.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from central.core.demand import Demand, added, demand_until, netted
from central.core.fill import low_quantile
from central.core.orders import Ordered, outstanding
from central.core.policy import Rules
from central.core.reconcile import presence_in
from central.core.reorder import NO_LIMITS, Facts, Limits, Position, Source
from central.store.queries_book import USED_ROLES, arrivals_at, flows_of, items_held, loose_in, units_of
from central.store.queries_master import Item, Place, Terms, items, places, terms, uses
from central.store.queries_work import ordered
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, day_start, plus
from protocols.values.money import Money

ORDERS_COUNTED_DAYS = 400
"""Orders older than this are no longer waited for; no lead time comes near it."""

DAY_S = 86_400

INSISTING = frozenset({"reorder.floor", "reorder.minimum", "reorder.forced"})
"""Rules by which a line is looked at although nobody has used the item lately."""

LEVEL_HOSPITAL = 1
"""Level of the hospital's own storeroom: what it hands on through transit is demand on it."""


@dataclass(frozen=True, slots=True)
class Owed:
    """Base units still to come, by (place, item) that waits and by (source, item) that promised."""

    waiting: dict[tuple[str, str], int]
    promised: dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Storeroom:
    """One storeroom's facts: the low quantile of the shelf, the demand of each item, and the items ever held there."""

    place: Place
    physical: dict[str, int]
    demand: dict[str, Demand]
    held: frozenset[str]
    today: date

    def knows(self, item: str) -> bool:
        """Tell whether the shelf of an item is known: where a device watches, what it never told of is not empty."""
        return not self.place.device or item in self.held


@dataclass(frozen=True, slots=True)
class Admitted:
    """What agreements, suppliers and the catalogue admit: winning prices by item, who is barred, what is not active.

    `on_time` is each supplier's share of lines in time in its last scored quarter; `on_request` items are never
    reordered by themselves.
    """

    caps: Mapping[str, Money] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()
    inactive: frozenset[str] = frozenset()
    on_request: frozenset[str] = frozenset()
    on_time: Mapping[str, Fraction] = field(default_factory=dict)
    to_count: frozenset[tuple[str, str]] = frozenset()
    """Places and items whose book is below zero and that are counted before they are reordered."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All facts of one hospital at one moment, before any decision; `failed` says why of storerooms left out.

    A storeroom that was left out gives nothing to others: who can supply them is then a supplier. `bins` are units
    that empty bins ask for, by place and item kept in bins; `classes` are the items' by value.
    """

    rules: Rules
    catalogue: dict[str, Item]
    terms: dict[str, list[Terms]]
    storerooms: dict[str, Storeroom]
    owed: Owed
    failed: Mapping[str, str]
    admitted: Admitted = field(default_factory=Admitted)
    bins: Mapping[tuple[str, str], int] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    limited: frozenset[str] = frozenset()
    """Scopes of the rules by which a person limits a line."""

    def items_of(self, room: Storeroom) -> list[str]:
        """Return active items a storeroom may ask for: in use or insisted on, the shelf known; and those in bins."""
        known = {item for item in {*room.demand, *self._insisted(room)} if room.knows(item)}
        kept_in_bins = {item for place, item in self.bins if place == room.place.place}
        return sorted(
            item
            for item in known | kept_in_bins
            if item in self.catalogue
            and item not in self.admitted.inactive
            and (room.place.place, item) not in self.admitted.to_count
        )

    def _insisted(self, room: Storeroom) -> set[str]:
        """Return the items a person wants there without any use: a rule of the storeroom, or of an item it has held."""
        wanted = {scope for (rule, scope), value in self.rules.values.items() if rule in INSISTING and value > 0}
        own = f"{room.place.place}/"
        return (wanted & room.held) | {scope.removeprefix(own) for scope in wanted if scope.startswith(own)}

    def position(self, place: str, item: str) -> Position:
        """Return what can be counted on of an item at a place."""
        room = self.storerooms.get(place)
        return Position(
            physical=room.physical.get(item, 0) if room is not None else 0,
            on_order=self.owed.waiting.get((place, item), 0),
            reserved=self.owed.promised.get((place, item), 0),
        )

    def facts(self, place: Place, item: str, ladder: tuple[Source, ...]) -> Facts:
        """Return a policy's facts of a line that these sources may supply."""
        scope = f"level-{place.level}"
        return Facts(
            place=place.place,
            item=item,
            demand=self.demand(place.place, item),
            position=self.position(place.place, item),
            ladder=ladder,
            safety_days=self.rules.number("reorder.safety_days", scope),
            cover_days=self.rules.number("reorder.cover_days", scope),
            limits=self.limits(place.place, item),
            bins=self.bins.get((place.place, item)),
        )

    def limits(self, place: str, item: str) -> Limits:
        """Return a person's limits for a line; what the catalogue puts on request stays so."""
        limited = item in self.limited or f"{place}/{item}" in self.limited
        said = limits_of(self.rules, place, item) if limited else NO_LIMITS
        return replace(said, on_request=True) if item in self.admitted.on_request else said

    def demand(self, place: str, item: str) -> Demand:
        """Return the demand of an item, of nobody's where its use is not recorded: bins are not."""
        room = self.storerooms[place]
        return room.demand.get(item) or demand_until(room.today, self.rules.whole("reorder.window_days"), {})

    def ladder(self, place: Place, item: str, given_away: int) -> tuple[Source, ...]:
        """Return who may supply a line; `given_away` is what this run already took of the parent's stock of it."""
        suppliers = [
            Source(
                one.supplier, internal=False, lead_days=one.lead_days, pack=one.pack, moq=one.moq, price=one.price,
                on_time=self.admitted.on_time.get(one.supplier), price_cap=self.admitted.caps.get(item),
            )
            for one in self.terms.get(item, [])
            if one.supplier not in self.admitted.barred
        ]  # fmt: skip
        if place.parent not in self.storerooms:
            return tuple(suppliers)
        there = self.position(place.parent, item)
        own = Source(
            place.parent,
            internal=True,
            lead_days=self.rules.whole("reorder.internal_lead_days"),
            pack=self.catalogue[item].pack,
            moq=0,
            available=max(0, there.physical - there.reserved - given_away),
        )
        return (own, *suppliers)


LIMITING = frozenset(f"reorder.{name}" for name in ("floor", "ceiling", "minimum", "maximum", "on_request", "forced"))


def limited_by(rules: Rules) -> frozenset[str]:
    """Return the scopes, lines or items, for which a person set a limit."""
    return frozenset(scope for rule, scope in rules.values if rule in LIMITING)


def limits_of(rules: Rules, place: str, item: str) -> Limits:
    """Return a person's limits for a line: rules of the scope `place/item`, else of the item everywhere."""

    def said(name: str) -> Fraction | None:
        return rules.values.get((f"reorder.{name}", f"{place}/{item}"), rules.values.get((f"reorder.{name}", item)))

    levels = {name: said(name) for name in ("floor", "ceiling", "minimum", "maximum")}
    return Limits(
        **{name: None if level is None else int(level) for name, level in levels.items()},
        on_request=bool(said("on_request")),
        forced=bool(said("forced")),
    )


def scene_at(connection: Connection, hospital: HospitalId, now: Instant, rules: Rules) -> Scene:
    """Gather the facts of a hospital."""
    since = plus(now, -ORDERS_COUNTED_DAYS * DAY_S)
    lines = ordered(connection, hospital, since)
    failed: dict[str, str] = {}
    known, supplied = items(connection, hospital), terms(connection, hospital)
    scene = Scene(rules, known, supplied, {}, Owed({}, {}), failed, limited=limited_by(rules))
    for place in places(connection, hospital):
        try:
            room = _storeroom_at(connection, hospital, place, business_day(now), rules)
            _owe(connection, hospital, place, [line for line in lines if line[0] == place.place], since, scene.owed)
        except Exception as error:  # noqa: BLE001 # one storeroom's facts may be broken; the others are not
            failed[place.place] = f"{type(error).__name__}: {error}"
            continue
        scene.storerooms[place.place] = room
    return scene


def _storeroom_at(connection: Connection, hospital: HospitalId, place: Place, today: date, rules: Rules) -> Storeroom:
    quantile = float(rules.number("reorder.position_quantile"))
    return Storeroom(
        place,
        physical_in(connection, hospital, place.place, quantile),
        _demand_at(connection, hospital, place, today, rules.whole("reorder.window_days")),
        items_held(connection, hospital, place.place),
        today,
    )


def physical_in(connection: Connection, hospital: HospitalId, place: str, quantile: float) -> dict[str, int]:
    """Return the low quantile of what is on a storeroom's shelves, by item, over lots."""
    certain: defaultdict[str, int] = defaultdict(int)
    beliefs: defaultdict[str, list[float]] = defaultdict(list)
    for (item, _), qty in loose_in(connection, hospital, place).items():
        certain[item] += qty
    for state in units_of(connection, hospital, place):
        p = presence_in(state, place)
        if 0 < p < 1:
            beliefs[state.item].append(p)
        else:
            certain[state.item] += round(p)
    return {item: low_quantile(beliefs[item], certain[item], quantile) for item in {*certain, *beliefs}}


def used_roles(place: Place) -> tuple[str, ...]:
    """Return where what leaves a storeroom goes when it is demand on it."""
    return (*USED_ROLES, "transit") if place.level == LEVEL_HOSPITAL else USED_ROLES


def _demand_at(
    connection: Connection, hospital: HospitalId, place: Place, today: date, window: int
) -> dict[str, Demand]:
    first = today - timedelta(days=window)
    imported = uses(connection, hospital, place.place, first, today)
    recorded = netted(flows_of(connection, hospital, place.place, used_roles(place), day_start(first)))
    return {
        item: demand_until(today, window, added(imported.get(item, {}), recorded.get(item, {})))
        for item in sorted({*imported, *recorded})
    }


def _owe(
    connection: Connection,
    hospital: HospitalId,
    room: Place,
    lines: list[tuple[str, str, str, Ordered]],
    since: Instant,
    owed: Owed,
) -> None:
    """Add what a storeroom's order lines still owe it, and their sources promised: orders less what arrived since."""
    arrived = arrivals_at(connection, hospital, room.place, since) if lines else {}
    for item in {line[1] for line in lines}:
        of_item = [line for line in lines if line[1] == item]
        left = outstanding([line[3] for line in of_item], arrived.get(item, []))
        for place, _, source, line in of_item:
            _add(owed.waiting, (place, item), left[line.key])
            _add(owed.promised, (source, item), left[line.key])


def _add(sums: dict[tuple[str, str], int], key: tuple[str, str], qty: int) -> None:
    sums[key] = sums.get(key, 0) + qty
