"""An uptime-only reader's clock: at which instant its uptime was 0, learned from when its messages arrive.

A message arrives after it was said, never before, so the earliest origin seen is the truest. Two clocks drift apart:
an origin may grow by `DRIFT_MAX` of the time that passed, or an old quick message would be believed for ever.
"""

from dataclasses import dataclass

from protocols.values.instant import Instant

DRIFT_MAX = 100e-6
"""A hundred millionths: twice what a cheap crystal is off."""


@dataclass(slots=True)
class UptimeClock:
    """Learns the instant of uptime 0 of one connection."""

    _origin: int | None = None
    _learned: int = 0

    def learn(self, uptime: int, arrived: Instant) -> int:
        """Take one message said at `uptime` microseconds that arrived at an instant; returns the origin."""
        seen = arrived - uptime
        if self._origin is None:
            self._origin = seen
        else:
            drift = int(max(0, arrived - self._learned) * DRIFT_MAX)
            self._origin = min(seen, self._origin + drift)
        self._learned = max(self._learned, arrived)  # time that passed counts once, whatever order messages come in
        return self._origin
