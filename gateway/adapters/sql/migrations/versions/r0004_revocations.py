"""Sessions that were ended before their time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = ("ended_sessions", "ended_subjects")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ended_sessions",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_ended_sessions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ended_subjects",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("site", "subject", name=op.f("pk_ended_subjects")),
        sqlite_with_rowid=False,
    )
    for table in _TABLES:
        op.create_index(op.f(f"ix_{table}_at"), table, ["at"], unique=False)


def downgrade() -> None:
    """Drop them, with all that they hold."""
    for table in reversed(_TABLES):
        op.drop_table(table)
