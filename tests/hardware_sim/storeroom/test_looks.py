"""Looks: as many as were asked for, at what is odd, and what they say is true."""

from collections import Counter
from pathlib import Path

from hardware_sim.storeroom.rates import from_table
from hardware_sim.storeroom.ward import Plan
from tests.hardware_sim.storeroom.traces import trace_of

RATES = from_table({"unscanned": 0.4, "claimed": 0.0, "takes_a_day": 0.15, "look_errs": 0.0, "late_scan": 0.0})


def test_looks_find_what_the_book_has_wrong_and_say_what_is_true(tmp_path: Path) -> None:
    trace = trace_of(Plan(seed=2, days=3, tags=60, rates=RATES, looks_a_day=6, ant_every=0), tmp_path)
    looks = [fact for fact in trace.book if fact["kind"] == "look"]
    assert len({fact["b"] for fact in looks}) == 18
    changes: dict[str, list[tuple[int, str]]] = {}
    for row in trace.truth:
        changes.setdefault(row["epc"], []).append((row["b"], row["where"]))
    for fact in looks:
        where = [where for b, where in changes[fact["epc"]] if b <= fact["b"]][-1]
        assert (where == "here") == (fact["to"] == "here")
    found = Counter(fact["to"] for fact in looks)
    assert found["out"] >= 5


def test_nobody_looks_unless_asked(tmp_path: Path) -> None:
    trace = trace_of(Plan(seed=2, days=1, tags=20, rates=RATES), tmp_path)
    assert "look" not in {fact["kind"] for fact in trace.book}
