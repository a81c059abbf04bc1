"""The first hour with the program, as steps on this hospital's own data: what is done, and where the next one is.

It changes nothing: each step is told from what stands in the store. The rule that must not be broken: a step is done
when its result is there, never because somebody said so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Select, select

from central.services.desk import Desk
from central.store.tables.ledger import EVENT
from central.store.tables.master import ITEM, PLACE
from central.store.tables.purchasing import DOCUMENT_STEP
from central.store.tables.settling import COUNTED_LINE
from central.store.tables.work import PROPOSAL, PURCHASE_ORDER
from protocols.values.ids import HospitalId


@dataclass(frozen=True, slots=True)
class HourStep:
    """One step: its name, the page it is done on, and whether its result is there."""

    name: str
    address: str
    done: bool


Ask = Callable[[HospitalId], Select[tuple[str]]]

STEPS: Mapping[str, tuple[str, Ask]] = {
    "items": ("/imports", lambda hospital: select(ITEM.c.item).where(ITEM.c.hospital == hospital)),
    "storerooms": ("/master?kind=place", lambda hospital: select(PLACE.c.place).where(PLACE.c.hospital == hospital)),
    "opening": (
        "/stock",
        lambda hospital: select(EVENT.c.kind).where(EVENT.c.hospital == hospital, EVENT.c.kind == "opening"),
    ),
    "count": ("/counts", lambda hospital: select(COUNTED_LINE.c.place).where(COUNTED_LINE.c.hospital == hospital)),
    "proposal": ("/proposals", lambda hospital: select(PROPOSAL.c.proposal).where(PROPOSAL.c.hospital == hospital)),
    "order": (
        "/orders",
        lambda hospital: select(PURCHASE_ORDER.c.order_no).where(PURCHASE_ORDER.c.hospital == hospital),
    ),
    "sent": (
        "/orders",
        lambda hospital: select(DOCUMENT_STEP.c.document).where(
            DOCUMENT_STEP.c.hospital == hospital, DOCUMENT_STEP.c.kind == "order", DOCUMENT_STEP.c.step == "send"
        ),
    ),
}
"""The way from a sheet of items to the first order, in its order."""


def first_hour(desk: Desk) -> list[HourStep]:
    """Return the steps with what is done."""
    with desk.store.read() as connection:
        return [HourStep(name, address, _any(connection, ask(desk.hospital))) for name, (address, ask) in STEPS.items()]


def _any(connection: Connection, query: Select[tuple[str]]) -> bool:
    return connection.execute(query.limit(1)).first() is not None
