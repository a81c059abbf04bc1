"""Documents as forms to print and sign: purchase order, requisition, receipt with inspection, return of what was
refused, settlement of consigned goods, count sheet.

It decides nothing. The rules that must not be broken: a form says what its document says and nothing of the moment it
is printed in, so that the same document makes the same form; prices stand on it for who may see them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from central.core.rights import Caller, Right
from central.errors import BadInput, NotThere
from central.links.paper import ROWS_MAX, Column, Form
from central.services.batches import sent_together
from central.services.counts import side_by_side
from central.services.desk import Desk
from central.store import queries_consignment, queries_purchasing
from central.store.queries_master import Item, items, places, suppliers
from central.store.queries_purchasing import Row
from central.store.queries_work import Order
from protocols.values.ids import PlaceId
from protocols.values.instant import business_day, plus
from protocols.values.money import Money, rounded_fen, times

BATCHES_LOOKED_BACK_S = 366 * 86_400.0
"""A batch is printed again within a year."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a form, of which document, in which language, under which hospital's name."""

    desk: Desk
    caller: Caller
    named: str
    zh: bool
    hospital: str

    def say(self, zh: str, en: str) -> str:
        """Return a word in the language asked for."""
        return zh if self.zh else en

    @property
    def priced(self) -> bool:
        """Whether prices stand on it; a look at them is noted."""
        if not self.caller.may(Right.SEE_PRICES):
            return False
        self.desk.looks.saw(self.caller, "see-prices", f"form {self.named}")
        return True


@dataclass(frozen=True, slots=True)
class _Names:
    items: Mapping[str, Item]
    rooms: Mapping[str, str]

    def of(self, asked: Asked, item: str) -> tuple[str, str, str]:
        one = self.items.get(item)
        if one is None:
            return item, "", ""
        return asked.say(one.name_zh, one.name_en), one.spec, asked.say(one.unit_zh, one.unit_en)


def _names(asked: Asked) -> _Names:
    with asked.desk.store.read() as connection:
        rooms = {one.place: asked.say(one.name_zh, one.name_en) for one in places(connection, asked.desk.hospital)}
        firms = suppliers(connection, asked.desk.hospital)
        return _Names(
            items(connection, asked.desk.hospital), rooms | {code: asked.say(*both) for code, both in firms.items()}
        )


def _order(asked: Asked) -> tuple[Order, Mapping[str, str], list[Row]]:
    """Return an order, what its steps said last, and what came of it. Raises `NotThere`."""
    documents = asked.desk.purchasing.documents
    with asked.desk.store.read() as connection:
        order = documents.order(connection, asked.caller, Right.SEE_ORDERS, asked.named.partition("~")[0])
        steps = queries_purchasing.history(connection, asked.desk.hospital, order.order_no)
        came = queries_purchasing.receipts_of(connection, asked.desk.hospital, order.order_no)
    said = {name: str(text) for step in steps for name, text in step.detail.items()}
    return order, said, came


def _item_columns(asked: Asked) -> tuple[Column, ...]:
    return (
        Column(asked.say("行", "No."), 9, number=True),
        Column(asked.say("物资编码", "Item"), 27),
        Column(asked.say("品名", "Name")),
        Column(asked.say("规格型号", "Specification"), 30),
        Column(asked.say("单位", "Unit"), 11),
    )


def _money(amount: Money) -> str:
    return f"{rounded_fen(amount):,.2f}"


def _price(amount: Money) -> str:
    """Return a price a base unit with as many decimals as it has, two at least."""
    exact = Decimal(amount) / 10_000
    return f"{exact:,.2f}" if exact == round(exact, 2) else f"{exact:,.4f}"


def _date_line(asked: Asked) -> str:
    return asked.say("　　年　　月　　日", "date")


def purchase_order(asked: Asked) -> Form:
    """Return an order as a form: to a supplier a purchase order, to the hospital's own store a requisition."""
    order, said, _ = _order(asked)
    names, priced = _names(asked), bool(order.supplier) and asked.priced
    columns = (*_item_columns(asked), Column(asked.say("数量", "Quantity"), 18, number=True))
    if priced:
        columns += (
            Column(asked.say("单价(元)", "Price"), 20, number=True),
            Column(asked.say("金额(元)", "Amount"), 24, number=True),
        )
    rows = []
    for line in order.lines:
        row = (str(line.line_no), line.item, *names.of(asked, line.item), f"{line.qty:,}")
        rows.append(row + ((_price(line.price), _money(times(line.price, line.qty))) if priced else ()))
    total = Money(sum(times(line.price, line.qty) for line in order.lines))
    bought = bool(order.supplier)
    facts = [
        (
            asked.say("供应商", "Supplier") if bought else asked.say("供货库房", "From"),
            names.rooms.get(order.source, order.source),
        ),
        (asked.say("收货库房", "For"), names.rooms.get(order.place, order.place)),
        (asked.say("日期", "Date"), business_day(order.created_at).isoformat()),
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
        _lang(asked),
        asked.hospital,
        asked.say("采购订单", "Purchase order") if bought else asked.say("申领单", "Requisition"),
        order.order_no,
        [fact for fact in facts if fact[1]],
        columns,
        rows,
        signed,
        sums=((asked.say("合计(元)", "Total (yuan)"), _money(total)),) if priced else (),
        dated=_date_line(asked),
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
    names, priced = _names(asked), asked.priced
    columns = (Column(asked.say("订单号", "Order"), 44), *_item_columns(asked)[1:])
    columns += (Column(asked.say("数量", "Quantity"), 18, number=True),)
    columns += (Column(asked.say("金额(元)", "Amount"), 24, number=True),) if priced else ()
    rows = [
        (order.order_no, line.item, *names.of(asked, line.item), f"{line.qty:,}")
        + ((_money(times(line.price, line.qty)),) if priced else ())
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
        _lang(asked),
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
        sums=((asked.say("合计(元)", "Total (yuan)"), _money(total)),) if priced else (),
        dated=_date_line(asked),
    )


def receipt(asked: Asked) -> Form:
    """Return what came of an order and how it was inspected; `ORDER~RECEIPT` names one delivery. Raises `NotThere`."""
    order, _, came = _order(asked)
    wanted = asked.named.partition("~")[2]
    lines = [row for row in came if wanted in {"", row["receipt"]}]
    if not lines:
        raise NotThere(f"receipt: expected a delivery of {order.order_no}, there is none")
    names = _names(asked)
    columns = (
        *_item_columns(asked),
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
        _lang(asked),
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
        dated=_date_line(asked),
    )


def refused_return(asked: Asked) -> Form:
    """Return what was refused of an order as a form to give it back with. Raises `NotThere` where nothing was."""
    order, _, came = _order(asked)
    lines = [row for row in came if row["refused"]]
    if not lines:
        raise NotThere(f"return: expected goods of {order.order_no} that were refused, there are none")
    names = _names(asked)
    columns = (
        *_item_columns(asked),
        Column(asked.say("批号", "Lot"), 22),
        Column(asked.say("退货数", "Returned"), 16, number=True),
        Column(asked.say("原因", "Why"), 34),
    )
    rows = [
        (str(number), row["item"], *names.of(asked, row["item"]), row["lot"], f"{row['refused']:,}", row["refused_why"])
        for number, row in enumerate(lines, start=1)
    ]
    return Form(
        _lang(asked),
        asked.hospital,
        asked.say("退货单", "Return to supplier"),
        order.order_no,
        _delivery_facts(asked, order, lines, names),
        columns,
        rows,
        (asked.say("库房", "Store"), asked.say("采购员", "Purchaser"), asked.say("供应商接收", "Supplier")),
        dated=_date_line(asked),
    )


def _delivery_facts(asked: Asked, order: Order, lines: Sequence[Row], names: _Names) -> list[tuple[str, str]]:
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


def settlement(asked: Asked) -> Form:
    """Return the settlement of what was used of a supplier's goods in a month. Raises `NotAllowed`, `NotThere`."""
    asked.caller.need(Right.SEE_PRICES)
    with asked.desk.store.read() as connection:
        found = queries_consignment.notes(connection, asked.desk.hospital, named=[asked.named])
    if not found or not asked.priced:
        raise NotThere(f"settlement: expected one that was made, got {asked.named!r:.40}")
    (one,), names = found, _names(asked)
    columns = (
        *_item_columns(asked),
        Column(asked.say("消耗数", "Used"), 17, number=True),
        Column(asked.say("HIS 收费数", "Charged"), 19, number=True),
        Column(asked.say("单价(元)", "Price"), 20, number=True),
        Column(asked.say("金额(元)", "Amount"), 24, number=True),
    )
    rows = [
        (
            str(number),
            line.item,
            *names.of(asked, line.item),
            f"{line.used:,}",
            "" if line.charged is None else f"{line.charged:,}",
            _price(line.price),
            _money(line.amount),
        )
        for number, line in enumerate(one.lines, start=1)
    ]
    facts = [
        (asked.say("供应商", "Supplier"), names.rooms.get(one.supplier, one.supplier)),
        (asked.say("月份", "Month"), str(one.month)),
        (asked.say("制单", "Made by"), one.made_by),
    ]
    return Form(
        _lang(asked),
        asked.hospital,
        asked.say("消耗结算单", "Settlement of use"),
        one.note,
        facts,
        columns,
        rows,
        (asked.say("耗材科", "Consumables"), asked.say("财务", "Finance"), asked.say("供应商", "Supplier")),
        sums=((asked.say("合计(元)", "Total (yuan)"), _money(one.amount)),),
        dated=_date_line(asked),
    )


def count_sheet(asked: Asked) -> Form:
    """Return a storeroom's lines to be counted, the asked ones first, without the book. Raises as the page does."""
    place = asked.named
    asked.caller.need(Right.SEE_STOCK, PlaceId(place))
    lines, names = side_by_side(asked.desk, asked.caller, place)[:ROWS_MAX], _names(asked)
    columns = (
        *_item_columns(asked),
        Column(asked.say("批号", "Lot"), 24),
        Column(asked.say("今日", "Today"), 12),
        Column(asked.say("实盘数", "Counted"), 24),
        Column(asked.say("备注", "Remark"), 26),
    )
    rows = [
        (str(number), one.line.item, *names.of(asked, one.line.item), one.line.lot, "●" if one.asked else "", "", "")
        for number, one in enumerate(lines, start=1)
    ]
    note = asked.say(
        "盲盘：表上不印账面数。带 ● 的行今日必盘。", "Blind: the book is not printed. Lines with ● are due today."
    )
    return Form(
        _lang(asked),
        asked.hospital,
        asked.say("盘点表", "Count sheet"),
        place,
        [(asked.say("库房", "Storeroom"), names.rooms.get(place, place))],
        columns,
        rows,
        (asked.say("盘点人", "Counted by"), asked.say("监盘人", "Witness"), asked.say("库管员", "Keeper")),
        note=note,
        dated=_date_line(asked),
    )


def _day(day: object) -> str:
    return "" if day is None else str(day)


def _lang(asked: Asked) -> str:
    return "zh" if asked.zh else "en"


PAPERS: Mapping[str, Callable[[Asked], Form]] = MappingProxyType(
    {
        "order": purchase_order,
        "batch": batch,
        "receipt": receipt,
        "return": refused_return,
        "settlement": settlement,
        "count": count_sheet,
    }
)
"""Every form there is, by the name in its address."""


def paper_named(name: str) -> Callable[[Asked], Form]:
    """Return a form by its name. Raises `BadInput`."""
    if name not in PAPERS:
        raise BadInput(f"form: expected one of {', '.join(PAPERS)}, got {name!r:.40}")
    return PAPERS[name]
