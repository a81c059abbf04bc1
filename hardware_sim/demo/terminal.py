"""The terminal of a demo: lines, and shares as the page shows them.

The rule that must not be broken: a terminal that is gone is no reason to stop.
"""

import os
import sys
from math import floor


def say(*lines: str) -> None:
    """Print lines; a terminal that is gone is not asked again."""
    try:
        for line in lines:
            print(line, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def percent(share: float | None) -> str:
    """Return a share (0..1) as percent with one decimal, cut downwards: 100.0 is said of nothing that is less."""
    if share is None:
        return "-"
    return f"{floor(round(share * 1000, 6)) / 10:.1f}"
