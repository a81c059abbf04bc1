"""Tables of figures: all of them as they stand, the rows one of them adds up to, and the ledger lines behind a row.

The rule that must not be broken: the rows of a figure are all of its rows, and those behind a row all of its lines, so
that each column sums to what it is opened from.
"""

from collections.abc import Iterator, Mapping

from central.core.figures import BY_LINE, DEFINITIONS, Definition
from central.core.rights import Right
from central.errors import BadInput, NotAllowed
from central.links.sheets import Yuan
from central.services.exports.form import Asked, Both, Cell, Column, Export, moment
from central.services.exports.words import ITEM, LOT, PRICE, QTY, ROOM, Names, movement
from central.services.figures import figures, ledger_of, opened
from protocols.values.money import Money


def _figures(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    found = figures(asked.desk, asked.caller, asked.given("place"))
    scope, match = found.scope, found.scope.match
    seen: tuple[Cell, ...] = (None, None) if match is None else (match.lines, match.unobserved)
    for one in found.judged:
        figure, definition = one.figure, DEFINITIONS[one.figure.id]
        sums = tuple(_summed(each, definition) for each in (figure.above, figure.below))
        hidden = definition.money and not asked.caller.may(Right.SEE_PRICES)
        value = None if figure.value is None else f"{float(figure.value):.4f}"
        yield (
            str(figure.id), definition.row, value, *((None, None) if hidden else sums),
            None if one.gate is None else f"{float(one.gate):.4f}", figure.parts, figure.since,
            " ".join(room.place for room in scope.rooms), moment(scope.as_of),
            *(seen if figure.id in BY_LINE else (None, None)),
        )  # fmt: skip


def _rows(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    if not asked.given("id"):
        raise BadInput(f"id: expected a figure such as {next(iter(DEFINITIONS))}, got nothing")
    found = opened(asked.desk, asked.caller, asked.given("id"), asked.given("place"))
    figure = found.figure
    if DEFINITIONS[figure.id].money and not asked.caller.may(Right.SEE_PRICES):
        raise NotAllowed(f"expected the right '{Right.SEE_PRICES}' for the rows of {figure.id}, which tell prices")
    names = Names(asked)
    money = DEFINITIONS[figure.id].money
    for one in found.parts:
        yield (
            *names.place(one.place), *names.item(one.item), one.lot, one.unit, one.qty, one.shelf, MATCHES[one.matches],
            Yuan(found.price_of(one)) if money else None,
            *(_summed(each, DEFINITIONS[figure.id]) for each in (one.above, one.below)), one.note,
            " ".join(found.cases_of(one)),
        )  # fmt: skip


def _behind(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    id, place, item, lot = (asked.given(name) for name in ("id", "place", "item", "lot"))
    row = ledger_of(asked.desk, asked.caller, id, place, item, lot)
    definition = DEFINITIONS[row.id]
    if definition.money and not asked.caller.may(Right.SEE_PRICES):
        raise NotAllowed(f"expected the right '{Right.SEE_PRICES}' for the lines of {row.id}, which tell prices")
    price: Cell = Yuan(row.price) if definition.money else None
    for one in row.lines:
        flow = one.flow
        sums = (None if each is None else _summed(each, definition) for each in (one.above, one.below))
        yield (
            flow.day, movement(flow.kind), flow.lot, flow.unit, flow.qty, one.closings, flow.used, price, *sums,
            flow.event,
        )  # fmt: skip
    if row.shelf:
        said = Both("货架与账面之差", "the shelf differs from the book")
        yield None, said, row.part.lot, "", None, None, None, price, _summed(row.shelf, definition), None, ""


def _summed(sum_: int, definition: Definition) -> Cell:
    return Yuan(Money(sum_)) if definition.money else sum_


MATCHES: Mapping[bool | None, Both | None] = {True: Both("是", "yes"), False: Both("否", "no"), None: None}
SUMS = (Column("分子", "above"), Column("分母", "below"))
JUDGED_EXPORTS = (
    Export(
        "figures", Both("指标", "figures"), Right.SEE_STOCK, ("place",),
        (
            Column("指标", "figure"), Column("要求编号", "requirement"), Column("数值", "value"), *SUMS,
            Column("目标", "gate"), Column("明细行数", "rows"), Column("数据起始日", "data since"),
            Column("统计范围", "storerooms"), Column("截至", "as of"), Column("已观测行", "lines observed"),
            Column("未观测行", "lines not observed"),
        ),
        _figures,
    ),
    Export(
        "figure-rows", Both("指标明细", "rows of a figure"), Right.SEE_STOCK, ("id", "place"),
        (
            *ROOM, *ITEM, LOT, Column("单件", "piece"), QTY, Column("实物", "physical"), Column("是否相符", "matches"),
            PRICE, *SUMS, Column("说明", "note"), Column("差异单", "discrepancies"),
        ),
        _rows,
    ),
    Export(
        "figure-ledger", Both("指标行账本明细", "ledger lines of a figure"), Right.SEE_STOCK,
        ("id", "place", "item", "lot"),
        (
            Column("日期", "day"), Column("业务类型", "movement"), LOT, Column("单件", "piece"), QTY,
            Column("计入期末天数", "closings it counts at"), Column("消耗数", "used"), PRICE, *SUMS,
            Column("凭证号", "entry"),
        ),
        _behind,
    ),
)  # fmt: skip
