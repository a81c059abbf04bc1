"""Lines that are asked to be counted, what people counted, and book, shelf and count side by side."""

from pathlib import Path

import pytest

from central.core.counts import LineKey
from central.core.match import Eyes
from central.core.reconcile import Line
from central.core.rights import Caller, Grant, Role
from central.errors import NotAllowed, NotThere
from central.services.counts import ask, first_sides, side_by_side, sides_of_item, wrong_in
from central.services.counts_taken import take_in_counts
from central.services.policy import rules_at
from central.services.reconcile import reconcile
from central.store.engine import Store
from central.store.queries_settling import Task, tasks
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.movements.tags import ObserveBody
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, hospital, tags

UNITS = tags(4)
DAY = 86_400.0
AUDITOR = Caller(ActorId("20001"), "A", (Grant(Role.AUDITOR),))
ELSEWHERE = Caller(ActorId("20002"), "N", (Grant(Role.NURSE, frozenset({PlaceId("ward-02")})),))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = hospital(tmp_path)
    ward = Ward(store)
    ward.open(KIT, "K1", UNITS)
    ward.receive(GAUZE, "G1", 200, 10)
    for unit in UNITS[1:]:
        ward.observe(unit, 0.99, 60)
    ward.observe(UNITS[0], 0.4, 900, since_s=300)
    return store


def asked(store: Store, status: str = "") -> list[Task]:
    with store.read() as connection:
        return [one for one in tasks(connection, HOSPITAL, status=status) if one.place == "ward-01"]


def take_in(store: Store) -> int:
    with store.write() as connection:
        return take_in_counts(connection, HOSPITAL)


def wrong(store: Store) -> float:
    now = plus(START, 1000)
    with store.read() as connection:
        rules = rules_at(connection, HOSPITAL, now)
        return wrong_in(connection, HOSPITAL, "ward-01", rules, now)[LineKey(KIT, "K1")]


def test_E1_a_ward_is_asked_once_a_day_for_its_riskiest_lines(store: Store) -> None:  # noqa: N802 # the row's id
    assert ask(store, HOSPITAL, plus(START, 1000)) == 1
    assert ask(store, HOSPITAL, plus(START, 2000)) == 0
    (task,) = asked(store, "open")
    assert (task.item, task.lot, task.reason["wrong"]) == (KIT, "K1", 0.63)
    assert ask(store, HOSPITAL, plus(START, 1000 + DAY)) == 1
    assert sorted(one.status for one in asked(store)) == ["open", "over"]


def test_tagged_pieces_of_which_no_reader_spoke_slip_as_loose_ones_do(tmp_path: Path) -> None:
    store = hospital(tmp_path / "files")
    ward, every = Ward(store), tags(9)
    ward.open(KIT, "K1", every)
    for number, unit in enumerate(every[:3]):
        ward.issue(KIT, "K1", unit, 100 + number)
    assert wrong(store) == pytest.approx(0.12), "nine came and three went, at .01 each"
    for unit in every[3:]:
        ward.observe(unit, 0.99, 200)
    assert wrong(store) == pytest.approx(6 * 0.01), "now readers answer for them"


def test_a_count_is_compared_with_the_book_at_its_cut_and_ends_the_task(store: Store) -> None:
    ward = Ward(store)
    ask(store, HOSPITAL, plus(START, 1000))
    cut = ward.observe(UNITS[0], 0.3, 1100)
    ward.issue(KIT, "K1", UNITS[3], 1150)
    line = CountLine(KIT, 3, "K1")
    body = CountBody("sheet-1", "line", "ward-01", cut, lines=(line,))
    ward.say("count_daily", write_body(body), 1200, actor="N1001")
    ward.say("count_daily", write_body(CountBody("sheet-1", "close", "ward-01", cut)), 1300, actor="N1001")
    assert take_in(store) == 2
    assert take_in(store) == 0
    assert [one.status for one in asked(store)] == ["done"]
    kit, gauze = sorted(
        side_by_side(open_desk(store, plus(START, 2000)), AUDITOR, "ward-01"), key=lambda o: o.line.item, reverse=True
    )
    assert kit.line == Line(KIT, "K1", 3, 2)
    assert kit.count is not None
    assert (kit.count.found.counted, kit.count.found.book, kit.count.found.is_right) == (3, 4, False)
    assert (kit.sure.low, kit.sure.high, kit.sure.certified) == (2, 3, False)
    assert (gauze.line.book, gauze.count, gauze.sure.certified) == (200, None, False)


def test_what_the_readers_counted_answers_no_task(store: Store) -> None:
    ward = Ward(store)
    ask(store, HOSPITAL, plus(START, 1000))
    body = CountBody("auto", "close", "ward-01", "", lines=(CountLine(KIT, 0, "K1", unit=UNITS[0]),))
    ward.say("count_daily", write_body(body), 1200)
    assert take_in(store) == 1
    assert [one.status for one in asked(store)] == ["open"]
    assert side_by_side(open_desk(store, plus(START, 2000)), AUDITOR, "ward-01")[0].count is None


def test_each_line_says_who_observed_it_and_one_that_nobody_did_says_so(store: Store) -> None:
    def seen() -> dict[str, Eyes]:
        return {one.line.item: one.by for one in side_by_side(open_desk(store, plus(START, DAY)), AUDITOR, "ward-01")}

    assert seen() == {KIT: Eyes.READERS, GAUZE: Eyes.NOBODY}
    body = CountBody("s1", "line", "ward-01", lines=(CountLine(GAUZE, 200, "G1"),))
    Ward(store).say("count_daily", write_body(body), 2000, actor="N1001")
    take_in(store)
    assert seen() == {KIT: Eyes.READERS, GAUZE: Eyes.COUNT}


def test_each_line_stands_shelf_by_shelf_and_its_shelves_sum_to_it(store: Store) -> None:
    ward = Ward(store, _number=900)
    body = ObserveBody(UNITS[1], 0.99, "filter-2", plus(START, 1000), position="S4")
    ward.say("observe", write_body(body), 1010)
    lines = {one.line.item: one for one in side_by_side(open_desk(store, plus(START, 2000)), AUDITOR, "ward-01")}
    assert [(one.position, one.book, one.physical) for one in lines[KIT].shelves] == [("S1", 4, 2), ("S4", 0, 1)]
    assert [(one.position, one.book, one.physical) for one in lines[GAUZE].shelves] == [("", 200, 200)]
    assert sum(one.physical for one in lines[KIT].shelves) == lines[KIT].line.physical == 3


def test_only_who_may_see_a_storeroom_sees_its_lines(store: Store) -> None:
    desk = open_desk(store, START)
    with pytest.raises(NotAllowed):
        side_by_side(desk, ELSEWHERE, "ward-01")
    with pytest.raises(NotThere):
        side_by_side(desk, AUDITOR, "ward-77")


def test_what_is_told_of_an_item_is_what_is_told_of_each_storeroom_with_it(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    for number, name in enumerate(("ward-01", "ward-02")):
        ward, units = Ward(store, name), tags(4, 1 + 4 * number)
        ward.open(KIT, "K1", units, number)
        ward.receive(GAUZE, "G1", 9, 20 + number)
        ward.observe(units[0], 0.02, 900 + number, since_s=300)
        ward.observe(units[1], 0.98, 910 + number)
        ward.issue(KIT, "K1", units[2], 1_000 + number)
        body = CountBody(f"s{number}", "line", name, lines=(CountLine(GAUZE, 8, "G1"),))
        ward.say("count_daily", write_body(body), 1_100 + number, actor="N1001")
    later = plus(START, 2_000)
    reconcile(store, HOSPITAL, later)
    desk, rooms = open_desk(store, later), ["ward-01", "ward-02"]
    for item in (KIT, GAUZE):
        each = [(room, one) for room in rooms for one in side_by_side(desk, AUDITOR, room) if one.line.item == item]
        with store.read() as connection:
            told = sides_of_item(connection, desk, rooms, item)
        assert told == [(room, one.line, one.sure, one.count) for room, one in each]
        assert len(told) == len(rooms)
        with store.read() as connection:
            assert sides_of_item(connection, desk, rooms, item, {"other"}) == []
            assert sides_of_item(connection, desk, rooms, item, {told[0][1].lot}) == told


def test_the_first_lines_are_those_of_all_lines_and_told_with_how_many_there_are(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    ward, units = Ward(store), tags(4)
    ward.open(KIT, "K1", units)
    for number in range(6):
        ward.receive(GAUZE, f"G{number}", 9, 20 + number)
    ward.observe(units[0], 0.6, 900)
    desk = open_desk(store, plus(START, 2_000))
    every = side_by_side(desk, AUDITOR, "ward-01")
    assert len(every) == 7
    for most in (0, 1, 3, 7, 9, None):
        assert first_sides(desk, AUDITOR, "ward-01", most) == (every[:most], 7)
    assert ask(store, HOSPITAL, plus(START, 2_000)) > 0
    asked = side_by_side(desk, AUDITOR, "ward-01")
    assert (asked[0].asked, first_sides(desk, AUDITOR, "ward-01", 1)) == (True, (asked[:1], 7))
