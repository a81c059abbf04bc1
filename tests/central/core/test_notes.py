"""Delivery notes: what was sent and is on the way, under one number until something was received under it."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from central.core.notes import NOTES_MAX, Goods, Note, Sent, Wanted, notes_for, picks_for, stem_of
from protocols.movements.tags import Binding
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, plus

START = Instant(1_772_438_400_000_000)
WARD = PlaceId("ward-01")
GAUZE, KIT = Goods("HC-GAUZE", "G1", "hospital", ""), Goods("HC-KIT", "K1", "hospital", "E2000001")
ORDER, NUMBER = "IR-20260302-ABCDEF12", "IR20260302ABCDEF12"


def sent(goods: Goods, qty: int, minute: int = 0, order: str = ORDER, source: str = "main-store") -> Sent:
    return Sent(plus(START, minute * 60), f"{minute:04x}", source, goods, qty, order)


def notes(lines: list[Sent], received: dict[str, Counter[Goods]] | None = None, **more: int) -> list[Note]:
    way = Counter({one.goods: 0 for one in lines})
    for one in lines:
        way[one.goods] += one.qty
    for came in (received or {}).values():
        way -= came
    return notes_for(WARD, lines, received or {}, way, {"E2000001": Binding("E2000001", "HC-KIT", lot="K1")})


def told(note: Note) -> list[tuple[str, str, int]]:
    return [(line.item, line.lot, line.qty) for line in note.lines]


def test_what_was_sent_for_one_order_is_one_note_with_its_tags() -> None:
    (note,) = notes([sent(GAUZE, 5), sent(KIT, 1, 1), sent(GAUZE, 3, 2)])
    assert (note.number, note.order) == (NUMBER, ORDER)
    assert told(note) == [("HC-GAUZE", "G1", 8), ("HC-KIT", "K1", 1)]
    assert {(line.source, line.target) for line in note.lines} == {("transit@ward-01", "ward-01")}
    assert [one.epc for one in note.bindings] == ["E2000001"]


def test_what_was_sent_without_an_order_is_one_note_a_day_and_sender() -> None:
    first, again = sent(GAUZE, 5, order=""), sent(GAUZE, 1, 9, order="")
    other, tomorrow = sent(GAUZE, 1, 5, "", "ward-02"), sent(GAUZE, 1, 1440, "")
    assert stem_of(first) == stem_of(again)
    assert len({stem_of(first), stem_of(other), stem_of(tomorrow)}) == 3
    assert [len(note.number) for note in notes([first, again, other, tomorrow])] == [15, 15, 15]


def test_a_note_that_was_received_is_gone_and_what_is_left_or_comes_later_goes_under_the_next_number() -> None:
    lines = [sent(GAUZE, 5), sent(KIT, 1, 1)]
    assert notes(lines, {NUMBER: Counter({GAUZE: 5, KIT: 1})}) == []
    (rest,) = notes(lines, {NUMBER: Counter({GAUZE: 5})})
    assert (rest.number, told(rest)) == (f"{NUMBER}2", [("HC-KIT", "K1", 1)])
    (later,) = notes([*lines, sent(GAUZE, 4, 9)], {NUMBER: Counter({GAUZE: 5, KIT: 1})})
    assert (later.number, told(later)) == (f"{NUMBER}2", [("HC-GAUZE", "G1", 4)])


def test_what_the_book_no_longer_has_on_the_way_is_on_no_note() -> None:
    lines = [sent(GAUZE, 5), sent(GAUZE, 5, 9, "IR-2")]
    waits = notes_for(WARD, lines, {}, {GAUZE: 6}, {})
    assert [(note.number, told(note)) for note in waits] == [
        ("IR2", [("HC-GAUZE", "G1", 5)]), (NUMBER, [("HC-GAUZE", "G1", 1)]),
    ]  # fmt: skip
    assert notes_for(WARD, lines, {}, {}, {}) == []


def test_a_storeroom_is_told_of_so_many_notes_and_no_more_the_newest_first() -> None:
    many = notes([sent(GAUZE, 1, n, f"IR-{n}") for n in range(NOTES_MAX + 5)])
    assert (len(many), many[0].number) == (NOTES_MAX, f"IR{NOTES_MAX + 4}")


@given(st.permutations([sent(GAUZE, n + 1, n, ("", ORDER)[n % 2]) for n in range(6)]), st.integers(0, 30))
def test_notes_never_list_more_than_is_on_the_way_and_do_not_depend_on_order(lines: list[Sent], way: int) -> None:
    found = notes_for(WARD, lines, {}, {GAUZE: way}, {})
    assert sum(line.qty for note in found for line in note.lines) == min(way, 21)
    assert found == notes_for(WARD, sorted(lines, key=lambda one: one.event), {}, {GAUZE: way}, {})


def test_what_is_still_to_be_picked_of_an_order_is_what_was_ordered_less_what_was_sent_for_it() -> None:
    wanted = [Wanted(ORDER, PlaceId("main-store"), WARD, item, qty) for item, qty in (("HC-GAUZE", 50), ("HC-KIT", 2))]
    (pick,) = picks_for(wanted, {ORDER: Counter({"HC-GAUZE": 20})})
    assert (pick.number, pick.to) == (NUMBER, WARD)
    assert [(line.item, line.qty, line.target) for line in pick.lines] == [
        ("HC-GAUZE", 30, "transit@ward-01"), ("HC-KIT", 2, "transit@ward-01"),
    ]  # fmt: skip
    assert picks_for(wanted, {ORDER: Counter({"HC-GAUZE": 60, "HC-KIT": 2})}) == []
