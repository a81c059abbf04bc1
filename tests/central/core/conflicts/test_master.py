"""Master data changed meanwhile: acts by what an item was before, goods at the price of their order."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from central.core.conflicts import DAY_S, Sort
from central.core.conflicts.master import Bought, ItemChange, Seen, at_another_price, by_old_data
from protocols.values.instant import Instant, plus
from protocols.values.money import Money

START = Instant(1_772_438_400_000_000)
CHANGE = ItemChange("A1", 3, START, {"pack": "10", "name_zh": "x"}, {"pack": "12", "name_zh": "y"}, 7)
ACT = Seen("01", "ward-01", "A1", plus(START, 60), 6)
CAME = Bought("01", "main-store", "A1", "L1", "PO-1", 600, Money(8_500), Money(8_000))


def test_an_act_by_the_data_from_before_the_change_is_flagged_once_a_storeroom_and_is_to_be_counted() -> None:
    acts = [replace(ACT, event="02", at=plus(START, 90)), ACT, replace(ACT, event="03", place="ward-02")]
    one, other = by_old_data(CHANGE, acts)
    assert (one.sort, one.place, one.event, one.item, one.due_at) == (
        Sort.MASTER_CHANGED, "ward-01", "01", "A1", plus(START, 90 + DAY_S),
    )  # fmt: skip
    assert dict(one.detail) == {"change": 3, "acts": 2, "saw": 6, "pack_before": "10", "pack_after": "12"}
    assert other.place == "ward-02"


def test_acts_of_who_knew_the_change_or_acted_before_it_or_says_nothing_are_no_conflict() -> None:
    for act in (replace(ACT, version=7), replace(ACT, at=plus(START, -1)), replace(ACT, version=-1)):
        assert by_old_data(CHANGE, [act]) == []
    assert by_old_data(replace(CHANGE, told_in=None), [replace(ACT, version=99)])


def test_another_name_changes_nothing_that_is_counted() -> None:
    assert by_old_data(replace(CHANGE, before={"name_zh": "x"}, after={"name_zh": "y"}), [ACT]) == []


@given(st.permutations([replace(ACT, event=f"{n:02}", at=plus(START, n % 3), place=f"ward-{n % 2}") for n in range(6)]))
def test_the_order_in_which_acts_came_leaves_no_trace(acts: list[Seen]) -> None:
    assert by_old_data(CHANGE, acts) == by_old_data(CHANGE, sorted(acts, key=lambda one: one.event))


def test_an_act_that_comes_later_and_happened_earlier_is_of_the_same_conflict() -> None:
    (one,) = by_old_data(CHANGE, [ACT])
    (earlier,) = by_old_data(CHANGE, [ACT, replace(ACT, event="00", at=plus(START, 30))])
    assert (one.id, earlier.event) == (earlier.id, "00")


def test_goods_at_another_price_than_is_agreed_when_they_come_say_what_goes_to_price_variance() -> None:
    (flag,) = at_another_price([CAME, replace(CAME, agreed=CAME.ordered)])
    assert (flag.sort, flag.place, flag.item, flag.lot) == (Sort.PRICE_CHANGED, "main-store", "A1", "L1")
    assert dict(flag.detail) == {"order": "PO-1", "ordered": 8_500, "agreed": 8_000, "qty": 600, "variance": 300_000}


def test_pieces_of_one_lot_that_came_together_say_what_all_of_them_come_to() -> None:
    (flag,) = at_another_price([replace(CAME, qty=1)] * 3)
    assert (dict(flag.detail)["qty"], dict(flag.detail)["variance"]) == (3, 3 * 500)
