"""What somebody may ask for: the items of their storeroom with what is there, and what a few letters find.

It decides nothing. The rule that must not be broken: a selected product stands before the one it should be used
instead of.

Source: C8 (S2), at a requisition the selected equivalent first.
"""

from dataclasses import dataclass

from central.core.agreements import selected_first
from central.core.rights import Caller, Right
from central.errors import NotThere
from central.services.desk import Desk
from central.services.order_checks import selected_instead
from central.services.trace import QUESTION_MAX
from central.store import queries_requisitions as kept
from central.store.queries_catalogue import inactive_items
from central.store.queries_find import items_like
from central.store.queries_master import Item, Place, items, places
from protocols.values.ids import PlaceId
from protocols.values.instant import business_day

USUAL_MAX = 80
"""Items of a storeroom that are listed without a search."""


@dataclass(frozen=True, slots=True)
class Askable:
    """One item: what the book has of it here and in the storeroom above, and the selected products to prefer."""

    item: Item
    here: int
    above: int
    instead: tuple[str, ...]


def rooms_to_ask_for(desk: Desk, caller: Caller) -> list[Place]:
    """Return the storerooms somebody may ask for goods for."""
    scope = caller.scope(Right.REQUEST)
    with desk.store.read() as connection:
        return [one for one in places(connection, desk.hospital) if PlaceId(one.place) in scope]


def askable(desk: Desk, caller: Caller, place: str, question: str = "") -> list[Askable]:
    """Return what fits a question, or, without one, what the storeroom has; selected products first.

    Raises `NotAllowed`, `NotThere`.
    """
    caller.need(Right.REQUEST, PlaceId(place))
    hospital, today = desk.hospital, business_day(desk.now())
    with desk.store.read() as connection:
        room = next((one for one in places(connection, hospital) if one.place == place), None)
        if room is None:
            raise NotThere(f"storeroom: expected one that was imported, got {place!r:.40}")
        here = kept.held_by_item(connection, hospital, place)
        above = kept.held_by_item(connection, hospital, room.parent) if room.parent else {}
        asked = question.strip()[:QUESTION_MAX]
        named = [one.item for one in items_like(connection, hospital, asked)] if asked else sorted(here)
        instead = selected_instead(connection, hospital, today)
        barred = inactive_items(connection, hospital)
        order = [item for item in selected_first(named, instead) if item not in barred][:USUAL_MAX]
        known = items(connection, hospital, order)
    return [
        Askable(known[item], here.get(item, 0), above.get(item, 0), tuple(instead.get(item, ())))
        for item in order
        if item in known
    ]
