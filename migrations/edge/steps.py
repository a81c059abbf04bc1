"""The edge ledger's schema as SQL text, one step a release, oldest first.

Plain SQL, so that any SQLite connection can bring a ledger up to date; `migrations/edge/apply.py` does it with
sqlite-utils. A step that was released is never edited. The columns are a public promise (docs/databases.md).

The triggers are the law of the ledger: no UPDATE; DELETE only of what a checkpoint covers and the `safe` mark admits;
INSERT only at the head, which also refuses `INSERT OR REPLACE` from any connection.
"""

from dataclasses import dataclass

from migrations.edge import branches, leaner, storeroom, trimming

SET = "wardstock-edge"
"""Name of this set in the table that records what was applied."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a name that sorts, and the statements that make it."""

    name: str
    statements: tuple[str, ...]


_TABLES = (
    """
    CREATE TABLE meta (
        key TEXT PRIMARY KEY NOT NULL,
        value TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE incarnation (
        incarnation BLOB PRIMARY KEY NOT NULL CHECK (length(incarnation) = 16),
        parent BLOB,
        created_wall INTEGER NOT NULL,
        algorithm TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE ledger (
        incarnation BLOB NOT NULL REFERENCES incarnation (incarnation),
        seq INTEGER NOT NULL CHECK (seq >= 0),
        event_id BLOB NOT NULL CHECK (length(event_id) = 16),
        device TEXT NOT NULL,
        hlc INTEGER NOT NULL,
        wall INTEGER NOT NULL,
        mono INTEGER NOT NULL,
        boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
        clock_quality INTEGER NOT NULL,
        kind TEXT NOT NULL,
        schema INTEGER NOT NULL,
        body BLOB NOT NULL,
        actor TEXT NOT NULL,
        content_hash BLOB NOT NULL CHECK (length(content_hash) = 32),
        prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        PRIMARY KEY (incarnation, seq)
    )
    """,
    "CREATE INDEX ledger_event ON ledger (event_id)",
    """
    CREATE TABLE mark (
        incarnation BLOB PRIMARY KEY NOT NULL REFERENCES incarnation (incarnation),
        acked INTEGER NOT NULL DEFAULT -1 CHECK (acked >= -1),
        safe INTEGER NOT NULL DEFAULT -1 CHECK (safe >= -1)
    )
    """,
    """
    CREATE TABLE checkpoint (
        incarnation BLOB NOT NULL REFERENCES incarnation (incarnation),
        seq INTEGER NOT NULL,
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        balances BLOB NOT NULL,
        PRIMARY KEY (incarnation, seq)
    )
    """,
    """
    CREATE TABLE balance (
        place TEXT NOT NULL,
        position TEXT NOT NULL,
        item TEXT NOT NULL,
        lot TEXT NOT NULL,
        owner TEXT NOT NULL,
        unit TEXT NOT NULL,
        qty INTEGER NOT NULL,
        PRIMARY KEY (place, position, item, lot, owner, unit)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX balance_unit ON balance (unit)",
    """
    CREATE TABLE custody (
        unit TEXT PRIMARY KEY NOT NULL,
        state TEXT NOT NULL,
        place TEXT NOT NULL,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        event_id BLOB NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE belief (
        epc TEXT PRIMARY KEY NOT NULL,
        p REAL NOT NULL,
        model TEXT NOT NULL,
        since INTEGER NOT NULL,
        event_id BLOB NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE binding (
        epc TEXT PRIMARY KEY NOT NULL,
        item TEXT NOT NULL,
        gtin TEXT NOT NULL,
        lot TEXT NOT NULL,
        serial TEXT NOT NULL,
        expiry TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX binding_label ON binding (gtin, serial)",
    """
    CREATE TABLE applied (
        event_id BLOB PRIMARY KEY NOT NULL CHECK (length(event_id) = 16)
    ) WITHOUT ROWID
    """,
)

_TRIGGERS = (
    """
    CREATE TRIGGER ledger_refuses_update BEFORE UPDATE ON ledger
    BEGIN
        SELECT RAISE(ABORT, 'the ledger refuses UPDATE: write a new entry that names what it corrects');
    END
    """,
    """
    CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger
    WHEN NOT EXISTS (
        SELECT 1 FROM checkpoint JOIN mark USING (incarnation)
        WHERE checkpoint.incarnation = OLD.incarnation AND OLD.seq <= checkpoint.seq AND OLD.seq <= mark.safe
    )
    BEGIN
        SELECT RAISE(ABORT, 'the ledger refuses DELETE: only what a checkpoint covers and a backup holds may go');
    END
    """,
    """
    CREATE TRIGGER ledger_grows_at_its_head BEFORE INSERT ON ledger
    WHEN NEW.seq <> 1 + COALESCE(
        (SELECT MAX(seq) FROM ledger WHERE incarnation = NEW.incarnation),
        (SELECT MAX(seq) FROM checkpoint WHERE incarnation = NEW.incarnation),
        -1
    )
    BEGIN
        SELECT RAISE(ABORT, 'the ledger grows at its head only: expected the seq after the last');
    END
    """,
    """
    CREATE TRIGGER checkpoint_refuses_update BEFORE UPDATE ON checkpoint
    BEGIN
        SELECT RAISE(ABORT, 'a checkpoint is never changed');
    END
    """,
)

_HEALTH = (
    """
    CREATE TABLE health (
        outage INTEGER PRIMARY KEY NOT NULL,
        part TEXT NOT NULL,
        name TEXT NOT NULL,
        antenna INTEGER NOT NULL,
        cause TEXT NOT NULL,
        reason TEXT NOT NULL,
        began INTEGER NOT NULL,
        ended INTEGER CHECK (ended >= began),
        ended_by TEXT NOT NULL DEFAULT ''
    )
    """,
    "CREATE INDEX health_open ON health (part, name) WHERE ended IS NULL",
    """
    CREATE TABLE antenna_rate (
        reader TEXT NOT NULL,
        antenna INTEGER NOT NULL,
        rounds INTEGER NOT NULL,
        reads INTEGER NOT NULL,
        last_read INTEGER,
        PRIMARY KEY (reader, antenna)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE tag_rate (
        reader TEXT NOT NULL,
        antenna INTEGER NOT NULL,
        epc TEXT NOT NULL,
        rounds INTEGER NOT NULL,
        rssi_dbm REAL,
        last_read INTEGER,
        PRIMARY KEY (reader, antenna, epc)
    ) WITHOUT ROWID
    """,
)

STEPS: tuple[Step, ...] = (
    Step("0001_ledger", _TABLES + _TRIGGERS),
    Step("0002_health", _HEALTH),
    Step("0003_storeroom", storeroom.BOOK),
    Step("0004_work", storeroom.WORK),
    Step("0005_branches", branches.BRANCHES),
    Step("0006_trimming", trimming.TRIMMING),
    Step("0007_leaner", leaner.LEANER),
)
