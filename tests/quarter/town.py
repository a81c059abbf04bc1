"""The hospital of the simulated quarter: files of 20 wards, three suppliers, a VBP batch, goods on consignment.

Data only; everything is imported through the real forms. Use before the quarter is drawn from the seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
MAIN = "main-store"
WARDS = tuple(f"ward-{number:02}" for number in range(1, 21))
HISTORY_DAYS = 90

KIT, DEAR, STENT, GAUZE, TUBE, STAPLE = "Q-KIT", "Q-DEAR", "Q-STENT", "Q-GAUZE", "Q-TUBE", "Q-STAPLE"


@dataclass(frozen=True)
class Thing:
    """An item of the story: its main and backup supplier with prices, class, pack, and mean use a day in a ward."""

    name: str
    main: str
    price: str
    backup: str
    backup_price: str
    grade: str
    pack: int
    daily: float
    criticality: str = "normal"


THINGS = {
    "Q-GAUZE": Thing("纱布块", "S01", "0.8500", "S02", "0.8800", "low", 50, 9),
    "Q-SYRINGE": Thing("注射器", "S01", "0.3250", "S02", "0.3400", "low", 50, 11),
    "Q-GLOVE": Thing("手套", "S01", "0.4533", "S02", "0.4600", "low", 50, 8),
    "Q-IVSET": Thing("输液器", "S01", "1.8500", "S02", "1.9000", "low", 20, 5),
    "Q-TAPE": Thing("胶带", "S01", "2.4000", "S02", "2.4500", "low", 10, 2),
    "Q-CATH": Thing("导尿管", "S02", "6.5000", "S01", "6.7000", "low", 10, 1.5),
    "Q-SUTURE": Thing("缝线", "S03", "28.5000", "S01", "29.9000", "low", 6, 1),
    "Q-DRESS": Thing("敷料", "S03", "18.6000", "S01", "19.2500", "low", 5, 1.5),
    TUBE: Thing("引流管", "S03", "9.7500", "S01", "9.9900", "low", 10, 1.5),
    STAPLE: Thing("吻合器", "S03", "320.0000", "S01", "335.0000", "high", 1, 0.2, "vital"),
    KIT: Thing("中心静脉导管包", "S02", "268.0000", "S01", "268.0000", "high", 5, 0.25, "vital"),
    DEAR: Thing("进口中心静脉导管包", "S01", "268.0000", "S02", "268.0000", "high", 5, 0.03),
    STENT: Thing("支架", "S02", "2700.0000", "S03", "2750.0000", "high", 1, 0.15, "vital"),
}
NEAR = {KIT, DEAR, STENT, STAPLE}
"""Dear things that only some wards use."""


def uses(ward: str, item: str) -> bool:
    """Tell whether a ward uses an item."""
    number = WARDS.index(ward)
    if item == STENT:
        return number < 4
    if item in NEAR:
        return number % 3 == 0
    return (number + list(THINGS).index(item)) % 2 == 0


def poisson(chance: Random, mean: float) -> int:
    """Draw how many of so many come in a day, by multiplying chances (Knuth)."""
    limit, product, count = 2.718281828459045**-mean, chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def lot_of(item: str, number: int) -> str:
    """Return the lot number of an item's so manieth delivery; two deliveries share a lot, as makers do it."""
    return f"{item[2:5]}{number // 2:03}"


def files(chance: Random) -> Mapping[str, str]:
    """Return the files to import, use of 90 days before and stock for some days included."""
    head = "item,name_zh,name_en,spec,gtin,unit_zh,unit_en,pack,class,criticality,chargeable,storage"
    items = [f"{item},{one.name},{item},,,件,piece,{one.pack},{one.grade},{one.criticality},0,room"
             for item, one in THINGS.items()]  # fmt: skip
    offers = []
    for item, one in THINGS.items():
        for rank, firm, price in ((1, one.main, one.price), (2, one.backup, one.backup_price)):
            offers.append(f"{item},{firm},{rank},{price},{one.pack},{one.pack},{2 + int(firm[-1])},YP-{item}")
    places = [f"{MAIN},1,一级库,Central store,,", *(f"{ward},2,{ward},{ward},{MAIN},{ward}" for ward in WARDS)]
    return {
        "items.csv": "\n".join([head, *items]) + "\n",
        "suppliers.csv": "supplier,name_zh,name_en\nS01,示例甲,Example A\nS02,示例乙,Example B\nS03,示例丙,Example C\n",
        "item_suppliers.csv": "\n".join(
            ["item,supplier,rank,price_yuan,pack,moq,lead_days,platform_code", *offers]
        ) + "\n",
        "places.csv": "\n".join(["place,level,name_zh,name_en,parent,device", *places]) + "\n",
        "agreements.csv": "agreement,kind,name_zh,name_en,supplier,group_id,parties,first,last,freight\n"
        "VBP-Q,vbp,第九批,Batch 9,,PROV,,2026-01-01,2026-12-31,\n",
        "vbp_groups.csv": "agreement,product_group,name_zh,name_en,unit,last_year,agreed\n"
        "VBP-Q,CVC,中心静脉,CVC,包,600,700\n",
        "vbp_products.csv": "agreement,product_group,item,winning_price_yuan\n"
        f"VBP-Q,CVC,{KIT},268.00\nVBP-Q,CVC,{DEAR},\n",
        **_stock_and_use(chance),
    }  # fmt: skip


def _stock_and_use(chance: Random) -> Mapping[str, str]:
    use, stock = ["place,item,day,qty"], ["place,item,lot,qty"]
    for item, one in THINGS.items():
        whole: dict[date, int] = {}
        for ward in (each for each in WARDS if uses(each, item)):
            for ago in range(HISTORY_DAYS, 0, -1):
                day = FIRST - timedelta(days=ago)
                qty = poisson(chance, one.daily)
                whole[day] = whole.get(day, 0) + qty
                use += [f"{ward},{item},{day},{qty}"] if qty else []
            if item != STENT:
                stock.append(f"{ward},{item},OPEN,{max(2, round(10 * one.daily))}")
        use += [f"{MAIN},{item},{day},{qty}" for day, qty in sorted(whole.items()) if qty]
        if item != STENT:
            stock.append(f"{MAIN},{item},OPEN,{max(one.pack, round(20 * sum(whole.values()) / HISTORY_DAYS))}")
    return {"use.csv": "\n".join(use) + "\n", "stock.csv": "\n".join(stock) + "\n"}
