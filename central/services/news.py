"""Which storerooms somebody wrote about since the last look, told by where the chains of entries end.

A count moves neither book nor belief, so that its commit touches nothing; and what people enter at central comes by no
commit of ingest: both move a chain's end. The rule that must not be broken: what is missed here costs the wait until
all storerooms are compared, and nothing else.
"""

from central.services.counts_taken import take_in_counts
from central.store.chains import OWN_DEVICE
from central.store.engine import Store
from central.store.queries_match import counted_by, heads, moved_by
from protocols.values.ids import HospitalId, PlaceId


class News:
    """The ends of all chains of a hospital as they were at the last look; the first look tells nothing."""

    def __init__(self, store: Store, hospital: HospitalId) -> None:
        self._store, self._hospital = store, hospital
        self._ends: dict[bytes, int] | None = None

    def touched(self) -> set[PlaceId]:
        """Return the storerooms that were counted, or moved in from central, since the last look; counts are read."""
        with self._store.read() as connection:
            now = heads(connection, self._hospital)
        before, self._ends = self._ends, {chain: seq for chain, (seq, _) in now.items()}
        if before is None or before == self._ends:
            return set()
        moved = {chain: before.get(chain, -1) for chain, seq in self._ends.items() if seq != before.get(chain, -1)}
        with self._store.write() as connection:
            take_in_counts(connection, self._hospital)
        touched: set[PlaceId] = set()
        with self._store.read() as connection:
            for chain, seq in moved.items():
                touched |= counted_by(connection, self._hospital, chain, seq)
                if now[chain][1] == OWN_DEVICE:
                    touched |= moved_by(connection, self._hospital, chain, seq)
        return touched
