"""Numbers and instants as a reader of each language writes them."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.services.overview import Name
from central.web.formats import Formats
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
    assert (EN.percent(share) == "100.0%") == (share > 1 - Fraction(1, 10**9))


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


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [(59, "", ""), (61, "1分钟前", "1 min ago"), (3480, "58分钟前", "58 min ago"), (7000, "2小时前", "2 hr ago")],
)
def test_how_long_ago_is_said_to_one_unit(seconds: int, zh: str, en: str) -> None:
    then = plus(NOW, -seconds)
    assert ZH.ago(then, NOW) == zh
    assert EN.ago(then, NOW) == en


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
