"""Budgets in Redis: what its user must be allowed, what stands there, and what a dead server is."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from core.errors import Unavailable
from core.model_routing.spend import HELD_S, Account
from gateway.adapters.redis_budgets import RedisBudgets
from gateway.adapters.redis_link import RedisLink
from tests.congruence.samples import NOON
from tests.servers import RedisServer

DOCS = Path(__file__).resolve().parents[3] / "docs"
ANNA = Account("site_a", "anon:anna", "day", NOON, 300)
SITE = Account("site_a", "", "day", NOON, 1000)
pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture
async def link(redis_server: RedisServer) -> AsyncIterator[RedisLink]:
    made = RedisLink(redis_server.url)
    await made.client.flushall()
    yield made
    await made.client.acl_deluser("narrow")
    await made.close()


async def every_call(budgets: RedisBudgets) -> None:
    for key in ("k1", "k2", "k3"):
        await budgets.reserve(key, [ANNA, SITE], 100, NOON)
    assert not (await budgets.reserve("k4", [ANNA, SITE], 100, NOON)).granted
    await budgets.top_up("k3", [ANNA, SITE], 80, NOON)
    assert not (await budgets.top_up("k3", [ANNA, SITE], 101, NOON)).granted
    await budgets.settle("k1", 50, NOON)
    assert [one.micros for one in await budgets.heaviest("site_a", "day", NOON, "anon", 5)] == [250]
    assert await budgets.sweep(NOON + HELD_S + 1) == 2
    assert await budgets.spent([ANNA, SITE]) == [50, 50]
    await budgets.reserve("k5", [ANNA, SITE], 100, NOON)
    await budgets.forget([ANNA])
    assert await budgets.spent([ANNA, SITE]) == [0, 150]


async def test_the_user_of_the_docs_may_do_all_that_is_needed(
    link: RedisLink, redis_server: RedisServer
) -> None:
    deploy = (DOCS / "ops" / "deploy.md").read_text(encoding="utf-8")
    [usual] = re.findall(r"^user fanlight on .*? (~fanlight:\*.*)$", deploy, re.MULTILINE)
    own = (DOCS / "budgets.md").read_text(encoding="utf-8")
    [more] = re.findall(r"^(\+exists.*)$", own, re.MULTILINE)
    rules = [*usual.split(), *more.split()]
    command: Any = link.client.execute_command
    await command("ACL", "SETUSER", "narrow", "on", ">secret", *rules)
    place = urlsplit(redis_server.url)
    narrow = RedisBudgets(RedisLink(f"redis://narrow:secret@{place.hostname}:{place.port}/0"))
    try:
        await every_call(narrow)
    finally:
        await narrow.close()


async def test_nobody_is_named_there(link: RedisLink) -> None:
    budgets = RedisBudgets(link)
    await budgets.reserve("turn-of-anna", [ANNA, SITE], 100, NOON)
    for name in await link.client.keys("*"):
        assert b"anna" not in name
        kind = await link.client.type(name)
        held = (
            await link.client.hgetall(name)
            if kind == b"hash"
            else await link.client.zrange(name, 0, -1)
        )
        assert "anna" not in str(held)
        assert "site_a" not in str(held)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    budgets = RedisBudgets(RedisLink(f"redis://127.0.0.1:{port}/0"))
    for call in (
        budgets.reserve("k", [ANNA], 1, NOON),
        budgets.settle("k", 1, NOON),
        budgets.spent([ANNA]),
        budgets.sweep(NOON),
        budgets.forget([ANNA]),
    ):
        with pytest.raises(Unavailable):
            await call
    await budgets.close()
