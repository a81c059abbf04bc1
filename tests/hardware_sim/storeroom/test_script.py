"""A script: read, cast, and played in exactly its bins; what it cannot mean is one clear error."""

import json
from pathlib import Path

import pytest

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.command import Asked, plan_of, write_storeroom
from hardware_sim.storeroom.happenings import bin_of
from hardware_sim.storeroom.script import Event, Script, read_script
from hardware_sim.storeroom.stock import Where
from hardware_sim.storeroom.trace import HAPPENED, TRUTH, WORLD
from hardware_sim.storeroom.ward import Plan, draw_ward
from hardware_sim.storeroom.world_file import read_world
from tests.hardware_sim.storeroom.traces import lines


def test_the_shipped_story_leaves_exactly_its_differences() -> None:
    ward = draw_ward(plan_of(Asked(story="differences")))
    first = {tag: piece.first for tag, piece in enumerate(ward.stock.pieces)}
    book = first | {fact.tag: fact.to for fact in sorted(ward.life.facts)}
    where = first | {change.tag: change.where for change in sorted(ward.life.changes)}
    wrong = {tag for tag in first if book[tag] != where[tag]}
    assert wrong == {
        ward.cast[word] for word in ("unscanned-1", "unscanned-2", "swapped", "scanned-instead", "next-door")
    }
    assert where[ward.cast["next-door"]] == Where.NEXT
    assert book[ward.cast["claimed"]] == where[ward.cast["claimed"]] == Where.OUT
    assert [death.tag for death in ward.failures.deaths] == [ward.cast["dead"]]
    assert [(bin_of(span.since_s), bin_of(span.until_s)) for span in ward.failures.reader_off] == [(2520, 2640)]
    assert [(span.antenna, bin_of(span.since_s)) for span in ward.failures.blind] == [(2, 2880)]


def test_nobody_comes_around_the_minute_in_which_a_tag_of_a_script_dies() -> None:
    for seed in range(2, 10):
        ward = draw_ward(plan_of(Asked(story="differences", seed=seed)))
        (death,) = ward.failures.deaths
        near = [
            visit for visit in ward.life.visits if visit.until_s > death.at_s - 180 and visit.since_s < death.at_s + 180
        ]
        assert near == []


def test_every_event_happens_in_its_bin_and_is_told(tmp_path: Path) -> None:
    story = tmp_path / "story.json"
    said = {
        "days": 1,
        "tags": 40,
        "rates": {"takes_a_day": 0.0},
        "events": [
            {"b": 300, "do": "take", "piece": "one", "claimed_b": 420},
            {"b": 310, "do": "take", "piece": "two", "scanned": True},
            {"b": 500, "do": "return", "piece": "two", "scanned": True},
        ],
    }
    story.write_text(json.dumps(said))
    write_storeroom(plan_of(Asked(story=str(story))), tmp_path / "trace")
    told = json.loads((tmp_path / "trace" / HAPPENED).read_text())["events"]
    one, two, _ = (event["piece"]["epc"] for event in told)
    moved = [
        (row["b"], row["epc"], row["where"])
        for row in lines(tmp_path / "trace" / TRUTH)
        if row["b"] and row["epc"] in {one, two}
    ]
    assert moved == [(300, one, "out"), (310, two, "out"), (500, two, "here")]
    book = [row for row in lines(tmp_path / "trace" / "book.ndjson") if row["epc"] in {one, two}]
    assert [(row["b"], row["at"], row["kind"]) for row in book] == [
        (310, 310, "issue"),
        (420, 300, "issue"),
        (500, 500, "return"),
    ]


def test_what_was_asked_lies_over_what_the_script_says() -> None:
    script = read_script("differences")
    plan = plan_of(Asked(story="differences", seed=99, settings=("door_capture=0.5",), looks=6))
    assert (plan.seed, plan.days, plan.tags, plan.looks_a_day) == (99, script.days, script.tags, 6)
    assert plan.rates.door_capture == 0.5
    assert plan.rates.unscanned == 0.0


def test_a_trace_leaves_the_file_from_which_it_can_be_drawn_again(tmp_path: Path) -> None:
    plan = plan_of(Asked(story="differences", days=2, tags=30, settings=("ghost=0",)))
    write_storeroom(plan, tmp_path / "trace")
    assert read_world((tmp_path / "trace" / WORLD).read_bytes()) == plan


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"b": 1, "do": "steal", "piece": "x"}, "event do: expected one of take, swap"),
        ({"b": -1, "do": "take", "piece": "x"}, "event take: expected b of 0 or more, got -1"),
        ({"b": 1, "do": "take"}, "event take at 1: expected a piece"),
        ({"b": 1, "do": "outage", "piece": "x", "bins": 3}, "event outage at 1: expected no piece"),
        ({"b": 1, "do": "outage"}, "event outage at 1: expected bins of 1 or more, got 0"),
        ({"b": 1, "do": "blind", "bins": 3}, "expected an antenna 1..6, got 0"),
        ({"b": 1, "do": "swap", "piece": "x"}, "expected another piece with a swap"),
        ({"b": 1, "do": "move", "piece": "x"}, "expected the shelf to move to"),
        ({"b": 1, "do": "take", "piece": "x", "shelf": "S9"}, "expected a shelf S1"),
        ({"b": 5, "do": "take", "piece": "x", "claimed_b": 4}, "expected claimed_b later, got 4"),
        ({"b": 9999, "do": "take", "piece": "x"}, "expected b below 2880, got 9999"),
        ({"b": 1, "do": "take", "piece": "x", "item": "HC0000"}, "expected a piece for 'x', none is left"),
        ({"b": 1, "do": "return", "piece": "x"}, "expected 'x' to be out, it is here"),
        ({"b": "soon", "do": "take", "piece": "x"}, "--story .*expected"),
    ],
)
def test_a_script_that_cannot_be_played_is_one_clear_error(wrong: dict[str, object], says: str, tmp_path: Path) -> None:
    story = tmp_path / "story.json"
    story.write_text(json.dumps({"events": [wrong]}))
    with pytest.raises(WrongUse, match=says):
        draw_ward(plan_of(Asked(story=str(story))))


def test_a_story_that_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(WrongUse, match="--story nothing: expected a file that can be read, or differences"):
        read_script("nothing")


def test_words_mean_pieces_of_different_lines() -> None:
    events = tuple(Event(10 + turn, "take", f"p{turn}") for turn in range(5))
    ward = draw_ward(Plan(seed=1, days=2, tags=100, script=Script(events)))
    assert len({ward.stock.pieces[tag].item for tag in ward.cast.values()}) == 5
