"""Figures of storerooms with the rows they add up to, the ledger lines behind a row, and how they went day by day.

It decides nothing itself; `core.figures` does. The rule that must not be broken: figure, rows and ledger lines are read
in one transaction by the same definition, so that opening a figure adds up to it exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from central.core import figures as core
from central.core.counts import line_counts
from central.core.figures import BY_ITEM, BY_LINE, DEFINITIONS, Figure, FigureId, Flow, Part, Stocked
from central.core.policy import Rules
from central.core.reconcile import Line, lines_by
from central.core.rights import Caller, Right
from central.core.settling import HIGH_CLASS
from central.errors import BadInput, NotThere
from central.services.desk import Desk
from central.services.policy import rules_at
from central.services.reconcile import bounds_of
from central.services.wards import is_silent
from central.store import queries_figures as kept
from central.store.engine import Store
from central.store.queries_book import DeviceSeen, book_in, devices, units_against
from central.store.queries_counts import counted_in
from central.store.queries_master import Place, places
from central.store.queries_settling import classes, prices
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant, business_day, day_start
from protocols.values.money import Money


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """One ledger line behind a row: pieces in or out, and what it adds above and below where that is a sum of lines."""

    flow: Flow
    above: int | None
    below: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A figure with its gate, None where it has none, and its days as (day, above, below)."""

    figure: Figure
    gate: Fraction | None
    days: tuple[tuple[date, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the rows of one hospital's figures are made from, in one transaction."""

    connection: Connection
    hospital: HospitalId
    now: Instant
    rules: Rules
    prices: dict[str, Money]
    classes: dict[str, str]
    seen: dict[str, DeviceSeen]
    rooms: list[Place]
    lines: dict[str, list[Line]] = field(default_factory=dict)
    stocked: dict[str, list[Stocked]] = field(default_factory=dict)
    """By storeroom, what several figures are summed from, once it was asked."""

    @property
    def today(self) -> date:
        return business_day(self.now)

    @property
    def first(self) -> date:
        """The first day of the turnover's period; a ledger that is younger has fewer days."""
        period = self.today - timedelta(days=self.rules.whole("turnover.period_days") - 1)
        begun = kept.first_day(self.connection, self.hospital, [room.place for room in self.rooms])
        return period if begun is None else max(period, begun)

    def parts(self, id: FigureId) -> list[Part]:
        """Return the rows of a figure."""
        if id is FigureId.TURNOVER:
            first = self.first
            flows = kept.day_flows(self.connection, self.hospital, [room.place for room in self.rooms], first)
            return core.turnover_parts(flows, first, self.today, self.prices)
        return [part for room in self.rooms for part in self._of_room(id, room)]

    def _of_room(self, id: FigureId, room: Place) -> list[Part]:
        match id:
            case FigureId.LINE_MATCH | FigureId.UNIT_MATCH | FigureId.VALUE_MATCH:
                return self._match(id, room.place)
            case FigureId.SPOT_MATCH:
                return self._spot(room.place)
            case FigureId.TRACE_RATE:
                return self._trace(room.place)
            case FigureId.COVERAGE:
                return self._coverage(room)
            case FigureId.TAGGED_VALUE:
                return core.tagged_parts(self._stocked(room.place), self.prices)
            case _:
                held = self._stocked(room.place)
                return core.overstock_parts(id, held, self.today, self.rules.whole("overstock.days"), self.prices)

    def _match(self, id: FigureId, place: str) -> list[Part]:
        return core.match_parts(id, place, self._lines(place), self.prices)

    def _lines(self, place: str) -> list[Line]:
        if place not in self.lines:
            bounds = bounds_of(self.rules)
            units = units_against(self.connection, self.hospital, place, bounds)
            self.lines[place] = lines_by(place, book_in(self.connection, self.hospital, place), units, bounds.here)
        return self.lines[place]

    def _stocked(self, place: str) -> list[Stocked]:
        if place not in self.stocked:
            self.stocked[place] = kept.stocked(self.connection, self.hospital, place)
        return self.stocked[place]

    def _spot(self, place: str) -> list[Part]:
        since = day_start(self.today - timedelta(days=self.rules.whole("spot.period_days")))
        counted = [one for _, one in counted_in(self.connection, self.hospital, place, since)]
        return [
            Part(place, key.item, key.lot, "", found.counted, int(found.is_right), 1, sheet)
            for (sheet, key), found in sorted(line_counts(counted).items())
        ]

    def _trace(self, place: str) -> list[Part]:
        high = [item for item, class_ in self.classes.items() if class_ == HIGH_CLASS]
        used = kept.used_pieces(self.connection, self.hospital, place, high)
        chains = kept.chains(self.connection, self.hospital, [unit for _, _, unit, _ in used if unit])
        parts = []
        for item, lot, unit, qty in used:
            lacking = core.holes(chains[unit]) if unit else (core.Hole.UNNAMED,)
            parts.append(Part(place, item, lot, unit, qty, 0 if lacking else qty, qty, " ".join(lacking)))
        return parts

    def _coverage(self, room: Place) -> list[Part]:
        silent_s = float(self.rules.number("contact.silent_s"))
        heard = is_silent(self.seen.get(room.device), self.now, silent_s) is False
        live = int(heard and kept.has_readers(self.connection, self.hospital, room.place))
        found = kept.positions(self.connection, self.hospital, room.place)
        return [Part(room.place, "", "", "", 0, live, 1, position) for position in found]


def figures(desk: Desk, caller: Caller, place: str = "") -> list[Judged]:
    """Return every figure of a storeroom, or of all that the caller may see. Raises `NotAllowed`, `NotThere`."""
    with desk.store.read() as connection:
        sums = _sums(connection, desk.hospital, desk.now(), _rooms(connection, desk, caller, place))
        named = [room.place for room in sums.rooms]
        since = kept.first_day(connection, desk.hospital, named)
        return [
            Judged(
                core.total(id, sums.parts(id), since),
                sums.rules.number(one.gate) if one.gate else None,
                tuple(kept.days_of(connection, desk.hospital, id, named)),
            )
            for id, one in DEFINITIONS.items()
        ]


def opened(desk: Desk, caller: Caller, id: str, place: str = "") -> tuple[Figure, list[Part]]:
    """Return a figure with the rows that add up to it, those that weigh most first."""
    with desk.store.read() as connection:
        sums = _sums(connection, desk.hospital, desk.now(), _rooms(connection, desk, caller, place))
        parts = sums.parts(figure_id(id))
        since = kept.first_day(connection, desk.hospital, [room.place for room in sums.rooms])
    heavy = sorted(
        parts, key=lambda one: (one.above == one.below, -one.below, -one.above, one.place, one.item, one.lot)
    )
    return core.total(figure_id(id), parts, since), heavy


def ledger_of(
    desk: Desk, caller: Caller, id: str, place: str, item: str, lot: str = ""
) -> tuple[Part, list[LedgerPart]]:
    """Return one row of a figure with the ledger lines whose pieces sum to its quantity.

    Of the turnover days they also sum to its numbers above and below. Raises `NotThere` for a row there is not, and for
    a figure whose rows are no stock: a chain is shown by the trace, a count by its sheet.
    """
    chosen = figure_id(id)
    if chosen not in BY_LINE | BY_ITEM or not place:
        raise NotThere(f"figure row: expected a storeroom and one of {', '.join(sorted(BY_LINE | BY_ITEM))}, got {id}")
    with desk.store.read() as connection:
        sums = _sums(connection, desk.hospital, desk.now(), _rooms(connection, desk, caller, place))
        wanted = lot if chosen in BY_LINE else ""
        found = [one for one in sums.parts(chosen) if (one.item, one.lot) == (item, wanted)]
        if not found:
            raise NotThere(f"figure row: expected one of {id} in {place}, got {item!r:.40} {lot!r:.40}")
        flows = kept.flows(connection, desk.hospital, [place], item=item, lot=lot if chosen in BY_LINE else None)
        first, price = sums.first, sums.prices.get(item, Money(0))
        if chosen is not FigureId.TURNOVER:
            return found[0], [LedgerPart(flow, None, None) for flow in flows]
        return found[0], [LedgerPart(one, *core.turnover_of(one, first, sums.today, price)) for one in flows]


def keep_figures(store: Store, hospital: HospitalId, now: Instant) -> int:
    """Keep today's figures of every storeroom; returns how many. Doing it again renews the day's."""
    with store.read() as connection:
        rooms = places(connection, hospital)
        whole = _sums(connection, hospital, now, rooms)
        found = []
        for room in rooms:
            sums = replace(whole, rooms=[room])
            found += [(room.place, core.total(id, sums.parts(id), None)) for id in DEFINITIONS]
    with store.write() as connection:
        kept.keep_day(connection, hospital, found, now)
    return len(found)


def figure_id(text: str) -> FigureId:
    """Parse a figure's id. Raises `NotThere` naming those there are."""
    if text not in set(FigureId):
        raise NotThere(f"figure: expected one of {', '.join(FigureId)}, got {text!r:.40}")
    return FigureId(text)


def _sums(connection: Connection, hospital: HospitalId, now: Instant, rooms: Sequence[Place]) -> _Sums:
    rules = rules_at(connection, hospital, now)
    seen = {one.device: one for one in devices(connection, hospital)}
    dear = prices(connection, hospital)
    return _Sums(connection, hospital, now, rules, dear, classes(connection, hospital), seen, list(rooms))


def _rooms(connection: Connection, desk: Desk, caller: Caller, place: str) -> list[Place]:
    caller.need(Right.SEE_STOCK, PlaceId(place) if place else None)
    scope = caller.scope(Right.SEE_STOCK)
    rooms = [room for room in places(connection, desk.hospital) if room.place in scope]
    if not place:
        return rooms
    named = [room for room in rooms if room.place == place]
    if not named:
        raise BadInput(f"place: expected a storeroom that was imported, got {place!r:.40}")
    return named
