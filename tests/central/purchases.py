"""Files of a hospital that buys under agreements: one batch with a selected and a dear product, a framework, a list."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from central.core.rights import Caller, Grant, Role
from central.services.desk import Desk
from central.services.imports import import_folder
from central.store.tables.work import PROPOSAL
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import Instant
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import FILES, GAUZE, HOSPITAL, KIT, START, frozen_clock, hospital, write_files
from tests.central.stores import copied, image_of

DEAR, PLAIN = "HC-DEAR", "HC-PLAIN"
"""A kit of the same group that was not selected, and a third of another maker."""

BATCH, GROUP = "VBP-7", "CVC"

ITEMS = """HC-DEAR,进口中心静脉导管包,Imported catheter kit,7Fr×20cm,,包,kit,5,high,vital,1,room
HC-PLAIN,国产中心静脉导管包,Domestic catheter kit,7Fr×16cm,,包,kit,5,high,essential,1,room
"""
TERMS = """HC-DEAR,S01,1,480.00,5,5,6,YP9
HC-PLAIN,S02,1,240.00,5,5,6,
"""

AGREEMENT_FILES: Mapping[str, str] = {
    "agreements.csv": """agreement,kind,name_zh,name_en,supplier,group_id,parties,first,last,freight
VBP-7,vbp,第七批中心静脉导管,Batch 7 catheters,,PROV,医院;生产企业;配送企业,2026-01-01,2026-12-31,
VBP-6,vbp,第六批中心静脉导管,Batch 6 catheters,,PROV,,2025-01-01,2025-12-31,
FW-1,framework,2026 年敷料框架,Dressings 2026,S01,,,2026-01-01,2026-12-31,carriage paid from 500 yuan
""",
    "agreement_prices.csv": """agreement,item,valid_from,valid_to,price_yuan
FW-1,HC-GAUZE,2026-01-01,2026-06-30,0.85
FW-1,HC-GAUZE,2026-07-01,,0.80
""",
    "vbp_groups.csv": """agreement,product_group,name_zh,name_en,unit,last_year,agreed
VBP-7,CVC,中心静脉导管,Central venous catheters,包,0,400
VBP-6,CVC,中心静脉导管,Central venous catheters,包,300,0
""",
    "vbp_products.csv": """agreement,product_group,item,winning_price_yuan
VBP-7,CVC,HC-KIT,268.00
VBP-7,CVC,HC-DEAR,
VBP-7,CVC,HC-PLAIN,
VBP-6,CVC,HC-KIT,300.00
""",
    "platform_items.csv": """platform_code,valid_from,valid_to,item,supplier,list_price_yuan,insurance_code
YP1,2026-01-01,,HC-GAUZE,,0.90,C01020304050607080910
YP3,2025-01-01,2025-12-31,HC-KIT,S02,310.00,
YP3,2026-01-01,,HC-KIT,S02,268.00,
YP9,2026-01-01,,HC-DEAR,S01,480.00,
""",
    "purchases.csv": """item,supplier,day,qty,amount_yuan
HC-KIT,S02,2025-03-10,200,60000.00
HC-KIT,S02,2025-12-31,100,30000.00
HC-DEAR,S01,2025-05-01,100,48000.00
HC-KIT,S02,2026-01-10,60,16080.00
HC-DEAR,S01,2026-01-20,20,9600.00
HC-GAUZE,S01,2025-06-01,588236,500000.00
HC-VALVE,S01,2025-06-01,499999,499999.99
""",
}

SUPPLIER_FILES: Mapping[str, str] = {
    "certificates.csv": """kind,number,supplier,item,first,last
distribution,LIC-1,S01,,2021-05-01,2026-05-15
distribution,LIC-2,S02,,2023-01-01,2028-01-01
registration,REG-KIT,,HC-KIT,2022-01-01,2027-01-01
authorisation,AUTH-9,S01,HC-DEAR,2025-01-01,2025-12-31
""",
    "supplier_profiles.csv": """supplier,role,region,emergency,contact
S01,distributor,沈阳,0,024-0000
S02,both,本溪,1,024-1111
""",
    "delivery_relations.csv": """maker,distributor,item,first,last,region
示例医疗,S01,HC-DEAR,2026-01-01,,辽宁
""",
}

CATALOGUE_FILES: Mapping[str, str] = {
    "catalogue.csv": """\
item,tier,registration,udi_di,insurance,platform,middle_unit,middle,purchase_unit,purchase,mode,exempt
HC-KIT,high-value,国械注准20183770123,06999990101047,C0102030405060708091,YP3,,5,箱,50,usual,0
HC-DEAR,specialist,注准2018,,,YP9,,1,,5,on-request,0
HC-PLAIN,specialist,国械注准20193030001,,,YP8,,1,,5,usual,0
""",
    "substitutes.csv": "item,instead\nHC-PLAIN,HC-KIT\nHC-GAUZE,HC-VALVE\n",
    "use.csv": """place,item,day,qty
ward-01,HC-PLAIN,2025-01-20,5
ward-01,HC-GAUZE,2025-03-20,5
ward-01,HC-GAUZE,2025-06-20,5
""",
    "open_orders.csv": """order_no,line_no,supplier,place,item,qty,price_yuan,ordered,promised,platform_order_no
OLD-77,1,S01,main-store,HC-GAUZE,500,0.85,2026-02-20,2026-03-05,YPO-1
OLD-77,2,S01,main-store,HC-KIT,5,268.00,2026-02-20,2026-03-05,YPO-1
""",
}


def buying_hospital(folder: Path, **changed: str) -> Desk:
    """A desk at a hospital with these files; `changed` replaces one by its name without the ending."""
    files = {
        **AGREEMENT_FILES,
        "items.csv": FILES["items.csv"] + ITEMS,
        "suppliers.csv": FILES["suppliers.csv"],
        "item_suppliers.csv": FILES["item_suppliers.csv"] + TERMS,
        **{f"{name}.csv": text for name, text in changed.items()},
    }
    write_files(folder / "agreements", files)
    return desk(copied(_bought(tuple(files.items()))), Watch(START))


@cache
def _bought(files: tuple[tuple[str, str], ...]) -> bytes:
    """Return what the small hospital's store holds once it imported files as well."""
    with TemporaryDirectory() as folder:
        store = hospital(Path(folder) / "base", {})
        import_folder(store, HOSPITAL, write_files(Path(folder) / "agreements", dict(files)), frozen_clock())
    image = image_of(store)
    store.close()
    return image


def person(number: str, role: Role) -> Caller:
    return Caller(ActorId(number), number, (Grant(role),))


BUYER, HEAD = person("10023", Role.PURCHASER), person("10001", Role.HEAD_OF_CONSUMABLES)
DOCTOR, STORE = person("40001", Role.MEDICAL_AFFAIRS), person("20001", Role.STOREKEEPER)


REASON: Mapping[str, object] = {
    "policy": "3x", "bound_by": "order_up_to", "safety_days": 3, "lead_days": 6, "trigger": 9, "order_up_to": 16,
    "demand": {"days": 90, "adu": 1, "total": 90}, "position": {"total": 0, "on_order": 0}, "pack": 5, "moq": 5,
    "rejected": [], "fill_predicted": 0.99,
}  # fmt: skip
"""What a run would have said of a line."""


def propose(
    at_desk: Desk, item: str, supplier: str, price: Money, qty: int = 5, *, at: Instant = START, id: str = "aaaa1111"
) -> str:
    """Put an open proposal for the main store into a hospital; returns its id."""
    row: dict[str, object] = {
        "hospital": HOSPITAL,
        "proposal": id,
        "run": "test",
        "place": PlaceId("main-store"),
        "item": item,
    }
    row |= {
        "source": supplier,
        "internal": False,
        "qty": qty,
        "reason": json.dumps({**REASON, "qty": qty}),
        "policy": "3x",
        "policy_version": "0",
    }
    row |= {"status": "open", "made_at": at, "renewed_at": at, "closed_at": None, "order_no": "", "price": price}
    with at_desk.store.write() as connection:
        connection.execute(PROPOSAL.insert().values(**row))
    return id


__all__ = [
    "AGREEMENT_FILES", "BATCH", "BUYER", "CATALOGUE_FILES", "DEAR", "DOCTOR", "GAUZE", "GROUP", "HEAD", "ITEMS",
    "KIT", "PLAIN", "STORE", "SUPPLIER_FILES", "buying_hospital", "person", "propose",
]  # fmt: skip
