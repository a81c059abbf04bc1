"""Ids, instants, quantities and money: what may exist, and that it survives being written down."""

from datetime import UTC, date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadValue
from protocols.values import ids
from protocols.values.hlc import Hlc, millis_of, next_hlc
from protocols.values.instant import (
    INSTANT_MAX,
    INSTANT_MIN,
    MICROS,
    Instant,
    StoryTime,
    business_day,
    day_start,
    from_datetime,
    from_iso,
    instant,
    plus,
    to_datetime,
    to_iso,
)
from protocols.values.money import rounded_fen, times, yuan
from protocols.values.quantity import whole_packs


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_an_event_id_is_a_uuid7_that_sorts_by_its_millisecond(unix_ms: int, chance: bytes) -> None:
    made = ids.make_event_id(unix_ms, chance)
    assert ids.event_id(made) == made
    assert int.from_bytes(made[:6], "big") == unix_ms


@pytest.mark.parametrize("raw", [bytes(16), bytes(15), b"\xff" * 16])
def test_bytes_that_are_no_uuid7_are_refused(raw: bytes) -> None:
    with pytest.raises(BadValue):
        ids.event_id(raw)


def test_two_draws_of_chance_in_one_millisecond_give_two_event_ids() -> None:
    assert ids.make_event_id(1, bytes(10)) != ids.make_event_id(1, bytes(9) + b"\x01")


@pytest.mark.parametrize("text", ["", "Ward 1", "ward/1", "#", "+", "病区", "a" * 65, "patient@"])
def test_a_name_that_could_break_a_topic_is_no_device(text: str) -> None:
    with pytest.raises(BadValue, match="expected"):
        ids.device_id(text)


def test_a_virtual_place_belongs_to_its_storeroom() -> None:
    place = ids.virtual_place("patient", ids.place_id("ward-01"))
    assert place == "patient@ward-01"
    assert ids.is_virtual(place)
    assert not ids.is_virtual(ids.place_id("ward-01"))
    with pytest.raises(BadValue, match="place role"):
        ids.virtual_place("moon", ids.place_id("ward-01"))


@pytest.mark.parametrize("text", ["30", "303", "3066C4409047E140075BCD1", "XYZ4", "0" * 128])
def test_hex_that_is_no_whole_number_of_words_is_no_epc(text: str) -> None:
    with pytest.raises(BadValue, match="EPC"):
        ids.epc(text)


def test_an_epc_is_written_one_way() -> None:
    assert ids.epc("3066c4409047e140075bcd15") == "3066C4409047E140075BCD15"


@given(st.integers(INSTANT_MIN, INSTANT_MAX))
def test_an_instant_and_its_datetime_are_the_same_moment(micros: int) -> None:
    moment = to_datetime(Instant(micros))
    assert moment.tzinfo is UTC
    assert from_datetime(moment) == micros


def test_a_business_day_is_cut_in_the_hospitals_zone() -> None:
    late = from_iso("2026-03-02T23:59:59+08:00")
    assert business_day(late) == date(2026, 3, 2)
    assert business_day(plus(late, 1)) == date(2026, 3, 3)
    assert to_iso(late) == "2026-03-02T23:59:59+08:00"


@pytest.mark.parametrize("text", ["2026-03-02T16:00:00", "yesterday", ""])
def test_a_time_without_a_zone_is_no_instant(text: str) -> None:
    with pytest.raises(BadValue, match="zone"):
        from_iso(text)


def test_story_time_runs_at_its_rate_from_its_anchor() -> None:
    story = StoryTime(Instant(0), 540.0, since_ns=1_000)
    assert story.at(1_000) == 0
    assert story.at(1_000 + 1_000_000_000) == 540_000_000
    assert story.wait_s(Instant(0), Instant(540_000_000)) == 1.0
    with pytest.raises(BadValue, match="rate"):
        StoryTime(Instant(0), 0, 0)


@given(st.lists(st.integers(0, 2**41), min_size=2, max_size=30))
def test_the_hybrid_clock_never_runs_backwards(walls: list[int]) -> None:
    last = Hlc(0)
    for wall in walls:
        later = next_hlc(last, Instant(wall))
        assert later > last
        assert millis_of(later) >= wall // 1000
        last = later


@given(st.integers(0, 10**6), st.integers(1, 1000))
def test_whole_packs_cover_a_need_with_less_than_one_pack_to_spare(need: int, pack: int) -> None:
    packs = whole_packs(need, pack)
    assert packs % pack == 0
    assert 0 <= packs - need < pack


def test_money_is_exact_to_a_hundredth_of_a_fen_and_rounds_once() -> None:
    assert yuan("0.0325") == 325
    assert times(yuan("0.0325"), 3) == 975
    assert str(rounded_fen(times(yuan("0.005"), 1))) == "0.01"


@pytest.mark.parametrize("text", ["12.34567", "NaN", "1e400", "twelve", "Infinity"])
def test_money_with_more_than_four_decimals_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="money"):
        yuan(text)


def test_a_fast_clock_turns_to_real_time_where_it_is_told_to() -> None:
    story = StoryTime(Instant(0), 540.0, since_ns=0, real_from=Instant(5_400 * MICROS))
    assert story.at(10 * 10**9) == 5_400 * MICROS
    assert story.at(11 * 10**9) == 5_401 * MICROS
    assert story.wait_s(Instant(0), Instant(5_401 * MICROS)) == 11.0
    assert story.wait_s(Instant(5_401 * MICROS), Instant(5_403 * MICROS)) == 2.0
    assert story.wait_s(Instant(5_403 * MICROS), Instant(0)) == 0.0
    with pytest.raises(BadValue, match="expected not before the start"):
        StoryTime(Instant(10), 1, 0, real_from=Instant(9))


def test_a_business_day_begins_at_the_hospitals_midnight() -> None:
    start = day_start(date(2026, 3, 2))
    assert to_iso(start) == "2026-03-02T00:00:00+08:00"
    assert business_day(start) == date(2026, 3, 2)
    assert business_day(plus(start, -1)) == date(2026, 3, 1)


@pytest.mark.parametrize("moment", [2**61, -(2**61), 253_402_300_799_000_000, INSTANT_MAX])
def test_whatever_was_stored_as_an_instant_can_be_written_on_a_page(moment: int) -> None:
    assert len(to_iso(Instant(moment))) > 20
    assert business_day(Instant(moment)).year in {2, 9998, 9999}


@pytest.mark.parametrize("said", [-1, INSTANT_MAX + 1, True, 1.0, "1"])
def test_what_no_clock_can_say_is_no_instant(said: object) -> None:
    with pytest.raises(BadValue, match="1970 to 9998"):
        instant(said)
