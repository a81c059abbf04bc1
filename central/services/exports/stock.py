"""Tables of stock: lines of storerooms, movements, the trace of one thing, use before the ledger, counts, differences.

The rule that must not be broken: each holds what its page holds, for the same filters.
"""

from collections.abc import Iterator

from central.core.match import Eyes
from central.core.rights import Right
from central.errors import BadInput
from central.services.counts import Sided, side_by_side
from central.services.exports.form import Asked, Both, Cell, Column, Export, moment
from central.services.exports.words import ITEM, LOT, QTY, ROOM, STATE, Names, movement, state, yes
from central.services.settling import OPEN, PROPOSED, WAITING
from central.services.stock import stock
from central.services.trace import trace
from central.store import queries_exports as kept
from central.store.queries_settling import awaited

MOVED = (
    *(Column("时间", "time"), Column("业务类型", "movement")),
    *(*ITEM, LOT, Column("单件", "piece"), QTY, Column("来自", "from"), Column("去向", "to")),
    *(Column("经手人工号", "by (staff number)"), Column("设备", "device"), Column("凭证号", "entry")),
)
COUNT = (Column("盘点时间", "counted at"), Column("盘点数", "counted"), Column("盘点时账面", "book at the count"))


def _lines(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    for room in names.rooms_in(asked.chosen):
        for one in stock(asked.desk, asked.caller, room, asked.given("q"), differing=bool(asked.given("differing"))):
            name = Both(one.name_zh, one.name_en)
            yield (
                *names.place(room), one.item, name, one.spec, one.lot, one.expiry, one.book, one.physical,
                one.difference,
            )  # fmt: skip


def _movements(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, item, lot = Names(asked), asked.given("item"), asked.given("lot")
    first, last = asked.day("first"), asked.day("last")
    with asked.read() as connection:
        for row in kept.movements(connection, asked.hospital, asked.chosen, item=item, lot=lot, first=first, last=last):
            yield (
                moment(row.at), movement(row.kind), *names.item(row.item), row.lot, row.unit, row.qty, row.source,
                row.target, row.actor, row.device, row.event_id.hex(),
            )  # fmt: skip


def _traced(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    question = asked.given("q")
    if not question:
        raise BadInput("q: expected an EPC, label, serial, lot or item code, got nothing")
    names = Names(asked)
    for one in trace(asked.desk.store, asked.hospital, asked.caller, question, asked.desk.now()).moved:
        yield (
            moment(one.at), movement(one.kind), *names.item(one.item), one.lot, one.unit, one.qty, one.source,
            one.target, one.actor, one.device, one.event,
        )  # fmt: skip


def _use(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, item, first, last = Names(asked), asked.given("item"), asked.day("first"), asked.day("last")
    with asked.read() as connection:
        for row in kept.use_days(connection, asked.hospital, asked.chosen, item, first, last):
            yield (*names.place(row.place), *names.item(row.item), row.day, row.qty)


def _counts(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    for room in names.rooms_in(asked.chosen):
        for one in side_by_side(asked.desk, asked.caller, room):
            last = one.count
            counted: tuple[Cell, ...] = (
                (None, None, None) if last is None else (moment(last.at), last.found.counted, last.found.book)
            )
            line = one.line
            yield (
                *names.place(room), *names.item(line.item), line.lot, line.book,
                None if one.by is Eyes.NOBODY else line.physical, _shelves(one), yes(one.asked), *counted,
            )  # fmt: skip


def _shelves(one: Sided) -> str:
    """Say book and shelf at each position; the shelf is left out where readers did not observe the line."""
    seen = one.by is Eyes.READERS
    return "; ".join(f"{at.position or '-'} {at.book}/{at.physical if seen else ''}" for at in one.shelves)


def _discrepancies(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    sort = {"missing": Both("账有实无", "missing"), "unexpected": Both("实有账无", "unexpected")}
    status = asked.given("status")
    with asked.read() as connection:
        among: set[str] | None = None
        if status in {WAITING, PROPOSED}:
            of = awaited(asked.hospital, asked.caller.person, own=status == PROPOSED)
            among, status = set(connection.scalars(of)), OPEN
        for row in kept.discrepancies(connection, asked.hospital, asked.chosen, status):
            if among is not None and row.discrepancy not in among:
                continue
            yield (
                row.discrepancy, sort.get(row.kind, Both(row.kind, row.kind)), *names.place(row.place),
                *names.item(row.item), row.lot, row.unit, moment(row.opened_at), state(row.status),
                moment(row.closed_at), row.cause,
            )  # fmt: skip


BOOK = (Column("账面数", "book"), Column("实物数", "physical"))
PLACE_DAYS = ("place", "item", "first", "last")
STOCK_EXPORTS = (
    Export(
        "stock", Both("库存", "stock"), Right.SEE_STOCK, ("place", "q", "differing"),
        (*ROOM, *ITEM, LOT, Column("失效日期", "expires"), *BOOK, Column("差异", "difference")), _lines,
    ),
    Export("ledger", Both("台账", "ledger"), Right.SEE_STOCK, (*PLACE_DAYS, "lot"), MOVED, _movements),
    Export("trace", Both("追溯", "trace"), Right.SEE_STOCK, ("q",), MOVED, _traced),
    Export(
        "use", Both("历史消耗", "use before the ledger"), Right.SEE_STOCK, PLACE_DAYS,
        (*ROOM, *ITEM, Column("日期", "day"), QTY), _use,
    ),
    Export(
        "counts", Both("盘点", "counts"), Right.SEE_STOCK, ("place",),
        (
            *ROOM, *ITEM, LOT, *BOOK, Column("分货位账面/实物", "book/physical by position"),
            Column("今日要盘", "asked for today"), *COUNT,
        ),
        _counts,
    ),
    Export(
        "discrepancies", Both("差异单", "discrepancies"), Right.SEE_STOCK, ("place", "status"),
        (
            Column("差异单号", "number"), Column("类别", "sort"), *ROOM, *ITEM, LOT, Column("单件", "piece"),
            Column("发现时间", "opened"), STATE, Column("关闭时间", "closed"), Column("原因", "cause"),
        ),
        _discrepancies,
    ),
)  # fmt: skip
