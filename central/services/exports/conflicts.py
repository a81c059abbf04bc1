"""The tables of conflicts and of entries set aside: of the storerooms a reader may see, in words of both languages.

The rule that must not be broken: prices stand in them for who may see prices.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from central.core.conflicts import Sort
from central.core.rights import Right
from central.services.conflict_desk import PRICES, Conflicts
from central.services.exports.form import Asked, Both, Cell, Column, Export, moment
from central.services.exports.words import ITEM, LOT, ROOM, Names, state
from central.services.quarantine import Quarantine
from central.store.paging import every

SORTS: Mapping[str, Both] = MappingProxyType(
    {
        Sort.DOUBLE_ISSUE: Both("同一件领用两次", "issued twice"),
        Sort.IMPLIED_TRANSFER: Both("在此使用，他处入库", "used here, received elsewhere"),
        Sort.NEGATIVE: Both("账面为负", "book below zero"),
        Sort.UNKNOWN_ITEM: Both("无法识别的品名", "nobody knows this name"),
        Sort.RECOUNT: Both("盘点期间有变动", "moved while it was counted"),
        Sort.LATE_ENTRY: Both("盘点后才到的记录", "entry came after the count"),
        Sort.BEFORE_IT_KNEW: Both("科室获知前的操作", "done before the ward knew"),
        Sort.AGAINST_POLICY: Both("暂停期间的操作", "done while suspended"),
        Sort.MASTER_CHANGED: Both("按旧主数据记录", "recorded by old item data"),
        Sort.PRICE_CHANGED: Both("期间价格变动", "price changed meanwhile"),
        Sort.ENTERED_AGAIN: Both("疑似重复录入", "entered twice?"),
    }
)


def _conflicts(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, desk, noted = Names(asked), Conflicts(asked.desk.purchasing.documents), False
    for one in every(lambda wanted: desk.page(asked.caller, wanted, asked.given("status"))):
        if not noted and PRICES & one.detail.keys():
            asked.desk.looks.saw(asked.caller, "see-prices", "export conflicts")
            noted = True
        said = "; ".join(f"{name}={value}" for name, value in one.detail.items())
        yield (
            one.id, SORTS[one.sort], *names.place(one.place), one.other, *names.item(one.item), one.lot, one.unit,
            moment(one.opened_at), moment(one.due_at), state(one.status), moment(one.closed_at), one.closed_by,
            one.remark, said,
        )  # fmt: skip


def _set_aside(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, quarantine = Names(asked), Quarantine(asked.desk.purchasing.documents)
    for each in every(lambda wanted: quarantine.page(asked.caller, wanted, asked.given("status"))):
        one = each.one
        yield (
            moment(one.at), *names.place(one.place), one.device, one.incarnation.hex(), one.seq, each.kind, each.actor,
            one.reason, each.now, moment(one.replayed_at), one.replayed_by or "", each.body,
        )  # fmt: skip


CONFLICT_EXPORTS = (
    Export(
        "conflicts", Both("冲突", "conflicts"), Right.SEE_STOCK, ("status",),
        (
            Column("编号", "conflict"), Column("类型", "sort"), *ROOM, Column("对方库房", "other storeroom"), *ITEM,
            LOT, Column("单件", "piece"), Column("发现时间", "opened"), Column("期限", "due"), Column("状态", "state"),
            Column("关闭时间", "closed"), Column("关闭人", "closed by"), Column("核实结果", "what was found"),
            Column("依据", "what the rule saw"),
        ),
        _conflicts,
    ),
    Export(
        "quarantine", Both("暂存记录", "entries set aside"), Right.SEE_STOCK, ("status",),
        (
            Column("到达时间", "came"), *ROOM, Column("设备", "device"), Column("链", "chain"),
            Column("序号", "number"), Column("业务", "kind"), Column("操作人", "by"),
            Column("暂存原因", "why it was set aside"),
            Column("现在仍不能入账的原因", "why it still cannot be posted"), Column("补记时间", "posted"),
            Column("补记人", "posted by"), Column("原文", "as it was written"),
        ),
        _set_aside,
    ),
)  # fmt: skip
