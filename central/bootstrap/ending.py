"""How a process of central ends: by a signal, or when the program that started it is gone.

The rule that must not be broken: a signal lets the parts finish and never ends the process by itself.
"""

import signal
import threading
from collections.abc import Callable

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_by(stop: Callable[[], None], ends: Callable[[], None] | None) -> None:
    """Call `stop` at each signal, and once `ends` (called on a thread of its own) returns; it may be called again.

    uvicorn says a signal again after it has shut down, which would end the process before its parts have finished.
    """
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda _number, _frame: stop())
    if ends is not None:
        threading.Thread(target=_wait_and_stop, args=(ends, stop), name="parent", daemon=True).start()


def _wait_and_stop(ends: Callable[[], None], stop: Callable[[], None]) -> None:
    ends()
    stop()
