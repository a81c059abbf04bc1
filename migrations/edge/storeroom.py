"""The tables of the storeroom's work as SQL text: what follows from entries beside stock and beliefs.

All of them can be made again from the ledger. A step that was released is never edited; `steps.py` puts them in order.
"""

BOOK = (
    "ALTER TABLE binding ADD COLUMN unit TEXT NOT NULL DEFAULT ''",
    """
    CREATE TABLE lot_held (
        item TEXT NOT NULL,
        lot TEXT NOT NULL,
        kind TEXT NOT NULL,
        event_id BLOB NOT NULL,
        PRIMARY KEY (item, lot)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE undone (
        event_id BLOB PRIMARY KEY NOT NULL,
        by_event_id BLOB NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE discrepancy (
        discrepancy TEXT PRIMARY KEY NOT NULL,
        sort TEXT NOT NULL,
        place TEXT NOT NULL,
        item TEXT NOT NULL,
        lot TEXT NOT NULL,
        unit TEXT NOT NULL,
        said TEXT NOT NULL,
        event_id BLOB NOT NULL,
        closed_event_id BLOB NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX balance_item ON balance (place, item, lot)",
    "CREATE INDEX custody_state ON custody (state)",
)

WORK = (
    "CREATE INDEX ledger_kind ON ledger (kind, seq)",
    """
    CREATE TABLE feed (
        scope TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL,
        checksum TEXT NOT NULL,
        applied_at INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE master (
        scope TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (scope, kind, key)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX master_key ON master (kind, key)",
    """
    CREATE TABLE product (
        scope TEXT NOT NULL,
        code TEXT NOT NULL,
        item TEXT NOT NULL,
        factor INTEGER NOT NULL CHECK (factor >= 1),
        PRIMARY KEY (code, scope)
    ) WITHOUT ROWID
    """,
)
