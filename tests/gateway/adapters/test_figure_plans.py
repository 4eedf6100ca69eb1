"""What the console's figures cost a database: a range of an index, never all turns there are.

A plan is what can be held without a clock. In PostgreSQL a small table is read whole whatever there
is beside it, so that there it is asked over some thousand turns.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Select, insert, text

from core.encoding import new_id
from gateway.adapters.sql import figures, locks, tables
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import NOON
from tests.servers import PostgresServer

TURNS = 5_000
DAY = 86_400.0
INDEXES = ("ix_trajectories_site_at", "ix_trajectories_at")
"""Of both, and of its sites' shares, the database may choose: each reads the range alone."""
BY_TALK = "ix_trajectories_conversation_id"
ASKED: dict[str, Any] = {"sites": ["site_a"], "since": NOON, "until": NOON + DAY}


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]
)
async def truth(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlTruth]:
    """A truth with a hundred days of turns on two sites."""
    url = f"sqlite:///{tmp_path}/truth.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    store = SqlTruth(url, clock=lambda: NOON, deadline_s=60.0)
    await store.start()
    await store._write(_fill)
    yield store
    await store.close()


def _fill(connection: Connection) -> None:
    nothing = dict.fromkeys(("task_type", "workflow", "tier", "model", "reason"))
    row: dict[str, Any] = {
        **nothing,
        "subject": "",
        "conversation_id": None,
        "escalated": False,
        "reasons": [],
        "request_sha256": "0" * 64,
        "reply_sha256": "0" * 64,
        "source": "kb",
        "channel": "widget",
        "locale": "en",
        "confidence": 0.9,
        "total_ms": 12.0,
        "complexity": None,
        "first_token_ms": None,
        "outcome": None,
        "outcome_at": None,
        **dict.fromkeys(("estimated_micros", "cost_micros"), 0),
        **dict.fromkeys(("prompt_tokens", "completion_tokens"), 0),
        "scores": {},
    }
    step = 100 * DAY / TURNS
    rows = [
        {
            **row,
            "turn_id": new_id("t", int((NOON + number * step) * 1_000), number.to_bytes(10)),
            "site": "site_a" if number % 2 else "site_b",
            "at": NOON + number * step,
        }
        for number in range(TURNS)
    ]
    connection.execute(insert(tables.trajectories), rows)
    if locks.wanted(connection):
        connection.execute(text("ANALYZE trajectories"))  # as it does by itself, a minute later


def _plan(connection: Connection, statement: Select[Any], asked: dict[str, Any]) -> str:
    how = "EXPLAIN" if locks.wanted(connection) else "EXPLAIN QUERY PLAN"
    made = statement.params(asked).compile(
        connection, compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    rows = connection.exec_driver_sql(f"{how} {str(made).replace('%', '%%')}")
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize("sites", [["site_a"], ["site_a", "site_b"]])
async def test_figures_read_a_range_of_an_index_and_no_more(
    truth: SqlTruth, sites: list[str]
) -> None:
    def plans(connection: Connection) -> dict[str, str]:
        passes = figures._passes(locks.wanted(connection))
        each = {name: getattr(passes, name) for name in figures._Passes.__slots__}
        return {
            name: _plan(connection, statement, {**ASKED, "sites": sites})
            for name, statement in each.items()
        }

    found = await truth._read(plans)
    assert found.keys() == {"groups", "total_ms", "first_token_ms"}
    for name, plan in found.items():
        assert any(index in plan for index in INDEXES), (name, plan)
        assert "SCAN trajectories" not in plan, (name, plan)
        assert "Seq Scan" not in plan, (name, plan)


async def test_how_a_case_was_answered_is_found_by_its_conversation(truth: SqlTruth) -> None:
    asked = {"conversation": "c_1"}
    plan = await truth._read(lambda connection: _plan(connection, figures._ANSWERED, asked))
    assert BY_TALK in plan, plan
