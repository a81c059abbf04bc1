"""Rows that one person alone must not write, straight into the tables of a real store, past every service.

Each case first writes what one person did; then `alone` is the same person's second step, and `other` another's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table

from central.store.tables.agreements import ORDER_ALERT, ORDER_WAIVER
from central.store.tables.month import PRICE_CHANGE
from central.store.tables.purchasing import DOCUMENT_STEP
from central.store.tables.suppliers import SUPPLIER_CASE
from central.store.tables.work import POLICY_CHANGE, POLICY_RULE, PURCHASE_ORDER
from tests.central.hospital import HOSPITAL, KIT, START

ONE, TWO = "10023", "10001"
DAY = date(2026, 3, 2)

Write = Callable[[Connection, str], None]


def insert(connection: Connection, table: Table, **row: Any) -> None:  # noqa: ANN401 # a row of any table
    connection.execute(table.insert().values(hospital=HOSPITAL, **row))


@dataclass(frozen=True)
class Case:
    """What stands when the second step is tried, and that step by somebody."""

    before: Callable[[Connection], None]
    step: Write


def _step(document: str, kind: str, step: str) -> Write:
    def write(connection: Connection, actor: str) -> None:
        insert(
            connection, DOCUMENT_STEP, document=document, seq=1, kind=kind, step=step, state="x", at=START,
            actor=actor, detail="{}",
        )  # fmt: skip

    return write


def _incident(connection: Connection) -> None:
    row = {"kind": "incident", "supplier": "S01", "item": KIT, "said": "a forged certificate"}
    insert(connection, SUPPLIER_CASE, case_no="SC-1", opened_at=START, opened_by=ONE, **row)


def _waiver(connection: Connection) -> None:
    row = {"finding": "high-price", "item": KIT, "supplier": "S01", "reason": "medical", "remark": ""}
    insert(connection, ORDER_WAIVER, waiver="W-1", first=DAY, last=DAY, person=ONE, at=START, **row)


def _order(number: str) -> Write:
    def write(connection: Connection, actor: str) -> None:
        row = {"supplier": "S01", "source": "S01", "place": "ward-01", "status": "approved", "created_at": START}
        insert(connection, PURCHASE_ORDER, order_no=number, approved_by=actor, **row)

    return write


def _alert(connection: Connection, number: str) -> None:
    row = {"line_no": 1, "finding": "high-price", "mode": "block", "waiver": "W-1", "detail": "{}", "at": START}
    insert(connection, ORDER_ALERT, order_no=number, **row)


def _waived_before_it_is_ordered(connection: Connection) -> None:
    _waiver(connection)
    _alert(connection, "PO-1")


def _ordered_and_then_waived(connection: Connection, actor: str) -> None:
    _order("PO-2")(connection, actor)
    _alert(connection, "PO-2")


def _rule(connection: Connection) -> None:
    row = {"code": "approval.automatic", "scope": "", "effective_from": DAY, "value": "1", "source_doc": "m"}
    told = {"reason": "pilot", "loosens": True, "proposed_at": START, "proposed_by": ONE}
    insert(connection, POLICY_CHANGE, change="PR-1", **row, **told)


def _price(connection: Connection) -> None:
    row = {"item": KIT, "lot": "", "price": 1, "reason": "m", "proposed_at": START, "proposed_by": ONE}
    insert(connection, PRICE_CHANGE, change="PC-1", **row)


def _rule_in_force(connection: Connection, actor: str) -> None:
    if actor != ONE:
        _step("PR-1", "policy", "approve")(connection, actor)
    row = {"code": "approval.automatic", "scope": "", "effective_from": DAY, "value": "1", "source_doc": "m"}
    insert(connection, POLICY_RULE, change="PR-1", seq=0, **row)


CASES: Mapping[str, Case] = {
    "who opened an incident does not block the supplier": Case(_incident, _step("SC-1", "incident", "block")),
    "who gave a waiver does not approve the order under it": Case(_waiver, _ordered_and_then_waived),
    "who gave a waiver does not write the order behind its alert": Case(_waived_before_it_is_ordered, _order("PO-1")),
    "who proposed a rule does not agree to it": Case(_rule, _step("PR-1", "policy", "approve")),
    "a rule that loosens holds only when another agreed": Case(_rule, _rule_in_force),
    "who proposed a price change does not approve it": Case(_price, _step("PC-1", "price-change", "approve")),
}
