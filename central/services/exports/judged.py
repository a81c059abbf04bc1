"""Tables of figures: all of them as they stand, and the rows one of them adds up to.

The rule that must not be broken: the rows of a figure are all of its rows, so that they sum to it.
"""

from collections.abc import Iterator

from central.core.figures import DEFINITIONS
from central.core.rights import Right
from central.errors import BadInput, NotAllowed
from central.services.exports.form import Asked, Both, Cell, Column, Export
from central.services.exports.words import ITEM, LOT, QTY, ROOM, Names
from central.services.figures import figures, opened


def _figures(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    for one in figures(asked.desk, asked.caller, asked.given("place")):
        figure, definition = one.figure, DEFINITIONS[one.figure.id]
        sums: tuple[Cell, ...] = (figure.above, figure.below)
        hidden = definition.money and not asked.caller.may(Right.SEE_PRICES)
        value = None if figure.value is None else f"{float(figure.value):.4f}"
        yield (
            str(figure.id), definition.row, value, *((None, None) if hidden else sums),
            None if one.gate is None else f"{float(one.gate):.4f}", figure.parts, figure.since,
        )  # fmt: skip


def _rows(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    if not asked.given("id"):
        raise BadInput(f"id: expected a figure such as {next(iter(DEFINITIONS))}, got nothing")
    figure, parts = opened(asked.desk, asked.caller, asked.given("id"), asked.given("place"))
    if DEFINITIONS[figure.id].money and not asked.caller.may(Right.SEE_PRICES):
        raise NotAllowed(f"expected the right '{Right.SEE_PRICES}' for the rows of {figure.id}, which tell prices")
    names = Names(asked)
    for one in parts:
        yield (
            *names.place(one.place), *names.item(one.item), one.lot, one.unit, one.qty, one.above, one.below, one.note
        )  # fmt: skip


SUMS = (Column("分子", "above"), Column("分母", "below"))
JUDGED_EXPORTS = (
    Export(
        "figures", Both("指标", "figures"), Right.SEE_STOCK, ("place",),
        (
            Column("指标", "figure"), Column("要求编号", "requirement"), Column("数值", "value"), *SUMS,
            Column("目标", "gate"), Column("明细行数", "rows"), Column("数据起始日", "data since"),
        ),
        _figures,
    ),
    Export(
        "figure-rows", Both("指标明细", "rows of a figure"), Right.SEE_STOCK, ("id", "place"),
        (*ROOM, *ITEM, LOT, Column("单件", "piece"), QTY, *SUMS, Column("说明", "note")), _rows,
    ),
)  # fmt: skip
