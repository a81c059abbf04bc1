"""The first schema: every table, and a ledger and a record of decisions that refuse to be changed.

Until the first tag this revision is replaced rather than followed. PostgreSQL keeps the ledger partitioned by received
month (`ledger_month` makes each; a default partition takes what no month claims) and the events in sixteen parts;
SQLite keeps each in one table and adds the unique index that PostgreSQL replaces by the locked head.
"""

from alembic import context, op

from migrations.central.seals import seals

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    context.config.attributes["metadata"].create_all(connection)
    for statement in seals(connection.dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it; restore a backup instead")
