"""Instants and business days: the one place for time as a value.

An `Instant` is whole microseconds since 1970-01-01 UTC; a plain integer on disk and on the wire. Nothing here reads a
clock: `clock.py` of each application does, and hands instants in.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NewType
from zoneinfo import ZoneInfo

from protocols.errors import BadValue

Instant = NewType("Instant", int)

MICROS = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOSPITAL_ZONE = ZoneInfo("Asia/Shanghai")
"""The hospital's zone; business days are cut here."""

RATE_MAX = 10_000

INSTANT_MIN = 0
"""The beginning of 1970: where a clock stands that was never set."""
INSTANT_MAX = 253_370_764_799_999_999
"""The end of the year 9998, UTC: a day later than any of these still has a date, in every zone."""
_SAID_MIN = -62_104_060_800_000_000
"""The beginning of the year 2, UTC: the earliest that can be written as a date in every zone."""


def instant(value: object) -> Instant:
    """Check an instant that somebody else said. Raises `BadValue` when it is not believable."""
    if isinstance(value, bool) or not isinstance(value, int) or not INSTANT_MIN <= value <= INSTANT_MAX:
        raise BadValue(f"instant: expected microseconds of the years 1970 to 9998, got {value!r:.40}")
    return Instant(value)


def from_datetime(moment: datetime) -> Instant:
    """Return the instant of an aware datetime. Raises `BadValue` for a naive one."""
    if moment.tzinfo is None:
        raise BadValue(f"instant: expected a time with a zone, got {moment.isoformat()}")
    return Instant((moment - EPOCH) // timedelta(microseconds=1))


def to_datetime(instant: Instant) -> datetime:
    """Return an instant as an aware UTC datetime; what lies outside the years 2 to 9998 as the nearest in them.

    It never raises: a page is drawn of what is stored, however long ago that was checked.
    """
    return EPOCH + timedelta(microseconds=min(max(instant, _SAID_MIN), INSTANT_MAX))


def from_iso(text: str) -> Instant:
    """Parse ISO 8601 with a zone, e.g. `2026-03-02T16:00:00+08:00`. Raises `BadValue`."""
    try:
        return from_datetime(datetime.fromisoformat(text))
    except (TypeError, ValueError) as error:
        raise BadValue(f"instant: expected ISO 8601 with a zone, got {text!r:.60}") from error


def to_iso(instant: Instant, zone: ZoneInfo = HOSPITAL_ZONE) -> str:
    """Return an instant as ISO 8601 in a zone, to the second."""
    return to_datetime(instant).astimezone(zone).isoformat(timespec="seconds")


def plus(instant: Instant, seconds: float) -> Instant:
    """Return the instant so many seconds later (earlier if negative)."""
    return Instant(instant + round(seconds * MICROS))


def seconds_between(earlier: Instant, later: Instant) -> float:
    """Return the seconds from one instant to another."""
    return (later - earlier) / MICROS


def business_day(instant: Instant, zone: ZoneInfo = HOSPITAL_ZONE) -> date:
    """Return the calendar day of an instant in the hospital's zone."""
    return to_datetime(instant).astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo = HOSPITAL_ZONE) -> Instant:
    """Return the instant at which a business day begins."""
    return from_datetime(datetime.combine(day, time.min, zone))


@dataclass(frozen=True, slots=True)
class StoryTime:
    """A clock that may run fast: `rate` story seconds a real second, from `start` at monotonic `since_ns`.

    It needs a monotonic anchor because a tenth of a second's step of the wall clock would be a story minute. From the
    story instant `real_from` on, if one is given, it runs at rate 1: the story is over, and people look around.
    """

    start: Instant
    rate: float
    since_ns: int
    real_from: Instant | None = None

    def __post_init__(self) -> None:
        if not 0 < self.rate <= RATE_MAX:
            raise BadValue(f"clock rate: expected above 0 and at most {RATE_MAX}, got {self.rate}")
        if self.real_from is not None and self.real_from < self.start:
            raise BadValue(f"clock real_from: expected not before the start, got {to_iso(self.real_from)}")

    def at(self, monotonic_ns: int) -> Instant:
        """Return the story instant at a monotonic reading, in nanoseconds."""
        fast = Instant(self.start + round((monotonic_ns - self.since_ns) * self.rate / 1000))
        if self.real_from is None or fast <= self.real_from:
            return fast
        return Instant(self.real_from + round((fast - self.real_from) / self.rate))

    def wait_s(self, now: Instant, until: Instant) -> float:
        """Return the real seconds from one story instant to another, never negative."""
        if self.real_from is None:
            return max(0.0, seconds_between(now, until) / self.rate)
        turn = min(max(now, self.real_from), until)
        return max(0.0, seconds_between(now, Instant(turn)) / self.rate + seconds_between(Instant(turn), until))
