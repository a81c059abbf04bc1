"""Orders as forms: to a supplier or the hospital's own store, several together, what came, and what goes back.

It decides nothing. The rule that must not be broken: a form says what its document says and nothing of the moment it is
printed in, so that the same document makes the same form.
"""

from collections.abc import Mapping, Sequence

from central.core.notes import number_of
from central.core.returns import ReturnKind
from central.core.rights import Right
from central.errors import NotThere
from central.links.paper import Column, Form
from central.services.amendments import versions_of
from central.services.batches import sent_together
from central.services.papers.asked import Asked, Names, date_line, item_columns, lang, money, names_of, price
from central.store import queries_purchasing
from central.store.queries_purchasing import Row
from central.store.queries_work import Order
from protocols.codes.label import TicketSort, make_ticket
from protocols.values.instant import business_day, plus
from protocols.values.money import Money, times

BATCHES_LOOKED_BACK_S = 366 * 86_400.0
"""A batch is printed again within a year."""


def _order(asked: Asked) -> tuple[Order, Mapping[str, str], list[Row]]:
    """Return an order, what its steps said last, and what came of it. Raises `NotThere`."""
    documents = asked.desk.purchasing.documents
    with asked.desk.store.read() as connection:
        order = documents.order(connection, asked.caller, Right.SEE_ORDERS, asked.named.partition("~")[0])
        steps = queries_purchasing.history(connection, asked.desk.hospital, order.order_no)
        came = queries_purchasing.receipts_of(connection, asked.desk.hospital, order.order_no)
    said = {name: str(text) for step in steps for name, text in step.detail.items()}
    return order, said, came


def purchase_order(asked: Asked) -> Form:
    """Return an order as a form: to a supplier a purchase order, to the hospital's own store a requisition."""
    order, said, _ = _order(asked)
    with asked.desk.store.read() as connection:
        version = versions_of(connection, asked.desk.hospital, order)[-1]
    names, priced = names_of(asked), bool(order.supplier) and asked.priced
    columns = (*item_columns(asked), Column(asked.say("数量", "Quantity"), 18, number=True))
    if priced:
        columns += (
            Column(asked.say("单价(元)", "Price"), 20, number=True),
            Column(asked.say("金额(元)", "Amount"), 24, number=True),
        )
    rows = []
    for line in order.lines:
        row = (str(line.line_no), line.item, *names.of(asked, line.item), f"{line.qty:,}")
        rows.append(row + ((price(line.price), money(times(line.price, line.qty))) if priced else ()))
    total = Money(sum(times(line.price, line.qty) for line in order.lines))
    bought = bool(order.supplier)
    facts = [
        (
            asked.say("供应商", "Supplier") if bought else asked.say("供货库房", "From"),
            names.rooms.get(order.source, order.source),
        ),
        (asked.say("收货库房", "For"), names.rooms.get(order.place, order.place)),
        (asked.say("日期", "Date"), business_day(order.created_at).isoformat()),
        (asked.say("版本", "Version"), str(version.version) if bought else ""),
        (asked.say("变更原因", "Changed because"), version.reason),
        (asked.say("要求到货", "Wanted for"), "" if version.wanted is None else version.wanted.isoformat()),
        (asked.say("批准人", "Approved by"), order.approved_by),
        (asked.say("平台订单号", "Platform order"), said.get("platform_order_no", "")),
        (asked.say("承诺到货", "Promised for"), said.get("promised", "")),
    ]
    signed = (
        (
            asked.say("采购员", "Purchaser"),
            asked.say("耗材科长", "Head of consumables"),
            asked.say("供应商确认", "Supplier"),
            asked.say("库房收货", "Received by"),
        )
        if bought
        else (
            asked.say("申领科室", "Ward"),
            asked.say("一级库发货", "Issued by"),
            asked.say("配送", "Delivered by"),
            asked.say("科室签收", "Received by"),
        )
    )
    return Form(
        lang(asked),
        asked.hospital,
        asked.say("采购订单", "Purchase order") if bought else asked.say("申领单", "Requisition"),
        order.order_no,
        [fact for fact in facts if fact[1]],
        columns,
        rows,
        signed,
        sums=((asked.say("合计(元)", "Total (yuan)"), money(total)),) if priced else (),
        dated=date_line(asked),
        code="" if bought else make_ticket(TicketSort.DOCUMENT, number_of(order.order_no)),
    )


def batch(asked: Asked) -> Form:
    """Return orders that were sent together as one form, each line with its order. Raises `NotThere`."""
    documents, now = asked.desk.purchasing.documents, asked.desk.now()
    with asked.desk.store.read() as connection:
        sent = sent_together(connection, asked.desk.hospital, plus(now, -BATCHES_LOOKED_BACK_S))
        numbers = sorted(sent.get(asked.named, ()))
        found = [documents.order(connection, asked.caller, Right.SEE_ORDERS, number) for number in numbers]
    if not found:
        raise NotThere(f"batch: expected one that was sent, got {asked.named!r:.40}")
    names, priced = names_of(asked), asked.priced
    columns = (Column(asked.say("订单号", "Order"), 44), *item_columns(asked)[1:])
    columns += (Column(asked.say("数量", "Quantity"), 18, number=True),)
    columns += (Column(asked.say("金额(元)", "Amount"), 24, number=True),) if priced else ()
    rows = [
        (order.order_no, line.item, *names.of(asked, line.item), f"{line.qty:,}")
        + ((money(times(line.price, line.qty)),) if priced else ())
        for order in found
        for line in order.lines
    ]
    total = Money(sum(times(line.price, line.qty) for order in found for line in order.lines))
    facts = [
        (asked.say("供应商", "Supplier"), names.rooms.get(found[0].source, found[0].source)),
        (asked.say("收货库房", "For"), names.rooms.get(found[0].place, found[0].place)),
        (asked.say("订单数", "Orders"), str(len(found))),
    ]
    return Form(
        lang(asked),
        asked.hospital,
        asked.say("合并采购单", "Orders sent together"),
        asked.named,
        facts,
        columns,
        rows,
        (
            asked.say("采购员", "Purchaser"),
            asked.say("耗材科长", "Head of consumables"),
            asked.say("供应商确认", "Supplier"),
        ),
        sums=((asked.say("合计(元)", "Total (yuan)"), money(total)),) if priced else (),
        dated=date_line(asked),
    )


def receipt(asked: Asked) -> Form:
    """Return what came of an order and how it was inspected; `ORDER~RECEIPT` names one delivery. Raises `NotThere`."""
    order, _, came = _order(asked)
    wanted = asked.named.partition("~")[2]
    lines = [row for row in came if wanted in {"", row["receipt"]}]
    if not lines:
        raise NotThere(f"receipt: expected a delivery of {order.order_no}, there is none")
    names = names_of(asked)
    columns = (
        *item_columns(asked),
        Column(asked.say("批号", "Lot"), 22),
        Column(asked.say("失效日期", "Expires"), 21),
        Column(asked.say("到货", "Came"), 13, number=True),
        Column(asked.say("合格", "Accepted"), 13, number=True),
        Column(asked.say("拒收", "Refused"), 13, number=True),
    )
    rows = [
        (
            str(number),
            row["item"],
            *names.of(asked, row["item"]),
            row["lot"],
            _day(row["expiry"]),
            f"{row['delivered']:,}",
            f"{row['accepted']:,}",
            f"{row['refused']:,}",
        )
        for number, row in enumerate(lines, start=1)
    ]
    why = "; ".join(dict.fromkeys(row["refused_why"] for row in lines if row["refused_why"]))
    return Form(
        lang(asked),
        asked.hospital,
        asked.say("收货验收单", "Receipt and inspection"),
        wanted or order.order_no,
        _delivery_facts(asked, order, lines, names),
        columns,
        rows,
        (
            asked.say("验收人", "Inspected by"),
            asked.say("复核人", "Checked by"),
            asked.say("送货人", "Delivered by"),
            asked.say("库房主管", "Head of store"),
        ),
        note=f"{asked.say('拒收原因', 'Refused because')}: {why}" if why else "",
        dated=date_line(asked),
    )


def refused_return(asked: Asked) -> Form:
    """Return what was refused of an order as a form to give it back with. Raises `NotThere` where nothing was."""
    order, _, came = _order(asked)
    lines = [row for row in came if row["refused"]]
    if not lines:
        raise NotThere(f"return: expected goods of {order.order_no} that were refused, there are none")
    names = names_of(asked)
    columns = (
        *item_columns(asked),
        Column(asked.say("批号", "Lot"), 22),
        Column(asked.say("退货数", "Returned"), 16, number=True),
        Column(asked.say("原因", "Why"), 34),
    )
    rows = [
        (str(number), row["item"], *names.of(asked, row["item"]), row["lot"], f"{row['refused']:,}", row["refused_why"])
        for number, row in enumerate(lines, start=1)
    ]
    return Form(
        lang(asked),
        asked.hospital,
        asked.say("退货单", "Return to supplier"),
        order.order_no,
        _delivery_facts(asked, order, lines, names),
        columns,
        rows,
        (asked.say("库房", "Store"), asked.say("采购员", "Purchaser"), asked.say("供应商接收", "Supplier")),
        dated=date_line(asked),
    )


def goods_return(asked: Asked) -> Form:
    """Return what goes back to a supplier, or is claimed of it, as a form. Raises `NotThere`."""
    asked.caller.need(Right.SEE_ORDERS)
    with asked.desk.store.read() as connection:
        one = asked.desk.returns.one(connection, asked.caller, asked.named)
    names, priced = names_of(asked), asked.priced
    columns = (
        *item_columns(asked),
        Column(asked.say("批号", "Lot"), 22),
        Column(asked.say("收货单", "Receipt"), 34),
        Column(asked.say("数量", "Quantity"), 16, number=True),
    )
    columns += (Column(asked.say("金额(元)", "Amount"), 24, number=True),) if priced else ()
    rows = [
        (str(number), line.item, *names.of(asked, line.item), line.lot, line.receipt, f"{line.qty:,}")
        + ((money(times(line.price, line.qty)),) if priced else ())
        for number, line in enumerate(one.lines, start=1)
    ]
    facts = [
        (asked.say("供应商", "Supplier"), names.rooms.get(one.supplier, one.supplier)),
        (asked.say("退出库房", "From"), names.rooms.get(one.place, one.place)),
        (asked.say("日期", "Date"), business_day(one.asked_at).isoformat()),
        (asked.say("申请人", "Asked by"), one.asked_by),
        (asked.say("索赔(元)", "Claimed"), money(one.claim) if priced and one.claim else ""),
    ]
    claim = one.kind is ReturnKind.CLAIM
    return Form(
        lang(asked),
        asked.hospital,
        asked.say("索赔单", "Claim") if claim else asked.say("退货单", "Return to supplier"),
        one.return_no,
        [fact for fact in facts if fact[1]],
        columns,
        rows,
        (asked.say("库房", "Store"), asked.say("采购员", "Purchaser"), asked.say("供应商接收", "Supplier")),
        sums=((asked.say("合计(元)", "Total (yuan)"), money(one.due)),) if priced else (),
        note=one.said,
        dated=date_line(asked),
    )


def _delivery_facts(asked: Asked, order: Order, lines: Sequence[Row], names: Names) -> list[tuple[str, str]]:
    notes = ", ".join(dict.fromkeys(row["delivery_note"] for row in lines if row["delivery_note"]))
    days = ", ".join(dict.fromkeys(business_day(row["at"]).isoformat() for row in lines))
    people = ", ".join(dict.fromkeys(row["actor"] for row in lines))
    facts = [
        (asked.say("供应商", "Supplier"), names.rooms.get(order.source, order.source)),
        (asked.say("收货库房", "Received in"), names.rooms.get(order.place, order.place)),
        (asked.say("订单号", "Order"), order.order_no),
        (asked.say("送货单号", "Delivery note"), notes),
        (asked.say("日期", "Date"), days),
        (asked.say("验收工号", "Inspected by"), people),
    ]
    return [fact for fact in facts if fact[1]]


def _day(day: object) -> str:
    return "" if day is None else str(day)
