"""Tags of nobody: what an hour brought of EPCs that are bound to nothing here. It decides nothing and keeps no list.

The rule that must not be broken: however many strangers pass, a named limit of them is told apart.
"""

from edge_agent.core.presence import ForeignTags
from protocols.values.ids import Epc
from protocols.values.instant import MICROS, Instant

TOLD_APART_MAX = 1_000
EVERY_S = 3_600.0


class Foreign:
    """Counts strangers; `fixed` are EPCs that are known though bound to nothing, such as reference tags."""

    def __init__(self, fixed: frozenset[Epc]) -> None:
        self._fixed = fixed
        self._epcs: set[Epc] = set()
        self._reads = 0
        self._since: Instant | None = None

    def read(self, epc: Epc, count: int) -> None:
        """Take a read of a tag that is bound to nothing."""
        if epc in self._fixed:
            return
        self._reads += count
        if len(self._epcs) < TOLD_APART_MAX:
            self._epcs.add(epc)

    def hour(self, now: Instant) -> ForeignTags | None:
        """Return what the last hour brought, when one is over."""
        if not self._reads:
            return None
        if self._since is None:
            self._since = now
        if now - self._since < EVERY_S * MICROS:
            return None
        told = ForeignTags(len(self._epcs), self._reads, len(self._epcs) < TOLD_APART_MAX)
        self._epcs, self._reads, self._since = set(), 0, None
        return told
