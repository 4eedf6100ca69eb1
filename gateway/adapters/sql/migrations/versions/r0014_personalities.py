"""What operators changed of how chats speak."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_COUNTED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "personality_edits",
        sa.Column("id", _COUNTED, nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=True),
        sa.Column("takes_back", _COUNTED, nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('set', 'remove', 'undo', 'use', 'reset')",
            name=op.f("ck_personality_edits_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personality_edits")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_personality_edits_site_id"), "personality_edits", ["site", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("personality_edits")
