"""Who fills what a person asked for: the storeroom above, if it has enough that is promised to nobody, else a supplier.

The engine has its own way for what it proposes itself; this is the short one, of one line at one moment. The rule that
must not be broken: the same stock is not promised twice.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.explain import REQUESTED
from central.core.orders import State, proposal_id
from central.core.requisitions import Wish, rounded_up
from central.errors import NotNow
from central.services.orders import promised_by
from central.services.policy import rules_at
from central.store.queries_catalogue import inactive_items
from central.store.queries_master import places, terms
from central.store.queries_requisitions import Requisition, usable
from central.store.queries_suppliers import blocked_suppliers
from central.store.queries_work import Proposal
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money


def proposed_for(
    connection: Connection, hospital: HospitalId, asked: Requisition, item: str, qty: int, now: Instant
) -> Proposal:
    """Return the proposal that one line of a requisition becomes. Raises `NotNow` where nobody can supply the item."""
    check_orderable(connection, hospital, item)
    rules = rules_at(connection, hospital, now)
    parent = next((one.parent for one in places(connection, hospital) if one.place == asked.place), "")
    if parent and free_at(connection, hospital, parent, item, now) >= qty:
        days = rules.whole("reorder.internal_lead_days")
        return _proposal(asked, Wish(item, qty), _From(parent, True, qty, Money(0), days), rules.version)
    barred = blocked_suppliers(connection, hospital)
    offers = [one for one in terms(connection, hospital, item).get(item, []) if one.supplier not in barred]
    if not offers:
        raise NotNow(f"requisition: expected a source for {item}, there is none; ask the purchasing office")
    best = offers[0]
    ordered = rounded_up(qty, best.pack, best.moq)
    source = _From(best.supplier, False, ordered, best.price, best.lead_days)
    return _proposal(asked, Wish(item, qty), source, rules.version)


def check_orderable(connection: Connection, hospital: HospitalId, item: str) -> None:
    """Raise `NotNow` for an item that is not active (A4)."""
    if item in inactive_items(connection, hospital):
        raise NotNow(f"requisition: expected an active item of the catalogue, {item} is not; ask for another")


def free_at(connection: Connection, hospital: HospitalId, place: str, item: str, now: Instant) -> int:
    """Return the base units of an item that a storeroom has and promised to nobody."""
    rooms = [one.place for one in places(connection, hospital) if one.parent == place]
    promised = promised_by(connection, hospital, place, rooms, item, now)
    return usable(connection, hospital, place, item, business_day(now)) - promised


@dataclass(frozen=True, slots=True)
class _From:
    """Who fills a line: base units, price a base unit, days until it comes."""

    name: str
    internal: bool
    qty: int
    price: Money
    lead_days: int


def _proposal(asked: Requisition, wish: Wish, source: _From, version: str) -> Proposal:
    run = f"{REQUESTED}:{asked.requisition}"
    wanted = next((line.qty for line in asked.lines if line.item == wish.item), wish.qty)
    reason = {
        "policy": REQUESTED, "requisition": asked.requisition, "by": asked.asked_by, "why": asked.reason,
        "emergency": asked.emergency, "asked": wanted, "qty": source.qty, "lead_days": source.lead_days,
    }  # fmt: skip
    if wish.qty != wanted:
        reason["granted"] = wish.qty
    return Proposal(
        proposal_id(run, asked.place, wish.item), run, asked.place, wish.item, source.name, source.internal,
        source.qty, source.price, reason, REQUESTED, version, State.OPEN, asked.asked_at, "",
    )  # fmt: skip
