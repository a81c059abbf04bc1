"""What only the overview asks of the ledger: where the book has some units, and the serials printed on them.

Reading only, no rule. The rule that must not be broken: every query names the hospital.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from sqlalchemy import Connection, select

from central.store.tables.ledger import BALANCE, BINDING
from protocols.values.ids import HospitalId

UNITS_MAX = 1_000
"""Units one question may name: twice what a page lists, far below SQLite's limit of parameters."""


def _named(units: Iterable[str]) -> Sequence[str]:
    return tuple(islice(units, UNITS_MAX))


def positions_in_book(connection: Connection, hospital: HospitalId, units: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the position of each unit in each place whose book has it, by (place, unit)."""
    rows = connection.execute(
        select(BALANCE.c.place, BALANCE.c.unit, BALANCE.c.position).where(
            BALANCE.c.hospital == hospital, BALANCE.c.unit.in_(_named(units)), BALANCE.c.qty > 0
        )
    )
    return {(row.place, row.unit): row.position for row in rows}


def serials(connection: Connection, hospital: HospitalId, units: Iterable[str]) -> dict[str, str]:
    """Return the serial printed on each unit, where its tag's binding is known."""
    rows = connection.execute(
        select(BINDING.c.epc, BINDING.c.serial).where(BINDING.c.hospital == hospital, BINDING.c.epc.in_(_named(units)))
    )
    return {row.epc: row.serial for row in rows}
