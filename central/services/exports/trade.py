"""Tables of whom and what is bought: suppliers, certificates, agreements and their prices, the platform, alerts, items.

The rule that must not be broken: what a table says is what its page says, read by the same service.
"""

from collections.abc import Iterator

from central.core.rights import Right
from central.links.sheets import Yuan
from central.services.agreements import groups_now
from central.services.catalogue import catalogue_now
from central.services.exports.form import Asked, Both, Cell, Column, Export, moment
from central.services.exports.words import ITEM, PRICE, STATE, SUPPLIER, Names, state, yes
from central.services.policy import rules_at
from central.services.suppliers import firms_now, papers_on
from central.store import queries_agreements as kept
from protocols.values.instant import INSTANT_MAX, INSTANT_MIN, Instant, business_day


def _suppliers(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    with asked.read() as connection:
        firms = firms_now(connection, asked.hospital, asked.desk.now())
    for one in firms:
        about, score = one.profile, one.score
        yield (
            one.supplier, Both(one.name_zh, one.name_en), "" if about is None else about.role,
            "" if about is None else about.region, "" if about is None else about.contact,
            None if one.grade is None else str(one.grade), None if score is None else score.score, one.rate.by_qty,
            one.rate.by_line, len(one.warnings), yes(one.blocked),
        )  # fmt: skip


def _certificates(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, now = Names(asked), asked.desk.now()
    with asked.read() as connection:
        papers = papers_on(connection, asked.hospital, business_day(now), rules_at(connection, asked.hospital, now))
    for one in papers:
        paper = one.certificate
        yield (
            paper.kind, paper.number, *names.firm(paper.supplier), *names.item(paper.item), paper.first, paper.last,
            state(one.standing),
        )  # fmt: skip


def _agreements(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = kept.agreements(connection, asked.hospital)
    for one in found:
        yield (
            one.agreement, str(one.kind), Both(one.name_zh, one.name_en), *names.firm(one.supplier), one.group_id,
            one.parties, one.first, one.last, one.freight,
        )  # fmt: skip


def _prices(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = kept.framework_prices(connection, asked.hospital)
    for one in found:
        yield (
            one.agreement.agreement, *names.firm(one.agreement.supplier), *names.item(one.item),
            Yuan(one.dated.price), one.dated.first, one.dated.last,
        )  # fmt: skip


def _groups(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    with asked.read() as connection:
        found = groups_now(connection, asked.hospital, asked.desk.now())
    for one in found:
        pace, report = one.pace, one.reported
        paced: tuple[Cell, ...] = (None, None, None)
        if pace is not None:
            paced = (pace.elapsed, pace.completed, pace.forecast)
        yield (
            one.agreement.agreement, one.group.group, Both(one.group.name_zh, one.group.name_en), one.last_year,
            None if report is None else report.report.qty, one.group.agreed, one.received, one.used, *paced,
            one.bought.share_of_qty, one.bought.share_of_amount,
        )  # fmt: skip


def _platform(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = kept.platform_items(connection, asked.hospital)
    for one in found:
        yield (
            one.code, *names.item(one.item), *names.firm(one.supplier), Yuan(one.listed.price), one.listed.first,
            one.listed.last, one.insurance_code,
        )  # fmt: skip


def _alerts(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    with asked.read() as connection:
        found = kept.alerts(connection, asked.hospital, Instant(INSTANT_MIN), Instant(INSTANT_MAX))
    for one in found:
        yield one.order_no, one.line_no, moment(one.at), one.finding, one.mode, one.waiver, one.detail


def _waivers(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = kept.waivers(connection, asked.hospital)
    for one in found:
        yield (
            one.id, str(one.finding), *names.item(one.item), *names.firm(one.supplier), str(one.reason), one.remark,
            one.first, one.last, one.person,
        )  # fmt: skip


def _catalogue(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    with asked.read() as connection:
        found = catalogue_now(connection, asked.hospital)
    for one in found:
        line, codes = one.line, one.line.codes
        yield (
            line.item, Both(line.name_zh, line.name_en), line.spec, Both(line.unit_zh, line.unit_en), codes.pack,
            line.class_, line.criticality, line.tier, line.mode, codes.registration, codes.udi_di, codes.gtin,
            codes.insurance, codes.platform, one.abc, state(line.state), len(one.faults),
        )  # fmt: skip


FIRST, LAST = Column("起始日期", "first day"), Column("截止日期", "last day")
AGREEMENT = Column("协议编号", "agreement")
NUMBER = Column("编号", "number")
TRADE_EXPORTS = (
    Export(
        "suppliers", Both("供应商", "suppliers"), Right.SEE_PRICES, (),
        (
            *SUPPLIER, Column("类型", "role"), Column("地区", "region"), Column("联系方式", "contact"),
            Column("等级", "grade"), Column("得分", "score"), Column("配送率(数量)", "delivery rate by quantity"),
            Column("配送率(行)", "delivery rate by lines"), Column("证照预警数", "papers that warn"),
            Column("已停用", "blocked"),
        ),
        _suppliers,
    ),
    Export(
        "certificates", Both("证照", "certificates"), Right.SEE_PRICES, (),
        (Column("证照类型", "kind"), NUMBER, *SUPPLIER, *ITEM, FIRST, LAST, STATE), _certificates,
    ),
    Export(
        "agreements", Both("协议", "agreements"), Right.SEE_PRICES, (),
        (
            AGREEMENT, Column("类型", "kind"), Column("名称", "name"), *SUPPLIER,
            Column("采购联合体", "purchasing body"), Column("协议各方", "parties"), FIRST, LAST,
            Column("运费条款", "freight terms"),
        ),
        _agreements,
    ),
    Export(
        "agreement-prices", Both("协议价格", "agreement prices"), Right.SEE_PRICES, (),
        (AGREEMENT, *SUPPLIER, *ITEM, PRICE, FIRST, LAST), _prices,
    ),
    Export(
        "vbp-groups", Both("集采进度", "VBP groups"), Right.SEE_ORDERS, (),
        (
            AGREEMENT, Column("产品组", "group"), Column("名称", "name"), Column("上年采购", "last year"),
            Column("报量", "reported"), Column("协议量", "agreed"), Column("已到货", "received"),
            Column("已使用", "used"), Column("时间进度", "elapsed"), Column("完成进度", "completed"),
            Column("预计完成", "forecast"), Column("中选数量占比", "selected share by quantity"),
            Column("中选金额占比", "selected share by value"),
        ),
        _groups,
    ),
    Export(
        "platform-items", Both("挂网目录", "platform items"), Right.SEE_PRICES, (),
        (
            Column("挂网编码", "platform code"), *ITEM, *SUPPLIER, PRICE, FIRST, LAST,
            Column("医保编码", "insurance code"),
        ),
        _platform,
    ),
    Export(
        "alerts", Both("采购预警", "alerts"), Right.SEE_ORDERS, (),
        (
            Column("订单号", "order"), Column("订单行", "order line"), Column("时间", "time"),
            Column("发现", "finding"), Column("处理方式", "mode"), Column("豁免单号", "waiver"),
            Column("说明", "detail", priced=True),
        ),
        _alerts,
    ),
    Export(
        "waivers", Both("豁免", "waivers"), Right.SEE_ORDERS, (),
        (
            NUMBER, Column("发现", "finding"), *ITEM, *SUPPLIER, Column("理由", "reason"), Column("备注", "remark"),
            FIRST, LAST, Column("工号", "by (staff number)"),
        ),
        _waivers,
    ),
    Export(
        "catalogue", Both("目录", "catalogue"), Right.SEE_ORDERS, (),
        (
            *ITEM, Column("单位", "unit"), Column("包装数", "pack"), Column("类别", "class"),
            Column("重要性", "criticality"), Column("目录层级", "tier"), Column("补货方式", "mode"),
            Column("注册证号", "registration"), Column("UDI-DI", "UDI-DI"), Column("GTIN", "GTIN"),
            Column("医保编码", "insurance code"), Column("挂网编码", "platform code"), Column("ABC", "ABC"), STATE,
            Column("编码预警数", "code warnings"),
        ),
        _catalogue,
    ),
)  # fmt: skip
