"""Tables of lots: which expire by a day, and how far one lot has come, down to the patients' tokens.

The rule that must not be broken: a patient leaves as the token the storeroom knows, and that somebody took it is noted.
"""

from collections.abc import Iterator
from datetime import timedelta

from central.core.rights import Right
from central.errors import BadInput
from central.services.exports.form import Asked, Both, Cell, Column, Export, moment
from central.services.exports.words import ITEM, LOT, QTY, ROOM, Names
from central.services.lot_reach import DAYS_SHOWN, GONE, HELD, ON_THE_WAY, RETURNED, USED, reach_of
from central.store.paging import Page, PageAsked, every
from central.store.queries_reach import Expiring, expiring
from protocols.values.instant import business_day

PARTS = {
    HELD: Both("仍在库房", "still in a storeroom"),
    ON_THE_WAY: Both("在途或在手", "on the way or in somebody's hand"),
    USED: Both("已用于患者", "used on a patient"),
    RETURNED: Both("已退供应商", "returned to the supplier"),
    GONE: Both("已报废", "scrapped"),
}


def _expiring(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, today = Names(asked), business_day(asked.desk.now())
    until = asked.day("last") or today + timedelta(days=DAYS_SHOWN)

    def page(wanted: PageAsked) -> Page[Expiring]:
        with asked.read() as connection:
            return expiring(connection, asked.hospital, until, asked.chosen, wanted)

    for one in every(page):
        left = (one.expiry - today).days
        yield (one.expiry, left, *names.item(one.item), one.lot, *names.place(one.place), one.qty)


def _reach(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    item, lot = asked.given("item"), asked.given("lot")
    if not item or not lot:
        raise BadInput("lot: expected an item and a lot, such as item=HC-KIT and lot=K1")
    names, reach = Names(asked), reach_of(asked.desk, asked.caller, item, lot)
    for part in (HELD, ON_THE_WAY, RETURNED, GONE):
        for one in reach.parts.get(part, ()):
            yield (PARTS[part], *names.place(one.room), one.unit, one.qty, "", None)
    for use in reach.uses:
        yield (PARTS[USED], *names.place(use.room), use.unit, use.qty, use.patient, moment(use.at))


LOT_EXPORTS = (
    Export(
        "expiring", Both("近效期", "what expires"), Right.SEE_STOCK, ("place", "last"),
        (Column("有效期", "expires"), Column("剩余天数", "days left"), *ITEM, LOT, *ROOM, QTY), _expiring,
    ),
    Export(
        "lot", Both("批号去向", "how far a lot has come"), Right.SEE_STOCK, ("item", "lot"),
        (
            Column("去向", "where"), *ROOM, Column("单件", "piece"), QTY, Column("患者代号", "patient (token)"),
            Column("时间", "time"),
        ),
        _reach,
    ),
)  # fmt: skip
