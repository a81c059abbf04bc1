"""The forms of the first day: catalogue, suppliers and their terms, lots, storerooms, use before the ledger, stock.

Data only. The rule that must not be broken: a form's columns are those of its table.
"""

from collections.abc import Mapping
from types import MappingProxyType

from central.core.forms.cells import (
    COUNT_MAX,
    DAY_MEANT,
    ITEM,
    LOT,
    NAME_EN,
    NAME_ZH,
    PIECES_MEANT,
    PLACE,
    QTY,
    SUPPLIER,
    TEXT_MAX,
    Column,
    any_text,
    device_or_none,
    gtin_or_none,
    iso_day,
    iso_day_or_none,
    needed_text,
    one_of,
    storeroom_or_none,
    whole_number,
    yuan_price,
)
from central.core.forms.sheet import Form

STOCKED: Mapping[str, str] = MappingProxyType({"place": "places.csv", "item": "items.csv"})

STOCK_FORMS = (
    Form(
        "items.csv",
        (
            ITEM, NAME_ZH, NAME_EN,
            Column("spec", any_text, f"at most {TEXT_MAX} characters"),
            Column("gtin", gtin_or_none, "a GTIN of 8, 12, 13 or 14 digits with a right check digit, or nothing"),
            Column("unit_zh", needed_text, "the base unit's name"),
            Column("unit_en", needed_text, "the base unit's name"),
            Column("pack", whole_number(1, COUNT_MAX), PIECES_MEANT),
            Column("class", one_of("low", "high", "implant"), "low, high or implant"),
            Column("criticality", one_of("vital", "essential", "normal"), "vital, essential or normal"),
            Column("chargeable", lambda text: one_of("0", "1")(text) == "1", "0 or 1"),
            Column("storage", any_text, f"at most {TEXT_MAX} characters"),
        ),
        ("item",),
        {},
    ),
    Form(
        "charge_items.csv",
        (
            Column("code", needed_text, "the charge item's code in the hospital information system"),
            ITEM,
            Column("effective_from", iso_day, DAY_MEANT),
            Column("effective_to", iso_day_or_none, f"the last day, {DAY_MEANT}, or nothing"),
            Column("ratio", whole_number(1, COUNT_MAX), f"base units one of it stands for, {PIECES_MEANT}"),
        ),
        ("code", "item", "effective_from"),
        MappingProxyType({"item": "items.csv"}),
    ),
    Form("suppliers.csv", (SUPPLIER, NAME_ZH, NAME_EN), ("supplier",), {}),
    Form(
        "item_suppliers.csv",
        (
            ITEM, SUPPLIER,
            Column("rank", whole_number(1, 99), "a rank from 1 (main) to 99"),
            Column("price_yuan", yuan_price, "yuan a base unit up to a million, at most four decimals", "price"),
            Column("pack", whole_number(1, COUNT_MAX), PIECES_MEANT),
            Column("moq", whole_number(0, COUNT_MAX), f"a whole number from 0 to {COUNT_MAX}"),
            Column("lead_days", whole_number(0, 365), "whole days from 0 to 365"),
            Column("platform_code", any_text, f"at most {TEXT_MAX} characters"),
        ),
        ("item", "supplier"),
        {"item": "items.csv", "supplier": "suppliers.csv"},
    ),
    Form(
        "lots.csv",
        (
            ITEM, LOT,
            Column("made", iso_day_or_none, f"{DAY_MEANT}, or nothing"),
            Column("expiry", iso_day_or_none, f"{DAY_MEANT}, or nothing"),
        ),
        ("item", "lot"),
        {"item": "items.csv"},
    ),
    Form(
        "places.csv",
        (
            PLACE, Column("level", whole_number(1, 2), "1 (the hospital's storeroom) or 2 (a ward's)"),
            NAME_ZH, NAME_EN,
            Column("parent", storeroom_or_none, "the storeroom that fills it, or nothing"),
            Column("device", device_or_none, "the device that watches it, such as ward-01, or nothing"),
        ),
        ("place",),
        {"parent": "places.csv"},
    ),
    Form("use.csv", (PLACE, ITEM, Column("day", iso_day, DAY_MEANT), QTY), ("place", "item", "day"), STOCKED),
    Form("stock.csv", (PLACE, ITEM, LOT, QTY), ("place", "item", "lot"), STOCKED),
)  # fmt: skip
