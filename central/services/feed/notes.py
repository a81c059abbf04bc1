"""The documents a storeroom is told of: the delivery notes it waits for, and what it is to pick for others.

It decides nothing; `core.notes` does. The rule that must not be broken: what was received, or came otherwise, is told
of no longer.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from central.core.feed import note_rows, pick_rows
from central.core.notes import Pick
from central.core.orders import Progress
from central.services.orders import progress_of
from central.store.queries_notes import notes_waiting, picks_waiting
from central.store.queries_work import orders
from protocols.sync.feed import FeedRow
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant

OVER = frozenset({Progress.RECEIVED, Progress.CLOSED, Progress.CANCELLED})


def document_rows(
    connection: Connection, hospital: HospitalId, rooms: Collection[PlaceId], now: Instant
) -> Mapping[PlaceId, list[FeedRow]]:
    """Return the rows of documents of each of some storerooms."""
    found: defaultdict[PlaceId, list[FeedRow]] = defaultdict(list)
    for room, notes in notes_waiting(connection, hospital, rooms, now).items():
        found[room] += note_rows(notes)
    for room, picks in picks_waiting(connection, hospital, rooms, now).items():
        found[room] += pick_rows(_standing(connection, hospital, picks, now))
    return found


def _standing(connection: Connection, hospital: HospitalId, picks: Collection[Pick], now: Instant) -> list[Pick]:
    """Return the picks whose orders are still waited for: goods may have come that named no order."""
    listed = orders(connection, hospital, named=[one.order for one in picks]) if picks else []
    come = progress_of(connection, hospital, listed, now) if listed else {}
    return [one for one in picks if come.get(one.order, Progress.RECEIVED) not in OVER]
