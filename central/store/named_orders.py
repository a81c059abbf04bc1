"""Which order a storeroom's receipt names: the document it was scanned under, told in the entry's body alone.

Reading only. The rule that must not be broken: every query names the hospital.
"""

from collections.abc import Collection

from sqlalchemy import Connection, and_, select

from central.store.tables.ledger import EVENT, LEDGER
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody
from protocols.values.ids import HospitalId

KINDS = ("ward_receipt", "transfer_in")
NAMES_A_QUERY_MAX = 5_000


def order_named(kind: str, body: bytes) -> str:
    """Return the document that an entry of some kind names, which is its order; empty where none is."""
    if kind not in KINDS:
        return ""
    try:
        return next(iter(read_body(body, MovementBody).refs), "")
    except ProtocolsError:
        return ""


def orders_named(connection: Connection, hospital: HospitalId, events: Collection[bytes]) -> dict[bytes, str]:
    """Return the order that each of some entries names; those that name none are left out."""
    found: dict[bytes, str] = {}
    names, event, ledger = sorted(set(events)), EVENT.c, LEDGER.c
    for start in range(0, len(names), NAMES_A_QUERY_MAX):
        rows = connection.execute(
            select(event.event_id, event.kind, ledger.body)
            .join(
                LEDGER,
                and_(
                    ledger.hospital == event.hospital,
                    ledger.incarnation == event.incarnation,
                    ledger.seq == event.seq,
                ),
            )
            .where(
                event.hospital == hospital,
                event.kind.in_(KINDS),
                event.event_id.in_(names[start : start + NAMES_A_QUERY_MAX]),
            )
        )
        told = {row.event_id: order_named(row.kind, row.body) for row in rows}
        found |= {name: order for name, order in told.items() if order}
    return found
