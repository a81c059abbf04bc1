"""Doubts about a device's ledger, for a person: entries that one end had and no longer has. Rows only.

The id of a doubt is a function of what is lost, so that finding it twice opens it once.
"""

import hashlib

from sqlalchemy import Connection

from central.store.merge import add_new
from central.store.tables.ledger import LEDGER_LOSS
from protocols.sync.reception import Lost
from protocols.values.ids import DeviceId, HospitalId
from protocols.values.instant import Instant

ID_DIGITS = 24


def open_loss(connection: Connection, hospital: HospitalId, device: DeviceId, lost: Lost, at: Instant) -> None:
    """Open a doubt unless the same stands already. Its kind is who no longer holds them: `central` or `device`."""
    said = f"{lost.who}\n{device}\n{lost.incarnation.hex()}\n{lost.first}\n{lost.last}"
    row = {
        "hospital": hospital,
        "loss": hashlib.sha256(said.encode()).hexdigest()[:ID_DIGITS],
        "kind": lost.who,
        "device": device,
        "incarnation": lost.incarnation,
        "first_seq": lost.first,
        "last_seq": lost.last,
        "opened_at": at,
        "status": "open",
    }
    add_new(connection, LEDGER_LOSS, [row])
