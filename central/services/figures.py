"""Figures of storerooms with the rows they add up to, the ledger lines behind a row, and how they went day by day.

It decides nothing itself; `core.figures` does. The rule that must not be broken: figure, rows and ledger lines are read
in one transaction by the same definition, so that opening a figure adds up to it exactly.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property

from sqlalchemy import Connection

from central.core import figures as core
from central.core.counts import line_counts
from central.core.figure_lines import Closing, closings_of, line_adds, shelf_adds
from central.core.figures import BY_ITEM, BY_LINE, DEFINITIONS, Figure, FigureId, Flow, Part, Stocked
from central.core.match import Match, Observed, match_of, together
from central.core.policy import Rules
from central.core.rights import Caller, Right
from central.core.settling import HIGH_CLASS
from central.errors import BadInput, NotThere
from central.services.desk import Desk
from central.services.match import observed_of
from central.services.policy import rules_at
from central.services.reconcile import bounds_of
from central.services.wards import is_silent
from central.store import queries_figures as kept
from central.store.engine import Store
from central.store.queries_book import DeviceSeen, devices
from central.store.queries_counts import counted_at
from central.store.queries_master import Place, places
from central.store.queries_misplaced import misplaced_lines
from central.store.queries_rooms import units_against_in
from central.store.queries_settling import open_cases, prices
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant, business_day, day_start
from protocols.values.money import Money


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """One ledger line behind a row: pieces in or out, and what it adds above and below where that is a sum of lines.

    `closings` are the days of the period at whose end it counts, None of any figure but the turnover days.
    """

    flow: Flow
    closings: int | None
    above: int | None
    below: int | None


@dataclass(frozen=True, slots=True)
class OpenedRow:
    """One row of a figure with the ledger lines whose pieces sum to its quantity, and how they come to its numbers.

    What the lines add above, with `shelf`, sums to the row's above, and what they add below to its below, wherever they
    add anything (`adds`). The `days`, of a row of the turnover days only, sum to the same two numbers.
    """

    id: FigureId
    part: Part
    price: Money
    lines: tuple[LedgerPart, ...]
    shelf: int
    days: tuple[Closing, ...]

    @property
    def adds(self) -> bool:
        """Tell whether the row's numbers are sums over ledger lines, and not a row counted as one."""
        return any(line.above is not None for line in self.lines)


@dataclass(frozen=True, slots=True)
class Scope:
    """What figures are of: storerooms, the moment they were reckoned, and how many of their lines were observed.

    `match` is None where no figure shown is a match.
    """

    rooms: tuple[Place, ...]
    as_of: Instant
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A figure with its gate, None where it has none, and its days as (day, above, below)."""

    figure: Figure
    gate: Fraction | None
    days: tuple[tuple[date, int, int], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Every figure of some storerooms, with what they are of."""

    scope: Scope
    judged: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A figure with the rows that add up to it, what it is of, and the price of a piece of each item.

    `cases` are the open discrepancies of a line, by storeroom, item and lot: of a match, why a row differs.
    """

    figure: Figure
    parts: tuple[Part, ...]
    scope: Scope
    cases: Mapping[tuple[str, str, str], tuple[str, ...]]
    prices: Mapping[str, Money]

    def price_of(self, part: Part) -> Money:
        """Return what a piece of a row is counted at: 0 of an item without terms, which adds nothing."""
        return self.prices.get(part.item, Money(0))

    def cases_of(self, part: Part) -> tuple[str, ...]:
        """Return the open discrepancies of a row."""
        return self.cases.get((part.place, part.item, part.lot), ())


@dataclass(frozen=True)
class _Sums:
    """What the rows of one hospital's figures are made from, in one transaction; what several need is asked once."""

    connection: Connection
    hospital: HospitalId
    now: Instant
    rules: Rules
    prices: dict[str, Money]
    seen: dict[str, DeviceSeen]
    rooms: list[Place]

    @property
    def today(self) -> date:
        return business_day(self.now)

    @cached_property
    def named(self) -> list[str]:
        """The storerooms by name, in their order."""
        return [room.place for room in self.rooms]

    @cached_property
    def since(self) -> date | None:
        """The day of their first movement, None before any."""
        return kept.first_day(self.connection, self.hospital, self.named)

    @property
    def first(self) -> date:
        """The first day of the turnover's period; a ledger that is younger has fewer days."""
        period = self.today - timedelta(days=self.rules.whole("turnover.period_days") - 1)
        return period if self.since is None else max(period, self.since)

    @cached_property
    def lines(self) -> dict[str, list[Observed]]:
        """The lines of each storeroom with who observed them."""
        units = units_against_in(self.connection, self.hospital, self.named, bounds_of(self.rules))
        return observed_of(self.connection, self.hospital, units, self.rules, self.now)

    @cached_property
    def stocked(self) -> dict[str, list[Stocked]]:
        """The items of each storeroom."""
        return kept.stocked(self.connection, self.hospital, self.named, self.held)

    @cached_property
    def held(self) -> kept.Held:
        """What the books have of each item."""
        return kept.held_by_item(self.connection, self.hospital, self.named)

    def parts(self, id: FigureId) -> list[Part]:
        """Return the rows of a figure."""
        match id:
            case FigureId.LINE_MATCH | FigureId.UNIT_MATCH | FigureId.VALUE_MATCH:
                return self._each(lambda room: core.match_parts(id, room, self.lines[room], self.prices))
            case FigureId.TURNOVER:
                flows = kept.day_flows(self.connection, self.hospital, self.named, self.first, self.held)
                return core.turnover_parts(flows, self.first, self.today, self.prices)
            case FigureId.SPOT_MATCH:
                return self._spot()
            case FigureId.TRACE_RATE:
                return self._trace()
            case FigureId.COVERAGE:
                return self._coverage()
            case FigureId.TAGGED_VALUE:
                return self._each(lambda room: core.tagged_parts(self.stocked[room], self.prices))
            case _:
                days = self.rules.whole("overstock.days")
                return self._each(
                    lambda room: core.overstock_parts(id, self.stocked[room], self.today, days, self.prices)
                )

    def _each(self, parts: Callable[[str], list[Part]]) -> list[Part]:
        return [part for room in self.named for part in parts(room)]

    def scope(self) -> Scope:
        """Return what the figures are of."""
        elsewhere = misplaced_lines(self.connection, self.hospital)
        matches = [match_of(self.lines[room], elsewhere.get(room, 0)) for room in self.named]
        return Scope(tuple(self.rooms), self.now, together(matches))

    def _spot(self) -> list[Part]:
        since = day_start(self.today - timedelta(days=self.rules.whole("spot.period_days")))
        counted = counted_at(self.connection, self.hospital, self.named, since)
        return [
            Part(room, key.item, key.lot, "", found.counted, int(found.is_right), 1, sheet)
            for room in self.named
            for (sheet, key), found in sorted(line_counts(one for _, one in counted[room]).items())
        ]

    def _trace(self) -> list[Part]:
        used = kept.used_pieces(self.connection, self.hospital, self.named, HIGH_CLASS)
        units = [unit for pieces in used.values() for _, _, unit, _ in pieces if unit]
        chains = kept.chains(self.connection, self.hospital, units)
        parts = []
        for room, (item, lot, unit, qty) in ((room, piece) for room, pieces in used.items() for piece in pieces):
            lacking = core.holes(chains[unit]) if unit else (core.Hole.UNNAMED,)
            parts.append(Part(room, item, lot, unit, qty, 0 if lacking else qty, qty, " ".join(lacking)))
        return parts

    def _coverage(self) -> list[Part]:
        silent_s = float(self.rules.number("contact.silent_s"))
        readers = kept.with_readers(self.connection, self.hospital, self.named)
        found = kept.positions(self.connection, self.hospital, self.named)
        parts = []
        for room in self.rooms:
            heard = is_silent(self.seen.get(room.device), self.now, silent_s) is False
            live = int(heard and room.place in readers)
            parts += [Part(room.place, "", "", "", 0, live, 1, position) for position in found[room.place]]
        return parts


def figures(desk: Desk, caller: Caller, place: str = "") -> Figures:
    """Return every figure of a storeroom, or of all that the caller may see. Raises `NotAllowed`, `NotThere`."""
    with desk.store.read() as connection:
        sums = _sums(connection, desk.hospital, desk.now(), _rooms(connection, desk, caller, place))
        days = kept.days_of(connection, desk.hospital, sums.named)
        judged = tuple(
            Judged(
                core.total(id, sums.parts(id), sums.since),
                sums.rules.number(one.gate) if one.gate else None,
                tuple(days.get(id, ())),
            )
            for id, one in DEFINITIONS.items()
        )
        return Figures(sums.scope(), judged)


def opened(desk: Desk, caller: Caller, id: str, place: str = "") -> Opened:
    """Return a figure with the rows that add up to it, those that weigh most first."""
    with desk.store.read() as connection:
        sums = _sums(connection, desk.hospital, desk.now(), _rooms(connection, desk, caller, place))
        parts = sums.parts(figure_id(id))
        scope = sums.scope() if figure_id(id) in BY_LINE else Scope(tuple(sums.rooms), sums.now)
        cases = open_cases(connection, desk.hospital, sums.named) if figure_id(id) in BY_LINE else {}
        figure = core.total(figure_id(id), parts, sums.since)
    return Opened(figure, tuple(sorted(parts, key=heaviest)), scope, cases, sums.prices)


def heaviest(one: Part) -> tuple[int | str, ...]:
    """Return the order that rows come in: those that weigh most first, what weighs nothing last."""
    return int(one.above == one.below), -one.below, -one.above, one.place, one.item, one.lot, one.unit


def ledger_of(desk: Desk, caller: Caller, id: str, place: str, item: str, lot: str = "") -> OpenedRow:
    """Return one row of a figure with the ledger lines whose pieces sum to its quantity, and their amounts to its own.

    Raises `NotThere` for a row there is not, and for a figure whose rows are no stock: a chain is shown by the trace, a
    count by its sheet.
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
        return _row(chosen, found[0], flows, (sums.first, sums.today), sums.prices.get(item, Money(0)))


def _row(id: FigureId, part: Part, flows: Sequence[Flow], days: tuple[date, date], price: Money) -> OpenedRow:
    turns = id is FigureId.TURNOVER
    lines = []
    for flow in flows:
        above, below = line_adds(id, part, flow, days, price) or (None, None)
        lines.append(LedgerPart(flow, core.closings(flow.day, *days) if turns else None, above, below))
    spread = closings_of(flows, days, price) if turns else ()
    return OpenedRow(id, part, price, tuple(lines), shelf_adds(id, part), spread)


def keep_figures(store: Store, hospital: HospitalId, now: Instant) -> int:
    """Keep today's figures of every storeroom; returns how many. Doing it again renews the day's."""
    with store.read() as connection:
        whole = _sums(connection, hospital, now, places(connection, hospital))
        found = [
            (room, core.total(id, parts, None))
            for id in DEFINITIONS
            for room, parts in _rows_by_room(whole, id).items()
        ]
    with store.write() as connection:
        kept.keep_day(connection, hospital, found, now)
    return len(found)


def _rows_by_room(whole: _Sums, id: FigureId) -> dict[str, list[Part]]:
    """Return the rows of a figure of each storeroom by itself."""
    if id is FigureId.TURNOVER:  # over days that begin with each storeroom's own first
        return {room.place: replace(whole, rooms=[room]).parts(id) for room in whole.rooms}
    rows: dict[str, list[Part]] = {room: [] for room in whole.named}
    for part in whole.parts(id):
        rows[part.place].append(part)
    return rows


def figure_id(text: str) -> FigureId:
    """Parse a figure's id. Raises `NotThere` naming those there are."""
    if text not in set(FigureId):
        raise NotThere(f"figure: expected one of {', '.join(FigureId)}, got {text!r:.40}")
    return FigureId(text)


def _sums(connection: Connection, hospital: HospitalId, now: Instant, rooms: Sequence[Place]) -> _Sums:
    rules = rules_at(connection, hospital, now)
    seen = {one.device: one for one in devices(connection, hospital)}
    return _Sums(connection, hospital, now, rules, prices(connection, hospital), seen, list(rooms))


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
