"""Tables of purchasing: proposals, orders, receipts, invoices.

The rule that must not be broken: how far an order has come is what its page says of it.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Row

from central.core.orders import Progress, progress
from central.core.requisitions import Timer
from central.core.returns import ReturnKind, ReturnState
from central.core.rights import Right
from central.links.sheets import Yuan
from central.services.emergencies import emergencies
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
    refusal,
    state,
    yes,
)
from central.services.orders import owed_in
from central.services.reasons import names_now
from central.store import queries_exports as kept
from central.store.paging import every
from central.store.queries_budget import cuts_page
from central.store.queries_purchasing import states
from central.store.queries_requisitions import Requisition, requisitions_page
from central.store.queries_returns import Return, returns_page
from protocols.values.money import Money, times


def _requisitions(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        for one in every(lambda page: requisitions_page(connection, asked.hospital, page, asked.scope)):
            if asked.given("state") in {"", one.state}:
                yield from _requisition_lines(one, names)


def _requisition_lines(one: Requisition, names: Names) -> Iterator[tuple[Cell, ...]]:
    for number, line in enumerate(one.lines, 1):
        yield (
            one.requisition, number, *names.place(one.place), *names.item(line.item), line.qty, yes(one.emergency),
            one.reason, state(one.state), moment(one.asked_at), one.asked_by, one.orders.get(line.item, ""),
        )  # fmt: skip


def _emergencies(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        for one in emergencies(connection, asked.hospital, asked.desk.now(), asked.scope):
            head = one.requisition
            for timer, clock in one.clocks.items():
                yield (
                    head.requisition, *names.place(head.place), moment(head.asked_at), state(head.state), CLOCKS[timer],
                    Decimal(f"{clock.taken_h:.2f}"), clock.limit_h, yes(clock.running), yes(clock.in_time),
                )  # fmt: skip


def _proposals(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        for row in kept.proposals(connection, asked.hospital, asked.scope, asked.given("status")):
            yield (
                row.proposal, *names.place(row.place), *names.item(row.item), *names.place(row.source),
                yes(row.internal), row.qty, Yuan(Money(row.price)), Yuan(times(Money(row.price), row.qty)), row.policy,
                state(row.status), moment(row.made_at), row.order_no, refusal(row.refusal), row.refusal_text,
            )  # fmt: skip


def _budget_cuts(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, standing = Names(asked), asked.given("status") != "all"
    with asked.read() as connection:
        reasons = names_now(connection, asked.hospital)
        for one in every(lambda page: cuts_page(connection, asked.hospital, page, asked.scope, standing=standing)):
            yield (
                one.run, *names.place(one.place), *names.item(one.item), *names.place(one.source), one.wanted,
                one.given, Yuan(one.price), Yuan(one.saved), Yuan(one.budget),
                Both(*reasons.said(one.item, one.source, one.reason)), moment(one.made_at), moment(one.closed_at),
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


def _versions(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        for row in kept.order_versions(connection, asked.hospital, asked.scope):
            yield (
                row.order_no, row.line_no, row.version, *names.firm(row.supplier), *names.place(row.place),
                *names.item(row.item), row.qty, Yuan(Money(row.price)), row.wanted, row.reason, moment(row.made_at),
                row.made_by,
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


def _returns(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        for one in every(lambda page: returns_page(connection, asked.hospital, page, asked.scope)):
            if asked.given("state") in {"", one.state}:
                yield from _return_lines(one, names)


def _return_lines(one: Return, names: Names) -> Iterator[tuple[Cell, ...]]:
    note = one.credit
    for line in one.lines:
        yield (
            one.return_no, RETURN_KINDS[one.kind], *names.firm(one.supplier), *names.place(one.place), line.receipt,
            line.order_no, line.order_line, *names.item(line.item), line.lot, line.qty, Yuan(line.price),
            Yuan(one.claim), one.said, RETURN_STATES[one.state], moment(one.asked_at), one.asked_by,
            "" if note is None else note.number, None if note is None else Yuan(note.amount),
        )  # fmt: skip


def _invoices(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, first, last = Names(asked), asked.day("first"), asked.day("last")
    with asked.read() as connection:
        standing = states(connection, asked.hospital, "invoice")
        for row in kept.invoices(connection, asked.hospital, first, last):
            yield (
                row.document, row.invoice, row.version, *names.firm(row.supplier), row.dated, row.due,
                Yuan(Money(row.amount)), state(standing[row.document]), row.line_no, row.order_no,
                row.order_line, row.qty, Yuan(Money(row.price)),
            )  # fmt: skip


CLOCKS = {
    Timer.ANSWER: Both("供应商响应", "supplier's answer"),
    Timer.SUPPLY: Both("到货", "goods"),
    Timer.PAPERS: Both("补办审批", "approval after"),
}
RETURN_KINDS = {ReturnKind.RETURN: Both("退货", "return"), ReturnKind.CLAIM: Both("索赔", "claim")}
RETURN_STATES = {
    ReturnState.ASKED: Both("待审批", "waits for a decision"),
    ReturnState.APPROVED: Both("已批准，未退出", "approved, not handed out"),
    ReturnState.SHIPPED: Both("已退出，待红字发票", "handed out, credit note owed"),
    ReturnState.CREDITED: Both("已收红字发票", "credit note entered"),
    ReturnState.CLOSED: Both("已关闭", "closed"),
    ReturnState.REFUSED: Both("已拒绝", "refused"),
    ReturnState.WITHDRAWN: Both("已撤回", "withdrawn"),
}
SOURCE = (Column("供应商或上级库编码", "source"), Column("供应商或上级库", "source name"))
ORDER = (Column("订单号", "order"), Column("订单行", "order line"))
DAYS = ("first", "last")
PURCHASING_EXPORTS = (
    Export(
        "requisitions", Both("申领单", "requisitions"), Right.SEE_ORDERS, ("state",),
        (
            Column("申领单号", "requisition"), Column("行", "line"), *ROOM, *ITEM, QTY, Column("应急", "emergency"),
            Column("用途", "what it is for"), STATE, Column("申领时间", "asked"), Column("申领人工号", "asked by"),
            Column("订单号", "order"),
        ),
        _requisitions,
    ),
    Export(
        "emergencies", Both("应急申领时限", "emergencies and their clocks"), Right.SEE_ORDERS, (),
        (
            Column("申领单号", "requisition"), *ROOM, Column("申领时间", "asked"), STATE, Column("时限", "clock"),
            Column("已用小时", "hours taken"), Column("限时小时", "hours allowed"), Column("计时中", "running"),
            Column("未超时", "in time"),
        ),
        _emergencies,
    ),
    Export(
        "proposals", Both("补货建议", "proposals"), Right.SEE_ORDERS, ("status",),
        (
            Column("建议号", "proposal"), *ROOM, *ITEM, *SOURCE, Column("院内调拨", "inside the hospital"), QTY, PRICE,
            AMOUNT, Column("策略", "policy"), STATE, Column("提出时间", "made"), Column("订单号", "order"),
            Column("拒绝原因", "refused because"), Column("拒绝说明", "refused in words"),
        ),
        _proposals,
    ),
    Export(
        "budget-cuts", Both("预算削减", "cut by budgets"), Right.SEE_ORDERS, ("status",),
        (
            Column("计算批次", "run"), *ROOM, *ITEM, *SOURCE, Column("应补数量", "wanted"),
            Column("预算内数量", "left by the budget"), PRICE, Column("未支出(元)", "not spent (yuan)", priced=True),
            Column("本次预算(元)", "budget of the run (yuan)", priced=True), Column("原因", "why"),
            Column("提出时间", "made"), Column("失效时间", "ended"),
        ),
        _budget_cuts,
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
        "order-versions", Both("订单变更", "order versions"), Right.SEE_ORDERS, (),
        (
            *ORDER, Column("版本", "version"), *SUPPLIER, *ROOM, *ITEM, QTY, PRICE, Column("要求到货", "wanted for"),
            Column("变更原因", "why"), Column("时间", "time"), Column("变更人工号", "changed by"),
        ),
        _versions,
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
        "returns", Both("退货与索赔", "returns and claims"), Right.SEE_ORDERS, ("state",),
        (
            Column("单号", "number"), Column("类型", "kind"), *SUPPLIER, *ROOM, Column("收货单号", "receipt"), *ORDER,
            *ITEM, LOT, QTY, PRICE, Column("索赔金额(元)", "claimed (yuan)", priced=True),
            Column("情况说明", "what happened"), STATE, Column("申请时间", "asked"), Column("申请人工号", "asked by"),
            Column("红字发票号", "credit note"), Column("红字金额(元)", "credited (yuan)", priced=True),
        ),
        _returns,
    ),
    Export(
        "invoices", Both("发票", "invoices"), Right.INVOICE, DAYS,
        (
            Column("单据号", "document"), Column("发票号", "invoice"), Column("版本", "version"), *SUPPLIER,
            Column("开票日期", "dated"), Column("应付日期", "due"), AMOUNT, STATE,
            Column("行", "line"), *ORDER, QTY, PRICE,
        ),
        _invoices,
    ),
)  # fmt: skip
