"""Which serials were put on labels, in a file beside the ledger: one EPC is one unit, and no serial is printed twice.

A serial is claimed before its label is sent and settled by what the printer read back, so that no cut in between lets
it out a second time. The ledger itself is only read: a serial that the book knows is refused too. The rule that must
not be broken: what may stand on a good label is never claimed again; only what is proven void is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.errors import StoreFault
from edge_agent.store.connection import SqliteConnection, open_to_read, open_to_write, transaction
from protocols.values.ids import Epc
from protocols.values.instant import Instant

SENT, PRINTED, VOID = "sent", "printed", "void"
SUFFIX = ".labels"
"""What the file is called after its ledger."""
_TABLE = """
    CREATE TABLE IF NOT EXISTS label (
        epc TEXT PRIMARY KEY NOT NULL,
        gtin TEXT NOT NULL,
        serial TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('sent', 'printed', 'void')),
        tid TEXT NOT NULL,
        at INTEGER NOT NULL,
        UNIQUE (gtin, serial)
    ) WITHOUT ROWID
"""


class Labels:
    """The serials of one edge. Used by one process at a time."""

    def __init__(self, connection: SqliteConnection, ledger: Path) -> None:
        self._connection, self._ledger = connection, ledger

    def claim(self, epc: Epc, gtin: str, serial: str, now: Instant) -> None:
        """Take a serial for a label that is about to be sent. Raises `StoreFault` for one that was used."""
        told = self._in_ledger(epc, gtin, serial)
        with transaction(self._connection):
            rows = self._connection.query(
                "SELECT state FROM label WHERE epc = ? OR (gtin = ? AND serial = ?)", (epc, gtin, serial)
            )
            if rows and rows[0][0] != VOID:
                told = "a label of it was printed" if rows[0][0] == PRINTED else "a label of it was sent"
            if told:
                raise StoreFault(f"serial {serial} of {gtin}: expected a new one, {told}; take the next serial")
            self._connection.execute(
                "INSERT OR REPLACE INTO label (epc, gtin, serial, state, tid, at) VALUES (?, ?, ?, ?, '', ?)",
                (epc, gtin, serial, SENT, now),
            )

    def settle(self, epc: Epc, state: str, tid: str, now: Instant) -> None:
        """Keep what became of a label. Raises `StoreFault`."""
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE label SET state = ?, tid = ?, at = ? WHERE epc = ?", (state, tid, now, epc)
            )

    def next_serial(self, gtin: str) -> int:
        """Return the serial after the highest one ever claimed for a GTIN. Raises `StoreFault`."""
        ((highest,),) = self._connection.query("SELECT MAX(CAST(serial AS INTEGER)) FROM label WHERE gtin = ?", (gtin,))
        return int(highest or 0) + 1

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
