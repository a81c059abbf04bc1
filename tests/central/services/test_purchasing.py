"""An order from its approval to its payment, on a real store."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from central.core.policy import rules_on
from central.core.purchasing import InvoicedLine, InvoiceState, InvoiceStep, Mismatch, OrderState, OrderStep
from central.core.rights import Caller, Grant, Right, Role
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.approvals import AUTOMATIC, Another, approve_as, approve_automatically, change_qty
from central.services.desk import Desk
from central.services.imports import import_folder
from central.services.invoices import VERSIONS_MAX
from central.services.orders import approve
from central.services.positions import scene_at
from central.services.purchasing import Inspected
from central.services.replenish import replenish
from central.services.verify import verify
from central.store.audit import acts
from central.store.paging import PageAsked
from central.store.queries_book import loose_in
from central.store.queries_master import expiries, policy_rows
from central.store.queries_purchasing import history, invoices_page
from central.store.queries_work import Proposal, open_proposals, orders, proposals
from central.store.tables.work import POLICY_RULE, STOREROOM_MATCH
from protocols.values.ids import ActorId, OrderNo
from protocols.values.instant import business_day, plus
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import FILES, GAUZE, HOSPITAL, START, frozen_clock, hospital, use_file, write_files
from tests.central.purchases import propose


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
    entered = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", date(2026, 3, 2), [line])
    assert (entered.state, entered.differences) == (InvoiceState.MATCHED, ())
    assert at_desk.invoices.invoice_step(CASHIER, entered.document, InvoiceStep.PAY) is InvoiceState.PAID
    with at_desk.store.read() as connection:
        steps = [(one.step, one.state, one.actor) for one in history(connection, HOSPITAL, order)]
        (invoice,) = invoices_page(connection, HOSPITAL, PageAsked()).items
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


def test_a_lot_accepted_at_the_store_expires_on_the_day_entered(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    lot = Inspected(1, "G7", date(2028, 6, 1), accepted=50, refused=0)
    at_desk.purchasing.receive(STORE, order, "DN-1", [lot])
    with at_desk.store.read() as connection:
        assert expiries(connection, HOSPITAL, [GAUZE])[GAUZE, "G7"] == date(2028, 6, 1)
    later = Inspected(1, "G7", date(2029, 6, 1), accepted=50, refused=0)
    at_desk.purchasing.receive(STORE, order, "DN-2", [later])
    with at_desk.store.read() as connection:
        assert expiries(connection, HOSPITAL, [GAUZE])[GAUZE, "G7"] == date(2028, 6, 1), "what is known stands"


def test_a_lot_whose_last_day_is_over_is_refused_not_accepted(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    before, today = stock(at_desk), business_day(at_desk.now())
    gone = Inspected(1, "G8", today - timedelta(days=1), accepted=50, refused=0)
    with pytest.raises(BadInput, match=r"expiry: expected a day from .* on, lot 'G8' ended .*; refuse it"):
        at_desk.purchasing.receive(STORE, order, "DN-1", [gone])
    assert stock(at_desk) == before
    at_desk.purchasing.receive(STORE, order, "DN-1", [replace(gone, accepted=0, refused=50, why="over")])
    at_desk.purchasing.receive(STORE, order, "DN-2", [replace(gone, lot="G9", expiry=today)])
    assert stock(at_desk) == before + 50, "on its last day it may still be used"


def test_refused_goods_never_enter_the_book_and_are_not_invoiced(at_desk: Desk, order: OrderNo) -> None:
    before = stock(at_desk)
    sent(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=0, refused=50, why="wet")])
    assert stock(at_desk) == before
    entered = at_desk.invoices.enter_invoice(
        BUYER, "S01", "INV-1", date(2026, 3, 2), [InvoicedLine(order, 1, 50, PRICE)]
    )
    assert entered.state is InvoiceState.DISPUTED
    assert [(one.why, one.allowed, one.came) for one in entered.differences] == [(Mismatch.NOT_ACCEPTED, 0, 50)]
    with pytest.raises(NotNow):
        at_desk.invoices.invoice_step(CASHIER, entered.document, InvoiceStep.PAY)


def test_a_disputed_invoice_matches_once_the_goods_are_accepted(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    entered = at_desk.invoices.enter_invoice(
        BUYER, "S01", "INV-1", date(2026, 3, 2), [InvoicedLine(order, 1, 50, PRICE)]
    )
    with pytest.raises(NotNow, match="not-accepted: 50 > 0"):
        at_desk.invoices.invoice_step(BUYER, entered.document, InvoiceStep.MATCH)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    assert at_desk.invoices.invoice_step(BUYER, entered.document, InvoiceStep.MATCH) is InvoiceState.MATCHED


def test_an_invoice_is_entered_once_and_a_withdrawn_one_frees_its_quantity(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    line = [InvoicedLine(order, 1, 50, PRICE)]
    first = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", date(2026, 3, 2), line)
    with pytest.raises(NotNow, match="entered before"):
        at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", date(2026, 3, 2), line)
    second = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-2", date(2026, 3, 2), line)
    assert second.state is InvoiceState.DISPUTED
    at_desk.invoices.invoice_step(BUYER, first.document, InvoiceStep.WITHDRAW)
    assert at_desk.invoices.invoice_step(BUYER, second.document, InvoiceStep.MATCH) is InvoiceState.MATCHED


def test_disputed_invoices_take_nothing_from_each_other_and_nothing_owed_is_below_0(
    at_desk: Desk, order: OrderNo
) -> None:
    sent(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=80, refused=0)])
    line, day = [InvoicedLine(order, 1, 80, PRICE)], date(2026, 3, 2)
    first = at_desk.invoices.enter_invoice(BUYER, "S01", "FP-1", day, line)
    assert first.state is InvoiceState.MATCHED
    more = [at_desk.invoices.enter_invoice(BUYER, "S01", number, day, line) for number in ("FP-2", "FP-3")]
    for one in more:
        with at_desk.store.read() as connection:
            (shown,) = at_desk.invoices.compared(connection, at_desk.invoices.one(connection, one.document))
        assert [(each.why, each.allowed, each.came) for each in (*one.differences, *shown.differences)] == [
            (Mismatch.NOT_ACCEPTED, 0, 80)
        ] * 2
        assert shown.ordered is not None
        assert shown.ordered.invoiced == 80
    at_desk.invoices.invoice_step(BUYER, first.document, InvoiceStep.WITHDRAW)
    assert at_desk.invoices.invoice_step(BUYER, more[1].document, InvoiceStep.MATCH) is InvoiceState.MATCHED
    with pytest.raises(NotNow, match="not-accepted: 80 > 0"):
        at_desk.invoices.invoice_step(BUYER, more[0].document, InvoiceStep.MATCH)


def test_who_approved_neither_accepts_nor_pays(at_desk: Desk, order: OrderNo) -> None:
    both = Caller(HEAD.person, "10001", (Grant(Role.STOREKEEPER), Grant(Role.FINANCE)))
    sent(at_desk, order)
    with pytest.raises(NotAllowed, match="did not approve"):
        at_desk.purchasing.receive(both, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    entered = at_desk.invoices.enter_invoice(
        CASHIER, "S01", "INV-1", date(2026, 3, 2), [InvoicedLine(order, 1, 50, PRICE)]
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


def test_an_order_of_which_goods_came_is_closed_not_cancelled(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    none = Inspected(1, "G2", None, accepted=0, refused=50, why="wet")
    at_desk.purchasing.receive(STORE, order, "DN-1", [none])
    at_desk.purchasing.receive(STORE, order, "DN-2", [Inspected(1, "G2", None, accepted=50, refused=0)])
    with pytest.raises(NotNow, match=r"goods: expected nothing of order .* to have come yet; close it instead"):
        at_desk.purchasing.step(BUYER, order, OrderStep.CANCEL, {"reason": "late"})
    closed = at_desk.purchasing.step(BUYER, order, OrderStep.CLOSE, {"reason": "the rest is late"})
    assert closed is OrderState.CLOSED


def test_an_order_closed_is_no_longer_waited_for(at_desk: Desk, order: OrderNo) -> None:
    qty = ordered_qty(at_desk, order)
    sent(at_desk, order)

    def on_order() -> int:
        with at_desk.store.read() as connection:
            now = plus(START, 7200)
            rules = rules_on(business_day(now), policy_rows(connection, HOSPITAL))
            scene = scene_at(connection, HOSPITAL, now, rules)
        return scene.position("main-store", GAUZE).on_order

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


@pytest.mark.parametrize("said", ["next week", "2026-13-01", "9999-12-31", "1999-01-01", "2026-03-01", "2027-03-04"])
def test_a_supplier_promises_a_day_from_the_order_on_within_a_year(at_desk: Desk, order: OrderNo, said: str) -> None:
    sent(at_desk, order)
    with pytest.raises(BadInput, match=f"promised: expected a day from 2026-03-02 to 2027-03-03, .* got '{said}'"):
        at_desk.purchasing.step(BUYER, order, OrderStep.CONFIRM, {"promised": said})
    assert at_desk.purchasing.step(BUYER, order, OrderStep.CONFIRM, {"promised": "20270303"}) is OrderState.CONFIRMED
    with at_desk.store.read() as connection:
        assert history(connection, HOSPITAL, order)[-1].detail["promised"] == "2027-03-03"


@pytest.mark.parametrize("dated", [date(2031, 1, 1), date(2026, 3, 3), date(2026, 3, 1), date(1990, 3, 3), date.max])
def test_an_invoice_is_not_from_before_its_order_and_not_to_come(at_desk: Desk, order: OrderNo, dated: date) -> None:
    sent(at_desk, order)
    with pytest.raises(BadInput, match="dated: expected a day from 2026-03-02 to 2026-03-02"):
        at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", dated, [InvoicedLine(order, 1, 50, PRICE)])


@pytest.mark.parametrize("again", ["FP-1", "fp-1 ", " Fp-1", "ＦＰ－１", "F P- 1"])
def test_an_invoice_number_in_other_letters_is_the_same_number(at_desk: Desk, order: OrderNo, again: str) -> None:
    line, day = [InvoicedLine(order, 1, 50, PRICE)], date(2026, 3, 2)
    at_desk.invoices.enter_invoice(BUYER, "S01", "fp-1", day, line)
    with pytest.raises(NotNow, match="entered before"):
        at_desk.invoices.enter_invoice(BUYER, "S01", again, day, line)
    at_desk.invoices.enter_invoice(BUYER, "S02", again, day, line)
    with at_desk.store.read() as connection:
        assert {one.number for one in invoices_page(connection, HOSPITAL, PageAsked()).items} == {"fp-1", again}


def test_h3_a_corrected_invoice_is_entered_under_the_number_of_the_one_withdrawn(at_desk: Desk, order: OrderNo) -> None:
    day = date(2026, 3, 2)
    wrong = at_desk.invoices.enter_invoice(BUYER, "S01", "FP-1", day, [InvoicedLine(order, 1, 50, Money(PRICE + 1))])
    at_desk.invoices.invoice_step(BUYER, wrong.document, InvoiceStep.WITHDRAW, "wrong price")
    right = at_desk.invoices.enter_invoice(BUYER, "S01", "fp-1", day, [InvoicedLine(order, 1, 50, PRICE)])
    with pytest.raises(NotNow, match="entered before"):
        at_desk.invoices.enter_invoice(BUYER, "S01", "FP-1", day, [InvoicedLine(order, 1, 50, PRICE)])
    with at_desk.store.read() as connection:
        kept = {
            (one.document, one.number, one.version, one.amount)
            for one in invoices_page(connection, HOSPITAL, PageAsked()).items
        }
        assert history(connection, HOSPITAL, wrong.document)[-1].detail == {"reason": "wrong price"}
    both = {(wrong.document, "FP-1", 1, 50 * (PRICE + 1)), (right.document, "fp-1", 2, 50 * PRICE)}
    assert kept == both


def test_a_number_is_not_entered_without_end(at_desk: Desk, order: OrderNo) -> None:
    line, day = [InvoicedLine(order, 1, 50, PRICE)], date(2026, 3, 2)
    for _ in range(VERSIONS_MAX):
        made = at_desk.invoices.enter_invoice(BUYER, "S01", "FP-1", day, line)
        at_desk.invoices.invoice_step(BUYER, made.document, InvoiceStep.WITHDRAW, "again")
    with pytest.raises(NotNow, match=f"expected at most {VERSIONS_MAX} versions"):
        at_desk.invoices.enter_invoice(BUYER, "S01", "FP-1", day, line)


def test_a_proposal_worth_more_than_sums_can_hold_is_not_ordered(at_desk: Desk) -> None:
    dear, now = propose(at_desk, GAUZE, "S01", Money(10**10), 1_050), plus(START, 120)
    with pytest.raises(BadInput, match="value: expected"):
        approve(at_desk.store, HOSPITAL, dear, HEAD.person, now)
    with at_desk.store.read() as connection:
        (one,) = proposals(connection, HOSPITAL, id=dear)
    with pytest.raises(BadInput, match="value: expected"):
        change_qty(HEAD, at_desk.store, HOSPITAL, dear, Another(10**9, "other", "much"), now, one.version)


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
        connection.execute(STOREROOM_MATCH.insert().values(**line, book=500, differing=0, unobserved=0))
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
    entered = at_desk.invoices.enter_invoice(CASHIER, "S01", "INV-1", date(2026, 3, 2), [line])
    assert (entered.state, entered.differences) == (InvoiceState.MATCHED, ())
    both = Caller(HEAD.person, "10001", (Grant(Role.FINANCE),))
    with pytest.raises(NotAllowed, match="neither approved the order"):
        at_desk.invoices.invoice_step(both, entered.document, InvoiceStep.PAY)
