"""A wall clock that was moved is noticed; a slow correction and a small offset are not."""

from edge_agent.core.clock_watch import Cause, ClockStep, ClockWatch, offset_us
from protocols.values.instant import MICROS, Instant

NOW = Instant(1_772_438_400 * MICROS)


def test_a_jump_above_five_seconds_against_the_monotonic_clock_is_a_step_with_its_size() -> None:
    watch = ClockWatch()
    assert watch.look(NOW, 0) is None
    assert watch.look(Instant(NOW + 65 * MICROS), 60 * MICROS) is None  # five seconds are not more than five
    assert watch.look(Instant(NOW + 3665 * MICROS), 60 * MICROS) == ClockStep(Cause.JUMP, 3600 * MICROS)
    assert watch.look(Instant(NOW + 70 * MICROS), 65 * MICROS) == ClockStep(Cause.JUMP, -3600 * MICROS)


def test_a_clock_that_is_corrected_slowly_never_steps() -> None:
    watch = ClockWatch()
    for second in range(100):
        assert watch.look(Instant(NOW + second * MICROS * 11 // 10), second * MICROS) is None


def test_an_offset_above_two_seconds_is_written_once_and_its_end_too() -> None:
    watch = ClockWatch()
    assert watch.heard(2 * MICROS) is None
    assert watch.heard(3 * MICROS) == ClockStep(Cause.OFFSET, 3 * MICROS)
    assert watch.heard(4 * MICROS) is None
    assert watch.heard(0) == ClockStep(Cause.OFFSET, 0)
    assert watch.heard(1 * MICROS) is None


def test_half_of_the_round_trip_is_taken_off() -> None:
    assert offset_us(Instant(NOW + 3 * MICROS), NOW, 4.0) == 1 * MICROS
