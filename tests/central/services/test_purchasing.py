"""An order from its approval to its payment, on a real store."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from central.core.policy import rules_on
from central.core.purchasing import InvoicedLine, InvoiceState, InvoiceStep, Mismatch, OrderState, OrderStep
from central.core.rights import Caller, Grant, Right, Role
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.approvals import AUTOMATIC, approve_as, approve_automatically
from central.services.desk import Desk
from central.services.imports import import_folder
from central.services.orders import approve
from central.services.positions import scene_at
from central.services.purchasing import Inspected
from central.services.replenish import replenish
from central.services.verify import verify
from central.store.audit import acts
from central.store.queries_book import loose_in
from central.store.queries_master import policy_rows
from central.store.queries_purchasing import history, invoices
from central.store.queries_work import Proposal, open_proposals, orders, proposals
from central.store.tables.work import POLICY_RULE, STOREROOM_MATCH
from protocols.values.ids import ActorId, OrderNo
from protocols.values.instant import business_day, plus
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import FILES, GAUZE, HOSPITAL, START, frozen_clock, hospital, use_file, write_files


def person(number: str, role: Role) -> Caller:
    return Caller(ActorId(number), number, (Grant(role),))


BUYER, HEAD = person("10023", Role.PURCHASER), person("10001", Role.HEAD_OF_CONSUMABLES)
STORE, CASHIER = person("20001", Role.STOREKEEPER), person("30001", Role.FINANCE)
PRICE = Money(8_500)
"""Of a swab, 0.85 yuan."""


@pytest.fixture
def at_desk(tmp_path: Path) -> Desk:
    """The central store needs gauze: 500 in stock, 300 used a day."""
    store = hospital(tmp_path, {})
    of_the_store = use_file({GAUZE: 300}).replace("ward-01,", "main-store,")
    folder = write_files(tmp_path / "more", {**FILES, "use.csv": of_the_store})
    import_folder(store, HOSPITAL, folder, frozen_clock())
    return desk(store, Watch(plus(START, 3600)))


@pytest.fixture
def order(at_desk: Desk) -> OrderNo:
    replenish(at_desk.store, HOSPITAL, plus(START, 60), policy="3x", run="replenish:1")
    with at_desk.store.read() as connection:
        (one,) = [found for found in proposals(connection, HOSPITAL, status="open") if found.place == "main-store"]
    assert (one.item, one.source, one.price) == (GAUZE, "S01", PRICE)
    return approve(at_desk.store, HOSPITAL, one.id, HEAD.person, plus(START, 120)).order_no


def ordered_qty(at_desk: Desk, order: OrderNo) -> int:
    with at_desk.store.read() as connection:
        return at_desk.purchasing.documents.order(connection, BUYER, Right.SEE_ORDERS, order).lines[0].qty


def sent(at_desk: Desk, order: OrderNo) -> None:
    at_desk.purchasing.step(BUYER, order, OrderStep.SEND, {"platform_order_no": "YP-1"})


def stock(at_desk: Desk) -> int:
    with at_desk.store.read() as connection:
        held = loose_in(connection, HOSPITAL, "main-store")
    return sum(qty for (item, _lot), qty in held.items() if item == GAUZE)


def test_an_order_goes_from_approval_to_payment(at_desk: Desk, order: OrderNo) -> None:
    qty, before = ordered_qty(at_desk, order), stock(at_desk)
    sent(at_desk, order)
    at_desk.purchasing.step(BUYER, order, OrderStep.CONFIRM, {"promised": "2026-03-05"})
    at_desk.purchasing.step(BUYER, order, OrderStep.ANNOUNCE, {"delivery_note": "DN-7"})
    lot = Inspected(1, "G2", date(2028, 6, 1), accepted=qty, refused=0)
    at_desk.purchasing.receive(STORE, order, "DN-7", [lot])
    assert stock(at_desk) == before + qty
    line = InvoicedLine(order, 1, qty, PRICE)
    entered = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", date(2026, 3, 6), [line])
    assert (entered.state, entered.differences) == (InvoiceState.MATCHED, ())
    assert at_desk.invoices.invoice_step(CASHIER, entered.document, InvoiceStep.PAY) is InvoiceState.PAID
    with at_desk.store.read() as connection:
        steps = [(one.step, one.state, one.actor) for one in history(connection, HOSPITAL, order)]
        (invoice,) = invoices(connection, HOSPITAL)
        noted = {(one.person, one.act) for one in acts(connection, HOSPITAL)}
    assert steps == [
        ("send", "sent", "10023"),
        ("confirm", "confirmed", "10023"),
        ("announce", "announced", "10023"),
    ]
    assert (invoice.due, invoice.amount) == (date(2026, 4, 1), qty * PRICE)
    assert {("10023", "order-send"), ("20001", "receive"), ("30001", "invoice-pay")} <= noted
    assert verify(at_desk.store).faults == []


def test_part_deliveries_add_up_and_more_than_is_owed_is_refused(at_desk: Desk, order: OrderNo) -> None:
    qty = ordered_qty(at_desk, order)
    sent(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=qty - 50, refused=0)])
    with pytest.raises(NotNow, match="expected at most 50 still owed, got 51; refuse the rest"):
        at_desk.purchasing.receive(STORE, order, "DN-2", [Inspected(1, "G2", None, accepted=51, refused=0)])
    at_desk.purchasing.receive(STORE, order, "DN-2", [Inspected(1, "G2", None, accepted=50, refused=1, why="over")])
    with pytest.raises(NotNow, match="at most 0 still owed"):
        at_desk.purchasing.receive(STORE, order, "DN-3", [Inspected(1, "G2", None, accepted=1, refused=0)])


def test_refused_goods_never_enter_the_book_and_are_not_invoiced(at_desk: Desk, order: OrderNo) -> None:
    before = stock(at_desk)
    sent(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=0, refused=50, why="wet")])
    assert stock(at_desk) == before
    entered = at_desk.invoices.enter_invoice(
        BUYER, "S01", "INV-1", date(2026, 3, 6), [InvoicedLine(order, 1, 50, PRICE)]
    )
    assert entered.state is InvoiceState.DISPUTED
    assert [(one.why, one.allowed, one.came) for one in entered.differences] == [(Mismatch.NOT_ACCEPTED, 0, 50)]
    with pytest.raises(NotNow):
        at_desk.invoices.invoice_step(CASHIER, entered.document, InvoiceStep.PAY)


def test_a_disputed_invoice_matches_once_the_goods_are_accepted(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    entered = at_desk.invoices.enter_invoice(
        BUYER, "S01", "INV-1", date(2026, 3, 6), [InvoicedLine(order, 1, 50, PRICE)]
    )
    with pytest.raises(NotNow, match="not-accepted: 50 > 0"):
        at_desk.invoices.invoice_step(BUYER, entered.document, InvoiceStep.MATCH)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    assert at_desk.invoices.invoice_step(BUYER, entered.document, InvoiceStep.MATCH) is InvoiceState.MATCHED


def test_an_invoice_is_entered_once_and_a_withdrawn_one_frees_its_quantity(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    line = [InvoicedLine(order, 1, 50, PRICE)]
    first = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", date(2026, 3, 6), line)
    with pytest.raises(NotNow, match="entered before"):
        at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", date(2026, 3, 6), line)
    second = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-2", date(2026, 3, 6), line)
    assert second.state is InvoiceState.DISPUTED
    at_desk.invoices.invoice_step(BUYER, first.document, InvoiceStep.WITHDRAW)
    assert at_desk.invoices.invoice_step(BUYER, second.document, InvoiceStep.MATCH) is InvoiceState.MATCHED


def test_who_approved_neither_accepts_nor_pays(at_desk: Desk, order: OrderNo) -> None:
    both = Caller(HEAD.person, "10001", (Grant(Role.STOREKEEPER), Grant(Role.FINANCE)))
    sent(at_desk, order)
    with pytest.raises(NotAllowed, match="did not approve"):
        at_desk.purchasing.receive(both, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    entered = at_desk.invoices.enter_invoice(
        CASHIER, "S01", "INV-1", date(2026, 3, 6), [InvoicedLine(order, 1, 50, PRICE)]
    )
    for payer in (both, CASHIER):
        with pytest.raises(NotAllowed, match="neither approved the order nor entered the invoice"):
            at_desk.invoices.invoice_step(payer, entered.document, InvoiceStep.PAY)


def test_the_database_itself_refuses_a_receipt_by_who_approved(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    with pytest.raises(IntegrityError, match="two people are needed"), at_desk.store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO receipt_line SELECT hospital, 'GR-X', line_no, order_no, order_line, delivery_note, item, "
            f"lot, expiry, delivered, accepted, refused, refused_why, at, '{HEAD.person}', event_id FROM receipt_line"
        )


def test_an_order_closed_is_no_longer_waited_for(at_desk: Desk, order: OrderNo) -> None:
    qty = ordered_qty(at_desk, order)
    sent(at_desk, order)

    def on_order() -> int:
        with at_desk.store.read() as connection:
            now = plus(START, 7200)
            rules = rules_on(business_day(now), policy_rows(connection, HOSPITAL))
            scene = scene_at(connection, HOSPITAL, now, rules)
        return scene.facts(scene.storerooms["main-store"].place, GAUZE, 0).position.on_order

    assert on_order() == qty
    at_desk.purchasing.step(BUYER, order, OrderStep.CLOSE, {"reason": "out of production"})
    assert on_order() == 0
    with pytest.raises(NotNow, match="cannot receive one that is closed"):
        at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])


@pytest.mark.parametrize(
    ("step", "lacks"),
    [(OrderStep.CONFIRM, "promised"), (OrderStep.ANNOUNCE, "delivery_note"), (OrderStep.CANCEL, "reason")],
)
def test_a_step_without_what_it_must_say_is_refused(at_desk: Desk, order: OrderNo, step: OrderStep, lacks: str) -> None:
    with pytest.raises(BadInput, match=f"{lacks}: expected"):
        at_desk.purchasing.step(BUYER, order, step, {})


def test_nobody_acts_without_the_right_or_on_what_is_not_there(at_desk: Desk, order: OrderNo) -> None:
    with pytest.raises(NotAllowed):
        at_desk.purchasing.step(STORE, order, OrderStep.SEND, {})
    with pytest.raises(NotAllowed):
        at_desk.purchasing.receive(BUYER, order, "DN-1", [Inspected(1, "", None, accepted=1, refused=0)])
    with pytest.raises(NotAllowed):
        at_desk.invoices.invoice_step(BUYER, "IV-0", InvoiceStep.PAY)
    with pytest.raises(NotThere):
        at_desk.purchasing.step(BUYER, "PO-1", OrderStep.SEND, {})
    with pytest.raises(NotThere):
        at_desk.invoices.invoice_step(CASHIER, "IV-0", InvoiceStep.PAY)
    with at_desk.store.read() as connection:
        assert history(connection, HOSPITAL, order) == []
        assert at_desk.purchasing.documents.order(connection, BUYER, Right.SEE_ORDERS, order).order_no == order
        assert OrderState.APPROVED is OrderState("approved")


def allow(at_desk: Desk, code: str, value: str) -> None:
    """Put a rule of the hospital's own in force from today."""
    with at_desk.store.write() as connection:
        rule = {"hospital": HOSPITAL, "code": code, "scope": "", "effective_from": date(2026, 3, 2), "value": value}
        connection.execute(POLICY_RULE.insert().values(**rule, source_doc="the hospital"))


def proposed(at_desk: Desk) -> Proposal:
    replenish(at_desk.store, HOSPITAL, plus(START, 60), policy="3x", run="replenish:1")
    with at_desk.store.read() as connection:
        (one,) = open_proposals(connection, HOSPITAL)
    return one


def test_an_amount_over_the_limit_is_approved_by_the_head_alone(at_desk: Desk) -> None:
    one = proposed(at_desk)
    allow(at_desk, "approval.head_yuan", str(one.qty * one.price / 10_000 - 1))
    with pytest.raises(NotAllowed, match="expected the head of consumables for this one"):
        approve_as(BUYER, at_desk.store, HOSPITAL, one.id, plus(START, 120), one.version)
    assert approve_as(HEAD, at_desk.store, HOSPITAL, one.id, plus(START, 120), one.version).fresh


def test_what_lies_within_every_limit_is_approved_by_itself_once_the_hospital_says_so(at_desk: Desk) -> None:
    first = proposed(at_desk)
    assert approve_automatically(at_desk.store, HOSPITAL, plus(START, 90)) == 0
    approve(at_desk.store, HOSPITAL, first.id, HEAD.person, plus(START, 120))
    allow(at_desk, "approval.automatic", "1")
    allow(at_desk, "approval.amount_yuan", "100000")
    at_desk.purchasing.step(BUYER, "PO-20260302-" + first.id[:8].upper(), OrderStep.CANCEL, {"reason": "again"})
    with at_desk.store.write() as connection:
        line = {"hospital": HOSPITAL, "place": "main-store", "at": START, "lines": 1, "lines_right": 1}
        connection.execute(STOREROOM_MATCH.insert().values(**line, book=500, differing=0))
    replenish(at_desk.store, HOSPITAL, plus(START, 180), policy="3x", run="replenish:2")
    assert approve_automatically(at_desk.store, HOSPITAL, plus(START, 200)) == 1
    with at_desk.store.read() as connection:
        newest = orders(connection, HOSPITAL)[0]
    assert newest.approved_by == AUTOMATIC


def test_an_order_older_than_a_list_shows_is_still_worked_and_paid_by_two(at_desk: Desk, order: OrderNo) -> None:
    with at_desk.store.write() as connection:
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) "
            "INSERT INTO purchase_order SELECT hospital, order_no || i, supplier, source, place, status, "
            "created_at + i, approved_by FROM purchase_order, n"
        )
    sent(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    line = InvoicedLine(order, 1, 50, PRICE)
    entered = at_desk.invoices.enter_invoice(CASHIER, "S01", "INV-1", date(2026, 3, 6), [line])
    assert (entered.state, entered.differences) == (InvoiceState.MATCHED, ())
    both = Caller(HEAD.person, "10001", (Grant(Role.FINANCE),))
    with pytest.raises(NotAllowed, match="neither approved the order"):
        at_desk.invoices.invoice_step(both, entered.document, InvoiceStep.PAY)
