"""Tables of money by month: the roll-forward 收发存月报, accruals, settlements of consignment, the entries for finance.

The filter `id` names the month, such as 2026-03; without it the first open one is meant. The rule that must not be
broken: a table's sums are those of its page, made by the same service.
"""

from collections.abc import Iterator

from central.core.month import Column as Kind
from central.core.month import Month, Sum, month_named
from central.core.rights import Right
from central.links.sheets import Yuan
from central.services.exports.form import Asked, Both, Cell, Column, Export
from central.services.exports.words import ITEM, PRICE, ROOM, STATE, SUPPLIER, Names, state, yes
from central.services.finance import accruals_of, journal_of
from central.services.stock_book import book_of, open_month
from central.store import queries_consignment as consigned
from central.store.paging import Page, PageAsked, every
from central.store.queries_month import categories
from protocols.values.money import Money

MONTH = Column("月份", "month")
IN_COLUMNS = (
    (Kind.OPENING, "期初入库", "opening stock"),
    (Kind.PURCHASE, "采购入库", "purchases"),
    (Kind.TRANSFER, "调拨入库", "transfers in"),
    (Kind.ISSUE, "退库", "given back"),
    (Kind.USE, "消耗冲回", "use reversed"),
    (Kind.COUNT, "盘盈", "found by counts"),
    (Kind.PACK, "定数包转入", "from quota packs"),
    (Kind.OWNER, "权属转入", "bought from consignment"),
    (Kind.SUSPENSE, "待查转入", "cleared in"),
    (Kind.SCRAP, "报废冲回", "scrap reversed"),
    (Kind.PRICE, "调价", "price changes"),
)
OUT_COLUMNS = (
    (Kind.USE, "消耗", "use"),
    (Kind.ISSUE, "领用", "issued"),
    (Kind.TRANSFER, "调拨出库", "transfers out"),
    (Kind.PURCHASE, "退货", "returned to supplier"),
    (Kind.SCRAP, "报废回收", "scrap and recycling"),
    (Kind.COUNT, "盘亏", "missing by counts"),
    (Kind.PACK, "转入定数包", "into quota packs"),
    (Kind.OWNER, "权属转出", "sold from consignment"),
    (Kind.SUSPENSE, "转待查", "set aside"),
    (Kind.OPENING, "期初冲回", "opening reversed"),
    (Kind.PRICE, "调价转出", "price changes out"),
)


def _month(asked: Asked) -> Month:
    if asked.given("id"):
        return month_named(asked.given("id"))
    with asked.read() as connection:
        return open_month(connection, asked.hospital, asked.desk.now())


def _both(one: Sum) -> tuple[Cell, Cell]:
    return one.qty, Yuan(one.value)


def _stock(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, month = Names(asked), _month(asked)
    with asked.read() as connection:
        book = book_of(connection, asked.hospital, month, asked.desk.now())
        of = categories(connection, asked.hospital)
    for key, row in book.rows.items():
        if asked.given("place") not in {"", key.place} or asked.given("item") not in {"", key.item}:
            continue
        came = [cell for kind, _, _ in IN_COLUMNS for cell in _both(row.came.get(kind, Sum()))]
        went = [cell for kind, _, _ in OUT_COLUMNS for cell in _both(row.went.get(kind, Sum()))]
        yield (
            str(month), *names.place(key.place), *names.item(key.item), of.get(key.item, ""), yes(key.consigned),
            *_both(row.opening), *came, *_both(row.total_in), *went, *_both(row.total_out), *_both(row.closing),
        )  # fmt: skip


def _accruals(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, month = Names(asked), _month(asked)
    with asked.read() as connection:
        found = accruals_of(connection, asked.hospital, month, asked.desk.now())
    for (document, firm), one in found.items():
        sums = (one.opening, one.received, one.returned, one.invoiced, one.closing)
        yield (str(month), document, *names.firm(firm), *(cell for each in sums for cell in _both(each)))


def _entries(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, month = Names(asked), _month(asked)
    with asked.read() as connection:
        journal = journal_of(connection, asked.hospital, month, asked.desk.now())
    for one in journal.lines:
        account = journal.accounts[one.role]
        yield (
            str(month), one.number, one.what, one.document, account.code, account.name, *names.place(one.place),
            one.category, *names.firm(one.supplier), one.debit, one.credit,
        )  # fmt: skip


def _settlements(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)

    def read(wanted: PageAsked) -> Page[consigned.Note]:
        with asked.read() as connection:
            return consigned.notes_page(connection, asked.hospital, wanted)

    for note in every(read):
        for one in note.lines:
            yield (
                str(note.month), note.note, *names.firm(note.supplier), state(note.state), *names.item(one.item),
                one.used, one.charged, one.difference, Yuan(one.price), Yuan(Money(one.amount)),
            )  # fmt: skip


def _sums(zh: str, en: str) -> tuple[Column, Column]:
    return Column(f"{zh}数量", f"{en}, quantity"), Column(f"{zh}金额(元)", f"{en} (yuan)", priced=True)


MONEY_EXPORTS = (
    Export(
        "stock-month", Both("收发存月报", "roll-forward"), Right.SEE_PRICES, ("id", "place", "item"),
        (
            MONTH, *ROOM, *ITEM, Column("类别", "category"), Column("寄售", "consignment"), *_sums("期初", "opening"),
            *(column for _, zh, en in IN_COLUMNS for column in _sums(zh, en)), *_sums("收入合计", "in"),
            *(column for _, zh, en in OUT_COLUMNS for column in _sums(zh, en)), *_sums("发出合计", "out"),
            *_sums("期末", "closing"),
        ),
        _stock,
    ),
    Export(
        "accruals", Both("暂估", "accruals"), Right.SEE_PRICES, ("id",),
        (
            MONTH, Column("采购来源", "purchase"), *SUPPLIER, *_sums("期初", "opening"), *_sums("收货", "received"),
            *_sums("退货", "returned"), *_sums("开票冲回", "invoiced"), *_sums("期末", "closing"),
        ),
        _accruals,
    ),
    Export(
        "entries", Both("财务凭证", "entries for finance"), Right.SEE_PRICES, ("id",),
        (
            MONTH, Column("凭证号", "entry"), Column("业务", "what"), Column("单据", "document"),
            Column("科目代码", "account"), Column("科目", "account name"), *ROOM, Column("类别", "category"), *SUPPLIER,
            Column("借方(元)", "debit (yuan)", priced=True), Column("贷方(元)", "credit (yuan)", priced=True),
        ),
        _entries,
    ),
    Export(
        "settlements", Both("消耗结算单", "settlements of consignment"), Right.SEE_PRICES, (),
        (
            MONTH, Column("结算单", "settlement"), *SUPPLIER, STATE, *ITEM, Column("消耗", "used"),
            Column("收费", "charged"), Column("差异", "difference"), PRICE,
            Column("金额(元)", "amount (yuan)", priced=True),
        ),
        _settlements,
    ),
)  # fmt: skip
