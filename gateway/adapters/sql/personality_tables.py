"""The table of what operators changed of how sites' chats speak."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, Double, Index, Table, Text

from gateway.adapters.sql.schema import COUNTED, metadata

personality_edits = Table(
    "personality_edits",
    metadata,
    # Only ever added to: a personality's history, and what undoing goes back to.
    Column("id", COUNTED, primary_key=True),
    Column("site", Text, nullable=False),
    # None: of a choice of none, and of a choice that is left to the configuration.
    Column("name", Text),
    Column("kind", Text, nullable=False),
    Column("document", JSON(none_as_null=True)),
    Column("takes_back", COUNTED),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    CheckConstraint("kind IN ('set', 'remove', 'undo', 'use', 'reset')", "kind"),
    Index(None, "site", "id"),
    sqlite_autoincrement=True,
)
