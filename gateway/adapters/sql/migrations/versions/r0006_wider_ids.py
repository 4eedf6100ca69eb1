"""Ids that are counted up have 64 bits in PostgreSQL, as they always had in SQLite."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTED = ("deliveries", "attempts", "visitor_events", "kb_edits", "kb_publications")
_NAMED = (("attempts", "delivery_id"), ("kb_edits", "takes_back"), ("kb_publications", "edits"))


def upgrade() -> None:
    """Widen them, and what counts them."""
    _change(sa.BigInteger(), sa.Integer(), "bigint")


def downgrade() -> None:
    """Narrow them; the database refuses where one is greater."""
    _change(sa.Integer(), sa.BigInteger(), "integer")


def _change(to: sa.Integer, existing: sa.Integer, word: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, column in (*((table, "id") for table in _COUNTED), *_NAMED):
        op.alter_column(table, column, type_=to, existing_type=existing)
    for table in _COUNTED:
        op.execute(f"ALTER SEQUENCE {table}_id_seq AS {word}")
