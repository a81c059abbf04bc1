"""Deliveries on their way to a ward without a device: what waits, and which of them a scan of the paper names.

It writes nothing. The rule that must not be broken: a note lists only what the book has on the way, so that what was
received once is listed no more.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from central.core.notes import Note
from central.store.queries_notes import notes_waiting
from protocols.codes.label import Ticket, TicketSort, UnreadableLabel, read_label
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant


def waiting_for(connection: Connection, hospital: HospitalId, ward: PlaceId, now: Instant) -> Sequence[Note]:
    """Return the deliveries a ward may receive by one scan, the newest first."""
    return notes_waiting(connection, hospital, [ward], now).get(ward, [])


def number_in(code: str) -> str:
    """Return the number of the delivery that a scan names, empty where it is no paper of one."""
    try:
        read = read_label(code)
    except UnreadableLabel:
        return ""
    return read.code if isinstance(read, Ticket) and read.sort is TicketSort.DOCUMENT else ""
