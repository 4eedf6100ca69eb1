"""Statements are as bad as their worst verb."""

import pytest

from core.commands import sql


@pytest.mark.parametrize(
    ("statement", "label"),
    [
        ("SELECT * FROM a", "READ"),
        ("select 'DELETE FROM a'", "READ"),
        ('SELECT "drop table a" FROM b', "READ"),
        ("SELECT $x$ DROP TABLE a $x$", "READ"),
        ("SELECT a FROM b FOR UPDATE", "READ"),
        ("EXPLAIN DELETE FROM a", "READ"),
        ("EXPLAIN (ANALYZE) DELETE FROM a", "DELETE"),
        ("EXPLAIN ANALYZE DELETE FROM a", "DELETE"),
        ("SHOW CREATE TABLE a", "READ"),
        ("/* DROP TABLE a */ SELECT 1", "READ"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "READ"),
        ("WITH a AS (DELETE FROM b RETURNING *) SELECT * FROM a", "DELETE"),
        ("INSERT INTO a VALUES ('x')", "CREATE"),
        ("INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET x = 1", "UPDATE"),
        ("SELECT * INTO b FROM a", "CREATE"),
        ("CREATE TABLE a (id int)", "CREATE"),
        ("CREATE OR REPLACE VIEW a AS SELECT 1", "UPDATE"),
        ("UPDATE a SET b = 'DELETE FROM c'", "UPDATE"),
        ("ALTER TABLE a ADD b int", "UPDATE"),
        ("ALTER TABLE a DROP COLUMN b", "DELETE"),
        ("TRUNCATE a", "DELETE"),
        ("SELECT pg_terminate_backend(1)", "DELETE"),
        ("SELECT deleted FROM a", "READ"),
        ("SELECT * INTO OUTFILE '/tmp/a' FROM b", "CREATE"),
        ("DROP TABLE a", "DELETE"),
        ("MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE", "DELETE"),
    ],
)
def test_verdicts(statement: str, label: str) -> None:
    verdict = sql.verdict(statement)
    assert verdict is not None
    assert verdict[0] == label


def test_of_other_statements_nothing_is_said() -> None:
    assert sql.verdict("CALL refund(1)") is None


@pytest.mark.parametrize(
    "text",
    [
        "ls -la",
        "update-rc.d nginx remove",
        "truncate -s 0 a",
        "show me",
        "select",
        "drop",
        "set -e",
    ],
)
def test_shell_is_no_sql(text: str) -> None:
    assert not sql.is_sql(text)
