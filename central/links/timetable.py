"""The bell that asks whether a job is due. It rings in real time and decides nothing.

APScheduler rings where story time is real time; under a fast clock its cron of whole seconds would be too coarse, and a
plain ticker rings. The rule that must not be broken: a bell does no work; it wakes the one thread that does.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from apscheduler.schedulers.background import BackgroundScheduler

SCHEDULED_S = 15
"""How often the scheduler asks; jobs are minutes apart."""
TICK_S = 0.2
"""How often the ticker asks: at 540 x this is two story minutes."""
STOP_S_MAX = 5.0


class Bell(Protocol):
    """Something that rings until it is stopped."""

    def start(self) -> None:
        """Begin to ring; returns at once."""

    def stop(self) -> None:
        """Ring no more."""


class ScheduledBell:
    """Rings by APScheduler every quarter of a minute."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._scheduler = BackgroundScheduler(daemon=True)
        self._scheduler.add_job(ring, "interval", seconds=SCHEDULED_S, coalesce=True, max_instances=1)

    def start(self) -> None:
        """Begin to ring."""
        self._scheduler.start()

    def stop(self) -> None:
        """Ring no more."""
        self._scheduler.shutdown(wait=False)


class TickingBell:
    """Rings by a thread of its own, several times a second."""

    def __init__(self, ring: Callable[[], None], tick_s: float = TICK_S) -> None:
        self._ring, self._tick_s = ring, tick_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)

    def start(self) -> None:
        """Begin to ring."""
        self._thread.start()

    def stop(self) -> None:
        """Ring no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def _run(self) -> None:
        while not self._stopping.wait(self._tick_s):
            self._ring()


def bell_for(rate: float, ring: Callable[[], None]) -> Bell:
    """Return the bell for a clock: scheduled at rate 1, ticking when story time runs faster or slower."""
    return ScheduledBell(ring) if rate == 1 else TickingBell(ring)
