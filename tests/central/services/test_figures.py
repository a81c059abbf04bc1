"""Figures over a real ledger: each opens to rows, and a row to ledger lines, that sum back to it exactly."""

from pathlib import Path

import pytest

from central.core.figures import BY_ITEM, BY_LINE, FigureId
from central.core.rights import Caller, Grant, Role
from central.errors import NotAllowed, NotThere
from central.services.figures import figures, keep_figures, ledger_of, opened
from central.store.engine import Store
from protocols.movements import CountBody, CountLine, MovementBody, PostingLine, write_body
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, STORY_DAY, VALVE, Ward, hospital, tags

UNITS = tags(6)
HOUR, DAY = 3600.0, 86_400.0
NOW = plus(START, 2 * DAY)
AUDITOR = Caller(ActorId("20001"), "A", (Grant(Role.AUDITOR),))
NURSE = Caller(ActorId("20002"), "N", (Grant(Role.NURSE, frozenset({PlaceId("ward-01")})),))


def use(ward: Ward, unit: str, at_s: float, patient: str) -> None:
    line = PostingLine(KIT, 1, f"issued@{ward.name}", f"patient@{ward.name}", lot="K1", unit=unit)
    ward.say("use", write_body(MovementBody((line,), patient=patient)), at_s, actor="N1001")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = hospital(tmp_path)
    ward, other = Ward(store), Ward(store, "ward-02")
    ward.open(KIT, "K1", UNITS[:4])
    other.open(KIT, "K2", UNITS[4:], 5)
    ward.receive(GAUZE, "G1", 100, 10)
    for unit in UNITS[:3]:
        ward.observe(unit, 0.99, 60)
    for unit, patient in ((UNITS[0], "p1"), (UNITS[1], "")):
        ward.issue(KIT, "K1", unit, HOUR)
        use(ward, unit, HOUR + 60, patient)
    ward.observe(UNITS[2], 0.02, DAY + HOUR, since_s=DAY)
    ward.observe(UNITS[3], 0.97, 2 * DAY - 60)
    body = CountBody("s1", "line", "ward-01", lines=(CountLine(GAUZE, 99, "G1"),))
    ward.say("count_daily", write_body(body), 2 * DAY - 30, actor="N1001")
    return store


def value(store: Store, id: FigureId, place: str = "ward-01") -> tuple[int, int]:
    figure, _ = opened(open_desk(store, NOW), AUDITOR, id, place)
    return figure.above, figure.below


@pytest.mark.parametrize("place", ["", "ward-01", "ward-02", "main-store"])
def test_I1_every_figure_is_the_sum_of_its_rows_and_every_row_of_its_ledger_lines(store: Store, place: str) -> None:  # noqa: N802 # the row's id
    desk = open_desk(store, NOW)
    for judged in figures(desk, AUDITOR, place):
        figure, parts = opened(desk, AUDITOR, judged.figure.id, place)
        assert (figure.above, figure.below) == (judged.figure.above, judged.figure.below)
        assert figure.above == sum(one.above for one in parts)
        assert figure.below == sum(one.below for one in parts)
        for part in parts if figure.id in BY_LINE | BY_ITEM else ():
            again, lines = ledger_of(desk, AUDITOR, figure.id, part.place, part.item, part.lot)
            assert again == part
            assert sum(one.flow.qty for one in lines) == part.qty
            if figure.id is FigureId.TURNOVER:
                assert sum(one.above or 0 for one in lines) == part.above
                assert sum(one.below or 0 for one in lines) == part.below


def test_E5_line_unit_and_value_match_of_a_ward(store: Store) -> None:  # noqa: N802 # the row's id
    assert value(store, FigureId.LINE_MATCH) == (1, 2)
    assert value(store, FigureId.UNIT_MATCH) == (101, 102)
    assert value(store, FigureId.VALUE_MATCH) == (100 * 8_500 + 2_680_000, 100 * 8_500 + 2 * 2_680_000)


def test_E4_a_use_without_a_patient_is_a_hole_of_the_trace_rate(store: Store) -> None:  # noqa: N802 # the row's id
    figure, parts = opened(open_desk(store, NOW), AUDITOR, "trace-rate.1", "ward-01")
    assert (figure.above, figure.below) == (1, 2)
    assert [(one.unit, one.note) for one in parts if one.note] == [(UNITS[1], "no_patient")]


def test_D5_turnover_days_come_from_the_closings_since_the_ledger_began(store: Store) -> None:  # noqa: N802 # the row's id
    gauze, kit = 8_500, 2_680_000
    assert value(store, FigureId.TURNOVER) == (3 * (100 * gauze + 2 * kit), 2 * kit)
    judged = {one.figure.id: one for one in figures(open_desk(store, NOW), AUDITOR, "ward-01")}
    assert judged[FigureId.TURNOVER].figure.since == STORY_DAY


def test_D1_a_position_is_covered_while_its_readers_are_heard(store: Store) -> None:  # noqa: N802 # the row's id
    assert value(store, FigureId.COVERAGE) == (2, 2)
    figure, _ = opened(open_desk(store, plus(NOW, HOUR)), AUDITOR, "coverage.1", "ward-01")
    assert (figure.above, figure.below) == (0, 2)
    assert value(store, FigureId.COVERAGE, "ward-02") == (0, 1)
    assert value(store, FigureId.TAGGED_VALUE) == (2 * 2_680_000, 100 * 8_500 + 2 * 2_680_000)


def test_the_figures_of_a_day_are_kept_once_and_renewed(store: Store) -> None:
    assert keep_figures(store, HOSPITAL, plus(START, DAY)) == 30
    keep_figures(store, HOSPITAL, plus(NOW, -60))
    keep_figures(store, HOSPITAL, NOW)
    judged = {one.figure.id: one for one in figures(open_desk(store, NOW), AUDITOR, "ward-01")}
    assert [(above, below) for _, above, below in judged[FigureId.LINE_MATCH].days] == [(1, 2), (1, 2)]


def test_only_ones_own_storerooms_are_summed_and_a_figure_that_is_none_is_refused(store: Store) -> None:
    desk = open_desk(store, NOW)
    _, parts = opened(desk, NURSE, "line-match.1")
    assert {one.place for one in parts} == {"ward-01"}
    with pytest.raises(NotAllowed):
        opened(desk, NURSE, "line-match.1", "ward-02")
    with pytest.raises(NotThere):
        opened(desk, AUDITOR, "happiness.1")
    with pytest.raises(NotThere):
        ledger_of(desk, AUDITOR, "line-match.1", "ward-01", VALVE)
