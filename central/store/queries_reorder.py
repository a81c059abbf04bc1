"""What only the reorder engine asks of the tables. Reading only, no rule.

The rule that must not be broken: every query names the hospital.
"""

from datetime import date

from sqlalchemy import Connection, and_, func, select

from central.core.reorder.two_bin import Card
from central.store.tables.ledger import BALANCE, DEVICE, EVENT, LEDGER
from central.store.tables.master import LOT
from protocols.errors import ProtocolsError
from protocols.movements import NeedBody, read_body
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant


def earliest_expiries(connection: Connection, hospital: HospitalId, today: date) -> dict[tuple[str, str], date]:
    """Return the next expiry from today on among the lots that the book of a place holds, by place and item."""
    rows = connection.execute(
        select(BALANCE.c.place, BALANCE.c.item, func.min(LOT.c.expiry).label("expiry"))
        .join(
            LOT, (LOT.c.hospital == BALANCE.c.hospital) & (LOT.c.item == BALANCE.c.item) & (LOT.c.lot == BALANCE.c.lot)
        )
        .where(BALANCE.c.hospital == hospital, BALANCE.c.qty > 0, LOT.c.expiry >= today)
        .group_by(BALANCE.c.place, BALANCE.c.item)
    )
    return {(row.place, row.item): row.expiry for row in rows}


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
