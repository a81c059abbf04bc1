"""The quarter's monitoring of volume-based procurement: the five examined items, as data and as an Excel workbook.

Reported need, pace of the agreed volumes, share of selected products, dear products not selected, purchases off the
platform. Both forms are made of the same rows. The rules that must not be broken: a figure is that of the quarter's
last day, or of today while the quarter runs, and says which; of a quarter that is over it is what was known when it
ended, so that the same pack is made again at any later time: what came afterwards stands in the next one's sums.

Sources: C7 (S2) quarterly monitoring; C1-C6 the five items; A11 (S4) the monthly off-platform list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from central.core.agreements import quarter_days
from central.core.order_checks import Finding
from central.core.rights import EVERYWHERE
from central.errors import BadInput
from central.links.sheets import Sheet, Value, Yuan, workbook
from central.services.agreements import GroupView, groups_now
from central.store import queries_agreements as kept
from central.store.queries_master import Item, items, suppliers
from central.store.queries_volumes import Unnumbered, unnumbered
from central.store.queries_work import Order, orders
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, day_start, plus
from protocols.values.money import Money

OFF = frozenset({Finding.OFF_PLATFORM.value})
HIGH = frozenset({Finding.HIGH_PRICE.value, Finding.WINNING_PRICE.value})


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert with the order line it was said of."""

    alert: kept.Alert
    supplier: str
    item: str
    qty: int
    price: Money


@dataclass(frozen=True, slots=True)
class Pack:
    """What a quarter's pack says; `as_of` is the last day counted."""

    quarter: str
    as_of: date
    groups: tuple[GroupView, ...]
    dear: tuple[AlertRow, ...]
    off_platform: tuple[AlertRow, ...]
    unnumbered: tuple[Unnumbered, ...]
    names: dict[str, Item]
    firms: dict[str, tuple[str, str]]


def alert_rows(
    connection: Connection, hospital: HospitalId, first: date, last: date, findings: frozenset[str]
) -> list[AlertRow]:
    """Return the alerts of some findings on lines ordered from a day to a day, the newest first."""
    until = day_start(last + timedelta(days=1))
    every = kept.alerts(connection, hospital, day_start(first), until, most=None)
    found = [one for one in every if one.finding in findings]
    by_no = {
        one.order_no: one for one in orders(connection, hospital, EVERYWHERE, named={one.order_no for one in found})
    }
    return [row for one in found if (row := _alert_row(one, by_no.get(one.order_no))) is not None]


def _alert_row(alert: kept.Alert, order: Order | None) -> AlertRow | None:
    lines = [line for line in order.lines if line.line_no == alert.line_no] if order is not None else []
    if order is None or not lines:
        return None
    return AlertRow(alert, order.supplier, lines[0].item, lines[0].qty, lines[0].price)


def pack_of(connection: Connection, hospital: HospitalId, quarter: str, now: Instant) -> Pack:
    """Gather a quarter's pack. Raises `BadInput` for a text that is no quarter or one that has not begun."""
    first, last = quarter_days(quarter)
    if first > business_day(now):
        raise BadInput(f"quarter: expected one that has begun by {business_day(now)}, got {quarter}")
    as_of = min(last, business_day(now))
    ends = day_start(last + timedelta(days=1))
    known = ends if now >= ends else None
    views = groups_now(connection, hospital, min(now, plus(ends, -1)), known=known)
    groups = [one for one in views if one.agreement.first <= as_of]
    return Pack(
        quarter,
        as_of,
        tuple(one for one in groups if one.agreement.last >= first),
        tuple(alert_rows(connection, hospital, first, as_of, HIGH)),
        tuple(alert_rows(connection, hospital, first, as_of, OFF)),
        tuple(unnumbered(connection, hospital, first, as_of, known=known)),
        items(connection, hospital),
        suppliers(connection, hospital),
    )


REPORTED = (
    "协议 agreement",
    "产品组 group",
    "名称 name",
    "上年采购 last year",
    "报量 reported",
    "占比 share",
    "原因 reason",
)
PACE = (
    *("协议 agreement", "产品组 group", "协议量 agreed", "已到货 received", "已使用 used", "时间进度 elapsed"),
    *("完成进度 completed", "预计完成 forecast", "库存天数 days of stock"),
)
SELECTED = (
    *("协议 agreement", "产品组 group", "中选数量 selected qty", "全部数量 all qty", "数量占比 by qty"),
    *("中选金额 selected amount", "全部金额 all amount", "金额占比 by value"),
)
ALERTS = (
    *("订单 order", "日期 day", "供应商 supplier", "品规编码 item", "名称 name", "数量 qty", "单价 price"),
    *("发现 finding", "豁免 waiver"),
)
UNNUMBERED = ("订单 order", "收货单 receipt", "日期 day", "供应商 supplier", "品规编码 item", "验收数量 accepted")


def sheets_of(pack: Pack) -> tuple[Sheet, ...]:
    """Return the pack as sheets, one an examined item, and one of receipts without a platform order number."""
    return (
        Sheet("1 报量 reported", REPORTED, [_reported(one) for one in pack.groups]),
        Sheet("2 进度 pace", PACE, [_paced(one) for one in pack.groups]),
        Sheet("3 中选占比 selected", SELECTED, [_selected(one) for one in pack.groups]),
        Sheet("4 高价非中选 dear", ALERTS, [_alerted(one, pack) for one in pack.dear]),
        Sheet("5 线下采购 off platform", ALERTS, [_alerted(one, pack) for one in pack.off_platform]),
        Sheet("6 无平台单号 no number", UNNUMBERED, [_unnumbered(one, pack) for one in pack.unnumbered]),
    )


def excel_of(pack: Pack) -> bytes:
    """Return the pack as an Excel workbook."""
    return workbook(sheets_of(pack))


def data_of(pack: Pack) -> dict[str, object]:
    """Return the pack as data: the same rows, money in yuan as text, shares as numbers."""
    return {
        "quarter": pack.quarter,
        "as_of": pack.as_of.isoformat(),
        "sheets": {sheet.title: _rows_of(sheet) for sheet in sheets_of(pack)},
    }


def _rows_of(sheet: Sheet) -> list[dict[str, object]]:
    keys = [word.partition(" ")[2] for word in sheet.head]
    return [dict(zip(keys, map(_plain, row), strict=True)) for row in sheet.rows]


def _plain(value: Value) -> object:
    match value:
        case Yuan():
            return f"{value.amount // 10_000}.{value.amount % 10_000:04d}"
        case Fraction():
            return round(float(value), 6)
        case date():
            return value.isoformat()
        case _:
            return value


def _reported(one: GroupView) -> Sequence[Value]:
    report = one.reported.report if one.reported is not None else None
    head = (one.agreement.agreement, one.group.group, one.group.name_zh, one.last_year)
    return (*head, report.qty, report.share, report.reason) if report is not None else (*head, None, None, "")


def _paced(one: GroupView) -> Sequence[Value]:
    pace = one.pace
    head = (one.agreement.agreement, one.group.group, one.group.agreed, one.received, one.used)
    if pace is None:
        return (*head, None, None, None, None)
    days = None if pace.stock_days is None else int(pace.stock_days)
    return (*head, pace.elapsed, pace.completed, pace.forecast, days)


def _selected(one: GroupView) -> Sequence[Value]:
    bought = one.bought
    amounts = (Yuan(bought.selected_amount), Yuan(bought.amount), bought.share_of_amount)
    head = (one.agreement.agreement, one.group.group, bought.selected_qty, bought.qty, bought.share_of_qty)
    return (*head, *amounts)


def _alerted(one: AlertRow, pack: Pack) -> Sequence[Value]:
    item = pack.names.get(one.item)
    firm = pack.firms.get(one.supplier, (one.supplier, one.supplier))[0]
    name = f"{item.name_zh} {item.spec}" if item is not None else ""
    head = (one.alert.order_no, business_day(one.alert.at), firm, one.item, name, one.qty, Yuan(one.price))
    return (*head, one.alert.finding, one.alert.waiver)


def _unnumbered(one: Unnumbered, pack: Pack) -> Sequence[Value]:
    firm = pack.firms.get(one.supplier, (one.supplier, one.supplier))[0]
    return (one.order_no, one.receipt, business_day(one.at), firm, one.item, one.accepted)
