"""A ledger whose oldest entries were trimmed, as SQL text.

A checkpoint stands for every entry of its chain up to `seq`; the newest of a ledger also holds the whole book at
`upto_rowid`, the last entry trimmed, so that the book can be folded from there. A step that was released is never
edited; `steps.py` puts them in order.
"""

TRIMMING = (
    "ALTER TABLE checkpoint ADD COLUMN upto_rowid INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint
    WHEN NOT EXISTS (
        SELECT 1 FROM checkpoint WHERE checkpoint.incarnation = OLD.incarnation AND checkpoint.seq > OLD.seq
    )
    BEGIN
        SELECT RAISE(ABORT, 'a checkpoint goes only when a later one of its chain stands');
    END
    """,
)
