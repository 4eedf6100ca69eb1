"""Numbers and lengths for the turns of a conversation.

Turns that are there already are numbered in their order of time; their lengths are estimated as new
ones' are, four letters a token, whatever the script: nothing rests on them but a budget.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NUMBERS = """
UPDATE turns SET seq = (
  SELECT count(*) FROM turns AS earlier
  WHERE earlier.conversation_id = turns.conversation_id
  AND (earlier.at, earlier.id) <= (turns.at, turns.id)
)
"""
_LENGTHS = """
UPDATE turns SET question_tokens = (length(question) + 3) / 4,
reply_tokens = (length(reply) + 3) / 4
"""
_LAST = """
UPDATE conversations SET turns =
(SELECT count(*) FROM turns WHERE turns.conversation_id = conversations.id)
"""


def upgrade() -> None:
    """Add the columns, and fill them."""
    for table, name in (
        ("turns", "seq"),
        ("turns", "question_tokens"),
        ("turns", "reply_tokens"),
        ("conversations", "turns"),
    ):
        column = sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0"))
        op.add_column(table, column)
    op.execute(_NUMBERS)
    op.execute(_LENGTHS)
    op.execute(_LAST)
    op.create_index(
        "uq_turns_conversation_id_seq", "turns", ["conversation_id", "seq"], unique=True
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("uq_turns_conversation_id_seq", table_name="turns")
    op.drop_column("conversations", "turns")
    for name in ("reply_tokens", "question_tokens", "seq"):
        op.drop_column("turns", name)
