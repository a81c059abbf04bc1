"""Digests: one a shift, nothing where nothing needs anybody, and a limit to every retry (D8)."""

from datetime import time

from hypothesis import given
from hypothesis import strategies as st

from central.core.notices import SAID, TRIES_MAX, WAITS_S, Need, Sending, after_failure, digest, shift_at
from protocols.values.instant import Instant, from_iso, plus

STARTS = (time(8), time(20))
NOW = from_iso("2026-03-02T09:00:00+08:00")


def test_D8_a_shift_begins_at_its_hour_and_the_night_belongs_to_the_evening_before() -> None:  # noqa: N802
    assert shift_at(NOW, STARTS) == from_iso("2026-03-02T08:00:00+08:00")
    assert shift_at(from_iso("2026-03-02T08:00:00+08:00"), STARTS) == from_iso("2026-03-02T08:00:00+08:00")
    assert shift_at(from_iso("2026-03-02T07:59:59+08:00"), STARTS) == from_iso("2026-03-01T20:00:00+08:00")


@given(st.integers(0, 400_000), st.lists(st.times(), min_size=1, max_size=6))
def test_a_shift_has_begun_and_less_than_a_day_ago(minutes: int, starts: list[time]) -> None:
    now = plus(NOW, minutes * 60)
    begun = shift_at(now, [start.replace(second=0, microsecond=0) for start in starts])
    assert begun <= now < plus(begun, 86_400)


def test_a_digest_says_what_needs_somebody_and_nothing_is_no_digest() -> None:
    needs = {Need.PROPOSALS: 12, Need.DISCREPANCIES: 0, Need.OVERDUE: 1}
    assert digest(needs, NOW, zh=True) == (
        "待办提醒 2026-03-02 09:00 班次",
        "· 12 条补货建议待审批\n· 1 张发票已逾期未付",
    )
    assert digest(needs, NOW, zh=False) == (
        "What needs you, shift of 2026-03-02 09:00", "· 12 proposals to approve\n· 1 invoices overdue",
    )  # fmt: skip
    assert digest({Need.PROPOSALS: 0}, NOW, zh=True) is None
    assert set(SAID) == set(Need)


def test_what_fails_is_tried_again_later_and_later_and_then_given_up() -> None:
    found = [after_failure(tries, NOW) for tries in range(1, TRIES_MAX + 1)]
    assert found[:-1] == [(Sending.WAITING, plus(NOW, wait)) for wait in WAITS_S]
    assert found[-1] == (Sending.GIVEN_UP, Instant(NOW))
