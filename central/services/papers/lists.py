"""The settlement of what was used, and the sheet on which a storeroom is counted, as forms.

It decides nothing. The rule that must not be broken: a sheet to count on is blind, the book is not printed on it.
"""

from central.core.rights import Right
from central.errors import NotThere
from central.links.paper import ROWS_MAX, Column, Form
from central.services.counts import side_by_side
from central.services.papers.asked import Asked, date_line, item_columns, lang, money, names_of, price
from central.store import queries_consignment
from protocols.values.ids import PlaceId


def settlement(asked: Asked) -> Form:
    """Return the settlement of what was used of a supplier's goods in a month. Raises `NotAllowed`, `NotThere`."""
    asked.caller.need(Right.SEE_PRICES)
    with asked.desk.store.read() as connection:
        found = queries_consignment.notes(connection, asked.desk.hospital, named=[asked.named])
    if not found or not asked.priced:
        raise NotThere(f"settlement: expected one that was made, got {asked.named!r:.40}")
    (one,), names = found, names_of(asked)
    columns = (
        *item_columns(asked),
        Column(asked.say("消耗数", "Used"), 17, number=True),
        Column(asked.say("HIS 收费数", "Charged"), 19, number=True),
        Column(asked.say("单价(元)", "Price"), 20, number=True),
        Column(asked.say("金额(元)", "Amount"), 24, number=True),
    )
    rows = [
        (
            str(number),
            line.item,
            *names.of(asked, line.item),
            f"{line.used:,}",
            "" if line.charged is None else f"{line.charged:,}",
            price(line.price),
            money(line.amount),
        )
        for number, line in enumerate(one.lines, start=1)
    ]
    facts = [
        (asked.say("供应商", "Supplier"), names.rooms.get(one.supplier, one.supplier)),
        (asked.say("月份", "Month"), str(one.month)),
        (asked.say("制单", "Made by"), one.made_by),
    ]
    return Form(
        lang(asked),
        asked.hospital,
        asked.say("消耗结算单", "Settlement of use"),
        one.note,
        facts,
        columns,
        rows,
        (asked.say("耗材科", "Consumables"), asked.say("财务", "Finance"), asked.say("供应商", "Supplier")),
        sums=((asked.say("合计(元)", "Total (yuan)"), money(one.amount)),),
        dated=date_line(asked),
    )


def count_sheet(asked: Asked) -> Form:
    """Return a storeroom's lines to be counted, the asked ones first, without the book. Raises as the page does."""
    place = asked.named
    asked.caller.need(Right.SEE_STOCK, PlaceId(place))
    lines, names = side_by_side(asked.desk, asked.caller, place)[:ROWS_MAX], names_of(asked)
    columns = (
        *item_columns(asked),
        Column(asked.say("批号", "Lot"), 24),
        Column(asked.say("今日", "Today"), 12),
        Column(asked.say("实盘数", "Counted"), 24),
        Column(asked.say("备注", "Remark"), 26),
    )
    rows = [
        (str(number), one.line.item, *names.of(asked, one.line.item), one.line.lot, "●" if one.asked else "", "", "")
        for number, one in enumerate(lines, start=1)
    ]
    note = asked.say(
        "盲盘：表上不印账面数。带 ● 的行今日必盘。", "Blind: the book is not printed. Lines with ● are due today."
    )
    return Form(
        lang(asked),
        asked.hospital,
        asked.say("盘点表", "Count sheet"),
        place,
        [(asked.say("库房", "Storeroom"), names.rooms.get(place, place))],
        columns,
        rows,
        (asked.say("盘点人", "Counted by"), asked.say("监盘人", "Witness"), asked.say("库管员", "Keeper")),
        note=note,
        dated=date_line(asked),
    )
