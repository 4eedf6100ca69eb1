"""The tables of truth, as SQLAlchemy Core knows them.

They decide what a row is, what makes it unique and how it is found. Every row that concerns a
visitor carries `site` and `subject`. Times that machines compare are Unix seconds in a double;
times that the wire shows are kept as the text that was shown. The migrations make these tables,
and a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.adapters.sql.schema import COUNTED, metadata, scope_columns

finished_calls = Table(
    "finished_calls",
    metadata,
    Column("site", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at", Double, nullable=False, index=True),
    Column("body_sha256", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("receipt", Text),
)

receipt_heads = Table(
    "receipt_heads",
    metadata,
    Column("sid", Text, primary_key=True),
    *scope_columns(),
    Column("head", Text, nullable=False),
    # How often the browser showed another receipt than the head, and when it last did.
    Column("gaps", Integer, nullable=False),
    Column("gap_at", Double),
    Column("at", Double, nullable=False, index=True),
    Index(None, "site", "subject"),
    sqlite_with_rowid=False,
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    *scope_columns(),
    Column("at", Double, nullable=False),
    # How many turns it was given numbers for.
    Column("turns", Integer, nullable=False, server_default=text("0")),
    # What a visitor has is found by the conversations.
    Index(None, "site", "subject"),
    sqlite_with_rowid=False,
)

turns = Table(
    "turns",
    metadata,
    # The id first: turns are also found by their ids alone, many at once.
    Column("id", Text, primary_key=True),
    Column("site", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("at", Double, nullable=False, index=True),
    Column("question", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("escalate", Boolean, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("source", Text, nullable=False),
    Column("model", Text),
    Column("citations", JSON, nullable=False),
    Column("disclaimers", JSON, nullable=False),
    Column("reasoning", Text),
    Column("usage", JSON(none_as_null=True)),
    Column("created_at", Text, nullable=False),
    # Its place in its conversation, from 1, and how long its texts are.
    Column("seq", Integer, nullable=False, server_default=text("0")),
    Column("question_tokens", Integer, nullable=False, server_default=text("0")),
    Column("reply_tokens", Integer, nullable=False, server_default=text("0")),
    Index("uq_turns_conversation_id_seq", "conversation_id", "seq", unique=True),
)

trajectories = Table(
    "trajectories",
    metadata,
    # Of what belongs to nobody the subject is empty, and there is no conversation.
    *(Column(name, Text, primary_key=True) for name in ("turn_id", "site", "subject")),
    Column("conversation_id", Text, ForeignKey("conversations.id"), index=True),
    Column("at", Double, nullable=False, index=True),
    Column("escalated", Boolean, nullable=False),
    Column("reasons", JSON, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("request_sha256", "reply_sha256")),
    *(Column(name, Text, nullable=False) for name in ("source", "channel", "locale")),
    *(Column(name, Text) for name in ("task_type", "workflow", "tier", "model", "reason")),
    *(Column(name, Double, nullable=False) for name in ("confidence", "total_ms")),
    *(Column(name, Double) for name in ("complexity", "first_token_ms", "outcome", "outcome_at")),
    *(Column(name, BigInteger, nullable=False) for name in ("estimated_micros", "cost_micros")),
    *(Column(name, Integer, nullable=False) for name in ("prompt_tokens", "completion_tokens")),
    Column("scores", JSON, nullable=False),
    # Which operator took it out of the reasoning bank.
    Column("left_out_by", Text),
    Index(None, "site", "at"),
    Index(
        "ix_trajectories_judged",
        *("site", "outcome_at", "turn_id"),
        sqlite_where=text("outcome_at IS NOT NULL"),
        postgresql_where=text("outcome_at IS NOT NULL"),
    ),
)

escalations = Table(
    "escalations",
    metadata,
    # Its time is that of the browser's turn; `at` is ours, and what lists are ordered by.
    Column("id", Text, primary_key=True),
    *scope_columns(),
    Column("turn_id", Text, nullable=False),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("question", Text, nullable=False),
    Column("fallback_text", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    # Whose word question, reason and confidence are.
    Column("provenance", Text, nullable=False),
    Column("tail", JSON, nullable=False),
    Column("locale", Text, nullable=False),
    Column("contact", Text),
    # What the visitor agreed to as it was left, and when that was heard.
    Column("consent_wording", Text),
    Column("consented_at", Text),
    Column("receipt", Text),
    Column("asked_at", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("status", Text, nullable=False),
    # The case that a later turn was added to; none where this is a case itself.
    Column("part_of", Text, ForeignKey("escalations.id")),
    # The conversation whose open case this is: each has one at most.
    Column("open_in", Text),
    UniqueConstraint("turn_id", "site", "subject"),
    CheckConstraint("status IN ('queued', 'delivered', 'resolved', 'failed')", "status"),
    CheckConstraint("provenance IN ('server', 'client')", "provenance"),
    Index(None, "conversation_id", "status"),
    Index(None, "at", "id"),
    Index(None, "site", "at", "id"),
    Index(None, "status", "at", "id"),
    Index(
        "ix_escalations_open",
        "at",
        "id",
        sqlite_where=text("status != 'resolved'"),
        postgresql_where=text("status != 'resolved'"),
    ),
    Index(
        "ix_escalations_part_of",
        "part_of",
        sqlite_where=text("part_of IS NOT NULL"),
        postgresql_where=text("part_of IS NOT NULL"),
    ),
    Index(
        "uq_escalations_open_in",
        "open_in",
        unique=True,
        sqlite_where=text("open_in IS NOT NULL"),
        postgresql_where=text("open_in IS NOT NULL"),
    ),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", COUNTED, primary_key=True),
    Column("escalation_id", Text, ForeignKey("escalations.id"), nullable=False),
    Column("target", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    # Tries since the delivery was last made due by a person; `attempts` has them all.
    Column("tries", Integer, nullable=False),
    Column("next_at", Double),
    Column("leased_until", Double, nullable=False),
    # What the target is told, and of which reply or later turn.
    Column("action", Text, nullable=False, server_default="open"),
    Column("about", Text, nullable=False, server_default=""),
    Index("uq_deliveries_told", "escalation_id", "target", "action", "about", unique=True),
    CheckConstraint("state IN ('pending', 'delivered', 'failed', 'disabled', 'skipped')", "state"),
    Index(
        "ix_deliveries_due",
        "next_at",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    # An id is never used twice: a worker may come back to a delivery that was erased meanwhile.
    sqlite_autoincrement=True,
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", COUNTED, primary_key=True),
    Column("delivery_id", COUNTED, ForeignKey("deliveries.id"), nullable=False, index=True),
    Column("at", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("detail", Text, nullable=False),
)

threads = Table(
    "threads",
    metadata,
    # Where a target keeps an escalation, in the target's own words.
    Column("team", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("ts", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("escalation_id", Text, ForeignKey("escalations.id"), nullable=False),
    Column("at", Double, nullable=False),
    Index(None, "escalation_id", "at"),
)

replies = Table(
    "replies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("escalation_id", Text, ForeignKey("escalations.id"), nullable=False, index=True),
    # The newest turn of the case when it was written.
    Column("turn_id", Text, nullable=False, server_default=""),
    Column("author", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("at", Double, nullable=False, index=True),
)

visitor_events = Table(
    "visitor_events",
    metadata,
    Column("id", COUNTED, primary_key=True),
    *scope_columns(),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False),
    Column("at", Double, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Index(None, "conversation_id", "id"),
    # An id is never used twice: browsers resume by it.
    sqlite_autoincrement=True,
)

feedback = Table(
    "feedback",
    metadata,
    Column("site", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("turn_id", Text, primary_key=True),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("signal", Text, nullable=False),
    Column("text", Text),
    Column("at", Double, nullable=False, index=True),
    CheckConstraint(
        "signal IN ('up', 'down', 'worked', 'failed', 'partial', 'correction')", "signal"
    ),
)

kb_edits = Table(
    "kb_edits",
    metadata,
    # Only ever added to: an entry's history, and what undoing goes back to.
    Column("id", COUNTED, primary_key=True),
    Column("site", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("entry", JSON(none_as_null=True)),
    Column("takes_back", COUNTED),
    Column("origin", Text, nullable=False),
    Column("source_hash", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    CheckConstraint("kind IN ('set', 'remove', 'undo')", "kind"),
    Index(None, "site", "id"),
    Index(None, "site", "entry_id", "locale", "id"),
    # A publication names the last edit that it holds: no number comes twice.
    sqlite_autoincrement=True,
)

kb_marks = Table(
    "kb_marks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("question", Text, nullable=False),
    # None: the site has no answer to it.
    Column("entry_id", Text),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    Index(None, "site", "at", "id"),
)

kb_settings = Table(
    "kb_settings",
    metadata,
    Column("site", Text, primary_key=True),
    Column("out_of_scope", Double, nullable=False),
    sqlite_with_rowid=False,
)

kb_publications = Table(
    "kb_publications",
    metadata,
    Column("id", COUNTED, primary_key=True),
    Column("site", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("release", Text, nullable=False),
    Column("edits", COUNTED, nullable=False),
    Column("out_of_scope", Double, nullable=False),
    Column("marks", JSON, nullable=False),
    Index(None, "site", "id"),
)

command_feedback = Table(
    "command_feedback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("command", Text, nullable=False),
    Column("given", Text, nullable=False),
    Column("expected", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False, index=True),
)

spending = Table(
    "spending",
    metadata,
    Column("site", Text, primary_key=True),
    # Empty for the site itself.
    Column("subject", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("began", Double, primary_key=True),
    # Millionths of a US dollar.
    Column("settled", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    CheckConstraint("period IN ('day', 'month')", "period"),
    Index(None, "period", "began"),
    sqlite_with_rowid=False,
)

spending_holds = Table(
    "spending_holds",
    metadata,
    # A row for each account in which a reservation holds money.
    Column("key", Text, primary_key=True),
    Column("site", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("began", Double, primary_key=True),
    Column("micros", BigInteger, nullable=False),
    Column("at", Double, nullable=False, index=True),
    Index(None, "site", "subject"),
    sqlite_with_rowid=False,
)

ended_sessions = Table(
    "ended_sessions",
    metadata,
    # An id that names nobody, and is of no use to anyone once its session has run out.
    Column("sid", Text, primary_key=True),
    Column("at", Double, nullable=False, index=True),
    sqlite_with_rowid=False,
)

ended_subjects = Table(
    "ended_subjects",
    metadata,
    Column("site", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("at", Double, nullable=False, index=True),
    sqlite_with_rowid=False,
)
