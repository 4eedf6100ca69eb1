"""What a site's visitors were not answered is found without a look at every escalation."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEX = "ix_escalations_site_at_id"


def upgrade() -> None:
    """Make the index."""
    op.create_index(op.f(_INDEX), "escalations", ["site", "at", "id"], unique=False)


def downgrade() -> None:
    """Drop it."""
    op.drop_index(op.f(_INDEX), table_name="escalations")
