"""Proof of orders: every order is one approved proposal, word for word, and every approved proposal has its order.

An order that was taken over from the old system says so and names no proposal.
What it cannot see: orders, lines and proposals are not in the hash chain, so whoever rewrites all three of one order to
say the same thing is held up by the triggers alone. The rule that must not be broken: it reads, it mends nothing.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, select

from central.core.orders import Progress, State, order_number
from central.services.open_orders import IMPORT, TAKEN_OVER
from central.services.proof.report import Report
from central.store.tables.purchasing import ORDER_VERSION
from central.store.tables.work import ORDER_LINE, PROPOSAL, PURCHASE_ORDER
from protocols.values.instant import Instant, business_day


def compare_orders(connection: Connection, report: Report) -> None:
    """Compare orders, their lines and the proposals they came from, both ways."""
    report.orders = connection.execute(select(func.count()).select_from(PURCHASE_ORDER)).scalar_one()
    proposed, order, line = PROPOSAL.c, PURCHASE_ORDER.c, ORDER_LINE.c
    for row in connection.execute(select(PROPOSAL)):
        for wrong in _proposal_faults(row):
            report.fault(f"proposal {row.proposal}: expected {wrong}")
    to_order = and_(order.hospital == proposed.hospital, order.order_no == proposed.order_no)
    to_line = and_(line.hospital == order.hospital, line.order_no == order.order_no)
    joined = PROPOSAL.outerjoin(PURCHASE_ORDER, to_order).outerjoin(ORDER_LINE, to_line)
    columns = (*_as("proposal", PROPOSAL), *_as("order", PURCHASE_ORDER), *_as("line", ORDER_LINE))
    query = select(*columns).select_from(joined).where(proposed.status == State.ORDERED.value)
    seen: set[tuple[str, str]] = set()
    versions = _versions(connection)
    for row_found in connection.execute(query).mappings():
        found = dict(row_found)
        key = (found["proposal_hospital"], found["proposal_order_no"])
        name = f"order {key[1]} of proposal {found['proposal_proposal']}"
        if key in seen:
            report.fault(f"{name}: expected one line and one proposal, got more")
        seen.add(key)
        for wrong in (*_version_faults(found, versions.get(key, [])), *_order_faults(found)):
            report.fault(f"{name}: expected {wrong}")
    _compare_orphans(connection, seen, report)


def _proposal_faults(row: Any) -> Iterator[str]:  # noqa: ANN401 # a row of Core has no type of its own
    if (row.status == State.ORDERED) != bool(row.order_no):
        yield f"an order number where it is ordered and else none, got {row.order_no!r} where it is {row.status}"
    reasoned = json.loads(row.reason).get("qty")
    if reasoned != row.qty:
        yield f"the quantity of its reason, {reasoned}, got {row.qty}"


def _order_faults(found: Any) -> Iterator[str]:  # noqa: ANN401 # a row of Core has no type of its own
    if found["order_order_no"] is None:
        yield "the order to exist, it is missing"
        return
    internal, at = bool(found["proposal_internal"]), Instant(found["order_created_at"])
    number = order_number(found["proposal_proposal"], business_day(at), internal=internal)
    supplier = "" if internal else found["proposal_source"]
    wanted = {
        "order_order_no": number,
        "order_supplier": supplier,
        "order_source": found["proposal_source"],
        "order_place": found["proposal_place"],
        "order_created_at": found["proposal_closed_at"],
        "order_status": Progress.APPROVED.value,
    }
    if found["line_order_no"] is None:
        yield "its line to exist, it is missing"
    else:
        wanted |= {f"line_{name}": found[f"proposal_{name}"] for name in ("item", "qty", "price", "proposal", "reason")}
    for name, value in wanted.items():
        if found[name] != value:
            said = name.replace("_", " ", 1)
            yield f"{said} {value!r:.80} as approved, got {found[name]!r:.80}"


def _versions(connection: Connection) -> dict[tuple[str, str], list[Any]]:
    """Return the versions of the orders that were amended, the first first."""
    of = ORDER_VERSION.c
    kept: dict[tuple[str, str], list[Any]] = {}
    for row in connection.execute(select(ORDER_VERSION).order_by(of.hospital, of.order_no, of.version)):
        kept.setdefault((row.hospital, row.order_no), []).append(row)
    return kept


def _version_faults(found: dict[str, Any], versions: Sequence[Any]) -> Iterator[str]:
    """Give what is wrong of an amended line, and put what was approved, its version 1, in the line's place."""
    if not versions:
        return
    if [row.version for row in versions] != list(range(1, len(versions) + 1)):
        yield f"its versions from 1 on without a gap, got {[row.version for row in versions]}"
    if (found["line_qty"], found["line_price"]) != (versions[-1].qty, versions[-1].price):
        yield f"the quantity and price of its version {versions[-1].version}, got other ones"
    found |= {"line_qty": versions[0].qty, "line_price": versions[0].price}


def _compare_orphans(connection: Connection, seen: set[tuple[str, str]], report: Report) -> None:
    """Tell orders and lines without a proposal, but those taken over from the old system, which never had one."""
    order, line = PURCHASE_ORDER.c, ORDER_LINE.c
    heads = select(order.hospital, order.order_no).where(order.approved_by == IMPORT)
    taken_over = {(row.hospital, row.order_no) for row in connection.execute(heads)}
    lines = connection.execute(select(line.hospital, line.order_no, line.proposal, line.reason))
    own = {(row.hospital, row.order_no) for row in lines if row.proposal or json.loads(row.reason) != TAKEN_OVER}
    seen = seen | (taken_over - own)
    for table, what in ((PURCHASE_ORDER, "order"), (ORDER_LINE, "line of order")):
        for row in connection.execute(select(table.c.hospital, table.c.order_no).distinct()):
            if (row.hospital, row.order_no) not in seen:
                report.fault(f"{what} {row.order_no}: expected an approved proposal it came from, there is none")


def _as(prefix: str, table: Any) -> list[Any]:  # noqa: ANN401 # labelled columns of Core have no common type
    return [column.label(f"{prefix}_{column.name}") for column in table.c]
