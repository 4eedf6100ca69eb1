"""Whether the servers that a gateway keeps its state in answer, for `fanlight check --online`.

It changes no table. Messages name no address, which may hold a password. The drivers are loaded
only where a server is named: a first `fanlight init` needs none.
"""

from __future__ import annotations

import asyncio
import secrets
import time

from core.errors import Unavailable
from gateway.cli.finding import Finding
from gateway.configuration.stores import POSTGRESQL
from gateway.settings import Settings


def stores(settings: Settings, *, online: bool) -> list[Finding]:
    """The database where it is a server, and Redis where there is one."""
    found = []
    if settings.database_url.startswith(POSTGRESQL):
        found.append(_database(settings.database_url) if online else _left("database"))
    if settings.redis_url:
        found.append(_redis(settings.redis_url.reveal()) if online else _left("redis"))
    return found


_KEYS = {"database": "FANLIGHT_DATABASE_URL", "redis": "FANLIGHT_REDIS_URL"}


def _left(name: str) -> Finding:
    return Finding(name, "skipped", _KEYS[name], "was not called; --online does")


def _database(url: str) -> Finding:
    from gateway.adapters.sql.copies import postgres_is_empty  # noqa: PLC0415 - as said above

    key = _KEYS["database"]
    try:
        empty = postgres_is_empty(url)
    except Unavailable as error:
        remedy = "Start PostgreSQL, or correct the address, the user or the password."
        return Finding("database", "failed", key, str(error), remedy)
    state = "is empty: the first run makes its tables" if empty else "has its tables"
    return Finding("database", "ok", key, f"PostgreSQL answers, and {state}")


def _redis(url: str) -> Finding:
    key = _KEYS["redis"]
    try:
        asyncio.run(_reach(url))
    except Unavailable as error:
        remedy = "Start Redis, or correct the address, the user, the password or its settings."
        return Finding("redis", "failed", key, str(error), remedy)
    return Finding("redis", "ok", key, "Redis answers, and forgets nothing before its time")


async def _reach(url: str) -> None:
    from gateway.adapters.redis_cache import RedisCache  # noqa: PLC0415 - as said above

    cache = RedisCache(url, clock=time.time, random=secrets.token_bytes)
    await cache.start()
    await cache.close()
