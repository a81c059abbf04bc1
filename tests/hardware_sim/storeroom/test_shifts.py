"""What the world is said to do is seen in what is heard, with what no model expects: fixed seeds, wide bounds."""

from collections import Counter
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

from hardware_sim.storeroom.air import draw_air
from hardware_sim.storeroom.door import carried
from hardware_sim.storeroom.failures import Failures, Span, draw_failures, shares
from hardware_sim.storeroom.happenings import Block, Life, Passage
from hardware_sim.storeroom.rates import HARD, NOMINAL, QUIET, WorldRates, from_table
from hardware_sim.storeroom.script import Event, Script
from hardware_sim.storeroom.stock import Where
from hardware_sim.storeroom.visits import draw_visits
from hardware_sim.storeroom.ward import Plan, draw_ward
from tests.hardware_sim.storeroom.traces import Trace, trace_of

CALM = from_table({"takes_a_day": 0.0, "block_single": 0.0, "block_group": 0.0, "block_shelf": 0.0}, base=QUIET)
STILL = from_table({"visits_a_day": 0.0, "fade_tag": 0.0, "fade_shelf": 0.0, "group_takes_a_week": 0.0}, base=CALM)
SCRIPT = Script(
    tags=60,
    days=1,
    events=(
        Event(200, "shield", "leaky", total=False),
        Event(200, "shield", "total", total=True),
        Event(200, "dead", "dead"),
        Event(200, "to_next", "next"),
        Event(300, "move", "moved", shelf="S6"),
        Event(400, "blind", antenna=2, bins=100),
        Event(600, "outage", bins=60),
        Event(700, "lost", antenna=3, bins=50),
        Event(800, "next_outage", bins=50),
        Event(900, "sensor_dead", bins=100),
        Event(1000, "from_next", "borrowed"),
        Event(1100, "return", "leaves"),
        Event(1050, "take", "leaves"),
    ),
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return trace_of(Plan(seed=9, days=1, tags=60, rates=STILL, script=SCRIPT), tmp_path_factory.mktemp("told"))


def test_a_leaky_shield_leaves_little_and_lowers_the_level(told: Trace) -> None:
    tag = told.tag("leaky")
    before, after = told.rounds(tag, 0, 200), told.rounds(tag, 202, 402)
    assert 0 < after < before / 4
    assert level(told, tag, 202, 402) < level(told, tag, 0, 200) - 4


def level(trace: Trace, tag: int, since: int, until: int) -> float:
    levels: list[float] = [row[2] for line in trace.bins[since:until] for row in line["reads"]["room"] if row[0] == tag]
    return mean(levels)


@pytest.mark.parametrize("word", ["total", "dead"])
def test_a_total_shield_and_a_dead_tag_are_silent_alike(told: Trace, word: str) -> None:
    assert told.rounds(told.tag(word), 0, 200) > 1000
    assert told.rounds(told.tag(word), 202, 500) == 0
    assert told.rounds(told.tag(word), 202, 500, "next") == 0


def test_a_piece_next_door_is_heard_there_and_strays_here(told: Trace) -> None:
    tag = told.tag("next")
    assert told.rounds(tag, 202, 402, "next") > 5 * told.rounds(tag, 0, 200, "next")
    assert told.rounds(tag, 202, 402) < told.rounds(tag, 0, 200) / 2
    borrowed = told.tag("borrowed")
    assert told.rounds(borrowed, 1002, 1202) > 2 * told.rounds(borrowed, 0, 200)


def test_a_moved_piece_is_heard_by_the_antennas_of_its_new_shelf(told: Trace) -> None:
    def by_antenna(since: int, until: int) -> Counter[int]:
        heard: Counter[int] = Counter()
        for line in told.bins[since:until]:
            heard.update({row[1]: row[2] for row in line.get("ant", []) if row[0] == told.tag("moved")})
        return heard

    after = by_antenna(310, 390)
    assert after[3] + after[4] > after[1] + after[2]


def test_only_its_reference_tag_tells_of_a_blind_antenna(told: Trace) -> None:
    reference = told.number[told.meta["ref"]["2"]]
    assert told.rounds(reference, 300, 400) > 2700
    assert told.rounds(reference, 401, 499) == 0
    assert all(line["n"]["2"] == 30 for line in told.bins[401:499])


def test_an_outage_has_no_rounds_and_a_lost_antenna_says_so(told: Trace) -> None:
    off = told.bins[600:660]
    assert all(line["n"][str(antenna)] == 0 for line in off for antenna in range(1, 7))
    assert all(not line["reads"]["room"] and not line["reads"]["door"] for line in off)
    assert any(line["reads"]["next"] for line in off)
    assert all(line["n"]["3"] == 0 and line["n"]["1"] == 30 for line in told.bins[700:750])
    assert all(line["n"]["7"] == 0 and not line["reads"]["next"] for line in told.bins[800:850])


def test_a_dead_sensor_says_nothing_rather_than_nobody(told: Trace) -> None:
    assert {line["visit"] for line in told.bins[900:1000]} == {None}
    assert None not in {line["visit"] for line in told.bins[:900]}


def test_a_piece_is_silent_while_it_is_away(told: Trace) -> None:
    tag = told.tag("leaves")
    assert told.rounds(tag, 900, 1000) > 1000
    assert told.rounds(tag, 1051, 1100) == 0
    assert told.rounds(tag, 1101, 1201) > 1000


def test_read_rates_are_those_of_the_world(tmp_path: Path) -> None:
    rates = from_table({"read_mean": 0.3, "read_concentration": 50.0, "spill_mean": 0.0}, base=STILL)
    trace = trace_of(Plan(seed=1, days=1, tags=40, rates=rates), tmp_path)
    heard = sum(row[2] for line in trace.bins[::5] for row in line["ant"] if row[0] < 40)
    assert heard / (288 * 30 * 40 * 2) == pytest.approx(0.3, abs=0.03)


def test_tags_differ_as_the_world_says() -> None:
    def spread(concentration: float) -> float:
        rates = from_table({"read_concentration": concentration})
        plan = Plan(seed=1, days=1, tags=200, rates=rates)
        air = draw_air(rates, draw_ward(plan).stock, plan.chance("air"))
        return float(np.std(air.room[:200, 0, 0]))

    assert spread(2.0) > 2 * spread(50.0)


def test_ghosts_are_tags_heard_that_are_nowhere_near(tmp_path: Path) -> None:
    haunted = from_table({"ghost": 1e-3}, base=STILL)
    trace = trace_of(Plan(seed=1, days=1, tags=30, rates=haunted, ant_every=0), tmp_path)
    out = {trace.number[row["epc"]] for row in trace.truth if row["where"] == "out"}
    rounds = sum(row[1] for line in trace.bins for row in line["reads"]["room"] if row[0] in out)
    # four antennas, each with the chance of a ghost
    assert rounds / (len(out) * 1440 * 30) == pytest.approx(4e-3, rel=0.3)


def test_the_door_catches_what_the_world_says_and_tells_the_direction() -> None:
    rates, rng = from_table({"door_capture": 0.8}), np.random.default_rng(1)
    out = [carried(rates, Passage(100.0, 0, outward=True, crowd=0), rng) for _ in range(2000)]
    both = [seen for seen in out if len(seen) == 2]
    assert sum(map(len, out)) / 4000 == pytest.approx(0.8, abs=0.03)
    assert all(inside.antenna == 5 and inside.since_s < outside.since_s for inside, outside in both)
    crowd = [carried(rates, Passage(100.0, 0, outward=True, crowd=20), rng) for _ in range(2000)]
    assert sum(map(len, crowd)) < sum(map(len, out)) * 0.75


def test_a_week_has_a_rhythm() -> None:
    def by_weekday(rates: WorldRates) -> list[int]:
        visits = draw_visits(rates, 28, np.random.default_rng(1))
        days = Counter(int(visit.since_s // 86_400) % 7 for visit in visits)
        return [days[day] for day in range(7)]

    flat, rhythm = (by_weekday(from_table({"weekly_rhythm": share})) for share in (0.0, 1.0))
    assert min(flat) > 0.8 * max(flat)
    assert rhythm[6] < rhythm[0] * 0.65
    assert sum(rhythm) == pytest.approx(sum(flat), rel=0.1)


def life_of(rates: WorldRates) -> Life:
    return draw_ward(Plan(seed=11, days=14, tags=200, rates=rates)).life


def test_handfuls_leave_at_once() -> None:
    def largest(a_week: float) -> int:
        out = Counter(
            change.at_s
            for change in life_of(from_table({"group_takes_a_week": a_week, "group_size_mean": 9.0})).changes
            if change.where == Where.OUT
        )
        return sum(count >= 5 for count in out.values())

    assert largest(30.0) > largest(0.0) + 10


def test_a_parked_trolley_hides_pieces_of_many_items_at_once() -> None:
    def items_hidden_together(block_shelf: float) -> int:
        ward = draw_ward(Plan(seed=11, days=7, tags=200, rates=from_table({"block_shelf": block_shelf})))
        together: dict[float, set[str]] = {}
        for shield in ward.life.shields:
            if shield.block != Block.CLEAR:
                together.setdefault(shield.at_s, set()).add(ward.stock.pieces[shield.tag].item)
        return sum(len(items) > 1 for items in together.values())

    assert items_hidden_together(0.1) > 10
    assert items_hidden_together(0.0) == 0


def test_people_forget_to_scan_as_often_as_the_world_says() -> None:
    def scanned(unscanned: float) -> float:
        life = life_of(from_table({"unscanned": unscanned, "claimed": 0.0, "group_takes_a_week": 0.0}))
        taken = sum(change.where == Where.OUT for change in life.changes)
        return sum(fact.kind == "issue" for fact in life.facts) / taken

    assert scanned(0.0) == 1.0
    assert scanned(0.3) == pytest.approx(0.7, abs=0.08)


def test_a_shield_ends_when_its_piece_leaves_and_a_piece_is_in_one_place() -> None:
    ward = draw_ward(Plan(seed=5, days=14, tags=200, rates=from_table({"block_group": 0.2})))
    last: dict[int, tuple[float, Where]] = {}
    for change in sorted(ward.life.changes):
        before_s, before = last.get(change.tag, (-1.0, ward.stock.pieces[change.tag].first))
        assert change.at_s > before_s
        assert before != change.where or change.where == Where.HERE
        last[change.tag] = (change.at_s, change.where)
    gone = {tag for tag, (_, where) in last.items() if where != Where.HERE}
    blocks = {shield.tag: shield.block for shield in sorted(ward.life.shields)}
    assert all(blocks.get(tag, Block.CLEAR) == Block.CLEAR for tag in gone)


def test_failures_come_as_often_and_last_as_long_as_the_world_says() -> None:
    rates = from_table({"outages_a_week": 7.0, "outage_median_min": 30.0})
    spans = draw_failures(rates, 364, 100, np.random.default_rng(1)).reader_off
    assert len(spans) == pytest.approx(364, rel=0.2)
    assert float(np.median([span.until_s - span.since_s for span in spans])) == pytest.approx(1800, rel=0.2)


def test_a_share_of_a_bin_that_lies_in_spans_is_never_more_than_all() -> None:
    share = shares((Span(30.0, 90.0), Span(60.0, 150.0)), 0.0, 3, 60.0)
    assert share.tolist() == [0.5, 1.0, 0.5]
    assert Failures() == Failures()


def test_clocks_that_are_wrong_shift_what_they_stamp(tmp_path: Path) -> None:
    script = Script(tags=40, days=1, events=(Event(300, "to_next", "goes", scanned=True),))
    skewed = from_table({"next_skew_s": 600.0, "book_skew_s": -1800.0}, base=STILL)
    trace = trace_of(Plan(seed=1, days=1, tags=40, rates=skewed, script=script), tmp_path)
    tag = trace.tag("goes")
    strays, early = trace.rounds(tag, 0, 300, "next") / 300, trace.rounds(tag, 301, 309, "next") / 8
    assert trace.rounds(tag, 312, 412, "next") / 100 > 10
    assert early == pytest.approx(strays, abs=6)
    assert [(fact["b"], fact["at"]) for fact in trace.book if fact["kind"] == "transfer"] == [(300, 270)]


def test_the_presets_differ_as_their_names_say() -> None:
    hard, nominal, quiet = life_of(HARD), life_of(NOMINAL), life_of(QUIET)
    assert len(hard.shields) > 1.5 * len(nominal.shields) > 1.5 * len(quiet.shields)
    assert not [change for change in quiet.changes if change.where == Where.NEXT]
