"""The tables of master data, one a kind, with the names of the import's own columns: what was saved can be brought in.

The rule that must not be broken: a table holds the fields that the page of its kind shows, no more.
"""

from collections.abc import Iterator

from central.core.master import FIELDS, MasterKind
from central.core.rights import Right
from central.services.exports.form import Asked, Both, Cell, Column, Export
from central.services.master import LISTED_MAX

TITLES = {
    MasterKind.ITEM: Both("物资", "items"), MasterKind.PACK: Both("包装", "packs"),
    MasterKind.SUPPLIER: Both("供应商", "suppliers"), MasterKind.PLACE: Both("库房", "storerooms"),
    MasterKind.POSITION: Both("货位", "positions"),
}  # fmt: skip


def _table(kind: MasterKind) -> Export:
    fields = [column.name for column in FIELDS[kind]]

    def rows(asked: Asked) -> Iterator[tuple[Cell, ...]]:
        after, question = "", asked.given("q")
        while found := asked.desk.master.listed(asked.caller, kind, question, after):
            for one in found:
                yield (one.key, *(one.fields.get(name, "") for name in fields))
            if len(found) < LISTED_MAX:
                return
            after = found[-1].key

    code = "item" if kind is MasterKind.PACK else kind.value
    columns = tuple(Column(name, name) for name in (code, *fields))
    return Export(f"master-{kind}", TITLES[kind], Right.SEE_STOCK, ("q",), columns, rows)


MASTER_EXPORTS = tuple(_table(kind) for kind in MasterKind)
