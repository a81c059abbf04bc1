"""How many requests a program may make: a bucket for each person that fills at a steady rate and never overflows.

It is kept in this process and is about load, not about rights. Link time throughout. The rule that must not be broken:
who is told to wait is told how long.

Source: RFC 6585 section 4 (429), RFC 9110 section 10.2.3 (Retry-After); the bucket is ITU-T I.371's, read as a meter.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from central.errors import BadInput, TooMany

NAMES_MAX = 4096
"""Buckets remembered; the one longest unused is forgotten, and would be full again by then."""


@dataclass(slots=True)
class Meter:
    """The buckets; `now_s` is link time in seconds. A rate of 0 lets everything through."""

    now_s: Callable[[], float]
    a_minute: int
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        if self.a_minute < 0:
            raise BadInput(f"requests a minute: expected 0 (no limit) or more, got {self.a_minute}")

    def take(self, name: str) -> None:
        """Count one request of somebody. Raises `TooMany`, which says after how many seconds another is welcome."""
        if not self.a_minute:
            return
        now = self.now_s()
        with self._lock:
            left, at = self._left.pop(name, (float(self.a_minute), now))
            left = min(float(self.a_minute), left + (now - at) * self.a_minute / 60)
            self._left[name] = (max(left - 1, 0.0) if left >= 1 else left, now)
            if len(self._left) > NAMES_MAX:
                self._left.popitem(last=False)
        if left < 1:
            wait_s = math.ceil((1 - left) * 60 / self.a_minute)
            raise TooMany(f"requests: expected at most {self.a_minute} a minute; wait {wait_s} s", wait_s)
