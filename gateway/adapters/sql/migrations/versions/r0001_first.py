"""The first tables: calls, conversations, escalations and their outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "conversations",
    "finished_calls",
    "receipt_heads",
    "turns",
    "visitor_events",
    "escalations",
    "replies",
    "deliveries",
    "attempts",
)


def upgrade() -> None:
    """Make the tables."""
    _finished_calls()
    _receipt_heads()
    _conversations()
    _turns()
    _visitor_events()
    _escalations()
    _escalation_indexes()
    _replies()
    _deliveries()
    _attempts()


def downgrade() -> None:
    """Drop them, with all that they hold."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _scope() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
    )


def _finished_calls() -> None:
    op.create_table(
        "finished_calls",
        *_scope(),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("site", "subject", "key", name=op.f("pk_finished_calls")),
    )
    op.create_index(op.f("ix_finished_calls_at"), "finished_calls", ["at"], unique=False)


def _receipt_heads() -> None:
    op.create_table(
        "receipt_heads",
        sa.Column("sid", sa.Text(), nullable=False),
        *_scope(),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("gap_at", sa.Double(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_receipt_heads")),
        sqlite_with_rowid=False,
    )


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text(), nullable=False),
        *_scope(),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sqlite_with_rowid=False,
    )


def _turns() -> None:
    op.create_table(
        "turns",
        sa.Column("id", sa.Text(), nullable=False),
        *_scope(),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("escalate", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("citations", sa.JSON(), nullable=False),
        sa.Column("disclaimers", sa.JSON(), nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=True),
        sa.Column("usage", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_turns_conversation_id")
        ),
        sa.PrimaryKeyConstraint("id", "site", "subject", name=op.f("pk_turns")),
    )
    op.create_index(op.f("ix_turns_conversation_id"), "turns", ["conversation_id"], unique=False)


def _visitor_events() -> None:
    op.create_table(
        "visitor_events",
        sa.Column("id", sa.Integer(), nullable=False),
        *_scope(),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_visitor_events_conversation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_visitor_events_conversation_id_id"),
        "visitor_events",
        ["conversation_id", "id"],
        unique=False,
    )


def _escalations() -> None:
    op.create_table(
        "escalations",
        sa.Column("id", sa.Text(), nullable=False),
        *_scope(),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("fallback_text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("tail", sa.JSON(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'delivered', 'resolved', 'failed')",
            name=op.f("ck_escalations_status"),
        ),
        sa.CheckConstraint(
            "provenance IN ('server', 'client')", name=op.f("ck_escalations_provenance")
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_escalations_conversation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint(
            "turn_id", "site", "subject", name=op.f("uq_escalations_turn_id_site_subject")
        ),
    )


def _escalation_indexes() -> None:
    for columns in (["conversation_id", "status"], ["at", "id"], ["status", "at", "id"]):
        name = op.f("ix_escalations_" + "_".join(columns))
        op.create_index(name, "escalations", columns, unique=False)
    op.create_index(
        "ix_escalations_open",
        "escalations",
        ["at", "id"],
        unique=False,
        sqlite_where=sa.text("status != 'resolved'"),
        postgresql_where=sa.text("status != 'resolved'"),
    )


def _replies() -> None:
    op.create_table(
        "replies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("escalation_id", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalations.id"], name=op.f("fk_replies_escalation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
    )
    op.create_index(op.f("ix_replies_escalation_id"), "replies", ["escalation_id"], unique=False)


def _deliveries() -> None:
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
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'failed', 'disabled', 'skipped')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalations.id"], name=op.f("fk_deliveries_escalation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        op.f("ix_deliveries_escalation_id"), "deliveries", ["escalation_id"], unique=False
    )


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
