"""The way of a purchase from its request to its payment: every step has who, when and what was decided, none is left
out without the rule that let it be; and what agreements say of who buys together.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from central.core.orders import State
from central.core.purchasing import InvoicedLine, InvoiceStep, OrderStep
from central.core.rights import Role
from central.services.approvals import AUTOMATIC, approve_automatically
from central.services.desk import Desk
from central.services.documents import Documents
from central.services.imports import import_folder
from central.services.orders import approve
from central.services.policy import rules_at
from central.services.purchasing import Inspected
from central.services.rules import RuleBook, RuleStep, Version
from central.store.audit import Act, acts
from central.store.queries_agreements import agreements
from central.store.queries_work import orders, proposals
from central.store.tables.work import STOREROOM_MATCH
from protocols.values.money import yuan
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, frozen_clock, write_files
from tests.central.purchases import BUYER, HEAD, STORE, buying_hospital, person, propose

CASHIER = person("30001", Role.FINANCE)
FLOW = ("approve", "order-send", "order-confirm", "receive", "invoice-enter", "invoice-pay")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return buying_hospital(tmp_path)


def noted(desk: Desk) -> Sequence[Act]:
    with desk.store.read() as connection:
        return [one for one in acts(connection, HOSPITAL) if one.act in FLOW]


def test_a9_every_step_of_a_purchase_has_its_actor_its_time_and_what_was_decided(desk: Desk) -> None:
    number = approve(desk.store, HOSPITAL, propose(desk, KIT, "S02", yuan("268")), HEAD.person, START).order_no
    desk.purchasing.step(BUYER, number, OrderStep.SEND, {"platform_order_no": "YPO-1"})
    desk.purchasing.step(BUYER, number, OrderStep.CONFIRM, {"promised": "2026-03-05"})
    desk.purchasing.receive(STORE, number, "DN-1", [Inspected(1, "K7", date(2027, 6, 1), 5, 0)])
    line = InvoicedLine(number, 1, 5, yuan("268"))
    entered = desk.invoices.enter_invoice(BUYER, "S02", "INV-1", date(2026, 3, 2), [line])
    desk.invoices.invoice_step(CASHIER, entered.document, InvoiceStep.PAY)
    found = {one.act: one for one in noted(desk)}
    assert set(found) == set(FLOW)
    assert all(one.person and one.at and one.subject for one in found.values())
    assert {one.person for one in found.values()} == {HEAD.person, BUYER.person, STORE.person, CASHIER.person}


def test_a9_who_decides_is_left_out_only_by_the_rules_that_the_record_names(desk: Desk) -> None:
    """Gauze that was bought before at this price, and a kit that never was: only what lies within every limit goes."""
    first = propose(desk, GAUZE, "S01", yuan("0.85"), 100, id="cccc3333")
    approve(desk.store, HOSPITAL, first, HEAD.person, START)
    with desk.store.write() as connection:
        line = {"hospital": HOSPITAL, "place": "main-store", "at": START, "lines": 1, "lines_right": 1}
        connection.execute(STOREROOM_MATCH.insert().values(**line, book=500, differing=0, unobserved=0))
    usual, rare = propose(desk, GAUZE, "S01", yuan("0.85"), 100), propose(desk, KIT, "S02", yuan("268"), id="bbbb2222")
    assert approve_automatically(desk.store, HOSPITAL, START) == 0, "off until the hospital turns it on"
    rules = RuleBook(Documents(desk.store, HOSPITAL, frozen_clock()))
    asked = rules.set(BUYER, Version("approval.automatic", "", "1", None, None, "minutes 7", "pilot"))
    assert approve_automatically(desk.store, HOSPITAL, START) == 0, "one person alone does not turn it on"
    rules.decide(HEAD, asked.change, RuleStep.APPROVE)
    assert approve_automatically(desk.store, HOSPITAL, START) == 1
    with desk.store.read() as connection:
        states = {one.id: one.status for one in proposals(connection, HOSPITAL)}
        (made,) = [one for one in orders(connection, HOSPITAL) if one.approved_by == AUTOMATIC]
        said = [one for one in acts(connection, HOSPITAL) if one.act == "approve-by-rule"]
        version = rules_at(connection, HOSPITAL, START).version
    assert states == {first: State.ORDERED, usual: State.ORDERED, rare: State.OPEN}
    assert [line.item for line in made.lines] == [GAUZE]
    assert [(one.subject, one.person, one.detail["rules"]) for one in said] == [(usual, AUTOMATIC, version)]


def test_a12_an_agreement_names_the_body_that_buys_together_and_its_parties(desk: Desk, tmp_path: Path) -> None:
    head = "agreement,kind,name_zh,name_en,supplier,group_id,parties,first,last,freight\n"
    row = "FA-9,framework,联合体框架,Joint framework,S01,辽东采购联合体,五家医院,2026-01-01,2026-12-31,\n"
    files = {"agreements.csv": head + row}
    import_folder(desk.store, HOSPITAL, write_files(tmp_path / "joint", files), frozen_clock())
    with desk.store.read() as connection:
        (one,) = [one for one in agreements(connection, HOSPITAL) if one.agreement == "FA-9"]
    assert (one.group_id, one.parties) == ("辽东采购联合体", "五家医院")
