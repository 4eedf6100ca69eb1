"""The revisions make the tables that the statements know, and take them away again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement

from gateway.adapters.sql import (
    cases,
    commits,
    following,
    knowledge,
    opening,
    outbox,
    outcomes,
    reads,
)
from gateway.adapters.sql.schema import metadata


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    url = opening.sqlite_file(f"sqlite:///{tmp_path}/truth.db")
    engine = opening.sqlite_engine(url, begin="BEGIN IMMEDIATE", busy_timeout_s=1)
    with engine.begin() as one:
        yield one


def test_the_revisions_make_the_tables(connection: Connection) -> None:
    opening.upgrade(connection)
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    assert compare_metadata(context, metadata) == []


def test_upgrading_again_changes_nothing(connection: Connection) -> None:
    opening.upgrade(connection)
    before = connection.exec_driver_sql("SELECT sql FROM sqlite_master").all()
    opening.upgrade(connection)
    assert connection.exec_driver_sql("SELECT sql FROM sqlite_master").all() == before


def test_every_revision_can_be_taken_back_and_made_again(connection: Connection) -> None:
    config = opening.configuration(connection)
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    opening.upgrade(connection)
    for _ in revisions:
        command.downgrade(config, "-1")
        command.upgrade(config, "+1")
        command.downgrade(config, "-1")
    assert inspect(connection).get_table_names() == ["alembic_version"]
    opening.upgrade(connection)
    assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_what_would_follow_goes_with_the_older_tables(connection: Connection) -> None:
    """A follow-up must not be taken for the escalation itself by an older Fanlight."""
    opening.upgrade(connection)
    scope = {"site": "s", "subject": "x"}
    connection.execute(insert(metadata.tables["conversations"]), {"id": "c", **scope, "at": 0.0})
    texts = ("turn_id", "question", "fallback_text", "locale", "asked_at", "created_at")
    values = {**dict.fromkeys(texts, ""), **scope, "id": "e", "conversation_id": "c", "at": 0.0}
    values |= {"reason": "empty", "confidence": 0.0, "provenance": "server", "tail": []}
    connection.execute(insert(metadata.tables["escalations"]), {**values, "status": "queued"})
    row: dict[str, object] = {
        "escalation_id": "e",
        "target": "t",
        "kind": "slack",
        "state": "pending",
    }
    row |= {"tries": 0, "next_at": 0.0, "leased_until": 0.0, "about": ""}
    for number, action in enumerate(("open", "resolve"), 1):
        told = {"id": number, **row, "action": action}
        connection.execute(insert(metadata.tables["deliveries"]), told)
        tried = {"delivery_id": number, "at": "", "outcome": "", "detail": ""}
        connection.execute(insert(metadata.tables["attempts"]), tried)
    config = opening.configuration(connection)
    command.downgrade(config, "0004")
    assert connection.exec_driver_sql("SELECT id FROM deliveries").all() == [(1,)]
    assert connection.exec_driver_sql("SELECT delivery_id FROM attempts").all() == [(1,)]
    command.upgrade(config, "head")
    assert connection.exec_driver_sql("SELECT action FROM deliveries").all() == [("open",)]


def an_old_escalation(name: str, status: str, at: float) -> dict[str, object]:
    texts = ("question", "fallback_text", "locale", "asked_at", "created_at")
    values = {**dict.fromkeys(texts, ""), "id": name, "turn_id": f"t_{name}", "status": status}
    values |= {"site": "s", "subject": "x", "conversation_id": "c", "reason": "empty"}
    return {**values, "confidence": 0.0, "provenance": "server", "tail": "[]", "at": at}


def test_the_newest_open_escalation_of_a_conversation_becomes_its_case(
    connection: Connection,
) -> None:
    config = opening.configuration(connection)
    command.upgrade(config, "0007")
    connection.exec_driver_sql("INSERT INTO conversations VALUES ('c', 's', 'x', 0.0)")
    for name, status, at in (("a", "queued", 1.0), ("b", "failed", 2.0), ("z", "resolved", 3.0)):
        row = an_old_escalation(name, status, at)
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.exec_driver_sql(
            f"INSERT INTO escalations ({columns}) VALUES ({marks})",  # noqa: S608
            tuple(row.values()),
        )
    connection.exec_driver_sql(
        "INSERT INTO replies (id, escalation_id, author, content, created_at, at)"
        " VALUES ('h', 'a', '', '', '', 0.0)"
    )
    command.upgrade(config, "head")
    marked = "SELECT id, open_in, part_of FROM escalations ORDER BY id"
    assert connection.exec_driver_sql(marked).all() == [
        ("a", None, None),
        ("b", "c", None),
        ("z", None, None),
    ]
    assert connection.exec_driver_sql("SELECT turn_id FROM replies").all() == [("t_a",)]


def test_a_later_turn_is_an_escalation_of_its_own_for_an_older_fanlight(
    connection: Connection,
) -> None:
    opening.upgrade(connection)
    connection.execute(
        insert(metadata.tables["conversations"]), {"id": "c", "site": "s", "subject": "x", "at": 0}
    )
    for name, case in (("a", None), ("b", "a")):
        row = {**an_old_escalation(name, "queued", 1.0), "tail": [], "part_of": case}
        connection.execute(insert(metadata.tables["escalations"]), row)
    told = {"escalation_id": "a", "target": "t", "kind": "slack", "state": "pending", "tries": 0}
    for number, action in enumerate(("open", "added"), 1):
        row = {**told, "id": number, "leased_until": 0.0, "action": action}
        connection.execute(insert(metadata.tables["deliveries"]), row)
        tried = {"delivery_id": number, "at": "", "outcome": "", "detail": ""}
        connection.execute(insert(metadata.tables["attempts"]), tried)
    command.downgrade(opening.configuration(connection), "0007")
    assert connection.exec_driver_sql("SELECT id FROM escalations ORDER BY id").all() == [
        ("a",),
        ("b",),
    ]
    assert connection.exec_driver_sql("SELECT id FROM deliveries").all() == [(1,)]
    opening.upgrade(connection)


def test_what_a_site_missed_is_found_by_an_index(connection: Connection) -> None:
    opening.upgrade(connection)
    missed = knowledge.MISSED.params(site="site_a", since=0.0, limit=9).compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    asked = f"EXPLAIN QUERY PLAN {missed}"
    [step] = connection.exec_driver_sql(asked, (0,) * asked.count("?")).all()
    assert "ix_escalations_site_at_id" in step.detail


def test_the_revisions_are_one_line(connection: Connection) -> None:
    script = ScriptDirectory.from_config(opening.configuration(connection))
    assert len(script.get_heads()) == len(script.get_bases()) == 1


def test_tables_and_statements_are_postgresqls_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    statements: list[ClauseElement] = [
        value
        for module in (cases, commits, following, knowledge, outbox, outcomes, reads)
        for value in vars(module).values()
        if isinstance(value, ClauseElement)
    ]
    for table in metadata.sorted_tables:
        statements += [CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=str))]
    assert len(statements) > 25
    for statement in statements:
        assert str(statement.compile(dialect=dialect))
