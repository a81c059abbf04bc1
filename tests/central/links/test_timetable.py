import threading

import pytest

from central.links.timetable import ScheduledBell, TickingBell, bell_for

RING_S_MAX = 10


def test_story_time_that_runs_fast_is_rung_by_a_ticker_and_real_time_by_the_scheduler() -> None:
    assert isinstance(bell_for(540, lambda: None), TickingBell)
    assert isinstance(bell_for(1, lambda: None), ScheduledBell)


def test_a_ticker_rings_until_it_is_stopped() -> None:
    rung = threading.Event()
    bell = TickingBell(rung.set, tick_s=0.001)
    bell.start()
    assert rung.wait(RING_S_MAX)
    bell.stop()
    rung.clear()
    assert not bell._thread.is_alive()


@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_a_scheduler_starts_and_stops() -> None:
    bell = ScheduledBell(lambda: None)
    bell.start()
    bell.stop()
    assert not bell._scheduler.running
