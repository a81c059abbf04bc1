"""The storeroom of differences from its readers to central: each difference opens once, with its cause, and no other.

Two pieces leave unscanned; a third does and is claimed at the end of the shift; one is taken and another scanned in its
place; one is carried next door; one tag dies while nobody is there; then an antenna goes blind and the reader is off
for two hours.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from central.services.causes import first_causes
from central.store.engine import Store
from central.store.queries_book import units_of
from central.store.queries_work import discrepancies
from edge_agent.agent.replay import feed
from edge_agent.core.presence.columns import column_course
from edge_agent.core.presence.floats import float_course
from edge_agent.links.trace import Trace
from tests.central.hospital import HOSPITAL, hospital
from tests.system.recorded_room import CLAIM_BINS, Form, beliefs, drawn, play, words_of

pytestmark = pytest.mark.slow
BINS_COMPARED = 700


def opened(store: Store, status: str) -> dict[tuple[str, str, str], str]:
    """Return the first cause of each discrepancy by unit, kind and storeroom; of closed ones, what closed them."""
    with store.read() as connection:
        found = discrepancies(connection, HOSPITAL, status=status)
        causes = first_causes(connection, HOSPITAL, [one.id for one in found])
    return {(one.unit, one.kind, one.place): one.cause or causes[one.id] for one in found}


@pytest.mark.parametrize(("seed", "form"), [(1, float_course), (2, column_course)])
def test_each_difference_opens_once_with_its_cause_and_no_other(tmp_path: Path, seed: int, form: Form) -> None:
    store, trace = hospital(tmp_path / "files"), drawn(tmp_path / "trace", seed, story="differences")
    play(trace, store, form)
    word = words_of(trace)
    assert opened(store, "open") == {
        (word["dead"], "missing", "ward-01"): "dead_tag",
        (word["unscanned-1"], "missing", "ward-01"): "unscanned_take",
        (word["unscanned-2"], "missing", "ward-01"): "unscanned_take",
        (word["swapped"], "missing", "ward-01"): "swap",
        (word["scanned-instead"], "unexpected", "ward-01"): "swap",
        (word["next-door"], "missing", "ward-01"): "moved_next_door",
        (word["next-door"], "unexpected", "ward-02"): "moved_next_door",
    }
    assert opened(store, "closed") == {}, (
        "the third take was claimed before its shift ended: it waited, and opened nothing"
    )
    assert _held(store, "ward-01").isdisjoint({word["claimed"], word["scanned-instead"]})
    assert {word["dead"], word["unscanned-1"], word["unscanned-2"], word["swapped"]} <= _held(store, "ward-01")


def test_the_recorded_storeroom_holds_all_that_is_to_be_told_apart(tmp_path: Path) -> None:
    folder = drawn(tmp_path / "trace", 1, story="differences")
    happened = Counter(event["do"] for event in json.loads((folder / "happened.json").read_bytes())["events"])
    assert happened == {"take": 3, "swap": 1, "to_next": 1, "dead": 1, "outage": 1, "blind": 1}
    trace = Trace(folder)
    off, blind, word = 0, 0, words_of(folder)
    fixed = trace.ward.ref or {}
    for each in trace.bins():
        heard = {row[0] for row in each.room}
        off += not each.room and not any(each.rounds[name] for name in fixed)
        blind += fixed["2"] not in heard and {fixed[name] for name in fixed if name != "2"} <= heard
    assert (off, blind) == (120, 360), "two hours without a reader, six with one antenna blind"
    claims = {trace.ward.tags[fact.tag].epc for fact in trace.facts if fact.known - fact.at > CLAIM_BINS}
    assert claims == {word["claimed"]}


def _held(store: Store, place: str) -> set[str]:
    with store.read() as connection:
        return {one.unit for one in units_of(connection, HOSPITAL, place) if one.booked_in(place)}


def test_the_live_form_of_the_filter_says_what_the_replaying_form_says(tmp_path: Path) -> None:
    trace = Trace(drawn(tmp_path / "trace", 1, story="differences"))
    told = list(feed(trace.bins(), trace.facts))[:BINS_COMPARED]
    live, replayed = beliefs(trace, told, float_course), beliefs(trace, told, column_course)
    assert len(live) > 60
    assert live == replayed


@pytest.mark.parametrize("seed", [3, 2027])
def test_a_quiet_week_raises_no_alarm(tmp_path: Path, seed: int) -> None:
    store = hospital(tmp_path / "files")
    play(drawn(tmp_path / "trace", seed, days=7, tags=40), store)
    assert opened(store, "open") == {}
    assert opened(store, "closed") == {}
