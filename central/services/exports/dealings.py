"""Tables of dealings: bargaining, reviews, cases, scores, shortages, classes, price changes, batches, what is owed.

`id` names the half-year, quarter or year; without it the newest is meant. The rule that must not be broken: what a
table says is what its page says, read by the same service.
"""

from collections.abc import Iterator

from central.core.rights import Right
from central.links.sheets import Yuan
from central.services.batches import waiting
from central.services.catalogue import trims_now
from central.services.cycle import cycle_of
from central.services.exports.form import Asked, Both, Cell, Column, Export, moment
from central.services.exports.words import AMOUNT, ITEM, PRICE, QTY, ROOM, STATE, SUPPLIER, Names, refusal, state, yes
from central.services.finance import payables_now
from central.services.price_changes import PriceChanges
from central.services.stock_book import months_of
from central.services.suppliers import firms_now, shortages_now
from central.store import queries_agreements as agreed
from central.store import queries_catalogue as catalogue
from central.store import queries_consignment as consigned
from central.store import queries_suppliers as firms
from central.store.paging import every
from protocols.values.instant import business_day


def _bargaining(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        rounds = [asked.given("id")] if asked.given("id") else agreed.rounds(connection, asked.hospital)[:1]
        found = [(one, line) for one in rounds for line in agreed.bargains(connection, asked.hospital, one)]
    for half_year, one in found:
        after = None if one.after is None else Yuan(one.after)
        yield half_year, *names.item(one.item), one.qty, Yuan(one.spent), Yuan(one.before), after, one.cut


def _reviews(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        quarters = [asked.given("id")] if asked.given("id") else catalogue.review_quarters(connection, asked.hospital)
        found = [one for quarter in quarters[:1] for one in catalogue.reviews(connection, asked.hospital, quarter)]
    for one in found:
        yield (
            one.quarter, *names.item(one.item), one.usage.used, one.usage.all, Yuan(one.spent), " ".join(one.instead),
            one.decision, one.reason, one.person,
        )  # fmt: skip


def _trims(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    year = business_day(asked.desk.now()).year
    with asked.read() as connection:
        found = trims_now(connection, asked.hospital, year)
    yield from ((year, name, one.baseline, one.active, one.share) for name, one in found.items())


def _classes(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = catalogue.classes_now(connection, asked.hospital)
    for item, (month, name, value) in sorted(found.items(), key=lambda one: (-one[1][2], one[0])):
        yield month, *names.item(item), str(name), Yuan(value)


def _cases(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        matters = [one for firm in firms_now(connection, asked.hospital, asked.desk.now()) for one in firm.matters]
    for one in sorted(matters, key=lambda matter: (-matter.case.opened_at, matter.case.case_no)):
        case, clock = one.case, one.clock
        taken: tuple[Cell, ...] = (None, None, None)
        if clock is not None:
            taken = (f"{clock.taken_h:.1f}", clock.limit_h, yes(clock.in_time))
        yield (
            case.case_no, str(case.kind), *names.firm(case.supplier), *names.item(case.item), case.said,
            state(case.state), moment(case.opened_at), case.opened_by, moment(case.ended_at), *taken,
        )  # fmt: skip


def _scores(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = firms.scores(connection, asked.hospital)
    for one in found:
        shares = [part for tally in one.tallies.values() for part in (tally.done, tally.asked)]
        yield one.quarter, *names.firm(one.supplier), one.score, str(one.grade), one.effective_from, *shares


def _shortages(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = shortages_now(connection, asked.hospital, asked.desk.now())
    for one in found:
        supply = one.supply
        days = None if supply.stock_days is None else f"{float(supply.stock_days):.1f}"
        parts = (days, supply.lead_days, supply.short_share, supply.sources)
        yield *names.item(supply.item), str(one.level), one.points, *parts


def _tasks(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = firms.tasks(connection, asked.hospital)
    for one in found:
        yield one.task, one.kind, *names.firm(one.supplier), *names.item(one.item), one.reason, moment(one.made_at)


def _price_changes(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    changes = PriceChanges(asked.desk.purchasing.documents)
    for one in every(lambda wanted: changes.page(asked.caller, wanted)):
        yield (
            one.change, *names.item(one.item), one.lot, Yuan(one.price), one.reason, state(one.state),
            moment(one.proposed_at), one.proposed_by, one.decided_by, refusal(one.refusal), one.refusal_text,
        )  # fmt: skip


def _batches(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = waiting(connection, asked.hospital, asked.scope, asked.desk.now())
    for one in found:
        numbers = " ".join(order.order_no for order in one.orders)
        yield *names.firm(one.supplier), *names.place(one.place), len(one.orders), numbers, Yuan(one.value)


def _cycle(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = cycle_of(connection, asked.hospital, asked.desk.now())
    for one in found.orders:
        taken = one.stages
        if one.place in asked.scope:
            yield (
                one.order_no, *names.firm(one.supplier), *names.place(one.place), one.requested,
                taken.request_to_approval, taken.approval_to_sent, taken.request_to_sent, taken.sent_to_received,
            )  # fmt: skip


def _payables(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = payables_now(connection, asked.hospital, asked.desk.now())
    for one in found:
        yield *names.firm(one.supplier), Yuan(one.total), *map(Yuan, one.by_age), " ".join(one.invoices)


def _months(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    with asked.read() as connection:
        found = months_of(connection, asked.hospital, asked.desk.now())
    for month, one in found:
        closed = (None, None, None, None, None)
        told = closed if one is None else (moment(one.at), one.by, one.lines, one.late, Yuan(one.value))
        yield str(month), yes(one is not None), *told


def _terms(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    with asked.read() as connection:
        found = consigned.terms_of(connection, asked.hospital)
    for one in found:
        yield *names.item(one.item), *names.firm(one.supplier), one.first, one.last, Yuan(one.price), one.level


FIRST, LAST = Column("起始日期", "first day"), Column("截止日期", "last day")
REASON, BY, QUARTER = Column("理由", "reason"), Column("工号", "by (staff number)"), Column("季度", "quarter")
MADE = Column("提出时间", "made")


def _shares(zh: str, en: str) -> tuple[Column, Column]:
    return Column(f"{zh}-达标", f"{en}: done"), Column(f"{zh}-应计", f"{en}: asked")


DEALING_EXPORTS = (
    Export(
        "bargaining", Both("议价清单", "bargaining"), Right.SEE_PRICES, ("id",),
        (
            Column("半年度", "half-year"), *ITEM, QTY, AMOUNT, Column("原价(元)", "price before (yuan)", priced=True),
            Column("议定价(元)", "price reached (yuan)", priced=True), Column("降幅", "cut"),
        ),
        _bargaining,
    ),
    Export(
        "reviews", Both("目录季度复审", "catalogue reviews"), Right.SEE_ORDERS, ("id",),
        (
            QUARTER, *ITEM, Column("使用月数", "months used"), Column("全部月数", "months"), AMOUNT,
            Column("替代品", "substitutes"), Column("结论", "decision"), REASON, BY,
        ),
        _reviews,
    ),
    Export(
        "trims", Both("目录精简", "trim of the catalogue"), Right.SEE_ORDERS, (),
        (
            Column("年度", "year"), Column("类别", "class"), Column("基线品规数", "items in the baseline"),
            Column("现有品规数", "items now"), Column("精简率", "trim"),
        ),
        _trims,
    ),
    Export(
        "abc", Both("ABC 分类", "ABC classes"), Right.SEE_ORDERS, (),
        (Column("起始月份", "since"), *ITEM, Column("类", "class"), AMOUNT), _classes,
    ),
    Export(
        "cases", Both("供应商事项", "cases with suppliers"), Right.SEE_ORDERS, (),
        (
            Column("编号", "number"), Column("类型", "kind"), *SUPPLIER, *ITEM, Column("内容", "what happened"), STATE,
            Column("提出时间", "opened"), BY, Column("结束时间", "ended"), Column("用时(小时)", "hours taken"),
            Column("时限(小时)", "limit (hours)"), Column("按时", "in time"),
        ),
        _cases,
    ),
    Export(
        "scores", Both("供应商评分", "supplier scores"), Right.SEE_PRICES, (),
        (
            QUARTER, *SUPPLIER, Column("得分(万分)", "score (1e-4)"), Column("等级", "grade"),
            Column("生效日期", "in force from"), *_shares("准时", "on time"), *_shares("质量", "quality"),
            *_shares("应急", "emergency"), *_shares("售后", "service"),
        ),
        _scores,
    ),
    Export(
        "shortages", Both("供应预警", "shortages"), Right.SEE_ORDERS, (),
        (
            *ITEM, Column("级别", "level"), Column("分值", "points"), Column("可用天数", "days of stock"),
            Column("到货天数", "lead time (days)"), Column("缺货到货占比", "share that came short"),
            Column("有效来源数", "sources that count"),
        ),
        _shortages,
    ),
    Export(
        "purchase-tasks", Both("采购待办", "purchasing tasks"), Right.SEE_PRICES, (),
        (Column("编号", "number"), Column("类型", "kind"), *SUPPLIER, *ITEM, REASON, MADE), _tasks,
    ),
    Export(
        "price-changes", Both("调价", "price changes"), Right.SEE_PRICES, (),
        (
            Column("编号", "number"), *ITEM, Column("批号", "lot"), PRICE, REASON, STATE, MADE,
            Column("提出人工号", "proposed by"), Column("决定人工号", "decided by"),
            Column("拒绝原因", "refused because"), Column("拒绝说明", "refused in words"),
        ),
        _price_changes,
    ),
    Export(
        "batches", Both("待合并发出", "batches to send"), Right.SEE_ORDERS, (),
        (*SUPPLIER, *ROOM, Column("订单数", "orders"), Column("订单号", "order numbers"), AMOUNT), _batches,
    ),
    Export(
        "purchase-cycle", Both("采购周期", "purchase cycle"), Right.SEE_ORDERS, (),
        (
            Column("订单号", "order"), *SUPPLIER, *ROOM, Column("申请日期", "asked for"),
            Column("申请到批准", "working days to approval"), Column("批准到发出", "from approval to sending"),
            Column("申请到发出", "from need to sending"), Column("发出到收货", "from sending to receipt"),
        ),
        _cycle,
    ),
    Export(
        "payables", Both("应付款", "payables"), Right.SEE_PRICES, (),
        (
            *SUPPLIER, AMOUNT, Column("未到期(元)", "not overdue (yuan)", priced=True),
            Column("逾期1-30天(元)", "1-30 days over (yuan)", priced=True),
            Column("逾期31-60天(元)", "31-60 days over (yuan)", priced=True),
            Column("逾期61-90天(元)", "61-90 days over (yuan)", priced=True),
            Column("逾期90天以上(元)", "more than 90 days over (yuan)", priced=True), Column("发票", "invoices"),
        ),
        _payables,
    ),
    Export(
        "months", Both("月结", "months"), Right.SEE_PRICES, (),
        (
            Column("月份", "month"), Column("已结", "closed"), Column("结账时间", "closed at"), BY,
            Column("行数", "lines"), Column("迟到行数", "late lines"), AMOUNT,
        ),
        _months,
    ),
    Export(
        "consignment-terms", Both("寄售约定", "consignment terms"), Right.SEE_PRICES, (),
        (*ITEM, *SUPPLIER, FIRST, LAST, PRICE, Column("保持数量", "kept in stock")), _terms,
    ),
)  # fmt: skip
