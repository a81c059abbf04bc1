"""Bins and their cards: one order for each time a bin was emptied, however often and in whatever order it is told."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from central.core.demand import Demand
from central.core.explain import Words, in_chinese, in_english
from central.core.reorder import Facts, Position, Source, decide
from central.core.reorder.two_bin import Card, Moved, TwoBin, bins_after, two_bin_need
from protocols.values.instant import Instant

SIZE = 50


def card(at: int, name: str = "c1", qty: int = SIZE) -> Card:
    return Card(Instant(at), name, qty)


def ordered(at: int, qty: int = SIZE) -> Moved:
    return Moved(Instant(at), qty, arrived=False)


def came(at: int, qty: int = SIZE) -> Moved:
    return Moved(Instant(at), qty, arrived=True)


def need(*happened: Card | Moved) -> int:
    return sum(two_bin_need(one) for one in bins_after(happened))


def test_a_bin_is_ordered_once_for_each_time_it_was_emptied() -> None:
    assert need(card(1)) == SIZE
    assert need(card(1), card(2)) == SIZE, "shown twice"
    assert need(card(1), ordered(3), card(4)) == 0, "on its way"
    assert need(card(1), ordered(3), came(5)) == 0
    assert need(card(1), ordered(3), came(5), card(6)) == SIZE, "emptied again"


def test_a_bin_emptied_while_the_others_order_is_on_its_way_is_not_lost() -> None:
    assert need(card(1), ordered(2), card(3, "c2")) == SIZE
    assert need(card(1), ordered(2), card(3, "c2"), came(4)) == SIZE, "what came was for the first"
    assert need(card(1), card(2, "c2"), ordered(3, 2 * SIZE)) == 0
    assert need(card(1), card(2, "c2"), ordered(3, SIZE), came(4)) == SIZE


def test_what_comes_unasked_fills_an_empty_bin() -> None:
    assert need(card(1), came(2)) == 0
    assert need(came(1), card(2)) == SIZE


def test_bins_of_two_sizes_of_one_item_are_reckoned_apart() -> None:
    found = bins_after([card(1, "small", 10), card(2, "large", 100), ordered(3, 10)])
    assert found == [TwoBin(10, 1, 10, 1), TwoBin(100, 1, 0, 1)]


EVENTS = st.lists(
    st.one_of(
        st.builds(card, st.integers(0, 50), st.sampled_from(["c1", "c2"])),
        st.builds(ordered, st.integers(0, 50), st.just(SIZE)),
        st.builds(came, st.integers(0, 50), st.just(SIZE)),
    ),
    max_size=30,
)


@given(EVENTS)
def test_no_more_is_asked_for_than_there_are_bins_and_ordering_it_leaves_nothing(events: list[Card | Moved]) -> None:
    asked = need(*events)
    assert asked in {0, SIZE, 2 * SIZE}
    assert need(*events, ordered(60, asked)) == 0 if asked else True


@given(EVENTS)
def test_a_card_shown_again_at_once_asks_for_nothing_more(events: list[Card | Moved]) -> None:
    again = [one for one in events if isinstance(one, Card)]
    assert need(*events, *again) == need(*events)


def test_a_bin_whose_use_is_known_is_told_how_much_it_should_hold() -> None:
    demand = Demand(date(2025, 12, 2), date(2026, 3, 1), 360, (4,) * 90)
    source = Source("S01", internal=False, lead_days=4, pack=10, moq=0)
    facts = Facts("w", "A", demand, Position(0), (source,), Fraction(3), Fraction(7), bins=50)
    reason = decide("3x", facts).reason
    assert reason["values"] == {"bins": 50, "bin_holds": 30}, (
        "three days without help of four a day, and what chance adds, in tens"
    )
    assert in_english(reason, Words("piece", "S")).endswith("; by use and lead time a bin should hold 30.")
    assert "一箱宜装 30" in in_chinese(reason, Words("块", "甲"))
    idle = replace(facts, demand=replace(demand, total=0, sizes=()))
    assert decide("3x", idle).reason["values"] == {"bins": 50}
