"""The forms of purchasing: agreements with prices, volume-based procurement, the platform's list, purchases before.

Data only. The rule that must not be broken: a form's columns are those of its table.

Sources: C1, C4, C9, A6, A11, A12 and day one (24 months of history), the columns each needs.
"""

from types import MappingProxyType

from central.core.forms.cells import (
    COUNT_MAX,
    DAY_MEANT,
    ITEM,
    NAME_EN,
    NAME_ZH,
    PIECES_MEANT,
    PLACE,
    QTY,
    SUPPLIER,
    TEXT_MAX,
    Column,
    any_text,
    code,
    iso_day,
    iso_day_or_none,
    item_or_none,
    needed_text,
    one_of,
    quarter,
    supplier_or_none,
    whole_number,
    yuan_amount,
    yuan_or_none,
    yuan_price,
)
from central.core.forms.sheet import Form
from protocols.values.quantity import LINE_QTY_MAX

TEXT = f"at most {TEXT_MAX} characters"
CODE = "a code of 1..64 ASCII characters without space"
LINES_MAX = 500
PRICE = "yuan a base unit up to a million, at most four decimals"
AGREEMENT = Column("agreement", code, CODE)
GROUP = Column("product_group", code, CODE)

PURCHASING_FORMS = (
    Form(
        "agreements.csv",
        (
            AGREEMENT,
            Column("kind", one_of("vbp", "framework"), "vbp or framework"),
            NAME_ZH, NAME_EN,
            Column("supplier", supplier_or_none, "a supplier code, or nothing"),
            Column("group_id", any_text, f"the purchasing body, {TEXT}"),
            Column("parties", any_text, TEXT),
            Column("first", iso_day, DAY_MEANT),
            Column("last", iso_day, DAY_MEANT),
            Column("freight", any_text, TEXT),
        ),
        ("agreement",),
        MappingProxyType({"supplier": "suppliers.csv"}),
    ),
    Form(
        "agreement_prices.csv",
        (
            AGREEMENT, ITEM,
            Column("valid_from", iso_day, DAY_MEANT),
            Column("valid_to", iso_day_or_none, f"the last day, {DAY_MEANT}, or nothing"),
            Column("price_yuan", yuan_price, PRICE, "price"),
        ),
        ("agreement", "item", "valid_from"),
        MappingProxyType({"agreement": "agreements.csv", "item": "items.csv"}),
    ),
    Form(
        "vbp_groups.csv",
        (
            AGREEMENT, GROUP, NAME_ZH, NAME_EN,
            Column("unit", any_text, TEXT),
            Column("last_year", QTY.parse, QTY.meant),
            Column("agreed", QTY.parse, QTY.meant),
        ),
        ("agreement", "product_group"),
        MappingProxyType({"agreement": "agreements.csv"}),
    ),
    Form(
        "vbp_products.csv",
        (
            AGREEMENT, GROUP, ITEM,
            Column("winning_price_yuan", yuan_or_none, f"{PRICE}, or nothing for one not selected", "winning_price"),
        ),
        ("agreement", "product_group", "item"),
        MappingProxyType({"agreement": "agreements.csv", "item": "items.csv"}),
    ),
    Form(
        "platform_items.csv",
        (
            Column("platform_code", needed_text, TEXT),
            Column("valid_from", iso_day, DAY_MEANT),
            Column("valid_to", iso_day_or_none, f"the last day, {DAY_MEANT}, or nothing"),
            ITEM,
            Column("supplier", supplier_or_none, "a supplier code, or nothing for every one"),
            Column("list_price_yuan", yuan_price, PRICE, "list_price"),
            Column("insurance_code", any_text, TEXT),
        ),
        ("platform_code", "valid_from"),
        MappingProxyType({"item": "items.csv", "supplier": "suppliers.csv"}),
    ),
    Form(
        "purchases.csv",
        (
            ITEM, SUPPLIER,
            Column("day", iso_day, DAY_MEANT),
            QTY,
            Column("amount_yuan", yuan_amount, "yuan with at most four decimals", "amount"),
        ),
        ("item", "supplier", "day"),
        MappingProxyType({"item": "items.csv", "supplier": "suppliers.csv"}),
    ),
    Form(
        "certificates.csv",
        (
            Column("kind", one_of("registration", "production", "distribution", "business", "authorisation"),
                   "registration, production, distribution, business or authorisation"),
            Column("number", needed_text, f"its number, {TEXT}"),
            Column("supplier", supplier_or_none, "the supplier it is of, or nothing"),
            Column("item", item_or_none, "the item it is of, or nothing"),
            Column("first", iso_day, DAY_MEANT),
            Column("last", iso_day, DAY_MEANT),
        ),
        ("kind", "number"),
        MappingProxyType({"supplier": "suppliers.csv", "item": "items.csv"}),
    ),
    Form(
        "supplier_scores.csv",
        (
            SUPPLIER,
            Column("quarter", quarter, "a quarter such as 2025Q4"),
            *(
                Column(f"{dimension}_{part}", whole_number(0, COUNT_MAX), meant)
                for dimension in ("on_time", "quality", "emergency", "service")
                for part, meant in (("done", "how many were done as asked"), ("all", "how many were asked"))
            ),
        ),
        ("supplier", "quarter"),
        MappingProxyType({"supplier": "suppliers.csv"}),
    ),
    Form(
        "supplier_profiles.csv",
        (
            SUPPLIER,
            Column("role", one_of("maker", "distributor", "both"), "maker, distributor or both"),
            Column("region", any_text, TEXT),
            Column("emergency", lambda text: one_of("0", "1")(text) == "1", "0 or 1"),
            Column("contact", any_text, TEXT),
        ),
        ("supplier",),
        MappingProxyType({"supplier": "suppliers.csv"}),
    ),
    Form(
        "delivery_relations.csv",
        (
            Column("maker", needed_text, TEXT),
            Column("distributor", SUPPLIER.parse, SUPPLIER.meant),
            ITEM,
            Column("first", iso_day, DAY_MEANT),
            Column("last", iso_day_or_none, f"the last day, {DAY_MEANT}, or nothing"),
            Column("region", any_text, TEXT),
        ),
        ("maker", "distributor", "item", "first"),
        MappingProxyType({"distributor": "suppliers.csv", "item": "items.csv"}),
    ),
    Form(
        "catalogue.csv",
        (
            ITEM,
            Column("tier", one_of("", "basic", "specialist", "high-value"), "basic, specialist, high-value or nothing"),
            Column("registration", any_text, TEXT),
            Column("udi_di", any_text, TEXT),
            Column("insurance", any_text, TEXT),
            Column("platform", any_text, TEXT),
            Column("middle_unit", any_text, TEXT),
            Column("middle", whole_number(1, COUNT_MAX), PIECES_MEANT),
            Column("purchase_unit", any_text, TEXT),
            Column("purchase", whole_number(1, COUNT_MAX), PIECES_MEANT),
            Column("mode", one_of("usual", "on-request"), "usual or on-request"),
            Column("exempt", lambda text: one_of("0", "1")(text) == "1", "0 or 1"),
        ),
        ("item",),
        MappingProxyType({"item": "items.csv"}),
    ),
    Form(
        "substitutes.csv",
        (ITEM, Column("instead", ITEM.parse, ITEM.meant)),
        ("item", "instead"),
        MappingProxyType({"item": "items.csv", "instead": "items.csv"}),
    ),
    Form(
        "open_orders.csv",
        (
            Column("order_no", code, CODE),
            Column("line_no", whole_number(1, LINES_MAX), f"a whole number from 1 to {LINES_MAX}"),
            SUPPLIER, PLACE, ITEM,
            Column("qty", whole_number(1, LINE_QTY_MAX), f"a whole number of base units from 1 to {LINE_QTY_MAX}"),
            Column("price_yuan", yuan_price, PRICE, "price"),
            Column("ordered", iso_day, DAY_MEANT),
            Column("promised", iso_day_or_none, f"{DAY_MEANT}, or nothing"),
            Column("platform_order_no", any_text, TEXT),
        ),
        ("order_no", "line_no"),
        MappingProxyType({"supplier": "suppliers.csv", "place": "places.csv", "item": "items.csv"}),
    ),
    Form(
        "calendar.csv",
        (
            Column("day", iso_day, DAY_MEANT),
            Column("working", lambda text: one_of("0", "1")(text) == "1", "0 or 1"),
            Column("source_doc", any_text, TEXT),
        ),
        ("day",),
        MappingProxyType({}),
    ),
)  # fmt: skip
"""Agreements first, so that what names one finds it."""
