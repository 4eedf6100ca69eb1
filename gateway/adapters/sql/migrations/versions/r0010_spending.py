"""What models cost: the accounts of sites and visitors, and what is held in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _account() -> list[sa.Column[object]]:
    texts = [sa.Column(name, sa.Text(), nullable=False) for name in ("site", "subject", "period")]
    return [*texts, sa.Column("began", sa.Double(), nullable=False)]


def upgrade() -> None:
    """Create the tables."""
    names = ("site", "subject", "period", "began")
    op.create_table(
        "spending",
        *_account(),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("period IN ('day', 'month')", name=op.f("ck_spending_period")),
        sa.PrimaryKeyConstraint(*names, name=op.f("pk_spending")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_spending_began"), "spending", ["began"], unique=False)
    op.create_table(
        "spending_holds",
        sa.Column("key", sa.Text(), nullable=False),
        *_account(),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", *names, name=op.f("pk_spending_holds")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_spending_holds_at"), "spending_holds", ["at"], unique=False)
    op.create_index(
        op.f("ix_spending_holds_site_subject"), "spending_holds", ["site", "subject"], unique=False
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("spending_holds")
    op.drop_table("spending")
