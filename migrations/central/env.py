"""How Alembic runs central's revisions: on the connection it is handed, inside that connection's transaction."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes["metadata"],
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
