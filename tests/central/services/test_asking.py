"""What a storeroom is asked to count: never more than its day's lines, whoever asks, however often or late."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.core.counts import Standing, left_on
from central.services.asking import CONFLICT, COUNT, OPEN, ask_for, asked_now, room_on
from central.services.counts import ask
from central.services.counts_taken import take_in_counts
from central.services.policy import rules_at
from central.store.engine import Store
from central.store.queries_settling import Task, tasks
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.values.instant import business_day, plus
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, VALVE, Ward, hospital

WARD, DAY_S, TODAY = "ward-01", 86_400.0, business_day(START)
LINES = [(item, f"{item[-1]}{number}") for item in (GAUZE, KIT, VALVE) for number in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A ward of nine lines of loose pieces, each moved often enough to be worth a count."""
    store = hospital(tmp_path)
    ward = Ward(store)
    for number in range(20):
        for item, lot in LINES:
            ward.receive(item, lot, 1, number)
    return store


def task(name: str, day: date, line: tuple[str, str], *, conflict: bool) -> Task:
    reason = {CONFLICT: name} if conflict else {"wrong": 1.0, "run": "r1"}
    return Task(name, COUNT, WARD, *line, "", day, reason, OPEN, None)


def say(store: Store, at_s: float, wanted: Iterable[Task]) -> int:
    now = plus(START, at_s)
    with store.write() as connection:
        return ask_for(connection, HOSPITAL, WARD, wanted, rules_at(connection, HOSPITAL, now), now)


def faced(store: Store, at_s: float) -> list[Task]:
    with store.read() as connection:
        return asked_now(connection, HOSPITAL, plus(START, at_s), place=WARD)


def of_day(store: Store, day: date) -> list[Task]:
    with store.read() as connection:
        return [one for one in tasks(connection, HOSPITAL, place=WARD) if one.day == day]


def test_E1_a_fourth_line_is_never_asked_for_on_a_day_whoever_asks(store: Store) -> None:  # noqa: N802 # the row's id
    now = plus(START, 100)
    assert ask(store, HOSPITAL, now) == 3
    assert ask(store, HOSPITAL, plus(now, 60)) == 0, "the job again, as after a restart"
    assert say(store, 200, [task("run", TODAY, LINES[8], conflict=False)]) == 0
    assert say(store, 300, [task("c1", TODAY, LINES[7], conflict=True)]) == 1
    assert [one.id for one in of_day(store, TODAY + timedelta(days=1))] == ["c1"]
    assert len(of_day(store, TODAY)) == len(faced(store, 400)) == 3
    with store.read() as connection:
        assert room_on(connection, HOSPITAL, WARD, rules_at(connection, HOSPITAL, now), now) == 0


def test_what_was_counted_makes_no_room_for_a_fourth(store: Store) -> None:
    ask(store, HOSPITAL, plus(START, 100))
    item, lot = of_day(store, TODAY)[0].item, of_day(store, TODAY)[0].lot
    body = CountBody("s1", "close", WARD, "", lines=(CountLine(item, 20, lot),))
    Ward(store, _number=900).say("count_daily", write_body(body), 200, actor="N1001")
    with store.write() as connection:
        take_in_counts(connection, HOSPITAL)
    assert len(faced(store, 300)) == 2
    assert ask(store, HOSPITAL, plus(START, 300)) == 0
    assert say(store, 300, [task("run", TODAY, LINES[8], conflict=False)]) == 0


def test_conflicts_are_spread_over_days_and_each_day_that_is_full_asks_for_nothing_else(store: Store) -> None:
    wanted = [task(f"c{n}", TODAY, line, conflict=True) for n, line in enumerate(LINES[:5])]
    assert say(store, 100, wanted) == 5
    assert say(store, 200, wanted) == 0, "told again, as by the next look"
    assert [len(of_day(store, TODAY + timedelta(days=n))) for n in range(3)] == [3, 2, 0]
    assert ask(store, HOSPITAL, plus(START, 300)) == 0
    assert ask(store, HOSPITAL, plus(START, DAY_S)) == 0, "three that wait since yesterday are today's"
    assert len(faced(store, 300)) == 3
    assert [one.id for one in faced(store, DAY_S)] == ["c0", "c1", "c2"], "the oldest first, and no more than a day has"


def test_a_count_of_today_answers_what_was_put_off_until_tomorrow(store: Store) -> None:
    say(store, 100, [task(f"c{n}", TODAY, line, conflict=True) for n, line in enumerate(LINES[:4])])
    item, lot = LINES[3]
    body = CountBody("s1", "close", WARD, "", lines=(CountLine(item, 20, lot),))
    Ward(store, _number=900).say("count_daily", write_body(body), 200, actor="N1001")
    with store.write() as connection:
        take_in_counts(connection, HOSPITAL)
    (put_off,) = of_day(store, TODAY + timedelta(days=1))
    assert (put_off.id, put_off.status) == ("c3", "done")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8), st.sampled_from(["job", "run", "conflict"])), max_size=14)
)
def test_no_order_of_asking_brings_a_fourth(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[int, int, str]]
) -> None:
    store = hospital(tmp_path_factory.mktemp("ward"))
    Ward(store).receive(GAUZE, "G0", 1, 0)
    for number, (day, line, who) in enumerate(sorted(asked)):
        if who == "job":
            ask(store, HOSPITAL, plus(START, day * DAY_S + number))
            continue
        said = task(f"{who}{number}", TODAY + timedelta(days=day), LINES[line], conflict=who == "conflict")
        say(store, day * DAY_S + number, [said])
        assert len(faced(store, day * DAY_S + number)) <= 3
    for day in range(12):
        assert len(of_day(store, TODAY + timedelta(days=day))) <= 3
    store.close()


@given(
    st.lists(st.builds(Standing, st.dates(date(2026, 3, 1), date(2026, 3, 9)), lasts=st.booleans())), st.integers(0, 4)
)
def test_what_is_left_of_a_day_is_never_below_nothing_and_falls_with_each_count(
    asked: list[Standing], most: int
) -> None:
    day = date(2026, 3, 5)
    left = left_on(day, asked, most)
    assert 0 <= left <= most
    assert left_on(day, [*asked, Standing(day, lasts=False)], most) == max(0, left - 1 if left else 0)
    assert left_on(day, [*asked, Standing(day + timedelta(days=1), lasts=True)], most) == left
