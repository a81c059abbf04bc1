"""What a request is answered from: one store, one hospital, one clock.

It holds no rule; it exists so that the API, the pages and the jobs are handed the same three things.
"""

from collections.abc import Callable
from dataclasses import dataclass

from central.store.engine import Store
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant


@dataclass(frozen=True, slots=True)
class Desk:
    """The store, the hospital whose rows may be seen, and the story's time."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
