"""What follows an escalation is delivered too, and a target's threads are known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TOLD = "uq_deliveries_told"
_BY_ESCALATION = "ix_deliveries_escalation_id"
_FOLLOW_UPS = "SELECT id FROM deliveries WHERE action != 'open'"


def upgrade() -> None:
    """Add what a delivery tells, and the threads."""
    # Columns are added one by one: SQLite could only rebuild the table without its references.
    op.add_column(
        "deliveries", sa.Column("action", sa.Text(), nullable=False, server_default="open")
    )
    op.add_column("deliveries", sa.Column("about", sa.Text(), nullable=False, server_default=""))
    told = ["escalation_id", "target", "action", "about"]
    op.create_index(_TOLD, "deliveries", told, unique=True)
    # The new one begins with the same column.
    op.drop_index(op.f(_BY_ESCALATION), table_name="deliveries")
    op.create_table(
        "threads",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("escalation_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalations.id"], name=op.f("fk_threads_escalation_id")
        ),
        sa.PrimaryKeyConstraint("team", "channel", "ts", name=op.f("pk_threads")),
    )
    op.create_index(
        op.f("ix_threads_escalation_id_at"), "threads", ["escalation_id", "at"], unique=False
    )


def downgrade() -> None:
    """Drop them; what was to follow an escalation is told no more."""
    op.drop_table("threads")
    op.create_index(op.f(_BY_ESCALATION), "deliveries", ["escalation_id"], unique=False)
    op.drop_index(_TOLD, table_name="deliveries")
    # Without its action a follow-up would be taken for the escalation itself.
    op.execute(f"DELETE FROM attempts WHERE delivery_id IN ({_FOLLOW_UPS})")  # noqa: S608
    op.execute("DELETE FROM deliveries WHERE action != 'open'")
    op.drop_column("deliveries", "about")
    op.drop_column("deliveries", "action")
