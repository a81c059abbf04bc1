"""A trace as a whole: its form, that it is a function of its seed, and that what is heard agrees with what is true."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.rates import HARD, NOMINAL, from_table
from hardware_sim.storeroom.trace import BINS, BOOK, META, TRUTH
from hardware_sim.storeroom.ward import Plan, draw_ward, write_ward

BUSY = from_table({"takes_a_day": 0.3, "unscanned": 0.3, "ghost": 0.0, "stray_a": 0.01, "to_next_a_day": 5.0})


def written(plan: Plan, folder: Path) -> Path:
    folder.mkdir()
    write_ward(draw_ward(plan), folder)
    return folder


def lines(path: Path) -> Iterator[dict[str, Any]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    yield from (json.loads(line) for line in raw.splitlines())


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(Plan(seed=3, days=2, tags=80, rates=BUSY), tmp_path_factory.mktemp("busy") / "trace")


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    one, same, other = (
        written(Plan(seed=seed, days=1, tags=20, rates=HARD), tmp_path / name)
        for name, seed in (("one", 5), ("same", 5), ("other", 6))
    )
    for name in (META, BINS, BOOK, TRUTH):
        assert (one / name).read_bytes() == (same / name).read_bytes()
        assert (one / name).read_bytes() != (other / name).read_bytes()


def test_every_bin_has_its_line_in_the_form_of_the_trace(busy: Path) -> None:
    meta = json.loads((busy / META).read_text())
    antennas = [str(antenna) for names in meta["channels"].values() for antenna in names]
    rows = list(lines(busy / BINS))
    assert [row["b"] for row in rows] == list(range(2 * 1440))
    count = len(meta["tags"])
    for row in rows:
        assert list(row["n"]) == antennas
        assert row["visit"] is None or row["visit"] >= 0
        for tag, heard, dbm, last_s in row["reads"]["room"]:
            assert 0 <= tag < count
            assert 1 <= heard <= max(row["n"].values())
            assert -92 <= dbm <= -25
            assert 0 <= last_s < 60
        for tag, antenna, heard, first_s, last_s, _ in row["reads"]["door"]:
            assert 0 <= tag < count
            assert antenna in meta["channels"]["door"]
            assert heard >= 1
            assert 0 <= first_s <= last_s <= 60
        for tag, heard, _ in row["reads"]["next"]:
            assert 0 <= tag < count
            assert 1 <= heard <= row["n"]["7"]


def test_the_rates_of_the_world_stand_beside_the_trace(busy: Path) -> None:
    meta = json.loads((busy / META).read_text())
    assert from_table(meta["world"]) == BUSY
    assert set(meta["book0"]) == {tag["epc"] for tag in meta["tags"]}
    assert set(meta["ref"].values()) <= set(meta["book0"])


def test_a_tag_that_is_out_is_not_heard_where_there_are_no_ghosts(busy: Path) -> None:
    meta = json.loads((busy / META).read_text())
    number = {tag["epc"]: place for place, tag in enumerate(meta["tags"])}
    changes: dict[int, list[tuple[int, str]]] = {}
    for row in lines(busy / TRUTH):
        changes.setdefault(row["b"], []).append((number[row["epc"]], row["where"]))
    out: set[int] = set()
    left = 0
    for row in lines(busy / BINS):
        now = dict(changes.get(row["b"], []))
        left += sum(where == "out" for where in now.values())
        heard = {read[0] for read in row["reads"]["room"] + row["reads"]["next"]}
        assert not heard & out - set(now)
        out = (out | {tag for tag, where in now.items() if where == "out"}) - {
            tag for tag, where in now.items() if where != "out"
        }
    assert left > 20


def test_no_piece_is_lost_or_made(busy: Path) -> None:
    meta = json.loads((busy / META).read_text())
    references = set(meta["ref"].values())
    rows = list(lines(busy / TRUTH))
    assert {row["epc"] for row in rows} == {tag["epc"] for tag in meta["tags"]} - references
    assert {row["where"] for row in rows} <= {"here", "next", "out"}
    assert {row["epc"]: row["where"] for row in rows[: len(meta["tags"]) - len(references)]} == {
        epc: where for epc, where in meta["book0"].items() if epc not in references
    }


def test_a_fact_is_known_in_order_and_never_before_it_is_claimed(busy: Path) -> None:
    facts = list(lines(busy / BOOK))
    assert [fact["b"] for fact in facts] == sorted(fact["b"] for fact in facts)
    assert all(fact["at"] <= fact["b"] < 2 * 1440 for fact in facts)
    assert {fact["kind"] for fact in facts} >= {"issue", "return"}


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
def test_a_plan_that_cannot_be_drawn_is_one_clear_error(wrong: dict[str, int], says: str) -> None:
    with pytest.raises(WrongUse, match=says):
        Plan(**{"seed": 1, "days": 1, "tags": 10, "rates": NOMINAL} | wrong)  # type: ignore[arg-type] # a table of wrong figures
