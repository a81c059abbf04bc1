"""A month of the stock book on a real store: closed, late entries, accruals, price changes, consignment, finance."""

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from central.core.consignment import NoteState, NoteStep
from central.core.journal import Account, Role
from central.core.month import Column, Key, Month, Sum, grouped
from central.core.purchasing import InvoicedLine, InvoiceState, InvoiceStep, Mismatch, OrderStep
from central.core.rights import Role as Holds
from central.errors import BadInput, NotAllowed, NotNow
from central.services.consignment import Consignment, running_now
from central.services.desk import Desk
from central.services.finance import Finance, accruals_of, journal_csv, journal_json, journal_of, payables_on
from central.services.month_close import MonthClose, close_due, close_now
from central.services.orders import approve
from central.services.price_changes import ChangeStep, PriceChanges
from central.services.purchasing import Inspected
from central.services.stock_book import Book, book_of, months_of
from central.store.paging import PageAsked
from central.store.queries_consignment import notes
from central.store.tables.charges import CHARGE
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import ActorId
from protocols.values.instant import Instant, from_iso, plus, seconds_between
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, hospital
from tests.central.purchases import BUYER, HEAD, STORE, person, propose

FINANCE, CASHIER = person("30001", Holds.FINANCE), person("30002", Holds.FINANCE)
MARCH, APRIL = Month(2026, 3), Month(2026, 4)
IN_APRIL = from_iso("2026-04-06T09:00:00+08:00")
SWAB, CATHETER = Money(8_500), Money(2_680_000)


class Story:
    """One hospital, and a desk for any moment of it."""

    def __init__(self, folder: Path) -> None:
        self.store = hospital(folder, {})
        self.ward = Ward(self.store)

    def at(self, now: Instant) -> Desk:
        return desk(self.store, Watch(now))

    def buys(self, item: str, supplier: str, price: Money, qty: int, now: Instant, lot: str) -> str:
        at = self.at(now)
        number = propose(at, item, supplier, price, qty, at=now, id=f"{qty:04}{lot}".ljust(16, "a"))
        order = approve(self.store, HOSPITAL, number, HEAD.person, now).order_no
        at.purchasing.step(BUYER, order, OrderStep.SEND, {})
        at.purchasing.receive(STORE, order, f"DN-{lot}", [Inspected(1, lot, date(2028, 1, 1), qty, 0)])
        return str(order)

    def uses(self, item: str, lot: str, qty: int, now: Instant, *, owner: str = "hospital") -> None:
        """Goods go to the ward and are used there."""
        to_ward = PostingLine(item, qty, "transit@ward-01", "ward-01", lot=lot, owner=owner)
        self.says("ward_receipt", (to_ward,), plus(now, -60))
        used: tuple[PostingLine, ...] = (PostingLine(item, qty, "ward-01", "patient@ward-01", lot=lot),)
        if owner != "hospital":
            sold = PostingLine(item, qty, "ward-01", "owner@ward-01", lot=lot, owner=owner)
            used = (sold, PostingLine(item, qty, "owner@ward-01", "patient@ward-01", lot=lot))
        self.says("use", used, now)

    def says(self, kind: str, lines: tuple[PostingLine, ...], now: Instant) -> str:
        return self.ward.say(kind, write_body(MovementBody(lines)), seconds_between(START, now), "N1001")

    def sends(self, item: str, lot: str, qty: int, now: Instant, *, owner: str = "hospital") -> None:
        self.says("transfer_out", (PostingLine(item, qty, "main-store", "transit@ward-01", lot=lot, owner=owner),), now)

    def book(self, month: Month, now: Instant) -> Book:
        with self.store.read() as connection:
            return book_of(connection, HOSPITAL, month, now)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def day(number: int, hour: int = 9, month: int = 3) -> Instant:
    return from_iso(f"2026-{month:02}-{number:02}T{hour:02}:00:00+08:00")


def test_a_month_rolls_forward_and_opens_to_lines_that_sum_back(story: Story) -> None:
    story.buys(GAUZE, "S01", SWAB, 1000, day(3), "G2")
    story.sends(GAUZE, "G2", 200, day(4))
    story.uses(GAUZE, "G2", 150, day(5))
    book = story.book(MARCH, day(9))
    store, ward = book.rows[Key("main-store", GAUZE)], book.rows[Key("ward-01", GAUZE)]
    assert store.came == {Column.OPENING: Sum(500, Money(500 * SWAB)), Column.PURCHASE: Sum(1000, Money(1000 * SWAB))}
    assert (store.went, store.closing) == (
        {Column.TRANSFER: Sum(200, Money(200 * SWAB))},
        Sum(1300, Money(1300 * SWAB)),
    )
    assert (ward.went[Column.USE], ward.closing.qty) == (Sum(150, Money(150 * SWAB)), 0)
    assert book.rows[Key("transit", GAUZE)].closing == Sum(50, Money(50 * SWAB))
    assert (
        grouped(book.rows, lambda key: key.item)[GAUZE].closing
        == Sum(1350, Money(1350 * SWAB))
        == Sum(1350, book.value)
    )


def test_a_month_is_closed_once_in_order_by_who_may_and_never_changes(story: Story) -> None:
    story.buys(GAUZE, "S01", SWAB, 1000, day(3), "G2")
    close = MonthClose(story.at(IN_APRIL).purchasing.documents)
    with pytest.raises(NotAllowed):
        close.close(BUYER, MARCH)
    with pytest.raises(NotNow, match="expected 2026-03, the first that is open, got 2026-04"):
        close.close(FINANCE, APRIL)
    with pytest.raises(NotNow, match="lasts until 2026-03-31"):
        MonthClose(story.at(day(31)).purchasing.documents).close(FINANCE, MARCH)
    before = story.book(MARCH, IN_APRIL)
    done = close.close(FINANCE, MARCH)
    after = story.book(MARCH, IN_APRIL)
    assert (done.closed.value, done.closed.lines, done.closed.late) == (before.value, len(before.parts), 0)
    assert (after.rows, [(one.event, one.value) for one in after.parts]) == (
        before.rows,
        [(one.event, one.value) for one in before.parts],
    )
    with pytest.raises(NotNow):
        close.close(FINANCE, MARCH)
    with pytest.raises(IntegrityError), story.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM stock_value")
    with story.store.read() as connection:
        assert [(str(month), closed is not None) for month, closed in months_of(connection, HOSPITAL, IN_APRIL)] == [
            ("2026-04", False),
            ("2026-03", True),
        ]


def test_a_late_entry_stands_in_the_open_month_and_says_where_it_comes_from(story: Story) -> None:
    story.buys(GAUZE, "S01", SWAB, 1000, day(3), "G2")
    close_now(story.store, HOSPITAL, MARCH, ActorId("30001"), IN_APRIL)
    closed = story.book(MARCH, IN_APRIL)
    late = PostingLine(GAUZE, 40, "main-store", "transit@ward-01", lot="G2")
    body = write_body(MovementBody((late,), occurred_at=day(20)))
    story.ward.say("transfer_out", body, seconds_between(START, plus(IN_APRIL, 60)), "N1001")
    assert story.book(MARCH, plus(IN_APRIL, 120)).rows == closed.rows
    april = story.book(APRIL, plus(IN_APRIL, 120))
    assert [(one.late_from, one.qty) for one in april.late] == [("2026-03", 40)]
    assert april.rows[Key("main-store", GAUZE)].opening == closed.rows[Key("main-store", GAUZE)].closing
    assert april.rows[Key("main-store", GAUZE)].closing.qty == 1460


def test_goods_are_accrued_until_their_invoice_matches_and_the_rest_is_a_variance(story: Story) -> None:
    order = story.buys(GAUZE, "S01", SWAB, 1000, day(3), "G2")
    close_now(story.store, HOSPITAL, MARCH, ActorId("30001"), IN_APRIL)
    with story.store.read() as connection:
        (accrued,) = accruals_of(connection, HOSPITAL, MARCH, IN_APRIL).items()
    assert (accrued[0], accrued[1].closing) == ((f"{order}/1", "S01"), Sum(1000, Money(1000 * SWAB)))
    asked = InvoicedLine(order, 1, 600, Money(8_000))
    entered = story.at(IN_APRIL).invoices.enter_invoice(FINANCE, "S01", "INV-1", date(2026, 4, 5), [asked])
    assert entered.state is InvoiceState.MATCHED
    now = plus(IN_APRIL, 60)
    with story.store.read() as connection:
        (left,) = accruals_of(connection, HOSPITAL, APRIL, now).values()
        journal = journal_of(connection, HOSPITAL, APRIL, now)
        (owed,) = payables_on(connection, HOSPITAL, date(2026, 4, 3))
    assert (left.opening.qty, left.invoiced, left.closing.qty) == (1000, Sum(600, Money(600 * SWAB)), 400)
    told = {one.role: (one.debit, one.credit) for one in journal.entries[-1].legs}
    assert told == {Role.ACCRUED: (5_100_000, 0), Role.VARIANCE: (0, 300_000), Role.PAYABLE: (0, 4_800_000)}
    assert (owed.total, owed.by_age) == (4_800_000, (0, 4_800_000, 0, 0, 0))
    story.at(now).invoices.invoice_step(FINANCE, entered.document, InvoiceStep.WITHDRAW)
    with story.store.read() as connection:
        (back,) = accruals_of(connection, HOSPITAL, APRIL, plus(now, 60)).values()
        assert payables_on(connection, HOSPITAL, date(2026, 5, 3)) == []
    assert back.closing.qty == 1000


def test_a_price_change_needs_two_people_and_moves_the_value_of_what_lies_there(story: Story) -> None:
    story.buys(GAUZE, "S01", SWAB, 1000, day(3), "G2")
    proposed = PriceChanges(story.at(day(10)).purchasing.documents).propose(FINANCE, GAUZE, "G2", Money(8_000), "cut")
    later = PriceChanges(story.at(day(11)).purchasing.documents)
    assert story.book(MARCH, day(12)).value == 1500 * SWAB
    with pytest.raises(NotAllowed):
        later.decide(FINANCE, proposed, ChangeStep.APPROVE)
    later.decide(HEAD, proposed, ChangeStep.APPROVE)
    with pytest.raises(NotNow, match="cannot refuse one that is approved"):
        later.decide(HEAD, proposed, ChangeStep.REFUSE)
    row = story.book(MARCH, day(12)).rows[Key("main-store", GAUZE)]
    assert row.came[Column.PRICE] == Sum(0, Money(-500_000))
    assert [(one.state, one.decided_by) for one in later.page(HEAD, PageAsked()).items] == [("approved", "10001")]


def test_h2_goods_on_consignment_are_settled_by_use_invoiced_by_settlement_and_laid_in_again(story: Story) -> None:
    consignment = Consignment(story.at(day(3)).purchasing.documents)
    consignment.set_term(BUYER, KIT, "S02", date(2026, 3, 1), None, CATHETER, 20)
    order = story.buys(KIT, "S02", CATHETER, 20, day(3), "K1")
    assert story.book(MARCH, day(4)).rows[Key("main-store", KIT, consigned=True)].closing == Sum(20, Money(0))
    story.sends(KIT, "K1", 5, day(4), owner="S02")
    story.uses(KIT, "K1", 3, day(5), owner="S02")
    with story.store.write() as connection:
        row = {"hospital": HOSPITAL, "charge": "C1", "at": day(5), "place": "ward-01", "item": KIT, "lot": "K1"}
        connection.execute(CHARGE.insert().values(**row, qty=2, source="csv", person="his", received_at=day(5)))
    by_receipt = story.at(day(6)).invoices.enter_invoice(
        FINANCE, "S02", "INV-1", date(2026, 3, 6), [InvoicedLine(order, 1, 20, CATHETER)]
    )
    assert [one.why for one in by_receipt.differences] == [Mismatch.NOT_ACCEPTED]
    with story.store.read() as connection:
        (so_far,) = running_now(connection, HOSPITAL, day(9))
    close_now(story.store, HOSPITAL, MARCH, ActorId("automatic"), IN_APRIL)
    with story.store.read() as connection:
        (note,) = notes(connection, HOSPITAL)
        assert running_now(connection, HOSPITAL, IN_APRIL) == [], "what is settled is not told again"
        accrued = accruals_of(connection, HOSPITAL, MARCH, IN_APRIL)
    assert (so_far.month, so_far.supplier, so_far.lines) == (note.month, note.supplier, note.lines)
    (line,) = note.lines
    assert (line.used, line.charged, line.difference, note.amount) == (3, 2, 1, 3 * CATHETER)
    assert accrued["consigned", "S02"].closing == Sum(3, note.amount)
    desk_ = story.at(IN_APRIL)
    asked = [InvoicedLine(note.note, 1, 3, CATHETER)]
    early = desk_.invoices.enter_invoice(FINANCE, "S02", "INV-2", date(2026, 4, 6), asked)
    assert early.state is InvoiceState.DISPUTED
    assert Consignment(desk_.purchasing.documents).step(BUYER, note.note, NoteStep.AGREE) is NoteState.AGREED
    assert desk_.invoices.invoice_step(FINANCE, early.document, InvoiceStep.MATCH) is InvoiceState.MATCHED
    with story.store.read() as connection:
        assert accruals_of(connection, HOSPITAL, APRIL, plus(IN_APRIL, 60))["consigned", "S02"].closing == Sum()
    with pytest.raises(NotAllowed):
        desk_.invoices.invoice_step(FINANCE, early.document, InvoiceStep.PAY)
    assert desk_.invoices.invoice_step(CASHIER, early.document, InvoiceStep.PAY) is InvoiceState.PAID
    story.uses(KIT, "K1", 1, plus(IN_APRIL, 120), owner="S02")
    with story.store.read() as connection:
        (next_one,) = running_now(connection, HOSPITAL, plus(IN_APRIL, 240))
    assert (next_one.month, next_one.supplier, next_one.amount) == (APRIL, "S02", CATHETER)


def test_a_settlement_worth_more_than_sums_can_hold_stops_the_close_and_says_what_to_put_right(story: Story) -> None:
    consignment = Consignment(story.at(day(3)).purchasing.documents)
    with pytest.raises(BadInput, match="value: expected"):
        consignment.set_term(BUYER, KIT, "S02", date(2026, 3, 1), None, Money(10**10), 10**9)
    consignment.set_term(BUYER, KIT, "S02", date(2026, 3, 1), None, Money(10**10), 1)
    story.sends(KIT, "K1", 1_001, day(4), owner="S02")
    story.uses(KIT, "K1", 1_001, day(5), owner="S02")
    with pytest.raises(
        NotNow, match=r"settlement of S02: expected a line of at most .*; put the use or the price right"
    ):
        close_now(story.store, HOSPITAL, MARCH, CASHIER.person, IN_APRIL)
    with story.store.read() as connection:
        assert not any(closed for _, closed in months_of(connection, HOSPITAL, IN_APRIL))


def test_what_finance_takes_over_balances_and_carries_the_hospitals_own_codes(story: Story) -> None:
    story.buys(GAUZE, "S01", Money(8_501), 333, day(3), "G2")
    story.sends(GAUZE, "G2", 33, day(4))
    story.uses(GAUZE, "G2", 33, day(5))
    finance = Finance(story.at(day(6)).purchasing.documents)
    finance.set_accounts(FINANCE, {"stock": Account("1302.07", "库存物品—耗材")})
    with pytest.raises(BadInput, match="expected roles of"):
        finance.set_accounts(FINANCE, {"cellar": Account("1", "x")})
    with story.store.read() as connection:
        journal = journal_of(connection, HOSPITAL, MARCH, day(9))
    told = json.loads(journal_json(journal))
    assert sum(one.debit for one in journal.lines) == sum(one.credit for one in journal.lines)
    rows = {(one["role"], one["place"]): (one["debit"], one["credit"], one["account"]) for one in told["lines"]}
    assert rows["stock", "ward-01"] == ("0.00", "28.05", "1302.07")
    assert rows["accrued", "main-store"] == ("0.00", "283.08", "2302.02")
    assert ("consumed", "ward-01") in rows
    assert "1302.07" in journal_csv(journal)
    assert told["closed"] is False


def test_a_month_closes_by_itself_on_its_day_once_and_a_missed_one_is_caught_up(story: Story) -> None:
    story.buys(GAUZE, "S01", SWAB, 1000, day(3), "G2")
    assert close_due(story.store, HOSPITAL, day(31)) == "2026-03 is open"
    assert close_due(story.store, HOSPITAL, day(4, month=4)) == "2026-03 is open"
    assert close_due(story.store, HOSPITAL, day(6, month=5)).startswith("2026-03 closed with 2 lines, 2026-04 closed")
    assert close_due(story.store, HOSPITAL, day(6, month=5)) == "2026-05 is open"
