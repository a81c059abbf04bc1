"""What changed since an instant: discrepancies, proposals and orders whose rows or steps are newer, and every edge.

No rule lives here. The rule that must not be broken: every query names the hospital and has a limit.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from central.store.tables.purchasing import DOCUMENT_STEP
from central.store.tables.work import DISCREPANCY, PROPOSAL, PURCHASE_ORDER
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

CHANGED_MAX = 1000
"""Rows of a sort one look reads; more than that and whoever listens is told to read the lists again."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that is another than before: its number, storeroom, state and when it became that."""

    id: str
    place: str
    state: str
    at: Instant


def discrepancies_since(connection: Connection, hospital: HospitalId, since: Instant) -> list[Changed]:
    """Return the discrepancies opened or closed from an instant on."""
    row = DISCREPANCY.c
    found = connection.execute(
        select(row.discrepancy, row.place, row.status, row.opened_at, row.closed_at)
        .where(row.hospital == hospital, or_(row.opened_at >= since, row.closed_at >= since))
        .limit(CHANGED_MAX)
    )
    return [Changed(one.discrepancy, one.place, one.status, Instant(one.closed_at or one.opened_at)) for one in found]


def proposals_since(connection: Connection, hospital: HospitalId, since: Instant) -> list[Changed]:
    """Return the proposals made, renewed or closed from an instant on."""
    row = PROPOSAL.c
    found = connection.execute(
        select(row.proposal, row.place, row.status, row.renewed_at, row.closed_at, row.qty)
        .where(row.hospital == hospital, or_(row.renewed_at >= since, row.made_at >= since, row.closed_at >= since))
        .limit(CHANGED_MAX)
    )
    return [Changed(one.proposal, one.place, one.status, Instant(one.closed_at or one.renewed_at)) for one in found]


def orders_since(connection: Connection, hospital: HospitalId, since: Instant) -> list[Changed]:
    """Return the orders made, or that took a step, from an instant on; the state is that of the last step."""
    order, step = PURCHASE_ORDER.c, DOCUMENT_STEP.c
    made = connection.execute(
        select(order.order_no, order.place, order.status, order.created_at)
        .where(order.hospital == hospital, order.created_at >= since)
        .limit(CHANGED_MAX)
    )
    moved = connection.execute(
        select(step.document, order.place, step.state, step.at)
        .join(PURCHASE_ORDER, (order.hospital == step.hospital) & (order.order_no == step.document))
        .where(step.hospital == hospital, step.at >= since)
        .order_by(step.at, step.seq)
        .limit(CHANGED_MAX)
    )
    return [Changed(*row) for row in made] + [Changed(*row) for row in moved]


def newest(connection: Connection, hospital: HospitalId) -> Instant:
    """Return the instant of the newest row of all, from which a listener who comes first hears."""
    columns = (
        (DISCREPANCY, DISCREPANCY.c.opened_at),
        (PROPOSAL, PROPOSAL.c.renewed_at),
        (PURCHASE_ORDER, PURCHASE_ORDER.c.created_at),
    )
    found = [connection.scalar(select(func.max(at)).where(table.c.hospital == hospital)) for table, at in columns]
    return Instant(max((one for one in found if one is not None), default=0))
