"""Orders that wait to be sent, and the steps that sent them.

No rule lives here. The rule that must not be broken: every query names the hospital.
"""

from sqlalchemy import Connection, func, select

from central.core.purchasing import OrderState, OrderStep
from central.core.rights import Scope
from central.store.queries_work import within
from central.store.tables.purchasing import DOCUMENT_STEP
from central.store.tables.work import PURCHASE_ORDER
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

ORDER = "order"


def orders_waiting(connection: Connection, hospital: HospitalId, scope: Scope, limit: int) -> list[str]:
    """Return the numbers of orders to suppliers that are still to be sent, or sent again, the oldest first."""
    head, step = PURCHASE_ORDER.c, DOCUMENT_STEP.c
    stands = (
        select(step.state)
        .where(step.hospital == head.hospital, step.document == head.order_no, step.kind == ORDER)
        .order_by(step.seq.desc())
        .limit(1)
        .correlate(PURCHASE_ORDER)
        .scalar_subquery()
    )
    chosen = select(head.order_no).where(
        head.hospital == hospital,
        head.supplier != "",
        within(head.place, scope),
        func.coalesce(stands, OrderState.APPROVED.value) == OrderState.APPROVED.value,
    )
    return list(connection.scalars(chosen.order_by(head.created_at, head.order_no).limit(limit)))


def steps_sent(connection: Connection, hospital: HospitalId, since: Instant) -> list[tuple[str, Instant, str]]:
    """Return the orders sent since an instant with when and what was said, the first first."""
    step = DOCUMENT_STEP.c
    chosen = select(step.document, step.at, step.detail).where(
        step.hospital == hospital, step.kind == ORDER, step.step == OrderStep.SEND.value, step.at >= since
    )
    rows = connection.execute(chosen.order_by(step.at, step.document))
    return [(row.document, Instant(row.at), row.detail) for row in rows]
