"""How a person ends a program here: Ctrl-C, TERM, or closing the terminal; all mean the same.

The first one raises `Stopped` in the main thread; whoever cleans up ignores the others from then on.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody ended the program."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` at the first signal inside this block, and restore what was there afterwards."""
    before = {number: signal.signal(number, _stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def ignore_signals() -> None:
    """Let nothing disturb the cleaning up."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def wait_for_end(begin: Callable[[], None] | None = None) -> None:
    """Wait until somebody ends the program; `begin` starts what may be answered by ending it."""
    ended = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda _number, _frame: ended.set())
    if begin is not None:
        begin()
    ended.wait()


def _stop(_number: int, _frame: FrameType | None) -> None:
    ignore_signals()
    raise Stopped
