"""Which answers operators took out of the reasoning bank, and replies by their time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the index."""
    op.add_column("trajectories", sa.Column("left_out_by", sa.Text()))
    op.create_index("ix_replies_at", "replies", ["at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_replies_at", table_name="replies")
    op.drop_column("trajectories", "left_out_by")
