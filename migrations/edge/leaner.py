"""The book's tables with fewer indices, as SQL text: each one costs every commit a page more in the write-ahead log.

A balance is asked for by place and item, so its key begins with them; where a piece is, `custody` tells by the piece. A
tag's second name is asked for with every act, and few tags have one. A step that was released is never edited;
`steps.py` puts them in order.
"""

LEANER = (
    "DROP INDEX custody_state",
    """
    CREATE TABLE balance_by_item (
        place TEXT NOT NULL,
        position TEXT NOT NULL,
        item TEXT NOT NULL,
        lot TEXT NOT NULL,
        owner TEXT NOT NULL,
        unit TEXT NOT NULL,
        qty INTEGER NOT NULL,
        PRIMARY KEY (place, item, lot, position, owner, unit)
    ) WITHOUT ROWID
    """,
    "INSERT INTO balance_by_item SELECT place, position, item, lot, owner, unit, qty FROM balance",
    "DROP TABLE balance",
    "ALTER TABLE balance_by_item RENAME TO balance",
    "CREATE INDEX binding_unit ON binding (unit) WHERE unit <> ''",
)
