"""One open escalation for a conversation, and the consent with which a contact was left.

Of a conversation that has several open ones already, the newest is the case from now on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PART_OF = "ix_escalations_part_of"
_OPEN_IN = "uq_escalations_open_in"
# Written out: a constraint by itself SQLite could only add by rebuilding the table.
_ADD_PART_OF = """
ALTER TABLE escalations ADD COLUMN part_of TEXT
CONSTRAINT fk_escalations_part_of REFERENCES escalations (id)
"""
_TURNS_OF_REPLIES = """
UPDATE replies SET turn_id =
(SELECT turn_id FROM escalations WHERE escalations.id = replies.escalation_id)
"""
_CASES = """
UPDATE escalations SET open_in = conversation_id
WHERE status != 'resolved' AND NOT EXISTS (
  SELECT 1 FROM escalations AS newer
  WHERE newer.conversation_id = escalations.conversation_id AND newer.status != 'resolved'
  AND (newer.at > escalations.at OR (newer.at = escalations.at AND newer.id > escalations.id))
)
"""
_LATER = "action IN ('added', 'contact')"
_CONSENT = ("consent_wording", "consented_at")


def upgrade() -> None:
    """Add what names the case, the turn that a reply answers, and the consent."""
    for name in _CONSENT:
        op.add_column("escalations", sa.Column(name, sa.Text(), nullable=True))
    op.execute(_ADD_PART_OF)
    op.add_column("escalations", sa.Column("open_in", sa.Text(), nullable=True))
    op.add_column("replies", sa.Column("turn_id", sa.Text(), nullable=False, server_default=""))
    op.execute(_TURNS_OF_REPLIES)
    op.execute(_CASES)
    _index(_PART_OF, "part_of")
    _index(_OPEN_IN, "open_in", unique=True)


def downgrade() -> None:
    """Drop them: each turn is an escalation of its own, of which no target hears."""
    # Without its action a later turn would be told as the escalation itself.
    later = f"SELECT id FROM deliveries WHERE {_LATER}"  # noqa: S608
    op.execute(f"DELETE FROM attempts WHERE delivery_id IN ({later})")  # noqa: S608
    op.execute(f"DELETE FROM deliveries WHERE {_LATER}")  # noqa: S608
    op.drop_index(_OPEN_IN, table_name="escalations")
    op.drop_index(_PART_OF, table_name="escalations")
    op.drop_column("replies", "turn_id")
    op.drop_column("escalations", "open_in")
    op.drop_column("escalations", "part_of")
    for name in reversed(_CONSENT):
        op.drop_column("escalations", name)


def _index(name: str, column: str, *, unique: bool = False) -> None:
    named = sa.text(f"{column} IS NOT NULL")
    op.create_index(
        name, "escalations", [column], unique=unique, sqlite_where=named, postgresql_where=named
    )
