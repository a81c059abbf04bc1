"""The first schema: every table, and a ledger that refuses to be changed.

Until the first tag this revision is replaced rather than followed. PostgreSQL keeps the ledger partitioned by received
month (a default partition takes what no month claims) and the events in sixteen parts; SQLite keeps each in one table
and adds the unique index that PostgreSQL replaces by the locked head.
"""

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EVENT_PARTS = 16
REFUSAL = "the ledger is never changed: write a new entry that names what it corrects"


def upgrade() -> None:
    connection = op.get_bind()
    context.config.attributes["metadata"].create_all(connection)
    if connection.dialect.name == "sqlite":
        _seal_sqlite()
    else:
        _seal_postgresql()


def _seal_sqlite() -> None:
    op.execute("CREATE UNIQUE INDEX ledger_chain_once ON ledger (hospital, incarnation, seq)")
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_no_{act.lower()} BEFORE {act} ON ledger BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )


def _seal_postgresql() -> None:
    op.execute("CREATE INDEX ledger_chain ON ledger (hospital, incarnation, seq)")
    op.execute("CREATE TABLE ledger_default PARTITION OF ledger DEFAULT")
    for part in range(EVENT_PARTS):
        op.execute(
            f"CREATE TABLE event_{part} PARTITION OF event FOR VALUES WITH (MODULUS {EVENT_PARTS}, REMAINDER {part})"
        )
    op.execute(
        "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
    )
    op.execute(
        "CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
    )


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it; restore a backup instead")
