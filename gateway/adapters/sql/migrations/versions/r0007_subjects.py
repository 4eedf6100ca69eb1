"""Visitors' marks on answers, and ways to find what is a visitor's or old.

In SQLite deliveries are numbered without using a number twice, which only a new table can do.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEXES = (
    ("conversations", ("site", "subject")),
    ("receipt_heads", ("site", "subject")),
    ("receipt_heads", ("at",)),
    ("turns", ("at",)),
    ("visitor_events", ("at",)),
)
_DELIVERIES = "id, escalation_id, target, kind, state, tries, next_at, leased_until, action, about"
_ATTEMPTS = "id, delivery_id, at, outcome, status, detail"


def upgrade() -> None:
    """Make the table and the indexes."""
    _feedback()
    for table, columns in _INDEXES:
        op.create_index(_name(table, columns), table, list(columns), unique=False)
    _number_deliveries(once=True)


def downgrade() -> None:
    """Drop them, with all that they hold."""
    _number_deliveries(once=False)
    for table, columns in reversed(_INDEXES):
        op.drop_index(_name(table, columns), table_name=table)
    op.drop_table("feedback")


def _name(table: str, columns: tuple[str, ...]) -> str:
    return op.f(f"ix_{table}_{'_'.join(columns)}")


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.CheckConstraint(
            "signal IN ('up', 'down', 'worked', 'failed', 'partial', 'correction')",
            name=op.f("ck_feedback_signal"),
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_feedback_conversation_id")
        ),
        sa.PrimaryKeyConstraint("site", "subject", "turn_id", name=op.f("pk_feedback")),
    )
    for column in ("conversation_id", "at"):
        op.create_index(_name("feedback", (column,)), "feedback", [column], unique=False)


def _number_deliveries(*, once: bool) -> None:
    """Make both tables anew: what refers to the deliveries has to be out of the way meanwhile."""
    if op.get_bind().dialect.name != "sqlite":
        return  # a sequence never gives a number twice
    op.execute("CREATE TEMP TABLE kept_deliveries AS SELECT * FROM deliveries")
    op.execute("CREATE TEMP TABLE kept_attempts AS SELECT * FROM attempts")
    op.drop_table("attempts")
    op.drop_table("deliveries")
    _deliveries(once=once)
    _attempts()
    op.execute(
        f"INSERT INTO deliveries ({_DELIVERIES}) SELECT {_DELIVERIES} FROM kept_deliveries"  # noqa: S608
    )
    op.execute(f"INSERT INTO attempts ({_ATTEMPTS}) SELECT {_ATTEMPTS} FROM kept_attempts")  # noqa: S608
    op.execute("DROP TABLE temp.kept_attempts")
    op.execute("DROP TABLE temp.kept_deliveries")


def _deliveries(*, once: bool) -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("escalation_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=True),
        sa.Column("leased_until", sa.Double(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False, server_default="open"),
        sa.Column("about", sa.Text(), nullable=False, server_default=""),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'failed', 'disabled', 'skipped')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalations.id"], name=op.f("fk_deliveries_escalation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sqlite_autoincrement=once,
    )
    told = ["escalation_id", "target", "action", "about"]
    op.create_index("uq_deliveries_told", "deliveries", told, unique=True)
    due = sa.text("state = 'pending'")
    op.create_index("ix_deliveries_due", "deliveries", ["next_at"], sqlite_where=due)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_attempts_delivery_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_delivery_id"), "attempts", ["delivery_id"], unique=False)
