"""Which serials were put on labels, in a file beside the ledger: one EPC is one unit, and no serial is printed twice.

A serial is claimed before its label is sent and settled by what the printer read back, so that no cut in between lets
it out a second time. The ledger itself is only read: a serial that the book knows is refused too. A good label waits
here until the agent has bound its tag in the ledger, for the agent alone writes there. The rule that must not be
broken: what may stand on a good label is never claimed again; only what is proven void is.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.errors import StoreFault
from edge_agent.store.connection import SqliteConnection, open_to_read, open_to_write, transaction
from protocols.values.ids import Epc
from protocols.values.instant import Instant

if TYPE_CHECKING:
    from edge_agent.core.labels import Label  # what it needs to make one is no part of an agent's start

SENT, PRINTED, VOID, BOUND, DRAWN = "sent", "printed", "void", "bound", "drawn"
"""`drawn` is a picture of a label: its serial is used, and it carries no tag."""
SUFFIX = ".labels"
"""What the file is called after its ledger."""
WAITING_MAX = 100
"""Good labels handed out at a time to be bound: one entry of them stays within the limit of a body."""
_TABLE = """
    CREATE TABLE IF NOT EXISTS label (
        epc TEXT PRIMARY KEY NOT NULL,
        gtin TEXT NOT NULL,
        serial TEXT NOT NULL,
        lot TEXT NOT NULL,
        expiry TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('sent', 'printed', 'void', 'bound', 'drawn')),
        tid TEXT NOT NULL,
        at INTEGER NOT NULL,
        UNIQUE (gtin, serial)
    ) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Good:
    """A label whose inlay was proven and whose tag the ledger does not know yet; `expiry` an ISO date or empty."""

    epc: Epc
    gtin: str
    serial: str
    lot: str
    expiry: str


class Labels:
    """The serials of one edge. Used by one process at a time."""

    def __init__(self, connection: SqliteConnection, ledger: Path) -> None:
        self._connection, self._ledger = connection, ledger

    def claim(self, label: "Label", now: Instant) -> None:
        """Take a serial for a label that is about to be sent. Raises `StoreFault` for one that was used."""
        epc, gtin, serial = label.epc, label.gtin, str(label.serial)
        told = self._in_ledger(epc, gtin, serial)
        with transaction(self._connection):
            rows = self._connection.query(
                "SELECT state FROM label WHERE epc = ? OR (gtin = ? AND serial = ?)", (epc, gtin, serial)
            )
            if rows and rows[0][0] != VOID:
                told = "a label of it was sent" if rows[0][0] == SENT else "a label of it was printed"
            if told:
                raise StoreFault(f"serial {serial} of {gtin}: expected a new one, {told}; take the next serial")
            self._connection.execute(
                "INSERT OR REPLACE INTO label (epc, gtin, serial, lot, expiry, state, tid, at) "
                "VALUES (?, ?, ?, ?, ?, ?, '', ?)",
                (epc, gtin, serial, label.lot, label.expiry.isoformat() if label.expiry else "", SENT, now),
            )

    def settle(self, epc: Epc, state: str, tid: str, now: Instant) -> None:
        """Keep what became of a label. Raises `StoreFault`."""
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE label SET state = ?, tid = ?, at = ? WHERE epc = ?", (state, tid, now, epc)
            )

    def waiting(self) -> list[Good]:
        """Return good labels whose tags wait to be bound, by their serials. Raises `StoreFault`."""
        rows = self._connection.query(
            "SELECT epc, gtin, serial, lot, expiry FROM label WHERE state = ? ORDER BY gtin, serial LIMIT ?",
            (PRINTED, WAITING_MAX),
        )
        return [Good(Epc(epc), *rest) for epc, *rest in rows]

    def bound(self, epcs: Iterable[Epc]) -> None:
        """Keep that the ledger knows these tags now. Raises `StoreFault`."""
        with transaction(self._connection):
            self._connection.executemany("UPDATE label SET state = ? WHERE epc = ?", [(BOUND, epc) for epc in epcs])

    def _in_ledger(self, epc: Epc, gtin: str, serial: str) -> str:
        if not self._ledger.exists():
            return ""
        with open_to_read(self._ledger) as book:
            rows = book.query("SELECT 1 FROM binding WHERE epc = ? OR (gtin = ? AND serial = ?)", (epc, gtin, serial))
        return "the book has a piece of it" if rows else ""


@contextmanager
def open_labels(ledger: Path) -> Iterator[Labels]:
    """Open the serials beside a ledger; a new file is made. Raises `StoreFault`."""
    path = ledger.with_name(ledger.name + SUFFIX)
    connection = open_to_write(path)
    try:
        connection.execute(_TABLE)
        yield Labels(connection, ledger)
    finally:
        connection.close()
