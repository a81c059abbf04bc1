"""What an import takes over into running books: orders still open elsewhere, and items new to a catalogue in use.

The rules that must not be broken: importing the same file again changes nothing; an order taken over is as it was sent,
approved by nobody here; an item that comes after the first imports is a draft and not ordered before its approval.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from central.core.catalogue import ItemState, ItemStep
from central.core.orders import Progress
from central.core.purchasing import OrderState, OrderStep, check_value
from central.errors import BadInput
from central.services.policy import rules_at
from central.store.merge import add_new
from central.store.queries_catalogue import document_of
from central.store.queries_purchasing import DocumentStep, add_step, history
from central.store.tables.master import ITEM
from central.store.tables.work import ORDER_LINE, PURCHASE_ORDER
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, day_start
from protocols.values.money import Money

IMPORT = "import"
"""Who stands for what came by a file."""
TAKEN_OVER: Mapping[str, str] = {"policy": IMPORT}
"""The reason of a line that nobody here proposed."""

Row = Mapping[str, Any]


def take_over(connection: Connection, hospital: HospitalId, rows: Sequence[Row]) -> None:
    """Write orders still open elsewhere, with their sending and promise.

    Raises `BadInput` for a line that is worth more than sums can hold; then nothing is written.
    """
    for row in rows:
        _check_worth(row)
    for row in rows:
        at = day_start(row["ordered"])
        head = {"hospital": hospital, "order_no": row["order_no"], "supplier": row["supplier"]}
        head |= {"source": row["supplier"], "place": row["place"], "status": str(Progress.APPROVED)}
        add_new(connection, PURCHASE_ORDER, [head | {"created_at": at, "approved_by": IMPORT}])
        line = {"hospital": hospital, "order_no": row["order_no"], "line_no": row["line_no"], "item": row["item"]}
        line |= {"qty": row["qty"], "price": row["price"], "proposal": ""}
        add_new(connection, ORDER_LINE, [line | {"reason": json.dumps(dict(TAKEN_OVER))}])
        if not history(connection, hospital, row["order_no"]):
            _sent(connection, hospital, row, at)


def _check_worth(row: Row) -> None:
    try:
        check_value(row["qty"], Money(row["price"]))
    except BadInput as error:
        raise BadInput(f"open_orders.csv, order {row['order_no']} line {row['line_no']}: {error}") from error


def _sent(connection: Connection, hospital: HospitalId, row: Row, at: Instant) -> None:
    number = {"platform_order_no": row["platform_order_no"]} if row["platform_order_no"] else {}
    steps = [(OrderStep.SEND, OrderState.SENT, number)]
    if row["promised"] is not None:
        steps.append((OrderStep.CONFIRM, OrderState.CONFIRMED, {"promised": row["promised"].isoformat()}))
    for seq, (event, state, detail) in enumerate(steps):
        step = DocumentStep(seq, "order", event, state, at, IMPORT, detail)
        add_step(connection, hospital, row["order_no"], "order", step)


def new_items(connection: Connection, hospital: HospitalId, items: Sequence[str], now: Instant) -> list[str]:
    """Return the items that the catalogue does not have, once the hospital says that its first imports are over."""
    if not rules_at(connection, hospital, now).whole("catalogue.imports_draft"):
        return []
    known = set(connection.scalars(select(ITEM.c.item).where(ITEM.c.hospital == hospital)))
    return [item for item in items if item not in known]


def draft_new(connection: Connection, hospital: HospitalId, items: Sequence[str], now: Instant) -> None:
    """Make items that were just written drafts."""
    for item in items:
        step = DocumentStep(0, "item", ItemStep.DRAFT, ItemState.DRAFT, now, IMPORT, {})
        add_step(connection, hospital, document_of(item), "item", step)
