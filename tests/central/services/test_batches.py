"""Orders of one supplier and day are sent together: grouped, whole or not at all, and what that saved is told (A6)."""

from fractions import Fraction
from pathlib import Path

import pytest

from central.core.amendments import Change
from central.core.purchasing import OrderStep
from central.core.rights import EVERYWHERE
from central.errors import BadInput, NotAllowed, NotNow
from central.services.batches import Batches, freight_saved, sent_together, waiting
from central.services.desk import Desk
from central.services.orders import approve
from central.services.records import Records
from central.store.queries_purchasing import history
from protocols.values.instant import plus
from protocols.values.money import yuan
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START
from tests.central.purchases import BUYER, HEAD, STORE, buying_hospital, propose


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Two orders to S02 and one to S01; S02's agreement takes 30 yuan a delivery and none from 2,000 on."""
    at = buying_hospital(tmp_path)
    terms = {"agreement": "FW-9", "kind": "framework", "name_zh": "框架", "supplier": "S02", "first": "2026-01-01"}
    assert not Records(at.purchasing.documents).save(
        BUYER, "agreements", terms | {"last": "2026-12-31", "freight": "每次 30 元，满 2000 元免运费"}
    )
    wanted = ((KIT, "S02", "268", 5), (KIT, "S02", "268", 5), (GAUZE, "S01", "0.85", 500))
    for number, (item, supplier, price, qty) in enumerate(wanted):
        id = propose(at, item, supplier, yuan(price), qty, id=f"aaaa{number:04d}")
        approve(at.store, HOSPITAL, id, HEAD.person, START)
    return at


def numbers(desk: Desk, supplier: str) -> list[str]:
    with desk.store.read() as connection:
        found = waiting(connection, HOSPITAL, EVERYWHERE, START)
    return [order.order_no for one in found if one.supplier == supplier for order in one.orders]


def test_a6_orders_not_sent_yet_are_grouped_by_supplier_with_what_going_together_saves(desk: Desk) -> None:
    with desk.store.read() as connection:
        found = {one.supplier: one for one in waiting(connection, HOSPITAL, EVERYWHERE, START)}
    assert {supplier: len(one.orders) for supplier, one in found.items()} == {"S01": 1, "S02": 2}
    saving = found["S02"].freight
    assert saving is not None
    assert (saving.alone, saving.together) == (yuan(60), 0)  # 1,340 each: 30 yuan twice; 2,680 together: free
    assert found["S01"].freight is None


def test_a6_a_batch_is_sent_whole_and_its_saving_is_counted(desk: Desk) -> None:
    batches = Batches(desk.purchasing.documents)
    both = numbers(desk, "S02")
    batch = batches.send(BUYER, both, "YPO-5")
    with desk.store.read() as connection:
        sent = [history(connection, HOSPITAL, number)[-1].detail for number in both]
        kept = freight_saved(connection, HOSPITAL, plus(START, -86_400))
    assert sent == [{"batch": batch, "platform_order_no": "YPO-5"}] * 2
    assert kept.cut == Fraction(1)
    assert numbers(desk, "S02") == []


def test_a6_an_order_sent_again_after_it_was_amended_saves_nothing(desk: Desk) -> None:
    batches, (number, *_) = Batches(desk.purchasing.documents), numbers(desk, "S02")
    batch = batches.send(BUYER, [number])
    desk.amendments.amend(BUYER, number, [Change(1, None, yuan(260))], None, "bargained")
    assert number in numbers(desk, "S02")
    assert batches.send(BUYER, [number]) == batch
    with desk.store.read() as connection:
        assert sent_together(connection, HOSPITAL, plus(START, -86_400)) == {batch: [number]}
        assert freight_saved(connection, HOSPITAL, plus(START, -86_400)).cut == 0


def test_a_batch_with_one_that_went_already_or_elsewhere_is_not_sent_at_all(desk: Desk) -> None:
    batches, both = Batches(desk.purchasing.documents), numbers(desk, "S02")
    desk.purchasing.step(BUYER, both[0], OrderStep.SEND, {"platform_order_no": "YPO-1"})
    with pytest.raises(NotNow, match="expected one not sent yet"):
        batches.send(BUYER, both)
    assert numbers(desk, "S02") == both[1:]
    with pytest.raises(BadInput, match="one supplier for one storeroom"):
        batches.send(BUYER, [both[1], *numbers(desk, "S01")])
    with pytest.raises(BadInput, match="1 to 100 orders"):
        batches.send(BUYER, [])
    with pytest.raises(NotAllowed):
        batches.send(STORE, both[1:])
