"""Figures over a real ledger: each opens to rows, and a row to ledger lines, that sum back to it exactly."""

import json
from pathlib import Path

import pytest

from central.core.figures import BY_ITEM, BY_LINE, DEFINITIONS, UNOBSERVED, FigureId
from central.core.rights import Caller, Grant, Role
from central.errors import NotAllowed, NotThere
from central.services.figures import figures, keep_figures, ledger_of, opened
from central.services.overview import Name
from central.services.overview_now import overview_now
from central.services.reconcile import reconcile
from central.services.statements import signer_at, so_far
from central.store.engine import Store
from central.web.views import view_of
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, STORY_DAY, VALVE, Ward, hospital, tags

UNITS = tags(6)
HOUR, DAY = 3600.0, 86_400.0
NOW = plus(START, 2 * DAY)
MONEY = {id for id, one in DEFINITIONS.items() if one.money}
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
    reconcile(store, HOSPITAL, NOW)
    return store


def value(store: Store, id: FigureId, place: str = "ward-01") -> tuple[int, int]:
    figure = opened(open_desk(store, NOW), AUDITOR, id, place).figure
    return figure.above, figure.below


@pytest.mark.parametrize("place", ["", "ward-01", "ward-02", "main-store"])
def test_I1_every_figure_is_the_sum_of_its_rows_and_every_row_of_its_ledger_lines(store: Store, place: str) -> None:  # noqa: N802 # the row's id
    desk = open_desk(store, NOW)
    for judged in figures(desk, AUDITOR, place).judged:
        found = opened(desk, AUDITOR, judged.figure.id, place)
        figure, parts = found.figure, found.parts
        assert (figure.above, figure.below) == (judged.figure.above, judged.figure.below)
        assert figure.above == sum(one.above for one in parts)
        assert figure.below == sum(one.below for one in parts)
        for part in parts if figure.id in BY_LINE | BY_ITEM else ():
            row = ledger_of(desk, AUDITOR, figure.id, part.place, part.item, part.lot)
            assert (row.part, sum(one.flow.qty for one in row.lines)) == (part, part.qty)
            assert row.adds == (figure.id in {FigureId.UNIT_MATCH, *MONEY})
            assert (part.matches is None) == (figure.id not in BY_LINE or part.note == UNOBSERVED)
            if row.adds:
                assert sum(one.above or 0 for one in row.lines) + row.shelf == part.above
                assert sum(one.below or 0 for one in row.lines) == part.below
            assert bool(row.days) == (figure.id is FigureId.TURNOVER)
            if row.days:
                assert sum(one.above for one in row.days) == part.above
                assert sum(one.below for one in row.days) == part.below


def test_a_line_of_a_row_is_its_pieces_at_the_price_and_a_day_its_closing_at_the_price(store: Store) -> None:
    desk, gauze, kit = open_desk(store, NOW), 8_500, 2_680_000
    row = ledger_of(desk, AUDITOR, FigureId.TURNOVER, "ward-01", KIT)
    assert row.price == kit
    assert all(one.above == one.flow.qty * (one.closings or 0) * kit for one in row.lines)
    assert [(one.qty, one.used, one.above, one.below) for one in row.days] == [
        (2, 2, 2 * kit, 2 * kit), (2, 0, 2 * kit, 0), (2, 0, 2 * kit, 0),
    ]  # fmt: skip
    tagged = ledger_of(desk, AUDITOR, FigureId.TAGGED_VALUE, "ward-01", KIT)
    assert {one.above for one in tagged.lines} == {kit, -kit}
    loose = ledger_of(desk, AUDITOR, FigureId.TAGGED_VALUE, "ward-01", GAUZE)
    assert [(one.above, one.below) for one in loose.lines] == [(0, 100 * gauze)]
    short = ledger_of(desk, AUDITOR, FigureId.VALUE_MATCH, "ward-01", GAUZE, "G1")
    assert (short.shelf, short.part.above) == (-gauze, 99 * gauze)
    unseen = ledger_of(desk, AUDITOR, FigureId.VALUE_MATCH, "main-store", GAUZE, "G1")
    assert {(one.above, one.below) for one in unseen.lines} == {(0, 0)}


def test_E5_line_unit_and_value_match_of_a_ward(store: Store) -> None:  # noqa: N802 # the row's id
    assert value(store, FigureId.LINE_MATCH) == (0, 2), "a kit is missing, and a person counted a swab too few"
    assert value(store, FigureId.UNIT_MATCH) == (100, 102)
    assert value(store, FigureId.VALUE_MATCH) == (99 * 8_500 + 2_680_000, 100 * 8_500 + 2 * 2_680_000)


@pytest.mark.parametrize("id", sorted(BY_LINE))
def test_E5_a_match_opens_to_lines_with_book_shelf_and_whether_they_match(store: Store, id: str) -> None:  # noqa: N802 # the row's id
    found = opened(open_desk(store, NOW), AUDITOR, id)
    lines = {(one.place, one.item, one.lot): (one.qty, one.shelf, one.matches) for one in found.parts}
    assert lines == {
        ("ward-01", KIT, "K1"): (2, 1, False),
        ("ward-01", GAUZE, "G1"): (100, 99, False),
        ("ward-02", KIT, "K2"): (2, None, None),
        ("main-store", GAUZE, "G1"): (500, None, None),
    }
    row = ledger_of(open_desk(store, NOW), AUDITOR, id, "ward-01", KIT, "K1")
    assert sum(one.flow.qty for one in row.lines) == row.part.qty == 2


def test_E5_lines_that_neither_readers_nor_a_count_observed_stand_beside(store: Store) -> None:  # noqa: N802 # the row's id
    found = opened(open_desk(store, NOW), AUDITOR, FigureId.LINE_MATCH)
    assert found.scope.match is not None
    assert (found.figure.below, found.scope.match.lines, found.scope.match.unobserved) == (2, 2, 2)
    unseen = {(one.place, one.item) for one in found.parts if one.note == UNOBSERVED}
    assert unseen == {("ward-02", KIT), ("main-store", GAUZE)}
    nothing = opened(open_desk(store, NOW), AUDITOR, FigureId.LINE_MATCH, "main-store")
    assert (nothing.figure.value, nothing.figure.parts) == (None, 1)
    later = opened(open_desk(store, plus(NOW, 40 * DAY)), AUDITOR, FigureId.LINE_MATCH, "ward-01")
    assert later.scope.match is not None
    assert (later.figure.above, later.figure.below, later.scope.match.unobserved) == (0, 1, 1), "a count grows old"


def test_E5_the_match_of_pages_figures_and_statements_is_one(store: Store, tmp_path: Path) -> None:  # noqa: N802 # the row's id
    scope = opened(open_desk(store, NOW), AUDITOR, FigureId.LINE_MATCH).scope
    view = view_of(overview_now(store, HOSPITAL, Name("", ""), NOW))
    assert view.match is not None
    assert (view.match.match, view.match.storerooms) == (scope.match, len(scope.rooms))
    made = so_far(store, HOSPITAL, NOW, signer_at(tmp_path / "k.key")).values()
    stated = [json.loads(text)["statement"]["match"] for text in made]
    assert scope.match is not None
    for key, told in (("lines_observed", scope.match.lines), ("lines_not_observed", scope.match.unobserved)):
        assert sum(one[key] for one in stated) == told


def test_a_row_that_differs_names_its_open_discrepancy(store: Store) -> None:
    found = opened(open_desk(store, NOW), AUDITOR, FigureId.LINE_MATCH)
    cases = {one.item: found.cases_of(one) for one in found.parts if one.place == "ward-01"}
    assert (len(cases[KIT]), cases[GAUZE]) == (1, ())


def test_E4_a_use_without_a_patient_is_a_hole_of_the_trace_rate(store: Store) -> None:  # noqa: N802 # the row's id
    found = opened(open_desk(store, NOW), AUDITOR, "trace-rate.1", "ward-01")
    assert (found.figure.above, found.figure.below) == (1, 2)
    assert [(one.unit, one.note) for one in found.parts if one.note] == [(UNITS[1], "no_patient")]


def test_D5_turnover_days_come_from_the_closings_since_the_ledger_began(store: Store) -> None:  # noqa: N802 # the row's id
    gauze, kit = 8_500, 2_680_000
    assert value(store, FigureId.TURNOVER) == (3 * (100 * gauze + 2 * kit), 2 * kit)
    judged = {one.figure.id: one for one in figures(open_desk(store, NOW), AUDITOR, "ward-01").judged}
    assert judged[FigureId.TURNOVER].figure.since == STORY_DAY


def test_D1_a_position_is_covered_while_its_readers_are_heard(store: Store) -> None:  # noqa: N802 # the row's id
    assert value(store, FigureId.COVERAGE) == (2, 2)
    figure = opened(open_desk(store, plus(NOW, HOUR)), AUDITOR, "coverage.1", "ward-01").figure
    assert (figure.above, figure.below) == (0, 2)
    assert value(store, FigureId.COVERAGE, "ward-02") == (0, 1)
    assert value(store, FigureId.TAGGED_VALUE) == (2 * 2_680_000, 100 * 8_500 + 2 * 2_680_000)


def test_the_figures_of_a_day_are_kept_once_and_renewed(store: Store) -> None:
    assert keep_figures(store, HOSPITAL, plus(START, DAY)) == 30
    keep_figures(store, HOSPITAL, plus(NOW, -60))
    keep_figures(store, HOSPITAL, NOW)
    judged = {one.figure.id: one for one in figures(open_desk(store, NOW), AUDITOR, "ward-01").judged}
    assert [(above, below) for _, above, below in judged[FigureId.LINE_MATCH].days] == [(0, 2), (0, 2)]


def test_only_ones_own_storerooms_are_summed_and_a_figure_that_is_none_is_refused(store: Store) -> None:
    desk = open_desk(store, NOW)
    assert {one.place for one in opened(desk, NURSE, "line-match.2").parts} == {"ward-01"}
    with pytest.raises(NotAllowed):
        opened(desk, NURSE, "line-match.2", "ward-02")
    with pytest.raises(NotThere):
        opened(desk, AUDITOR, "happiness.1")
    with pytest.raises(NotThere):
        ledger_of(desk, AUDITOR, "line-match.2", "ward-01", VALVE)
