"""What only the reorder engine asks of the tables. Reading only, no rule.

The rule that must not be broken: every query names the hospital.
"""

from datetime import date

from sqlalchemy import Connection, func, select

from central.store.tables.ledger import BALANCE
from central.store.tables.master import LOT
from protocols.values.ids import HospitalId


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
