"""What Alembic runs: the revisions, on the connection and in the transaction that it is handed.

`gateway.adapters.sql.opening` hands it one. There is no `alembic.ini` and no offline mode. A new
revision is a module in `versions`, written by hand; a test compares what all of them make with the
tables in `tables`.
"""

from __future__ import annotations

from alembic import context

from gateway.adapters.sql import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.turns.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
