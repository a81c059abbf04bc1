"""What central may know, entry by entry: the newest fact of a piece counts, and a sum is counted low."""

from itertools import product
from math import prod

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.fill import low_quantile
from hardware_sim.evidence.chains import Entry
from hardware_sim.evidence.picture import QUANTILE, LineView, Picture
from protocols.values.instant import MICROS, from_iso

START = from_iso("2026-03-02T16:00:00+08:00")
WARD = "ward-01"


def said(at_s: float, kind: str, body: dict[str, object]) -> Entry:
    at, nothing = START + round(at_s * MICROS), bytes(32)
    raw = msgspec.json.encode(body)
    return Entry(b"i", round(at_s), b"e", WARD, 0, at, 0, b"b", 1, kind, 1, raw, "", nothing, nothing, nothing, at)


def move(at_s: float, kind: str, source: str, target: str, *units: str) -> Entry:
    lines = [{"item": "HC1", "lot": "L1", "qty": 1, "unit": unit, "source": source, "target": target} for unit in units]
    return said(at_s, kind, {"lines": lines})


def opened(*units: str) -> Picture:
    picture = Picture({WARD: WARD})
    picture.take(move(0, "opening", f"opening@{WARD}", WARD, *units))
    return picture


def believe(picture: Picture, at_s: float, unit: str, p: float) -> None:
    picture.take(said(at_s, "observe", {"epc": unit, "p": p, "model": "window-1", "since": START}))


def test_a_piece_follows_the_reader_when_that_is_newer_and_the_book_when_that_is() -> None:
    picture = opened("A", "B", "C")
    assert picture.lines(WARD) == {("HC1", "L1"): LineView(3, 3)}
    believe(picture, 60, "A", 0.99)
    believe(picture, 70, "B", 0.02)
    assert picture.lines(WARD) == {("HC1", "L1"): LineView(3, 2)}
    picture.take(move(80, "issue", WARD, f"issued@{WARD}", "A"))
    assert picture.lines(WARD) == {("HC1", "L1"): LineView(2, 1)}
    believe(picture, 2000, "A", 0.99)
    assert picture.lines(WARD) == {("HC1", "L1"): LineView(2, 2)}, "unexpected: taken, and heard again"


def test_a_line_with_nothing_on_either_side_is_none() -> None:
    picture = opened("A")
    picture.take(move(80, "issue", WARD, f"issued@{WARD}", "A"))
    assert picture.lines(WARD) == {}


def test_what_is_brought_back_is_taken_off_the_day_of_its_issue() -> None:
    picture = opened("A", "B")
    picture.take(move(60, "issue", WARD, f"issued@{WARD}", "A", "B"))
    picture.take(move(86_400, "return_to_store", f"issued@{WARD}", WARD, "A"))
    assert list(picture.asked[WARD, "HC1"].values()) == [1]


@given(st.lists(st.sampled_from([0.01, 0.2, 0.5, 0.8, 0.99]), max_size=7))
def test_a_position_is_the_low_quantile_of_the_sum(beliefs: list[float]) -> None:
    units = [f"U{number}" for number in range(len(beliefs))]
    picture = opened("BOOK", *units)
    for unit, p in zip(units, beliefs, strict=True):
        believe(picture, 60, unit, p)
    weight = dict.fromkeys(range(len(units) + 1), 0.0)
    for here in product((0, 1), repeat=len(units)):
        weight[sum(here)] += prod(p if there else 1 - p for p, there in zip(beliefs, here, strict=True))
    lowest = min(count for count in weight if sum(weight[less] for less in range(count + 1)) >= QUANTILE - 1e-12)
    assert picture.position(WARD, "HC1") == 1 + lowest == low_quantile(beliefs, 1, QUANTILE)


@pytest.mark.parametrize(
    "body", [{}, {"lines": "none"}, {"lines": [1, {"item": 3, "qty": "1"}]}, {"epc": 1, "p": "high"}]
)
def test_a_body_that_says_nothing_sensible_moves_nothing(body: dict[str, object]) -> None:
    picture = opened("A")
    picture.take(said(60, "observe", body))
    picture.take(said(60, "issue", {"lines": []} if "lines" not in body else body))
    assert picture.lines(WARD)[("HC1", "L1")] == LineView(1, 1)
