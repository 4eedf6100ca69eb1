"""How turns were answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TEXT = ("request_sha256", "reply_sha256", "source", "channel", "locale")
_MAYBE_TEXT = ("task_type", "workflow", "tier", "model", "reason")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "trajectories",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("turn_id", "site", "subject")),
        sa.Column("conversation_id", sa.Text(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXT),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("total_ms", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in _MAYBE_TEXT),
        sa.Column("complexity", sa.Double(), nullable=True),
        sa.Column("estimated_micros", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("first_token_ms", sa.Double(), nullable=True),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.Double(), nullable=True),
        sa.Column("outcome_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_trajectories_conversation_id"),
        ),
        sa.PrimaryKeyConstraint("turn_id", "site", "subject", name=op.f("pk_trajectories")),
    )
    for names in (["conversation_id"], ["at"], ["site", "at"]):
        op.create_index(op.f(f"ix_trajectories_{'_'.join(names)}"), "trajectories", names)
    judged = sa.text("outcome_at IS NOT NULL")
    op.create_index(
        "ix_trajectories_judged",
        "trajectories",
        ["site", "outcome_at", "turn_id"],
        sqlite_where=judged,
        postgresql_where=judged,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("trajectories")
