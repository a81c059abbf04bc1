"""An order amended on a real store: versions kept, the newest in force everywhere, the database behind it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from central.core.amendments import Change
from central.core.purchasing import InvoicedLine, InvoiceState, InvoiceStep, Mismatch, OrderState, OrderStep
from central.core.rights import EVERYWHERE, Right
from central.errors import BadInput, ChangedSince, NotAllowed, NotNow
from central.services.amendments import versions_of
from central.services.batches import waiting
from central.services.cycle import cycle_of
from central.services.deliveries import delivered_lines
from central.services.desk import Desk
from central.services.imports import import_folder
from central.services.papers import PAPERS, Asked
from central.services.purchasing import Inspected
from central.services.verify import verify
from central.store.queries_purchasing import history
from central.store.tables.work import ORDER_LINE
from protocols.values.ids import OrderNo
from protocols.values.instant import Instant, plus
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import FILES, HOSPITAL, START, frozen_clock, write_files
from tests.central.services.test_purchasing import (
    BUYER,
    CASHIER,
    HEAD,
    PRICE,
    STORE,
    at_desk,
    order,
    ordered_qty,
    sent,
)

__all__ = ["at_desk", "order"]
OTHER_BUYER = replace(BUYER, person=type(BUYER.person)("10024"))
WANTED, ORDERED = date(2026, 3, 12), date(2026, 3, 2)


def confirmed(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    at_desk.purchasing.step(BUYER, order, OrderStep.CONFIRM, {"promised": "2026-03-05"})


def test_an_amendment_is_a_version_that_is_sent_confirmed_received_and_matched(at_desk: Desk, order: OrderNo) -> None:
    before = ordered_qty(at_desk, order)
    confirmed(at_desk, order)
    dearer = Money(PRICE + 100)
    made = at_desk.amendments.amend(OTHER_BUYER, order, [Change(1, 700, dearer)], WANTED, "the maker raised it")
    assert (made.version, made.lines[0].qty, made.lines[0].price, made.wanted) == (2, 700, dearer, WANTED)
    assert ordered_qty(at_desk, order) == 700
    with pytest.raises(NotNow, match="cannot confirm one that is approved"):
        at_desk.purchasing.step(BUYER, order, OrderStep.CONFIRM, {"promised": "2026-03-05"})
    sent(at_desk, order)
    with pytest.raises(NotNow, match="version 2, which is in force, got 1"):
        at_desk.purchasing.step(BUYER, order, OrderStep.CONFIRM, {"promised": "2026-03-12", "version": 1})
    at_desk.purchasing.step(BUYER, order, OrderStep.CONFIRM, {"promised": "2026-03-12", "version": 2})
    with at_desk.store.read() as connection:
        found = at_desk.purchasing.documents.order(connection, BUYER, Right.SEE_ORDERS, order)
        kept = versions_of(connection, HOSPITAL, found)
        said = [(one.step, one.detail.get("version")) for one in history(connection, HOSPITAL, order)]
        (line,) = [one for one in delivered_lines(connection, HOSPITAL, plus(START, 7200)) if one.order_no == order]
    assert [(one.version, one.lines[0].qty, one.lines[0].price, one.made_by) for one in kept] == [
        (1, before, PRICE, "10001"),
        (2, 700, dearer, "10024"),
    ]
    assert said == [("send", None), ("confirm", None), ("amend", 2), ("send", 2), ("confirm", 2)]
    assert (line.qty, line.promised) == (700, WANTED)
    at_desk.purchasing.receive(STORE, order, "DN-7", [Inspected(1, "G2", date(2028, 6, 1), accepted=700, refused=0)])
    entered = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", ORDERED, [InvoicedLine(order, 1, 700, dearer)])
    assert (entered.state, entered.differences) == (InvoiceState.MATCHED, ())
    assert verify(at_desk.store).faults == []


def test_h1_an_invoice_is_matched_with_the_price_in_force(at_desk: Desk, order: OrderNo) -> None:
    at_desk.amendments.amend(BUYER, order, [Change(1, None, Money(8_000))], None, "bargained")
    sent(at_desk, order)
    qty = ordered_qty(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=qty, refused=0)])
    done = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", ORDERED, [InvoicedLine(order, 1, qty, PRICE)])
    assert [(one.why, one.allowed, one.came) for one in done.differences] == [(Mismatch.OVER_PRICE, 8_000, PRICE)]


def test_once_something_came_an_order_is_amended_no_more(at_desk: Desk, order: OrderNo) -> None:
    sent(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=50, refused=0)])
    with pytest.raises(NotNow, match="nothing has come"):
        at_desk.amendments.amend(BUYER, order, [Change(1, 700)], None, "more")


def test_an_order_too_old_to_be_waited_for_is_amended_no_more(at_desk: Desk, order: OrderNo) -> None:
    confirmed(at_desk, order)
    years_later = plus(START, 500 * 86_400)
    later = desk(at_desk.store, Watch(years_later), clock=frozen_clock(years_later))
    qty = ordered_qty(at_desk, order)
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=qty, refused=0)])
    with pytest.raises(NotNow, match="nothing has come"):
        later.amendments.amend(BUYER, order, [Change(1, 700)], None, "more")


def test_limits_and_checks_hold_for_a_version_as_for_an_order(at_desk: Desk, order: OrderNo) -> None:
    with pytest.raises(NotAllowed, match="expected the head"):
        at_desk.amendments.amend(BUYER, order, [Change(1, 100_000)], None, "a year's")
    assert at_desk.amendments.amend(HEAD, order, [Change(1, 100_000)], None, "a year's").version == 2
    with pytest.raises(BadInput, match="got the same"):
        at_desk.amendments.amend(HEAD, order, [Change(1, 100_000)], None, "again")
    with pytest.raises(BadInput, match="reason"):
        at_desk.amendments.amend(BUYER, order, [Change(1, 700)], None, " ")
    with pytest.raises(ChangedSince):
        at_desk.amendments.amend(BUYER, order, [Change(1, 700)], None, "fewer", seen=0)
    with pytest.raises(NotAllowed):
        at_desk.amendments.amend(STORE, order, [Change(1, 700)], None, "fewer")


@pytest.mark.parametrize("qty", [701, 725, 50, 0])
def test_a_version_is_whole_packs_and_the_least_order(at_desk: Desk, order: OrderNo, qty: int) -> None:
    with pytest.raises(BadInput, match="quantity"):
        at_desk.amendments.amend(BUYER, order, [Change(1, qty)], None, "another")


@pytest.mark.parametrize("wanted", [date(2026, 3, 1), date(1999, 1, 1), date(2031, 1, 1)])
def test_a_version_is_wanted_for_a_day_that_can_be_meant(at_desk: Desk, order: OrderNo, wanted: date) -> None:
    with pytest.raises(BadInput, match="wanted: expected a day from 2026-03-02 to 2027-03-03"):
        at_desk.amendments.amend(BUYER, order, [], wanted, "another day")


def test_an_order_that_was_brought_along_has_limits_and_packs_too(at_desk: Desk, tmp_path: Path) -> None:
    head = "order_no,line_no,supplier,place,item,qty,price_yuan,ordered,promised,platform_order_no\n"
    lines = "OLD-7,1,S01,main-store,HC-GAUZE,500,0.85,2026-02-20,2026-03-05,\n"
    folder = write_files(tmp_path / "old", {**FILES, "open_orders.csv": head + lines})
    import_folder(at_desk.store, HOSPITAL, folder, frozen_clock())
    with pytest.raises(NotAllowed, match=r"head: expected the head of consumables for OLD-7 \(.*head-amount"):
        at_desk.amendments.amend(BUYER, "OLD-7", [Change(1, 100_000)], None, "a year's")
    with pytest.raises(BadInput, match="whole packs of 50, 100 or more, got 510"):
        at_desk.amendments.amend(BUYER, "OLD-7", [Change(1, 510)], None, "ten more")
    assert at_desk.amendments.amend(BUYER, "OLD-7", [Change(1, 550)], None, "a pack more").version == 2


def test_a_version_says_what_is_unusual_of_it(at_desk: Desk, order: OrderNo) -> None:
    at_desk.amendments.amend(BUYER, order, [Change(1, None, Money(10 * PRICE))], None, "the maker raised it")
    at_desk.amendments.amend(BUYER, order, [], WANTED, "later")
    with at_desk.store.read() as connection:
        first, second = history(connection, HOSPITAL, order)
    assert (first.detail["checks"], second.detail.get("checks")) == (["price"], None)


def test_who_amended_neither_accepts_nor_pays(at_desk: Desk, order: OrderNo) -> None:
    both = replace(STORE, person=OTHER_BUYER.person)
    payer = replace(CASHIER, person=OTHER_BUYER.person)
    at_desk.amendments.amend(OTHER_BUYER, order, [Change(1, 700)], None, "fewer")
    sent(at_desk, order)
    goods = [Inspected(1, "G2", None, accepted=700, refused=0)]
    with pytest.raises(NotAllowed, match="a version of it"):
        at_desk.purchasing.receive(both, order, "DN-1", goods)
    at_desk.purchasing.receive(STORE, order, "DN-1", goods)
    done = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", ORDERED, [InvoicedLine(order, 1, 700, PRICE)])
    with pytest.raises(NotAllowed, match="neither approved"):
        at_desk.invoices.invoice_step(payer, done.document, InvoiceStep.PAY)


def test_the_database_changes_a_line_only_to_what_its_newest_version_says(at_desk: Desk, order: OrderNo) -> None:
    for values in ({"qty": 1}, {"item": "HC-KIT"}):
        with pytest.raises(IntegrityError), at_desk.store.write() as connection:
            connection.execute(ORDER_LINE.update().where(ORDER_LINE.c.order_no == order).values(**values))
    at_desk.amendments.amend(BUYER, order, [Change(1, 700)], None, "fewer")
    with pytest.raises(IntegrityError), at_desk.store.write() as connection:
        connection.execute(ORDER_LINE.update().where(ORDER_LINE.c.order_no == order).values(qty=701))
    assert verify(at_desk.store).faults == []


def test_the_form_says_which_version_it_prints(at_desk: Desk, order: OrderNo) -> None:
    asked = Asked(at_desk, BUYER, order, zh=False, hospital="H")
    assert ("Version", "1") in PAPERS["order"](asked).facts
    at_desk.amendments.amend(BUYER, order, [Change(1, 700)], WANTED, "fewer")
    facts = PAPERS["order"](asked).facts
    assert {("Version", "2"), ("Changed because", "fewer"), ("Wanted for", "2026-03-12")} <= set(facts)


def test_an_amended_order_waits_to_be_sent_from_the_day_it_was_amended(at_desk: Desk, order: OrderNo) -> None:
    confirmed(at_desk, order)
    next_day, week_later = plus(START, 86_400), plus(START, 7 * 86_400)
    later = desk(at_desk.store, Watch(next_day), clock=frozen_clock(next_day))
    assert shown_unsent(at_desk, week_later) == ([], [])
    later.amendments.amend(BUYER, order, [], WANTED, "later")
    later.amendments.amend(BUYER, order, [Change(1, 700)], None, "fewer")
    with at_desk.store.read() as connection:
        assert history(connection, HOSPITAL, order)[-1].state == OrderState.APPROVED
    assert shown_unsent(at_desk, week_later) == ([(order, 4)], [order])  # from Tuesday to the next Monday
    sent(later, order)
    assert shown_unsent(at_desk, week_later) == ([], [])


def test_an_order_amended_before_it_went_waits_from_the_day_it_was_asked_for(at_desk: Desk, order: OrderNo) -> None:
    next_day, week_later = plus(START, 86_400), plus(START, 7 * 86_400)
    later = desk(at_desk.store, Watch(next_day), clock=frozen_clock(next_day))
    later.amendments.amend(BUYER, order, [Change(1, 700)], None, "fewer")
    assert shown_unsent(at_desk, week_later) == ([(order, 5)], [order])


def shown_unsent(at_desk: Desk, now: Instant) -> tuple[list[tuple[str, int | None]], list[str]]:
    """Return the orders that the cycle says were not sent, with the days each waits, and those offered to be sent."""
    with at_desk.store.read() as connection:
        timed = cycle_of(connection, HOSPITAL, now).unsent
        batches = waiting(connection, HOSPITAL, EVERYWHERE, now)
    return [(one.order_no, one.waits) for one in timed], [one.order_no for each in batches for one in each.orders]
