"""A ledger as a way of chains, and facts that others wrote, as SQL text.

A chain continues its parent behind one entry; `base_hash` is that entry's hash, and what `prev_hash` of the chain's
first entry is. Facts are posted to the projections beside the own entries: `after_rowid` is the last own entry then, so
that the book can be folded again in the same order. A step that was released is never edited; `steps.py` puts them in
order.
"""

BRANCHES = (
    "ALTER TABLE incarnation ADD COLUMN parent_seq INTEGER NOT NULL DEFAULT -1",
    f"ALTER TABLE incarnation ADD COLUMN base_hash BLOB NOT NULL DEFAULT x'{'00' * 32}'",
    """
    CREATE TABLE fact (
        n INTEGER PRIMARY KEY NOT NULL,
        event_id BLOB NOT NULL UNIQUE CHECK (length(event_id) = 16),
        after_rowid INTEGER NOT NULL,
        skipped TEXT NOT NULL,
        device TEXT NOT NULL,
        hlc INTEGER NOT NULL,
        wall INTEGER NOT NULL,
        mono INTEGER NOT NULL,
        boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
        clock_quality INTEGER NOT NULL,
        kind TEXT NOT NULL,
        schema INTEGER NOT NULL,
        body BLOB NOT NULL,
        actor TEXT NOT NULL
    )
    """,
)
