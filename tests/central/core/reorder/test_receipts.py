"""Lead times seen: which arrival ended which order, what is still open, and whose lead times speak."""

from central.core.orders import Arrived, Ordered
from central.core.reorder.receipts import LeadBook, filled
from protocols.values.instant import from_iso, plus

START = from_iso("2026-03-02T08:00:00+08:00")
DAY = 86_400


def line(key: str, day: int, qty: int = 10) -> Ordered:
    return Ordered((key, 1), plus(START, day * DAY), qty)


def came(day: int, qty: int) -> Arrived:
    return Arrived(plus(START, day * DAY), qty)


def test_a_line_ends_when_the_whole_of_it_is_there_and_the_oldest_is_filled_first() -> None:
    when = filled([line("B", 2), line("A", 0)], [came(3, 4), came(5, 6), came(6, 9)])
    assert when == {("A", 1): plus(START, 5 * DAY), ("B", 1): None}


def test_what_came_before_an_order_is_not_its_own() -> None:
    assert filled([line("A", 4)], [came(3, 10)]) == {("A", 1): None}


def test_an_item_with_few_receipts_lets_its_source_speak_and_a_source_without_any_says_nothing() -> None:
    book, now = LeadBook(), plus(START, 30 * DAY)
    lines = [line(f"N{n}", n) for n in range(6)]
    book.enter("S1", "gauze", lines, {one.key: plus(one.at, 3 * DAY) for one in lines}, now)
    book.enter("S1", "gown", [line("X", 0)], {("X", 1): None}, now)
    gauze, gown = book.leads("S1", "gauze"), book.leads("S1", "gown")
    assert gauze is not None
    assert gown is not None
    assert (gauze.mean, gauze.late_days) == (3, 3)
    assert gown.late_days > 3, "the source's open order of 30 days is a lower bound"
    assert book.leads("S2", "gauze") is None


def test_a_line_given_up_was_waited_for_until_then() -> None:
    book, now = LeadBook(), plus(START, 90 * DAY)
    lines = [line(f"N{n}", n) for n in range(5)]
    book.enter("S1", "gauze", lines, {one.key: plus(one.at, DAY) for one in lines}, now)
    given_up = Ordered(("G", 1), START, 10, until=plus(START, 7 * DAY))
    book.enter("S1", "gauze", [given_up], {("G", 1): None}, now)
    leads = book.leads("S1", "gauze")
    assert leads is not None
    assert leads.late_days == 8
