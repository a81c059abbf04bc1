"""Every list exports: whatever the API lists can be had as a table too, or stands here with why not.

A list is an answer to GET that has `items`. A new one fails until its table is named.
"""

from pathlib import Path
from typing import Any

from central.api.description import PREFIX
from central.bootstrap.application import build_app
from central.config import read_config
from central.services.exports.lists import EXPORTS
from tests.central.hospital import fresh_store, frozen_clock

TABLES = {
    "wards": "wards", "lines": "stock", "devices": "devices", "discrepancies": "discrepancies",
    "conflicts": "conflicts", "proposals": "proposals", "orders": "orders", "people": "people", "acts": "acts",
    "invoices": "invoices", "count-tasks": "count-tasks", "line-counts": "counts", "figures": "figures",
    "figures/{id}/rows": "figure-rows", "figures/{id}/ledger": "figure-ledger", "permits": "permits",
    "recalls": "recalls", "rules": "rules", "vbp": "vbp-groups", "waivers": "waivers",
    "bargaining/{half_year}": "bargaining", "purchase-cycle": "purchase-cycle",
    "suppliers": "suppliers", "suppliers/{supplier}/scores": "scores",
    "cases": "cases", "shortages": "shortages", "purchase-tasks": "purchase-tasks", "catalogue": "catalogue",
    "catalogue/trims": "trims", "catalogue/reviews/{quarter}": "reviews", "months": "months",
    "months/{month}/stock": "stock-month", "months/{month}/accruals": "accruals", "payables": "payables",
    "price-changes": "price-changes", "consignment/terms": "consignment-terms",
    "consignment/settlements": "settlements", "charges": "charges", "requisitions": "requisitions",
    "emergencies": "emergencies", "returns": "returns", "alarms": "alarms",
    "quarantine": "quarantine", "budget-cuts": "budget-cuts",
}  # fmt: skip
"""By the list's address, the table that holds its rows."""

NO_TABLE = {
    "suppliers/{supplier}": "one supplier's prices and papers, each in a table of its own",
    "items/{item}/equivalents": "the few products beside one item",
    "months/{month}/stock/lines": "the lines behind one row, which `ledger` holds",
    "consignment/running": "what settlements would say now; once their month is closed `settlements` holds it",
    "charges/pieces": "the pieces of one day, storeroom and item, which `ledger` holds",
    "askable": "what may be asked for, to choose from",
    "enrolments": "devices that wait to be let in, for a few minutes",
    "exports": "the tables themselves",
}
"""Lists without a table, and why."""

ALSO = ("batches", "abc", "rule-changes", "expiring", "lot", "use", "receipts", "certificates", "platform-items")
"""Lists that only pages have."""


def lists_of(document: dict[str, Any]) -> set[str]:
    """Return the addresses whose answer has `items`."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    found: set[str] = set()
    for path, operations in document["paths"].items():
        answer = operations.get("get", {}).get("responses", {}).get("200", {})
        name = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")
        schema = schemas.get(name[2], {})
        if schema.get("properties", {}).get("items", {}).get("type") == "array":
            found.add(path.removeprefix(f"{PREFIX}/"))
    return found


def test_every_list_of_the_api_can_be_had_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    found = lists_of(build_app(read_config(path), fresh_store(), frozen_clock()).openapi())
    assert len(found) > 30
    assert sorted(found - TABLES.keys() - NO_TABLE.keys()) == [], "name the table, or say why there is none"
    assert {TABLES[one] for one in found & TABLES.keys()} - EXPORTS.keys() == set()
    assert set(ALSO) - EXPORTS.keys() == set()
