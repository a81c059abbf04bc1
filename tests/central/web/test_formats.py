"""Numbers and instants as a reader of each language writes them."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.services.overview import Name
from central.web.formats import Formats, tenths_of_percent
from central.web.languages import Language
from protocols.values.instant import Instant, from_iso, plus
from protocols.values.money import Money

ZH, EN = Formats(Language.ZH), Formats(Language.EN)
NOW = from_iso("2026-03-02T19:42:00+08:00")


def test_a_rate_is_cut_and_never_rounded_up_to_whole() -> None:
    assert ZH.percent(Fraction(9999, 10000)) == "99.9%"
    assert ZH.percent(Fraction(1)) == "100.0%"
    assert EN.percent(0.983) == "98.3%"


@given(st.fractions(min_value=0, max_value=1))
def test_only_what_is_whole_reads_as_whole(share: Fraction) -> None:
    assert (EN.percent(share) == "100.0%") == (share == 1)


@given(st.fractions(min_value=-1, max_value=1), st.integers(0, 1000))
def test_a_rate_that_is_below_a_gate_is_never_shown_to_reach_it(share: Fraction, gate: int) -> None:
    assert (tenths_of_percent(share) >= gate) == (share >= Fraction(gate, 1000))


@given(st.integers(0, 1000))
def test_a_rate_that_comes_as_a_float_loses_nothing_to_binary_dust(tenths: int) -> None:
    assert tenths_of_percent(tenths / 1000) == tenths
    assert tenths_of_percent(0.9799) == 979


def test_what_is_nearly_sure_does_not_read_as_sure() -> None:
    assert ZH.chance(0.0004) == "1%"
    assert ZH.chance(0.9999) == "99%"
    assert ZH.chance(0.5) == "50%"


def test_the_hour_is_the_hospitals_and_the_day_is_said_only_when_it_is_not_today() -> None:
    assert ZH.moment(from_iso("2026-03-02T10:04:00+00:00"), NOW) == "18:04"
    assert ZH.moment(from_iso("2026-03-01T10:04:00+00:00"), NOW) == "3月1日 18:04"
    assert EN.moment(from_iso("2025-12-31T10:04:00+00:00"), NOW) == "31 Dec 2025 18:04"
    assert ZH.stamp(NOW) == "2026年3月2日 19:42"
    assert EN.day(date(2027, 9, 17)) == "17 Sept 2027"
    assert ZH.written_day("2027-09-17") == "2027年9月17日"
    assert ZH.written_day("2027-09") == "2027-09"


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (59, "", ""),
        (61, "1分钟前", "1 min ago"),
        (3599, "59分钟前", "59 min ago"),
        (3600, "1小时前", "1 hr ago"),
        (7199, "1小时前", "1 hr ago"),
        (90_000, "1天前", "1 day ago"),
    ],
)
def test_how_long_ago_is_said_to_one_unit(seconds: int, zh: str, en: str) -> None:
    then = plus(NOW, -seconds)
    assert ZH.ago(then, NOW) == zh
    assert EN.ago(then, NOW) == en


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (5, "1分钟", "1 min"),
        (3599, "59分钟", "59 mins"),
        (3600, "1小时", "1 hr"),
        (3840, "1小时4分钟", "1 hr 4 mins"),
        (86_399, "23小时59分钟", "23 hrs 59 mins"),
        (100_000, "1天", "1 day"),
    ],
)
def test_how_long_is_said_in_hours_and_minutes_within_a_day(seconds: int, zh: str, en: str) -> None:
    assert ZH.span(seconds) == zh
    assert EN.span(seconds) == en


def test_a_moment_that_is_still_to_come_is_not_said_to_be_past() -> None:
    assert ZH.ago(Instant(NOW + 5_000_000), NOW) == ""


def test_money_is_rounded_once_and_a_unit_price_not_at_all() -> None:
    assert ZH.money(Money(12_345_650)) == "¥1,234.57"
    assert ZH.price(Money(325)) == "¥0.0325"
    assert EN.price(Money(82_000_000)) == "¥8,200.00"


def test_quantities_carry_their_unit() -> None:
    assert ZH.quantity(12, Name("套", "set")) == "12 套"
    assert EN.quantity(12, Name("套", "set")) == "12 sets"
    assert EN.quantity(1, Name("套", "set")) == "1 set"
    assert EN.quantity(2, Name("盒", "box")) == "2 boxes"
    assert EN.quantity(1200, Name("", "")) == "1,200"


def test_a_name_that_has_no_word_in_this_language_is_said_in_the_other() -> None:
    assert EN.name(Name("急诊科", "")) == "急诊科"
    assert ZH.name(Name("", "Emergency")) == "Emergency"
    assert EN.name(Name("急诊科", "Emergency")) == "Emergency"


def test_sentences_are_parted_as_the_language_does() -> None:
    assert EN.prose(["One.", "", "Two."]) == "One. Two."
    assert ZH.prose(["一。", "", "二。"]) == "一。二。"
