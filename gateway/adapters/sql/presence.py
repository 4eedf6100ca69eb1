"""Whether a gateway is the only one at its PostgreSQL database, told by an advisory lock.

A gateway without Redis keeps in its own memory what was used once, so that it must be alone: it
holds the lock by itself, where gateways that share a Redis hold it together. It decides that one
which comes too many does not start, and that a lock whose connection is lost is not held until it
is taken again. The lock belongs to its connection: a crash leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

import asyncpg

from core.errors import Unavailable
from core.ports import Clock
from gateway.adapters.sql import locks

log = logging.getLogger("fanlight")

PATIENCE_S: Final = 3.0
"""A gateway that was killed a moment ago may still be there."""
LOOK_S: Final = 2.0
CONNECT_S: Final = 2.0
ANSWER_S: Final = 5.0
"""A server that is slow is no reason to refuse calls; the lock outlasts this by far."""
AGAIN_S: Final = 0.5
SETTLE_S: Final = 6.0
"""How far ahead of ours a clock may be that signs what another gateway took meanwhile, and more."""

_TAKEN: Final = (
    "another gateway uses this database, and {why}:"
    " stop the other one, or name the same Redis for all of them (FANLIGHT_REDIS_URL)"
)
_ALONE: Final = "without Redis neither knows which calls the other has taken"
_TOGETHER: Final = "that one has no Redis, so that it does not know which calls this one takes"
_SERVER: Final = {
    "application_name": "fanlight presence",
    # A machine that vanishes takes its lock along within half a minute.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class Presence:
    """A gateway's place at the database that `url` names: `alone`, or among others like it."""

    def __init__(self, url: str, *, clock: Clock, alone: bool) -> None:
        self._url = url
        self._clock = clock
        self._take = locks.number(locks.GATEWAYS), alone
        self._connection: asyncpg.Connection[Any] | None = None
        self._since: float | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def since(self) -> float | None:
        """Unix seconds from which on nobody was there who may not be; None: somebody may be now."""
        lost = self._connection is None or self._connection.is_closed()
        return None if lost else self._since

    async def start(self) -> None:
        """Take the place; raises `Unavailable` with the remedy where another gateway is in it."""
        loop = asyncio.get_running_loop()
        gives_up = loop.time() + PATIENCE_S
        try:
            while not await self._taken():
                if loop.time() > gives_up:
                    raise Unavailable(_TAKEN.format(why=_ALONE if self._take[1] else _TOGETHER))
                await asyncio.sleep(AGAIN_S)
        except _ERRORS as exc:
            raise Unavailable(f"the database does not answer: {type(exc).__name__}") from exc
        finally:
            if self._connection is not None and self._since is None:
                self._leave()
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Leave the place."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self._leave()

    async def _taken(self, ahead_s: float = 0.0) -> bool:
        if self._connection is None:
            self._connection = await asyncpg.connect(
                self._url, timeout=CONNECT_S, command_timeout=ANSWER_S, server_settings=_SERVER
            )
        number, alone = self._take
        name = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
        if await self._connection.fetchval(f"SELECT {name}($1)", number):
            self._since = self._clock() + ahead_s
        return self._since is not None

    async def _keep(self) -> None:
        """Look whether the lock is still held, and take it again where it was lost."""
        told = False
        while True:
            try:
                if self._since is not None and self._connection is not None:
                    await self._connection.fetchval("SELECT 1")
                elif not await self._taken(SETTLE_S) and not told:
                    told = True
                    log.error(_TAKEN.format(why=_ALONE if self._take[1] else _TOGETHER))
            except _ERRORS:
                self._leave()
            held = self._since is not None
            told = told and not held
            await asyncio.sleep(LOOK_S if held else AGAIN_S)

    def _leave(self) -> None:
        connection, self._connection, self._since = self._connection, None, None
        if connection is not None:
            with suppress(*_ERRORS):
                connection.terminate()
