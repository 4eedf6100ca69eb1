"""After an erase the database holds no word of the visitor: every byte of SQLite, every row of
PostgreSQL. What another visitor said in the same words' company is all there.
"""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from core.encoding import timestamp
from core.messages import Escalation, Reply
from core.ports import Outcome, Thread
from core.scope import anonymous
from core.truth import LeasedDelivery
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.context import Services
from tests.gateway.test_escalations import escalation, send
from tests.gateway.test_subjects import erase, export, mark
from tests.gateway.world import GATEWAY, Time, make_services, settings
from tests.servers import PostgresServer

FOREIGN = "zyzzogeton"
"""A word of another visitor's, who stays."""


class Threading:
    """A target that keeps threads and says something of each try."""

    kind = "slack"

    def __init__(self, name: str) -> None:
        self.name = name
        self.fails = False

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        """Take it, or refuse it for good."""
        if self.fails:
            return Outcome(False, "refused", 400, f"no: {escalation.id}", give_up=True)
        return Outcome(True, "delivered", 200, thread=Thread("T", "C", escalation.id))

    async def follow(self, delivery: LeasedDelivery, at: float) -> Outcome:
        """Take it."""
        return Outcome(True, "delivered", 200)


@dataclass
class Sql:
    """A gateway over a database, and how its bytes or rows are read."""

    services: Services
    client: httpx.AsyncClient
    dump: Callable[[], bytes]
    time: Time
    target: Threading

    async def visitor(self) -> Visitor:
        """A visitor with a session."""
        visitor = Visitor(self.client, GATEWAY, "site_demo", clock=self.time)
        await visitor.open_session()
        return visitor


@asynccontextmanager
async def gateway_over(url: str, dump: Callable[[], bytes]) -> AsyncIterator[Sql]:
    time, target = Time(), Threading("team")
    chosen = settings()
    demo, other = chosen.sites
    chosen = replace(chosen, sites=(replace(demo, targets=("team",)), other))
    truth = SqlTruth(url, clock=time)
    services = make_services(chosen, time, targets={"team": target})
    services = replace(services, truth=truth)
    await truth.start()
    app = create_app(services)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), timeout=20) as client,
    ):
        yield Sql(services, client, dump, time, target)
    await truth.close()


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]
)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sql]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/truth.db"
        dump: Callable[[], bytes] = lambda: files(tmp_path)  # noqa: E731
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
        dump = lambda: asyncio.run(every_row(url))  # noqa: E731
    async with gateway_over(url, dump) as made:
        yield made


def files(folder: Path) -> bytes:
    """Every byte of the database, its log and its index among them."""
    found = sorted(folder.glob("truth.db*"))
    assert found
    return b"".join(path.read_bytes() for path in found)


async def every_row(url: str) -> bytes:
    """Every row of every table, as PostgreSQL writes it."""
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        assert len(names) > 10
        written = [
            await connection.fetch(f'SELECT row_to_json(one)::text AS text FROM "{name[0]}" one')  # noqa: S608
            for name in names
        ]
    finally:
        await connection.close()
    return "\n".join(row["text"] for rows in written for row in rows).encode()


async def live(shop: Sql, visitor: Visitor, word: str) -> None:
    """Leave the word wherever a visitor, or whoever answers one, can leave it."""
    turn = (await visitor.ask(f"When are you open, {word} one?")).json()
    body = escalation(
        visitor,
        question=f"Is {word} two here?",
        fallback_text=f"{word} three",
        contact=f"{word}4@example.com",
        contact_consent=f"Write to {word} four.",
        conversation_tail=[{"role": "user", "content": f"{word} five"}],
    )
    made = (await send(visitor, body, key=secrets.token_urlsafe(8))).json()
    await delivered(shop, made["escalation_id"])
    found = await shop.services.truth.escalation(made["escalation_id"])
    now = timestamp(shop.time.now)
    reply = Reply(f"m_{word}", found.id, found.turn_id, "Dana", f"{word} six", now)
    await shop.services.truth.reply(reply, resolve=False, at=shop.time.now)
    await mark(visitor, turn["id"], "correction", secrets.token_urlsafe(8), text=f"{word} seven")
    shop.target.fails = True
    unlucky = escalation(visitor, question=f"And {word} eight?")
    await send(visitor, unlucky, key=secrets.token_urlsafe(8))
    async with asyncio.timeout(10):
        while not await shop.services.truth.dead_letters(9):  # noqa: ASYNC110 - another task delivers
            await asyncio.sleep(0.02)
    shop.target.fails = False


async def delivered(shop: Sql, name: str) -> None:
    async with asyncio.timeout(10):
        while (await shop.services.truth.escalation(name)).status != "delivered":  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def settled_export(visitor: Visitor) -> dict[str, Any]:
    """What is held of a visitor, once nothing of it is still on its way."""
    async with asyncio.timeout(30):
        while '"pending"' in json.dumps(held := await export(visitor)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return held


async def test_no_word_of_the_visitor_is_left_anywhere(shop: Sql) -> None:
    visitor, other = await shop.visitor(), await shop.visitor()
    words = [f"qwertz{number}opq" for number in range(12)]
    for word in words:
        await live(shop, visitor, word)
    await live(shop, other, FOREIGN)
    before = await asyncio.to_thread(shop.dump)
    for word in words:
        assert before.count(word.encode()) >= 8
    kept = before.count(FOREIGN.encode())
    theirs = await settled_export(other)
    assert (await erase(visitor)).status_code == 200
    after = await asyncio.to_thread(shop.dump)
    for word in words:
        assert word.encode() not in after
    assert FOREIGN.encode() in after
    assert kept >= 8
    assert {**await export(other), "exported_at": theirs["exported_at"]} == theirs


async def test_only_the_end_of_the_sessions_and_the_outcome_name_the_visitor(shop: Sql) -> None:
    visitor = await shop.visitor()
    await live(shop, visitor, "qwertz")
    subject = anonymous("site_demo", visitor.keyid).subject.encode()
    assert (await asyncio.to_thread(shop.dump)).count(subject) > 8
    await erase(visitor)
    dumped = await asyncio.to_thread(shop.dump)
    # A row of ended_subjects and one of finished_calls, each with its index.
    assert 0 < dumped.count(subject) <= 4


async def test_what_was_deleted_by_time_is_overwritten_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/truth.db"
    async with gateway_over(url, lambda: files(tmp_path)) as shop:
        visitor = await shop.visitor()
        await live(shop, visitor, "qwertz")
        before: Any = dict.fromkeys(
            ("turns", "escalations", "feedback", "events"), shop.time.now + 1
        )
        await shop.services.truth.subjects.expire(before, 500)
        with closing(sqlite3.connect(tmp_path / "truth.db")) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            # The outcomes of calls have a day of their own.
            connection.execute("DELETE FROM finished_calls")
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert b"qwertz" not in files(tmp_path)
