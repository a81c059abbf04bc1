"""What only the reorder engine asks of the tables. Reading only, no rule.

The rule that must not be broken: every query names the hospital.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Date, and_, func, select

from central.core.reorder.two_bin import Card
from central.store.tables.ledger import BALANCE, DEVICE, EVENT, LEDGER
from central.store.tables.master import LOT
from central.store.tables.purchasing import RECEIPT_LINE
from central.store.tables.settling import WARD_TASK
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.reports import NeedBody
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day


def lots_held(
    connection: Connection, hospital: HospitalId, today: date, until: date
) -> dict[tuple[str, str], tuple[tuple[int, int], ...]]:
    """Return the lots that the book of a place holds and that expire by a day, by place and item, the nearest first.

    A lot is (days from today, base units); one that has expired has days below 0.
    """
    same = (LOT.c.hospital == BALANCE.c.hospital) & (LOT.c.item == BALANCE.c.item) & (LOT.c.lot == BALANCE.c.lot)
    rows = connection.execute(
        select(BALANCE.c.place, BALANCE.c.item, LOT.c.expiry, BALANCE.c.qty)
        .join(LOT, same)
        .where(BALANCE.c.hospital == hospital, BALANCE.c.qty > 0, LOT.c.expiry <= until)
    )
    found: defaultdict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for row in rows:
        found[row.place, row.item][(row.expiry - today).days] += row.qty
    return {key: tuple(sorted(lots.items())) for key, lots in found.items()}


def kept_when_received(connection: Connection, hospital: HospitalId, since: Instant) -> dict[str, list[int]]:
    """Return for how many days each lot accepted from suppliers still kept when it came, by item.

    Where a receipt names no expiry, the lot's known one counts; a lot without either tells nothing.
    """
    row, lot = RECEIPT_LINE.c, LOT.c
    same = and_(lot.hospital == row.hospital, lot.item == row.item, lot.lot == row.lot)
    expiry = func.coalesce(row.expiry, lot.expiry, type_=Date).label("expiry")
    query = (
        select(row.item, row.at, expiry)
        .join(LOT, same, isouter=True)
        .where(row.hospital == hospital, row.at >= since, row.accepted > 0, expiry.is_not(None))
    )
    found: defaultdict[str, list[int]] = defaultdict(list)
    for one in connection.execute(query):
        found[one.item].append((one.expiry - business_day(Instant(one.at))).days)
    return dict(found)


@dataclass(frozen=True, slots=True)
class Asked:
    """A line that a storeroom was asked to count, by a reorder run or by another; `counted` tells whether it was."""

    place: str
    item: str
    day: date
    at: Instant
    by_run: bool
    counted: bool


def asked_to_count(connection: Connection, hospital: HospitalId, since: Instant) -> list[Asked]:
    """Return the counts that storerooms were asked for since an instant, the oldest first."""
    task = WARD_TASK.c
    rows = connection.execute(
        select(task.place, task.item, task.day, task.made_at, task.reason, task.status)
        .where(task.hospital == hospital, task.kind == "count", task.made_at >= since)
        .order_by(task.made_at, task.task)
    )
    return [
        Asked(
            row.place, row.item, row.day, Instant(row.made_at), "run" in json.loads(row.reason), row.status == "done"
        )
        for row in rows
    ]  # fmt: skip


def cards_shown(connection: Connection, hospital: HospitalId, since: Instant) -> list[tuple[str, str, Card]]:
    """Return the cards of empty bins shown since an instant, with place and item, the oldest first.

    A body that cannot be read names no bin and is left out.
    """
    same = and_(
        LEDGER.c.hospital == EVENT.c.hospital,
        LEDGER.c.incarnation == EVENT.c.incarnation,
        LEDGER.c.seq == EVENT.c.seq,
    )
    there = and_(DEVICE.c.hospital == EVENT.c.hospital, DEVICE.c.device == EVENT.c.device)
    rows = connection.execute(
        select(EVENT.c.at, LEDGER.c.body, DEVICE.c.place)
        .join(LEDGER, same)
        .join(DEVICE, there)
        .where(EVENT.c.hospital == hospital, EVENT.c.kind == "need", EVENT.c.at >= since)
        .order_by(EVENT.c.at, EVENT.c.event_id)
    )
    found = []
    for row in rows:
        try:
            body = read_body(row.body, NeedBody)
        except ProtocolsError:
            continue
        found.append((row.place, body.item, Card(Instant(row.at), body.card, body.qty)))
    return found
