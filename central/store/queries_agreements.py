"""Agreements read back: batches with their groups and reports, framework prices, the platform's list, waivers, rounds.

No rule lives here. The rule that must not be broken: every query names the hospital.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from central.core.agreements import Agreement, Bargain, Dated, FrameworkPrice, Group, Kind, Platform, Report
from central.core.order_checks import Excuse, Finding, Waiver
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.tables.agreements import (
    AGREEMENT,
    AGREEMENT_PRICE,
    BARGAIN_LINE,
    ORDER_ALERT,
    ORDER_WAIVER,
    PLATFORM_ITEM,
    VBP_GROUP,
    VBP_PRODUCT,
    VBP_REPORT,
)
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money

LISTED_MAX = 500
"""Rows a list gives at most."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A report as it was made."""

    report: Report
    person: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Alert:
    """What a check said of an order line when it was ordered."""

    order_no: str
    line_no: int
    finding: str
    mode: str
    waiver: str
    detail: str
    at: Instant


def agreements(connection: Connection, hospital: HospitalId) -> list[Agreement]:
    """Return every agreement, the one that ends last first."""
    chosen = select(AGREEMENT).where(AGREEMENT.c.hospital == hospital)
    return [
        Agreement(
            row.agreement, Kind(row.kind), row.name_zh, row.name_en, row.supplier, row.group_id, row.parties, row.first,
            row.last, row.freight,
        )
        for row in connection.execute(chosen.order_by(AGREEMENT.c.last.desc(), AGREEMENT.c.agreement))
    ]  # fmt: skip


def framework_prices(connection: Connection, hospital: HospitalId, *, item: str = "") -> list[FrameworkPrice]:
    """Return every price of a framework agreement, past and coming ones too, of one item where it is named."""
    known = {one.agreement: one for one in agreements(connection, hospital)}
    chosen = select(AGREEMENT_PRICE).where(AGREEMENT_PRICE.c.hospital == hospital)
    rows = connection.execute(chosen.where(AGREEMENT_PRICE.c.item == item) if item else chosen)
    return [
        FrameworkPrice(known[row.agreement], row.item, Dated(Money(row.price), row.valid_from, row.valid_to))
        for row in rows
        if row.agreement in known
    ]


def groups(connection: Connection, hospital: HospitalId) -> list[Group]:
    """Return every product group with its products, by agreement."""
    products: defaultdict[tuple[str, str], dict[str, Money | None]] = defaultdict(dict)
    for row in connection.execute(select(VBP_PRODUCT).where(VBP_PRODUCT.c.hospital == hospital)):
        price = None if row.winning_price is None else Money(row.winning_price)
        products[row.agreement, row.product_group][row.item] = price
    chosen = select(VBP_GROUP).where(VBP_GROUP.c.hospital == hospital)
    return [
        Group(
            row.agreement, row.product_group, row.name_zh, row.name_en, row.unit, row.last_year, row.agreed,
            products[row.agreement, row.product_group],
        )
        for row in connection.execute(chosen.order_by(VBP_GROUP.c.agreement, VBP_GROUP.c.product_group))
    ]  # fmt: skip


def reports(
    connection: Connection, hospital: HospitalId, *, known: Instant | None = None
) -> dict[tuple[str, str], Reported]:
    """Return the report that stands of each group, or that stood before an instant, by agreement and group."""
    chosen = select(VBP_REPORT).where(VBP_REPORT.c.hospital == hospital).order_by(VBP_REPORT.c.seq)
    chosen = chosen if known is None else chosen.where(VBP_REPORT.c.at < known)
    return {
        (row.agreement, row.product_group): Reported(
            Report(row.qty, row.last_year, row.reason, row.evidence), row.person, Instant(row.at)
        )
        for row in connection.execute(chosen)
    }


def keeps_platform_list(connection: Connection, hospital: HospitalId) -> bool:
    """Tell whether a list of the platform was ever imported."""
    chosen = select(PLATFORM_ITEM.c.platform_code).where(PLATFORM_ITEM.c.hospital == hospital)
    return connection.execute(chosen.limit(1)).first() is not None


def platform_items(connection: Connection, hospital: HospitalId, *, item: str = "") -> list[Platform]:
    """Return the platform's list, every version of it, of one item where it is named."""
    chosen = select(PLATFORM_ITEM).where(PLATFORM_ITEM.c.hospital == hospital)
    rows = connection.execute(chosen.where(PLATFORM_ITEM.c.item == item) if item else chosen)
    return [
        Platform(
            row.platform_code, row.item, row.supplier, Dated(Money(row.list_price), row.valid_from, row.valid_to),
            row.insurance_code,
        )
        for row in rows
    ]  # fmt: skip


def waivers(connection: Connection, hospital: HospitalId) -> list[Waiver]:
    """Return every waiver, the oldest first."""
    chosen = select(ORDER_WAIVER).where(ORDER_WAIVER.c.hospital == hospital)
    return [_waiver(row) for row in connection.execute(chosen.order_by(ORDER_WAIVER.c.at, ORDER_WAIVER.c.waiver))]


WAIVERS = Keyset("waivers", (Key(ORDER_WAIVER.c.at, falling=True), Key(ORDER_WAIVER.c.waiver)))


def waivers_page(connection: Connection, hospital: HospitalId, asked: PageAsked) -> Page[Waiver]:
    """Return a page of the waivers, the newest first. Raises `BadInput` for its cursor."""
    rows, cursor = WAIVERS.rows(connection, select(ORDER_WAIVER).where(ORDER_WAIVER.c.hospital == hospital), asked)
    return Page(tuple(_waiver(row) for row in rows), cursor)


def _waiver(row: Row[Any]) -> Waiver:
    return Waiver(
        row.waiver, Finding(row.finding), row.item, row.supplier, Excuse(row.reason), row.remark, row.first,
        row.last, row.person,
    )  # fmt: skip


def alerts(
    connection: Connection, hospital: HospitalId, first: Instant, last: Instant, *, most: int | None = LISTED_MAX
) -> list[Alert]:
    """Return what checks said of lines ordered from an instant until before another, the newest first, so many."""
    chosen = select(ORDER_ALERT).where(
        ORDER_ALERT.c.hospital == hospital, ORDER_ALERT.c.at >= first, ORDER_ALERT.c.at < last
    )
    rows = connection.execute(chosen.order_by(ORDER_ALERT.c.at.desc(), ORDER_ALERT.c.order_no).limit(most))
    return [_alert(row) for row in rows]


def alerts_of(connection: Connection, hospital: HospitalId, order_no: str) -> list[Alert]:
    """Return what checks said of an order when it was made."""
    chosen = select(ORDER_ALERT).where(ORDER_ALERT.c.hospital == hospital, ORDER_ALERT.c.order_no == order_no)
    return [_alert(row) for row in connection.execute(chosen.order_by(ORDER_ALERT.c.line_no, ORDER_ALERT.c.finding))]


def _alert(row: Row[Any]) -> Alert:
    return Alert(row.order_no, row.line_no, row.finding, row.mode, row.waiver, row.detail, Instant(row.at))


def rounds(connection: Connection, hospital: HospitalId) -> list[str]:
    """Return the rounds of bargaining there are, the newest first."""
    chosen = select(BARGAIN_LINE.c.half_year).where(BARGAIN_LINE.c.hospital == hospital).distinct()
    return sorted(connection.scalars(chosen), reverse=True)


def bargains(connection: Connection, hospital: HospitalId, half_year: str) -> list[Bargain]:
    """Return the lines of a round, dearest first."""
    line = BARGAIN_LINE.c
    chosen = select(BARGAIN_LINE).where(line.hospital == hospital, line.half_year == half_year)
    return [
        Bargain(
            row.item, row.qty, Money(row.spent), Money(row.price_before),
            None if row.price_after is None else Money(row.price_after),
        )
        for row in connection.execute(chosen.order_by(line.spent.desc(), line.item))
    ]  # fmt: skip
