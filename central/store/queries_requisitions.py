"""Requisitions read back with their lines and what became of them, and the writes that add them.

No rule lives here. The rule that must not be broken: every query names the hospital, and nothing is changed.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from central.core.requisitions import RequisitionState, Wanted, Wish
from central.core.rights import EVERYWHERE, Scope
from central.store.feeds import recalls
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.queries_master import expiries
from central.store.queries_purchasing import standing_in, states
from central.store.queries_work import Proposal, proposals, within
from central.store.tables.ledger import BALANCE
from central.store.tables.requisitions import REQUISITION, REQUISITION_LINE
from central.store.tables.work import ORDER_LINE, PROPOSAL
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

KIND = "requisition"


@dataclass(frozen=True, slots=True)
class Requisition:
    """One requisition as it stands; `orders` names the order of each item that was granted."""

    requisition: str
    place: str
    asked_by: str
    asked_at: Instant
    emergency: bool
    reason: str
    state: RequisitionState
    lines: tuple[Wish, ...]
    orders: Mapping[str, str]


def add(
    connection: Connection, hospital: HospitalId, requisition: str, wanted: Wanted, person: str, now: Instant
) -> None:
    """Write what somebody asked for."""
    head: dict[str, Any] = {"hospital": hospital, "requisition": requisition, "place": wanted.place, "asked_by": person}
    head |= {"asked_at": now, "emergency": wanted.emergency, "reason": wanted.reason.strip()}
    connection.execute(REQUISITION.insert().values(**head))
    key: dict[str, Any] = {"hospital": hospital, "requisition": requisition}
    rows = [key | {"line_no": no, "item": one.item, "qty": one.qty} for no, one in enumerate(wanted.lines, 1)]
    connection.execute(REQUISITION_LINE.insert(), rows)


def requisitions(
    connection: Connection,
    hospital: HospitalId,
    scope: Scope = EVERYWHERE,
    *,
    named: Collection[str] | None = None,
    standing: Collection[str] | None = None,
    emergency: bool = False,
    since: Instant | None = None,
) -> list[Requisition]:
    """Return requisitions in a scope, the newest first: those named, in some states, or emergencies since an instant.

    What is asked for must bound them: a list of all goes by pages.
    """
    row = REQUISITION.c
    chosen = _chosen(hospital, scope)
    if named is not None:
        chosen = chosen.where(row.requisition.in_(sorted(named)))
    if standing is not None:
        chosen = chosen.where(row.requisition.in_(standing_in(hospital, KIND, standing)))
    if emergency:
        chosen = chosen.where(row.emergency)
    if since is not None:
        chosen = chosen.where(row.asked_at >= since)
    newest = chosen.order_by(row.asked_at.desc(), row.requisition)
    return _whole(connection, hospital, connection.execute(newest).all())


REQUISITIONS = Keyset("requisitions", (Key(REQUISITION.c.asked_at, falling=True), Key(REQUISITION.c.requisition)))


def requisitions_page(
    connection: Connection, hospital: HospitalId, asked: PageAsked, scope: Scope, state: str = ""
) -> Page[Requisition]:
    """Return a page of the requisitions in a scope, or of those in a state, the newest first.

    Raises `BadInput` for its cursor.
    """
    chosen = _chosen(hospital, scope)
    if state:
        chosen = chosen.where(REQUISITION.c.requisition.in_(standing_in(hospital, KIND, [state])))
    rows, cursor = REQUISITIONS.rows(connection, chosen, asked)
    return Page(tuple(_whole(connection, hospital, rows)), cursor)


def _chosen(hospital: HospitalId, scope: Scope) -> Select[Any]:
    return select(REQUISITION).where(REQUISITION.c.hospital == hospital, within(REQUISITION.c.place, scope))


def _whole(connection: Connection, hospital: HospitalId, heads: Sequence[Row[Any]]) -> list[Requisition]:
    names = [head.requisition for head in heads]
    lines, orders = _lines(connection, hospital, names), _orders(connection, hospital, names)
    standing = states(connection, hospital, KIND, names)
    return [
        Requisition(
            head.requisition, head.place, head.asked_by, Instant(head.asked_at), head.emergency, head.reason,
            RequisitionState(standing[head.requisition]), tuple(lines[head.requisition]), orders[head.requisition],
        )
        for head in heads
    ]  # fmt: skip


def _lines(connection: Connection, hospital: HospitalId, names: Sequence[str]) -> dict[str, list[Wish]]:
    found: defaultdict[str, list[Wish]] = defaultdict(list)
    row = REQUISITION_LINE.c
    chosen = select(REQUISITION_LINE).where(row.hospital == hospital, row.requisition.in_(names))
    for one in connection.execute(chosen.order_by(row.requisition, row.line_no)):
        found[one.requisition].append(Wish(one.item, one.qty))
    return found


def _orders(connection: Connection, hospital: HospitalId, names: Sequence[str]) -> dict[str, dict[str, str]]:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    row = ORDER_LINE.c
    chosen = select(row.requisition, row.item, row.order_no).where(
        row.hospital == hospital, row.requisition != "", row.requisition.in_(names)
    )
    for one in connection.execute(chosen):
        found[one.requisition][one.item] = one.order_no
    return found


def usable(connection: Connection, hospital: HospitalId, place: str, item: str, today: date) -> int:
    """Return the base units of an item that a storeroom's book has and may hand out: neither expired nor recalled."""
    row = BALANCE.c
    rows = connection.execute(
        select(row.lot, func.sum(row.qty).label("qty"))
        .where(row.hospital == hospital, row.place == place, row.item == item)
        .group_by(row.lot)
    )
    days = expiries(connection, hospital, [item])
    held = {lot for what, lot, _ in recalls(connection, hospital) if what == item}
    return sum(
        int(one.qty)
        for one in rows
        if one.qty > 0 and one.lot not in held and days.get((item, one.lot), date.max) >= today
    )


def held_by_item(connection: Connection, hospital: HospitalId, place: str) -> dict[str, int]:
    """Return what a storeroom's book has of each item it ever held."""
    row = BALANCE.c
    rows = connection.execute(
        select(row.item, func.sum(row.qty).label("qty"))
        .where(row.hospital == hospital, row.place == place)
        .group_by(row.item)
    )
    return {one.item: int(one.qty) for one in rows}


def proposals_of(connection: Connection, hospital: HospitalId, requisition: str) -> list[Proposal]:
    """Return the proposals that a requisition's lines became."""
    row, line = PROPOSAL.c, ORDER_LINE.c
    named = select(line.proposal).where(line.hospital == hospital, line.requisition == requisition)
    rows = connection.execute(select(row.proposal).where(row.hospital == hospital, row.proposal.in_(named)))
    return [found for one in rows for found in proposals(connection, hospital, id=one.proposal)]


def proposal_row(hospital: HospitalId, one: Proposal, status: str, order_no: str, now: Instant) -> Mapping[str, Any]:
    """Return the row of a proposal that was ordered in the moment it was made."""
    return {
        "hospital": hospital, "proposal": one.id, "run": one.run, "place": one.place, "item": one.item,
        "source": one.source, "internal": one.internal, "qty": one.qty, "price": one.price,
        "reason": json.dumps(dict(one.reason), sort_keys=True), "policy": one.policy,
        "policy_version": one.policy_version, "status": status, "made_at": one.made_at, "renewed_at": now,
        "closed_at": now, "order_no": order_no,
    }  # fmt: skip
