"""Announced deliveries, told apart by who takes them in, and how: what a person may accept here, what a ward scans.

It decides nothing and changes nothing. The rule that must not be broken: what is counted on the overview and what its
link lists come from here, so that they are the same orders.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.orders import Progress
from central.core.purchasing import OrderState, TakenIn, taken_in
from central.core.rights import Caller, Right, Scope
from central.services.orders import progress_of
from central.store import queries_purchasing as kept
from central.store.queries_master import LEVEL_STORE, Place, places
from central.store.queries_notes import picks_waiting
from central.store.queries_work import Order, orders
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant

OVER = frozenset({Progress.RECEIVED, Progress.CLOSED, Progress.CANCELLED})


@dataclass(frozen=True, slots=True)
class Awaited:
    """One order whose delivery was announced, how far it has come, and how it is taken in."""

    order: Order
    progress: Progress
    taken_in: TakenIn


def how_taken_in(room: Place | None) -> TakenIn:
    """Return how a storeroom takes in goods; one that nobody knows any more has no device."""
    return taken_in(
        own_store=room is not None and room.level == LEVEL_STORE, device="" if room is None else room.device
    )


def to_accept(connection: Connection, hospital: HospitalId, caller: Caller, now: Instant) -> list[Awaited]:
    """Return the announced deliveries that somebody may accept on their orders' pages, the newest order first.

    Who approved an order, or a version of it, does not accept its goods: those are left out.
    """
    found = _announced(connection, hospital, caller.scope(Right.RECEIVE), now)
    amended = kept.amended_by(connection, hospital, caller.person, {one.order.order_no for one in found})
    return [
        one
        for one in found
        if one.taken_in is TakenIn.BY_HAND
        and one.order.approved_by != caller.person
        and one.order.order_no not in amended
    ]


def at_wards(connection: Connection, hospital: HospitalId, caller: Caller, now: Instant) -> list[Awaited]:
    """Return the announced deliveries for somebody's own wards, which are received there, the newest order first."""
    if not caller.may(Right.SEE_ORDERS):
        return []
    found = _announced(connection, hospital, caller.scope(Right.MOVE_STOCK), now)
    return [one for one in found if one.taken_in is not TakenIn.BY_HAND]


def to_hand_out(connection: Connection, hospital: HospitalId, caller: Caller, now: Instant) -> list[Awaited]:
    """Return the orders of wards that the hospital's own store fills by hand, of which something is to be handed out.

    They are those of a store without a device that the caller works in, the newest order first.
    """
    scope, rooms = caller.scope(Right.RECEIVE), {one.place: one for one in places(connection, hospital)}
    stores = [
        PlaceId(one.place)
        for one in rooms.values()
        if one.level == LEVEL_STORE and not one.device and PlaceId(one.place) in scope
    ]
    picks = [pick for found in picks_waiting(connection, hospital, stores, now).values() for pick in found]
    listed = orders(connection, hospital, named={pick.order for pick in picks}) if picks else []
    come = progress_of(connection, hospital, listed, now) if listed else {}
    return [
        Awaited(one, come[one.order_no], how_taken_in(rooms.get(one.place)))
        for one in listed
        if come[one.order_no] not in OVER
    ]


def _announced(connection: Connection, hospital: HospitalId, scope: Scope, now: Instant) -> list[Awaited]:
    numbers: Collection[str] = kept.states(connection, hospital, "order", standing=[OrderState.ANNOUNCED])
    listed = orders(connection, hospital, scope, named=numbers) if numbers else []
    come = progress_of(connection, hospital, listed, now) if listed else {}
    rooms = {one.place: one for one in places(connection, hospital)}
    return [
        Awaited(one, come[one.order_no], how_taken_in(rooms.get(one.place)))
        for one in listed
        if come[one.order_no] not in OVER
    ]
