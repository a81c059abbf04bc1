"""Take in what people counted: each count entry once, compared with the book at its own cut; tasks it answers end.

The rule that must not be broken: a count is compared with the book at its own cut, never with the book of now.
"""

from sqlalchemy import Connection

from central.core.counts import LineKey
from central.services.asking import COUNT, OPEN, since_of
from central.store import queries_counts as kept
from central.store import queries_settling as tasks_kept
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.counts import CountBody
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day

DONE = "done"


def take_in_counts(connection: Connection, hospital: HospitalId) -> int:
    """Read the count entries that came, end the tasks they answer; returns how many entries were read."""
    entries = kept.unread(connection, hospital)
    for entry in entries:
        body = _body(entry.body)
        place, cut = body.place or entry.place, body.cut
        keys = {LineKey(line.item, line.lot) for line in body.lines}
        books = {key: kept.book_at(connection, hospital, place, key, entry, cut) for key in keys}
        kept.keep(connection, hospital, entry, body, books)
        if entry.actor:
            _answer(connection, hospital, place, keys, entry)
    _end_labels(connection, hospital)
    return len(entries)


def _body(raw: bytes) -> CountBody:
    try:
        return read_body(raw, CountBody)
    except ProtocolsError:
        return CountBody("", "")  # a form this version does not know; it is marked as read and bears on nothing


def _answer(
    connection: Connection, hospital: HospitalId, place: str, keys: set[LineKey], entry: kept.CountEntry
) -> None:
    for task in tasks_kept.tasks(connection, hospital, status=OPEN, place=place):
        if task.kind == COUNT and LineKey(task.item, task.lot) in keys and business_day(entry.at) >= since_of(task):
            tasks_kept.end_task(connection, hospital, task.id, DONE, entry.at, entry.event)


def _end_labels(connection: Connection, hospital: HospitalId) -> None:
    """End the requests for new labels that a tag's replacement has met."""
    asked = [one for one in tasks_kept.tasks(connection, hospital, status=OPEN) if one.kind == "relabel"]
    if not asked:
        return
    done = kept.relabelled(connection, hospital, [one.unit for one in asked], Instant(0))
    for one in asked:
        if one.unit in done:
            at, event = done[one.unit]
            tasks_kept.end_task(connection, hospital, one.id, DONE, at, event)
