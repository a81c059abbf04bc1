"""What stands on forms: the order, its receipt, what was refused, the count sheet; prices for who may see them."""

from datetime import date
from pathlib import Path

import pytest

from central.core.purchasing import OrderStep
from central.core.rights import Caller, Grant, Role
from central.errors import BadInput, NotAllowed, NotThere
from central.links.paper import Form, Size, pdf_of
from central.services.desk import Desk
from central.services.orders import approve
from central.services.papers import PAPERS, Asked, paper_named
from central.services.purchasing import Inspected
from protocols.values.ids import ActorId, OrderNo, PlaceId
from protocols.values.money import yuan
from tests.central.hospital import HOSPITAL, KIT, START
from tests.central.purchases import BUYER, HEAD, STORE, buying_hospital, propose

KEEPER = Caller(ActorId("30001"), "K", (Grant(Role.WARD_KEEPER, frozenset({PlaceId("ward-01")})),))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return buying_hospital(Path(tmp_path_factory.mktemp("papers")))


@pytest.fixture(scope="module")
def order(desk: Desk) -> OrderNo:
    """An order of ten kits, eight of which came whole and two wet."""
    number = approve(desk.store, HOSPITAL, propose(desk, KIT, "S02", yuan("268"), 10), HEAD.person, START).order_no
    desk.purchasing.step(BUYER, number, OrderStep.SEND, {"platform_order_no": "YPO-9"})
    desk.purchasing.receive(STORE, number, "DN-7", [Inspected(1, "K7", date(2027, 6, 1), 8, 2, "受潮")])
    return number


def form(desk: Desk, name: str, document: str, caller: Caller = BUYER, *, zh: bool = True) -> Form:
    return paper_named(name)(Asked(desk, caller, document, zh, "示例市第一医院"))


def test_a_purchase_order_says_who_what_and_how_much(desk: Desk, order: OrderNo) -> None:
    made = form(desk, "order", order)
    assert (made.title, made.number, made.hospital) == ("采购订单", order, "示例市第一医院")
    assert ("供应商", "示例·澄江医疗") in made.facts
    assert ("平台订单号", "YPO-9") in made.facts
    (row,) = made.rows
    assert tuple(row[1:]) == (KIT, "一次性使用中心静脉导管包", "7Fr×20cm", "包", "10", "268.00", "2,680.00")
    assert made.sums == (("合计(元)", "2,680.00"),)
    assert pdf_of(made, Size.A4) == pdf_of(form(desk, "order", order), Size.A4)


def test_prices_stand_on_it_for_who_may_see_them(desk: Desk, order: OrderNo) -> None:
    made = form(desk, "order", order, STORE, zh=False)
    assert made.title == "Purchase order"
    assert [column.head for column in made.columns][-1] == "Quantity"
    assert not made.sums


def test_a_receipt_says_how_it_was_inspected_and_a_return_what_goes_back(desk: Desk, order: OrderNo) -> None:
    made = form(desk, "receipt", order)
    assert tuple(made.rows[0][5:]) == ("K7", "2027-06-01", "10", "8", "2")
    assert made.note == "拒收原因: 受潮"
    back = form(desk, "return", order)
    assert (back.title, tuple(back.rows[0][5:])) == ("退货单", ("K7", "2", "受潮"))


def test_a_count_sheet_is_blind(desk: Desk) -> None:
    made = form(desk, "count", "main-store", STORE)
    (row,) = [row for row in made.rows if row[1] == "HC-GAUZE"]
    assert "500" not in row
    assert row[-2:] == ("", "")


def test_who_may_not_see_a_document_gets_no_form_of_it(desk: Desk, order: OrderNo) -> None:
    with pytest.raises(NotThere):
        form(desk, "order", order, KEEPER)
    with pytest.raises(NotAllowed):
        form(desk, "count", "main-store", KEEPER)
    with pytest.raises(NotAllowed):
        form(desk, "settlement", "CN-1", STORE)


def test_a_document_or_form_that_is_not_there_is_named(desk: Desk) -> None:
    with pytest.raises(BadInput, match="form: expected one of order, batch, receipt"):
        paper_named("poem")
    with pytest.raises(NotThere):
        form(desk, "settlement", "CN-1")
    assert set(PAPERS) == {"order", "batch", "receipt", "return", "goods-return", "settlement", "count"}
