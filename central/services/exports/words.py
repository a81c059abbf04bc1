"""Words that tables say: states and sorts in both languages, names of items and places, columns that many tables have.

No rule lives here. The rule that must not be broken: a name without a word is said as it is.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from central.core.refusals import SAID, Refusal
from central.core.rights import Scope
from central.services.exports.form import Asked, Both, Column
from central.store.queries_master import Item, items, places, suppliers
from protocols.values.ids import PlaceId

ITEM = (Column("物资编码", "item"), Column("品名", "name"), Column("规格型号", "specification"))
ROOM = (Column("库房编码", "storeroom"), Column("库房", "storeroom name"))
SUPPLIER = (Column("供应商编码", "supplier"), Column("供应商", "supplier name"))
LOT, QTY, STATE = Column("批号", "lot"), Column("数量", "quantity"), Column("状态", "state")
PRICE, AMOUNT = Column("单价(元)", "price (yuan)", priced=True), Column("金额(元)", "amount (yuan)", priced=True)

STATES: Mapping[str, Both] = MappingProxyType(
    {
        "approved": Both("已批准", "approved"),
        "asked": Both("待审批", "waits for a decision"),
        "placed": Both("已应急下单", "ordered, approval owed"),
        "refused": Both("已拒绝", "refused"),
        "sent": Both("已发出", "sent"),
        "confirmed": Both("已确认", "confirmed"),
        "announced": Both("已发货", "announced"),
        "part_received": Both("部分到货", "partly received"),
        "received": Both("已收货", "received"),
        "closed": Both("已关闭", "closed"),
        "cancelled": Both("已取消", "cancelled"),
        "open": Both("待处理", "open"),
        "ordered": Both("已下单", "ordered"),
        "rejected": Both("已拒绝", "refused"),
        "withdrawn": Both("已撤回", "withdrawn"),
        "matched": Both("已匹配", "matched"),
        "disputed": Both("有争议", "disputed"),
        "paid": Both("已付款", "paid"),
        "draft": Both("草稿", "draft"),
        "evidence": Both("已论证", "evidence given"),
        "active": Both("在用", "active"),
        "retired": Both("已淘汰", "retired"),
        "valid": Both("有效", "valid"),
        "lapsed": Both("已过期", "lapsed"),
        "not-yet": Both("未生效", "not yet valid"),
    }
)


def state(name: str) -> Both:
    """Return a state in both languages."""
    return STATES.get(name, Both(name, name))


def refusal(code: str) -> Both:
    """Return why somebody said no in both languages; nothing where nobody did."""
    return Both(*SAID[Refusal(code)]) if code in set(Refusal) else Both(code, code)


MOVES: Mapping[str, Both] = MappingProxyType(
    {
        "opening": Both("期初入库", "opening stock"),
        "receive": Both("收货", "received"),
        "ward_receipt": Both("科室签收", "received by the ward"),
        "put_away": Both("上架", "put away"),
        "pick": Both("拣货", "picked"),
        "pack_make": Both("制作定数包", "quota pack made"),
        "pack_open": Both("拆定数包", "quota pack opened"),
        "set_brought": Both("套包带入", "procedure set brought"),
        "set_used": Both("套包使用", "procedure set used"),
        "set_returned": Both("套包退回", "procedure set returned"),
        "transfer_out": Both("调拨出库", "transferred out"),
        "transfer_in": Both("调拨入库", "transferred in"),
        "stock": Both("二级库上架", "stocked"),
        "issue": Both("领用", "issued"),
        "use": Both("消耗", "used"),
        "return_to_store": Both("退库", "returned to store"),
        "return_to_supplier": Both("退货", "returned to supplier"),
        "scrap": Both("报废", "scrapped"),
        "recycle": Both("回收", "recycled"),
        "adjust": Both("盘点调整", "adjusted after a count"),
        "owner_change": Both("货权转移", "owner changed"),
        "reversal": Both("冲红", "reversed"),
        "suspense": Both("待查", "set aside until it is clear"),
        "gap": Both("缺失补记", "missing entries noted"),
    }
)


def movement(kind: str) -> Both:
    """Return a kind of movement in both languages."""
    return MOVES.get(kind, Both(kind, kind))


def yes(admitted: bool) -> Both:
    """Return yes or no in both languages."""
    return Both("是", "yes") if admitted else Both("否", "no")


class Names:
    """What items, places and suppliers of a hospital are called, read once for a table."""

    def __init__(self, asked: Asked) -> None:
        with asked.read() as connection:
            self._items = items(connection, asked.hospital)
            self._rooms = {one.place: Both(one.name_zh, one.name_en) for one in places(connection, asked.hospital)}
            self._firms = {code: Both(*names) for code, names in suppliers(connection, asked.hospital).items()}

    def item(self, code: str) -> tuple[str, Both, str]:
        """Return the three cells of an item."""
        found: Item | None = self._items.get(code)
        return (code, Both("", ""), "") if found is None else (code, Both(found.name_zh, found.name_en), found.spec)

    def place(self, code: str) -> tuple[str, Both]:
        """Return the two cells of a place or a source, which may be a supplier."""
        return code, self._rooms.get(code) or self._firms.get(code) or Both(code, code)

    def firm(self, code: str) -> tuple[str, Both]:
        """Return the two cells of a supplier."""
        return code, self._firms.get(code, Both(code, code))

    def rooms_in(self, scope: Scope) -> Iterable[str]:
        """Return the storerooms in a scope."""
        return [place for place in self._rooms if PlaceId(place) in scope]
