"""A small hospital's past use as files: three items, two wards, seeded; columns as the bench reads them."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from random import Random

DAYS, FIRST = 520, 17_000
ITEMS = ("gauze", "needle", "gown")
USE = ("Log_Date_Time", "NSVCode", "Total_Qty", "Ward", "Site1")
ORDERS = (
    "NSVCode",
    "OrderNum",
    "SupplierSupplier_Value",
    "FullName_Value",
    "DateOrdered",
    "DateReceived",
    "QtyRec_Value",
)
LEVELS = ("NSV_Code", "Site1", "Re_Order_Packsize", "Re_Order_Level", "Re_Order_Quantity")


def write(folder: Path, *, gzipped: bool = False, orders: bool = True, levels: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    chance = Random(3)
    uses = [
        (
            float(FIRST + day),
            item,
            float(chance.choice([1, 2, 2, 5]) * (-1 if chance.random() < 0.03 else 1)),
            ward,
            "1.0",
        )
        for day in range(DAYS)
        for item in ITEMS
        for ward in ("W1", "W2")
        if day % 7 < 5 and chance.random() < 0.5
    ]
    _write(folder / "use.csv", USE, uses, gzipped=gzipped)
    if orders:
        made = [
            (item, FIRST + chance.randrange(DAYS), chance.choice([1, 1, 2, 4, 9])) for item in ITEMS for _ in range(20)
        ]
        rows = [
            (item, n, "S1", "Sample", float(day), float(day + lead), 10.0) for n, (item, day, lead) in enumerate(made)
        ]
        _write(folder / "orders.csv", ORDERS, rows, gzipped=gzipped)
    if levels:
        _write(folder / "levels.csv", LEVELS, [(item, "1.0", 10.0, 20.0, 4.0) for item in ITEMS], gzipped=gzipped)
    return folder


def _write(path: Path, head: tuple[str, ...], rows: Sequence[tuple[object, ...]], *, gzipped: bool) -> None:
    target = path.with_name(path.name + ".gz") if gzipped else path
    with gzip.open(target, "wt", newline="") if gzipped else target.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(head)
        writer.writerows(rows)
