"""Goods that go back and money that is claimed, on a real store: book, match, payment and the month's entries."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError

from central.core.journal import Role as Account
from central.core.month import month_named
from central.core.purchasing import InvoicedLine, InvoiceState, InvoiceStep
from central.core.returns import Back, Claimed, ReturnKind, ReturnState, ReturnStep, Why
from central.core.rights import Grant, Role
from central.errors import BadInput, ChangedSince, NotAllowed, NotNow, NotThere
from central.services.desk import Desk
from central.services.finance import accruals_of, journal_of, payables_on
from central.services.own_chain import Draft, append
from central.services.purchasing import Inspected
from central.services.returns import Credit, approver, steps_for
from central.services.verify import verify
from central.store.queries_purchasing import history
from central.store.queries_returns import Return, open_credits
from central.store.tables.purchasing import DOCUMENT_STEP
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import HOSPITAL_OWNED, OrderNo, PlaceId, virtual_place
from protocols.values.instant import plus
from protocols.values.money import Money
from tests.central.hospital import GAUZE, HOSPITAL, START
from tests.central.services.test_purchasing import (
    BUYER,
    CASHIER,
    HEAD,
    PRICE,
    STORE,
    at_desk,
    order,
    sent,
    stock,
)

__all__ = ["at_desk", "order"]
DAY = date(2026, 3, 2)
APPROVE, SHIP, CREDIT = ReturnStep.APPROVE, ReturnStep.SHIP, ReturnStep.CREDIT


def received(at_desk: Desk, order: OrderNo, qty: int = 50) -> str:
    sent(at_desk, order)
    return at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=qty, refused=0)])


def asked(at_desk: Desk, receipt: str, qty: int = 10, claim: int = 0, kind: ReturnKind = ReturnKind.RETURN) -> Return:
    wanted = Claimed(kind, Why.DAMAGED, (Back(receipt, 1, qty),), Money(claim), "wet when unpacked")
    return at_desk.returns.ask(STORE, wanted)


def shipped(at_desk: Desk, receipt: str, qty: int = 10, claim: int = 0) -> Return:
    one = asked(at_desk, receipt, qty, claim)
    at_desk.returns.step(BUYER, one.return_no, APPROVE)
    return at_desk.returns.step(STORE, one.return_no, SHIP)


def invoiced(at_desk: Desk, order: OrderNo, qty: int, number: str = "INV-1") -> tuple[str, InvoiceState]:
    done = at_desk.invoices.enter_invoice(BUYER, "S01", number, DAY, [InvoicedLine(order, 1, qty, PRICE)])
    return done.document, done.state


def test_h1_what_went_back_is_not_invoiced_and_its_credit_note_comes_off_the_payment(
    at_desk: Desk, order: OrderNo
) -> None:
    receipt, before = received(at_desk, order), stock(at_desk)
    document, state = invoiced(at_desk, order, 50)
    assert state is InvoiceState.MATCHED
    one = shipped(at_desk, receipt, claim=20_000)
    assert (stock(at_desk), one.goods, one.due) == (before - 10, 10 * PRICE, 10 * PRICE + 20_000)
    assert invoiced(at_desk, order, 1, "INV-2")[1] is InvoiceState.DISPUTED
    done = at_desk.returns.step(BUYER, one.return_no, CREDIT, credit=Credit("RED-1", DAY, Money(20_000)))
    assert done.state is ReturnState.CREDITED
    with at_desk.store.read() as connection:
        (payable,) = payables_on(connection, HOSPITAL, DAY)
    assert payable.total == 50 * PRICE - 10 * PRICE - 20_000
    at_desk.invoices.invoice_step(CASHIER, document, InvoiceStep.PAY)
    with at_desk.store.read() as connection:
        last = history(connection, HOSPITAL, document)[-1]
        assert open_credits(connection, HOSPITAL) == []
        assert payables_on(connection, HOSPITAL, DAY) == []
    assert last.detail["paid"] == 40 * PRICE - 20_000
    assert verify(at_desk.store).faults == []


def test_the_months_entries_balance_and_nothing_stays_accrued(at_desk: Desk, order: OrderNo) -> None:
    receipt = received(at_desk, order)
    document, _ = invoiced(at_desk, order, 50)
    one = shipped(at_desk, receipt, claim=20_000)
    at_desk.returns.step(BUYER, one.return_no, CREDIT, credit=Credit("RED-1", DAY, Money(20_000)))
    at_desk.invoices.invoice_step(CASHIER, document, InvoiceStep.PAY)
    now = plus(START, 7200)
    with at_desk.store.read() as connection:
        owed = accruals_of(connection, HOSPITAL, month_named("2026-03"), now)
        journal = journal_of(connection, HOSPITAL, month_named("2026-03"), now)
    mine = [one for (name, _), one in owed.items() if name.startswith(str(order))]
    assert [(one.returned.qty, one.invoiced.qty, one.closing.value) for one in mine] == [(10, 40, 0)]
    sums = {
        role: sum(leg.debit - leg.credit for entry in journal.entries for leg in entry.legs if leg.role is role)
        for role in (Account.PAYABLE, Account.BANK, Account.VARIANCE)
    }
    assert sums == {Account.PAYABLE: 0, Account.BANK: -(40 * PRICE - 20_000), Account.VARIANCE: -20_000}


def test_h1_goods_that_went_back_before_their_invoice_are_invoiced_with_or_without_a_credit_note(
    at_desk: Desk, order: OrderNo
) -> None:
    receipt = received(at_desk, order)
    one = shipped(at_desk, receipt)
    document, state = invoiced(at_desk, order, 50)
    assert state is InvoiceState.DISPUTED
    at_desk.returns.step(BUYER, one.return_no, CREDIT, credit=Credit("RED-1", DAY))
    assert at_desk.invoices.invoice_step(BUYER, document, InvoiceStep.MATCH) is InvoiceState.MATCHED


def test_a_return_closed_without_a_credit_note_was_never_to_be_paid(at_desk: Desk, order: OrderNo) -> None:
    receipt = received(at_desk, order)
    one = shipped(at_desk, receipt)
    with pytest.raises(BadInput, match="reason"):
        at_desk.returns.step(BUYER, one.return_no, ReturnStep.CLOSE)
    at_desk.returns.step(BUYER, one.return_no, ReturnStep.CLOSE, said="not invoiced yet")
    document, state = invoiced(at_desk, order, 41)
    assert state is InvoiceState.DISPUTED
    at_desk.invoices.invoice_step(BUYER, document, InvoiceStep.WITHDRAW)
    assert invoiced(at_desk, order, 40, "INV-2")[1] is InvoiceState.MATCHED


def test_a_claim_moves_no_goods(at_desk: Desk, order: OrderNo) -> None:
    receipt, before = received(at_desk, order), stock(at_desk)
    one = asked(at_desk, receipt, claim=30_000, kind=ReturnKind.CLAIM)
    at_desk.returns.step(HEAD, one.return_no, APPROVE)
    with pytest.raises(NotNow, match="cannot ship"):
        at_desk.returns.step(STORE, one.return_no, SHIP)
    with pytest.raises(BadInput, match="30000"):
        at_desk.returns.step(BUYER, one.return_no, CREDIT, credit=Credit("RED-1", DAY, Money(30_001)))
    done = at_desk.returns.step(BUYER, one.return_no, CREDIT, credit=Credit("RED-1", DAY, Money(25_000)))
    assert (stock(at_desk), done.credit and done.credit.amount) == (before, 25_000)


def test_never_more_goes_back_than_came_and_lies_there(at_desk: Desk, order: OrderNo) -> None:
    receipt = received(at_desk, order)
    shipped(at_desk, receipt, 30)
    with pytest.raises(NotNow, match="at most 20"):
        asked(at_desk, receipt, 21)
    refused = asked(at_desk, receipt, 19)
    at_desk.returns.step(BUYER, refused.return_no, ReturnStep.REFUSE, said="use them up")
    one = asked(at_desk, receipt, 20)
    with pytest.raises(NotNow, match="at most 0"):
        asked(at_desk, receipt, 1)
    with pytest.raises(NotThere):
        asked(at_desk, "GR-NONE", 1)
    assert one.state is ReturnState.ASKED


def test_two_receipts_of_one_lot_never_send_back_more_than_lies_there(at_desk: Desk, order: OrderNo) -> None:
    first = received(at_desk, order, 30)
    second = at_desk.purchasing.receive(STORE, order, "DN-2", [Inspected(1, "G2", None, accepted=30, refused=0)])
    place = PlaceId("main-store")
    used = PostingLine(GAUZE, 20, place, virtual_place("issued", place), "G2", HOSPITAL_OWNED)
    append(
        at_desk.store, HOSPITAL, [Draft("issue", write_body(MovementBody((used,))))], at_desk.purchasing.documents.clock
    )

    both = (Back(first, 1, 30), Back(second, 1, 30))
    one = at_desk.returns.ask(STORE, Claimed(ReturnKind.RETURN, Why.RECALLED, both, Money(0), "recalled"))
    at_desk.returns.step(BUYER, one.return_no, APPROVE)
    with pytest.raises(NotNow, match="20 are not there by the book"):
        at_desk.returns.step(STORE, one.return_no, SHIP)


def test_goods_of_another_storeroom_are_not_asked_back(at_desk: Desk, order: OrderNo) -> None:
    receipt = received(at_desk, order)
    elsewhere = replace(STORE, grants=(Grant(Role.STOREKEEPER, frozenset({PlaceId("ward-02")})),))
    wanted = Claimed(ReturnKind.RETURN, Why.DAMAGED, (Back(receipt, 1, 5),), Money(0), "wet when unpacked")
    with pytest.raises(NotThere, match="your storerooms"):
        at_desk.returns.ask(elsewhere, wanted)


def test_what_only_reads_takes_nothing_back(at_desk: Desk, order: OrderNo) -> None:
    one = asked(at_desk, received(at_desk, order))
    reads = replace(STORE, read_only=True)
    assert steps_for(one, reads, "") == []
    with pytest.raises(NotAllowed):
        at_desk.returns.step(reads, one.return_no, ReturnStep.WITHDRAW)
    assert at_desk.returns.step(STORE, one.return_no, ReturnStep.WITHDRAW).state is ReturnState.WITHDRAWN


def test_three_people_are_needed_and_the_database_says_so_too(at_desk: Desk, order: OrderNo) -> None:
    receipt = received(at_desk, order)
    one = at_desk.returns.ask(BUYER, Claimed(ReturnKind.RETURN, Why.WRONG, (Back(receipt, 1, 5),), Money(0), "wrong"))
    with pytest.raises(NotAllowed, match="did not ask"):
        at_desk.returns.step(BUYER, one.return_no, APPROVE)
    with pytest.raises(ChangedSince):
        at_desk.returns.step(HEAD, one.return_no, APPROVE, seen=0)
    with at_desk.store.read() as connection:
        steps = history(connection, HOSPITAL, one.return_no)
    assert steps_for(one, HEAD, approver(steps)) == [APPROVE, ReturnStep.REFUSE]
    row = {"hospital": HOSPITAL, "document": one.return_no, "seq": 1, "kind": "return", "step": "approve"}
    row |= {"state": "approved", "at": 0, "actor": BUYER.person, "detail": "{}"}
    with pytest.raises(IntegrityError, match="two people"), at_desk.store.write() as connection:
        connection.execute(DOCUMENT_STEP.insert().values(**row))


@pytest.mark.parametrize("dated", [date(1990, 3, 3), date(2026, 3, 1), date(2031, 1, 1)])
def test_a_credit_note_is_not_from_before_the_order_and_not_to_come(at_desk: Desk, order: OrderNo, dated: date) -> None:
    one = shipped(at_desk, received(at_desk, order))
    with pytest.raises(BadInput, match="dated: expected a day from 2026-03-02 to 2026-03-02"):
        at_desk.returns.step(BUYER, one.return_no, CREDIT, credit=Credit("RED-1", dated))


def test_a_credit_note_is_entered_once(at_desk: Desk, order: OrderNo) -> None:
    receipt = received(at_desk, order)
    first, second = shipped(at_desk, receipt, 5), shipped(at_desk, receipt, 6)
    at_desk.returns.step(BUYER, first.return_no, CREDIT, credit=Credit("RED-1", DAY))
    for again in ("RED-1", "red-1", "ＲＥＤ－１ ", "Red- 1"):
        with pytest.raises(NotNow, match="entered before"):
            at_desk.returns.step(BUYER, second.return_no, CREDIT, credit=Credit(again, DAY))
    with pytest.raises(BadInput, match="number and day"):
        at_desk.returns.step(BUYER, second.return_no, CREDIT)
