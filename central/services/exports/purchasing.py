"""Tables of purchasing: proposals, orders, receipts, invoices.

The rule that must not be broken: how far an order has come is what its page says of it.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Row

from central.core.orders import Progress, progress
from central.core.rights import Right
from central.links.sheets import Yuan
from central.services.exports.form import Asked, Both, Cell, Column, Export, moment
from central.services.exports.words import (
    AMOUNT,
    ITEM,
    LOT,
    PRICE,
    QTY,
    ROOM,
    STATE,
    SUPPLIER,
    Names,
    state,
    yes,
)
from central.services.orders import owed_in
from central.store import queries_exports as kept
from central.store.queries_purchasing import states
from protocols.values.money import Money, times


def _proposals(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        for row in kept.proposals(connection, asked.hospital, asked.scope, asked.given("status")):
            yield (
                row.proposal, *names.place(row.place), *names.item(row.item), *names.place(row.source),
                yes(row.internal), row.qty, Yuan(Money(row.price)), Yuan(times(Money(row.price), row.qty)), row.policy,
                state(row.status), moment(row.made_at), row.order_no,
            )  # fmt: skip


def _orders(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, first, last = Names(asked), asked.day("first"), asked.day("last")
    with asked.read() as connection:
        owed: dict[tuple[str, int], int] = {}
        for room in names.rooms_in(asked.scope):
            owed |= owed_in(connection, asked.hospital, room, asked.desk.now())
        standing = states(connection, asked.hospital, "order")
        rows = kept.orders(connection, asked.hospital, asked.scope, first, last)
        for number, of_order in groupby(rows, key=lambda row: str(row.order_no)):
            lines = list(of_order)
            left = [owed.get((number, row.line_no), row.qty) for row in lines]
            come = progress(sum(row.qty for row in lines), sum(left), standing.get(number, Progress.APPROVED))
            if asked.given("state") in {"", come}:
                yield from (_order_line(row, still, come, names) for row, still in zip(lines, left, strict=True))


def _order_line(row: Row[Any], left: int, come: Progress, names: Names) -> tuple[Cell, ...]:
    return (
        row.order_no, row.line_no, *names.place(row.source), *names.place(row.place), *names.item(row.item), row.qty,
        left, Yuan(Money(row.price)), Yuan(times(Money(row.price), row.qty)), state(come), moment(row.created_at),
        row.approved_by,
    )  # fmt: skip


def _receipts(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, first, last = Names(asked), asked.day("first"), asked.day("last")
    with asked.read() as connection:
        for row in kept.receipts(connection, asked.hospital, asked.scope, first, last):
            yield (
                row.receipt, row.line_no, row.order_no, row.order_line, row.delivery_note, *names.firm(row.supplier),
                *names.place(row.place), *names.item(row.item), row.lot, row.expiry, row.delivered, row.accepted,
                row.refused, row.refused_why, moment(row.at), row.actor,
            )  # fmt: skip


def _invoices(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, first, last = Names(asked), asked.day("first"), asked.day("last")
    with asked.read() as connection:
        standing = states(connection, asked.hospital, "invoice")
        for row in kept.invoices(connection, asked.hospital, first, last):
            yield (
                row.document, row.invoice, *names.firm(row.supplier), row.dated, row.due, Yuan(Money(row.amount)),
                state(standing[row.document]), row.line_no, row.order_no, row.order_line, row.qty,
                Yuan(Money(row.price)),
            )  # fmt: skip


SOURCE = (Column("供应商或上级库编码", "source"), Column("供应商或上级库", "source name"))
ORDER = (Column("订单号", "order"), Column("订单行", "order line"))
DAYS = ("first", "last")
PURCHASING_EXPORTS = (
    Export(
        "proposals", Both("补货建议", "proposals"), Right.SEE_ORDERS, ("status",),
        (
            Column("建议号", "proposal"), *ROOM, *ITEM, *SOURCE, Column("院内调拨", "inside the hospital"), QTY, PRICE,
            AMOUNT, Column("策略", "policy"), STATE, Column("提出时间", "made"), Column("订单号", "order"),
        ),
        _proposals,
    ),
    Export(
        "orders", Both("订单", "orders"), Right.SEE_ORDERS, ("state", *DAYS),
        (
            *ORDER, *SOURCE, *ROOM, *ITEM, QTY, Column("未到数量", "still owed"), PRICE, AMOUNT, STATE,
            Column("批准时间", "approved"), Column("批准人工号", "approved by"),
        ),
        _orders,
    ),
    Export(
        "receipts", Both("收货验收", "receipts"), Right.SEE_ORDERS, DAYS,
        (
            Column("收货单号", "receipt"), Column("行", "line"), *ORDER, Column("送货单号", "delivery note"), *SUPPLIER,
            *ROOM, *ITEM, LOT, Column("失效日期", "expires"), Column("到货数", "delivered"),
            Column("验收合格数", "accepted"), Column("拒收数", "refused"), Column("拒收原因", "why refused"),
            Column("时间", "time"), Column("验收人工号", "inspected by"),
        ),
        _receipts,
    ),
    Export(
        "invoices", Both("发票", "invoices"), Right.INVOICE, DAYS,
        (
            Column("单据号", "document"), Column("发票号", "invoice"), *SUPPLIER, Column("开票日期", "dated"),
            Column("应付日期", "due"), AMOUNT, STATE, Column("行", "line"), *ORDER, QTY, PRICE,
        ),
        _invoices,
    ),
)  # fmt: skip
