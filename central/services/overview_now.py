"""Reads the overview of a hospital as it stands: one read transaction over the ledger, the work and the catalogue.

It names things and joins them, and decides nothing. The rule that must not be broken: one transaction for all of it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from central.core.discrepancies import Kind
from central.core.orders import Progress
from central.core.rights import EVERYWHERE, Caller, Right
from central.services import overview as seen
from central.services.orders import progress_of
from central.services.policy import rules_at
from central.services.wards import Standing as RoomStanding
from central.services.wards import standings
from central.store import queries_master as master
from central.store import queries_work as work
from central.store.engine import Store
from central.store.paging import PageAsked
from central.store.queries_overview import positions_in_book, serials
from protocols.sync.reception import Standing
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money, times

ORDERS_SHOWN_MAX = 50
"""A buyer asks for the last orders; older ones are a matter for the API."""
PROPOSALS_SHOWN_MAX = 200
"""More than a person decides in a day; the most urgent come first."""


def overview_now(
    store: Store, hospital: HospitalId, name: seen.Name, now: Instant, caller: Caller | None = None
) -> seen.Overview:
    """Return the overview of a hospital, which people call `name`, at an instant, as far as a caller may see it.

    Without a caller it is the whole, for the programs of central themselves.
    """
    stock = EVERYWHERE if caller is None else caller.scope(Right.SEE_STOCK)
    need = EVERYWHERE if caller is None else caller.scope(Right.SEE_ORDERS)
    prices = caller is None or caller.may(Right.SEE_PRICES)
    with store.read() as connection:
        rules = rules_at(connection, hospital, now)
        proposed = work.open_proposals(connection, hospital, need)
        listed = work.discrepancies(connection, hospital, status="open", scope=stock)
        ordered = work.orders_page(connection, hospital, PageAsked(ORDERS_SHOWN_MAX), scope=need).items
        told = {one.item for one in proposed} | {one.item for one in listed}
        names = _names(connection, hospital, told | {line.item for one in ordered for line in one.lines})
        rooms = standings(connection, hospital, now, stock)
        return seen.Overview(
            hospital=name,
            now=now,
            line_gate=rules.number("match.line_gate"),
            wards=_wards(names, rooms),
            discrepancies=_discrepancies(connection, hospital, names, listed),
            discrepancies_all=sum(
                found for place, found in work.open_counts(connection, hospital).items() if place in stock
            ),
            proposals=_proposals(names, proposed, prices=prices)[:PROPOSALS_SHOWN_MAX],
            proposals_all=len(proposed),
            orders=_orders(connection, hospital, names, now, ordered, prices=prices),
            stores=tuple(
                seen.Compared(names.place(one.place.place), one.match, one.looked_at)
                for one in rooms
                if one.place.level != master.LEVEL_WARD and one.match is not None and one.looked_at is not None
            ),
        )


def proposals_shown(
    connection: Connection, hospital: HospitalId, proposed: list[work.Proposal], *, prices: bool
) -> tuple[seen.Proposal, ...]:
    """Return the most urgent of some proposals as people read them, with their prices or without."""
    names = _names(connection, hospital, {one.item for one in proposed})
    return _proposals(names, proposed, prices=prices)[:PROPOSALS_SHOWN_MAX]


@dataclass(frozen=True, slots=True)
class _Names:
    """What everything is called; a thing that no catalogue knows is called by its code."""

    places: Mapping[str, master.Place]
    items: Mapping[str, master.Item]
    suppliers: Mapping[str, tuple[str, str]]
    expiries: Mapping[tuple[str, str], date]

    def place(self, code: str) -> seen.Place:
        found = self.places.get(code)
        return seen.Place(code, seen.Name(code, code) if found is None else seen.Name(found.name_zh, found.name_en))

    def item(self, code: str) -> seen.Item:
        found = self.items.get(code)
        if found is None:
            return seen.Item(code, seen.Name(code, code), "", seen.Name("", ""), vital=False)
        name, unit = seen.Name(found.name_zh, found.name_en), seen.Name(found.unit_zh, found.unit_en)
        return seen.Item(code, name, found.spec, unit, vital=found.criticality == "vital")

    def source(self, code: str) -> seen.Name:
        if code in self.suppliers:
            return seen.Name(*self.suppliers[code])
        return self.place(code).name


def _names(connection: Connection, hospital: HospitalId, told: Collection[str]) -> _Names:
    """Return what storerooms, suppliers and the items that are told of are called."""
    return _Names(
        places={place.place: place for place in master.places(connection, hospital)},
        items=master.items(connection, hospital, told),
        suppliers=master.suppliers(connection, hospital),
        expiries=master.expiries(connection, hospital, told),
    )


def _wards(names: _Names, rooms: Sequence[RoomStanding]) -> tuple[seen.Ward, ...]:
    return tuple(
        seen.Ward(
            place=names.place(one.place.place),
            device=one.place.device,
            last_contact=None if one.seen is None else one.seen.last_seen_at,
            offline=bool(one.offline),
            disputed=one.seen is not None and one.seen.status == Standing.DISPUTED,
            pending=0 if one.seen is None else one.seen.pending,
            quarantined=one.quarantined,
            match=one.match,
            discrepancies=one.discrepancies,
            proposals=one.proposals,
            compared_at=one.looked_at,
        )
        for one in rooms
        if one.place.level == master.LEVEL_WARD
    )


def _discrepancies(
    connection: Connection, hospital: HospitalId, names: _Names, listed: Sequence[work.Discrepancy]
) -> tuple[seen.Discrepancy, ...]:
    units = [one.unit for one in listed]
    positions = positions_in_book(connection, hospital, units)
    printed = serials(connection, hospital, units)
    return tuple(
        seen.Discrepancy(
            id=one.id,
            kind=Kind(one.kind),
            place=names.place(one.place),
            item=names.item(one.item),
            lot=one.lot,
            expiry=names.expiries.get((one.item, one.lot)),
            unit=one.unit,
            serial=printed.get(one.unit, ""),
            since=one.since,
            found_at=one.found_at,
            opened_at=one.opened_at,
            p=one.evidence["belief"]["p"],
            book=_book_side(one, names, positions),
        )
        for one in listed
    )


def _book_side(one: work.Discrepancy, names: _Names, positions: Mapping[tuple[str, str], str]) -> seen.BookSide | None:
    book = one.evidence["book"]
    if book is None:
        return None
    position = positions.get((book["place"], one.unit), "")
    return seen.BookSide(book["kind"], names.place(book["place"]), position, Instant(book["at"]))


def _proposals(names: _Names, proposed: list[work.Proposal], *, prices: bool) -> tuple[seen.Proposal, ...]:
    listed = [
        seen.Proposal(
            id=one.id,
            version=one.version,
            place=names.place(one.place),
            item=names.item(one.item),
            qty=one.qty,
            source=names.source(one.source),
            internal=one.internal,
            unit_price=None if one.internal or not prices else one.price,
            why=_why(one.reason, names),
            made_at=one.made_at,
        )
        for one in proposed
    ]
    return tuple(sorted(listed, key=_urgency))


def _urgency(one: seen.Proposal) -> tuple[bool, float, str, str]:
    """Order vital items first, then those furthest below their trigger."""
    return (not one.item.vital, one.why.position / max(one.why.trigger, 1.0), one.place.code, one.item.code)


def _why(reason: Mapping[str, Any], names: _Names) -> seen.Why:
    demand, position = reason["demand"], reason["position"]
    return seen.Why(
        policy=reason["policy"],
        daily_use=demand["adu"],
        use_days=demand["days"],
        safety_days=reason["safety_days"],
        lead_days=reason["lead_days"],
        position=position["total"],
        on_order=position["on_order"],
        trigger=reason["trigger"],
        order_up_to=reason["order_up_to"],
        pack=reason["pack"],
        moq=reason["moq"],
        bound_by=reason["bound_by"],
        fill=reason["fill_predicted"],
        passed_over=tuple(
            seen.PassedOver(names.source(one["source"]), one["available"], one["wanted"])
            for one in reason["rejected"]
            if "available" in one
        ),
        proposed=reason["changed"]["from"] if "changed" in reason else None,
    )


def _orders(
    connection: Connection,
    hospital: HospitalId,
    names: _Names,
    now: Instant,
    listed: Sequence[work.Order],
    *,
    prices: bool,
) -> tuple[seen.Order, ...]:
    come = progress_of(connection, hospital, list(listed), now)
    return tuple(_order(one, come[one.order_no], names, prices=prices) for one in listed)


def _order(one: work.Order, progress: Progress, names: _Names, *, prices: bool) -> seen.Order:
    internal = not one.supplier
    return seen.Order(
        number=one.order_no,
        place=names.place(one.place),
        source=names.source(one.source),
        internal=internal,
        lines=tuple(seen.OrderLine(names.item(line.item), line.qty) for line in one.lines),
        price=None if internal or not prices else Money(sum(times(line.price, line.qty) for line in one.lines)),
        progress=progress,
        approved_by=one.approved_by,
        approved_at=one.created_at,
    )
