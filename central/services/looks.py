"""Note who looked at prices and at people: once an hour for each person and subject, for a page reads itself again.

The rule that must not be broken: a look that must be noted is noted before what was looked at leaves the server.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from central.core.rights import Caller, Right
from central.store.audit import note
from central.store.engine import Store
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, seconds_between

NOTED_AGAIN_S = 3600.0
NOTED_MAX = 10_000
"""Looks remembered as noted; the oldest is forgotten and would be noted again, which does no harm."""


@dataclass(slots=True)
class Looks:
    """The looks of one hospital; `now` is real time."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
    _noted: OrderedDict[tuple[str, str, str], Instant] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def saw(self, caller: Caller, act: str, subject: str) -> None:
        """Note that somebody looks at something, unless that was noted within the hour."""
        key, now = (caller.person, act, subject), self.now()
        with self._lock:
            before = self._noted.get(key)
            if before is not None and seconds_between(before, now) < NOTED_AGAIN_S:
                return
        with self.store.write() as connection:
            note(connection, self.hospital, now, person=caller.person, act=act, subject=subject)
        with self._lock:
            self._noted[key] = now
            self._noted.move_to_end(key)
            if len(self._noted) > NOTED_MAX:
                self._noted.popitem(last=False)

    def sees_prices(self, caller: Caller, subject: str) -> bool:
        """Tell whether prices are shown to somebody, and note that they were."""
        if not caller.may(Right.SEE_PRICES):
            return False
        self.saw(caller, "see-prices", subject)
        return True
