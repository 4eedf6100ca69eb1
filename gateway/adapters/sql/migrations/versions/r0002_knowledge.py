"""The knowledge desk: edits over the owner's files, marks, the declared prior, publications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = ("kb_edits", "kb_marks", "kb_settings", "kb_publications")


def upgrade() -> None:
    """Make the tables."""
    _edits()
    _marks()
    _settings()
    _publications()


def downgrade() -> None:
    """Drop them, with all that they hold."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _edits() -> None:
    op.create_table(
        "kb_edits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entry", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("takes_back", sa.Integer(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("source_hash", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.CheckConstraint("kind IN ('set', 'remove', 'undo')", name=op.f("ck_kb_edits_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_edits")),
        sqlite_autoincrement=True,
    )
    for columns in (["site", "id"], ["site", "entry_id", "locale", "id"]):
        name = op.f("ix_kb_edits_" + "_".join(columns))
        op.create_index(name, "kb_edits", columns, unique=False)


def _marks() -> None:
    op.create_table(
        "kb_marks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_marks")),
    )
    columns = ["site", "at", "id"]
    op.create_index(op.f("ix_kb_marks_site_at_id"), "kb_marks", columns, unique=False)


def _settings() -> None:
    op.create_table(
        "kb_settings",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("out_of_scope", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_kb_settings")),
        sqlite_with_rowid=False,
    )


def _publications() -> None:
    op.create_table(
        "kb_publications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("out_of_scope", sa.Double(), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kb_publications")),
    )
    columns = ["site", "id"]
    op.create_index(op.f("ix_kb_publications_site_id"), "kb_publications", columns, unique=False)
