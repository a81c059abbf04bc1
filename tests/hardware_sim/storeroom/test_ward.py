"""A trace as a whole: its form, that it is a function of its seed, and that what is heard agrees with what is true."""

from pathlib import Path
from typing import Any

import pytest

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.rates import HARD, NOMINAL, QUIET, from_table
from hardware_sim.storeroom.trace import BINS, BOOK, META, TRUTH
from hardware_sim.storeroom.ward import Plan, draw_ward, write_ward
from tests.hardware_sim.storeroom.traces import Trace, trace_of

BUSY = from_table({"takes_a_day": 0.3, "unscanned": 0.3, "ghost": 0.0, "to_next_a_day": 5.0})
FILES = (META, BINS, BOOK, TRUTH)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return trace_of(Plan(seed=3, days=2, tags=80, rates=BUSY), tmp_path_factory.mktemp("busy"))


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        (tmp_path / name).mkdir()
        write_ward(draw_ward(Plan(seed=seed, days=1, tags=20, rates=HARD, looks_a_day=3)), tmp_path / name)
    for name in FILES:
        one, same, other = ((tmp_path / folder / name).read_bytes() for folder in ("one", "same", "other"))
        assert one == same
        assert one != other


def test_another_radio_does_not_change_what_people_do() -> None:
    deaf = from_table({"read_mean": 0.1, "block_single": 0.0, "door_capture": 0.0})
    one, other = (draw_ward(Plan(seed=4, days=3, tags=50, rates=rates)).life for rates in (NOMINAL, deaf))
    assert one.facts == other.facts
    assert one.changes == other.changes


def test_every_bin_has_its_line_in_the_form_of_the_trace(busy: Trace) -> None:
    antennas = [str(antenna) for names in busy.meta["channels"].values() for antenna in names]
    count = len(busy.meta["tags"])
    assert [row["b"] for row in busy.bins] == list(range(2 * 1440))
    for row in busy.bins:
        assert list(row["n"]) == antennas
        assert row["visit"] is None or row["visit"] >= 0
        assert all(0 <= tag < count and 1 <= heard <= 30 for tag, heard, *_ in row["reads"]["room"])
        assert all(-92 <= dbm <= -25 and 0 <= last_s < 60 for _, _, dbm, last_s in row["reads"]["room"])
        assert all(0 <= tag < count and 1 <= heard <= row["n"]["7"] for tag, heard, _ in row["reads"]["next"])
        for tag, antenna, heard, first_s, last_s, _ in row["reads"]["door"]:
            assert 0 <= tag < count
            assert antenna in busy.meta["channels"]["door"]
            assert heard >= 1
            assert 0 <= first_s <= last_s <= 60


def test_every_fifth_bin_tells_antennas_apart_and_they_agree_with_the_room(busy: Trace) -> None:
    for row in busy.bins[:200]:
        assert ("ant" in row) == (row["b"] % 5 == 0)
        apart: dict[int, list[int]] = {}
        for tag, antenna, heard, _ in row.get("ant", []):
            assert antenna in busy.meta["channels"]["room"]
            apart.setdefault(tag, []).append(heard)
        for tag, heard, *_ in row["reads"]["room"] if apart else []:
            assert max(apart[tag]) <= heard <= sum(apart[tag])


def test_the_rates_of_the_world_stand_beside_the_trace(busy: Trace) -> None:
    assert from_table(busy.meta["world"]) == BUSY
    assert set(busy.meta["book0"]) == {tag["epc"] for tag in busy.meta["tags"]}
    assert set(busy.meta["ref"].values()) <= set(busy.meta["book0"])
    assert set(busy.meta["ref"]) == {str(antenna) for antenna in busy.meta["channels"]["room"]}


def test_a_tag_that_is_out_is_not_heard_where_there_are_no_ghosts(busy: Trace) -> None:
    changes: dict[int, dict[int, str]] = {}
    for row in busy.truth:
        changes.setdefault(row["b"], {})[busy.number[row["epc"]]] = row["where"]
    out: set[int] = set()
    left = 0
    for line in busy.bins:
        now = changes.get(line["b"], {})
        heard = {read[0] for read in line["reads"]["room"] + line["reads"]["next"]}
        assert not heard & (out - set(now))
        gone = {tag for tag, where in now.items() if where == "out"}
        left += len(gone) * (line["b"] > 0)
        out = (out | gone) - {tag for tag, where in now.items() if where != "out"}
    assert left > 20


def test_no_piece_is_lost_or_made(busy: Trace) -> None:
    references = set(busy.meta["ref"].values())
    at_first = {row["epc"]: row["where"] for row in busy.truth[: len(busy.meta["tags"]) - len(references)]}
    assert {row["epc"] for row in busy.truth} == {tag["epc"] for tag in busy.meta["tags"]} - references
    assert {row["where"] for row in busy.truth} == {"here", "next", "out"}
    assert at_first == {epc: where for epc, where in busy.meta["book0"].items() if epc not in references}
    assert [row["b"] for row in busy.truth] == sorted(row["b"] for row in busy.truth)


def test_a_fact_is_known_in_order_and_never_before_it_is_claimed(busy: Trace) -> None:
    assert [fact["b"] for fact in busy.book] == sorted(fact["b"] for fact in busy.book)
    assert all(fact["at"] <= fact["b"] < 2 * 1440 for fact in busy.book)
    assert {fact["kind"] for fact in busy.book} >= {"issue", "return"}


def test_a_quiet_book_is_always_right() -> None:
    ward = draw_ward(Plan(seed=2, days=14, tags=150, rates=QUIET))
    first = {tag: piece.first for tag, piece in enumerate(ward.stock.pieces)}
    book = first | {fact.tag: fact.to for fact in sorted(ward.life.facts)}
    where = first | {change.tag: change.where for change in sorted(ward.life.changes)}
    assert len(ward.life.facts) > 100
    assert book == where


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"days": 0}, "--days: expected 1..366, got 0"),
        ({"tags": 0}, "--tags: expected 1..20000"),
        ({"tags": 20_000, "days": 366}, "tags x days at most 200000"),
        ({"looks_a_day": 4}, "--looks: expected one of 0, 3, 6, got 4"),
        ({"ant_every": -1}, "--ant-every: expected 0..1440"),
    ],
)
def test_a_plan_that_cannot_be_drawn_is_one_clear_error(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(WrongUse, match=says):
        Plan(**({"seed": 1, "days": 1, "tags": 10} | wrong))
