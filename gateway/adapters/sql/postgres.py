"""Truth in PostgreSQL: each unit of work in a transaction of its own, over a small pool.

It decides how long a unit may take, retries included; that a unit which another one overtook
(a key that was there first, a deadlock) runs again and sees what that one left; and that a
connection whose unit is late is cut, for nobody knows when its server comes back. It refuses a
server that may acknowledge what it has not synced. The server's own group commit joins the syncs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy import exc as sa
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from core.errors import FanlightError, Unavailable
from core.truth import Committed, Work
from gateway.adapters.sql import commits, locks, opening
from gateway.adapters.sql.errors import DRIVER_ERRORS, as_core

CONNECTIONS: Final = 10
TRIES: Final = 5
CONNECT_S: Final = 2.0
OVERTAKEN: Final = frozenset(("40001", "40P01", "23505"))
"""SQLSTATE of a serialisation failure, a deadlock, and a key that is there already."""

ERRORS: Final = (*DRIVER_ERRORS, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What SQLAlchemy wraps, and what asyncpg raises while it connects."""

_SYNCED: Final = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"

_TOUCHED: Final = "UPDATE alembic_version SET version_num = version_num"
"""A write that changes nothing: what a standby, or a disk that is full, refuses."""

_TIMEOUTS: Final = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
"""Of the server: what nobody waits for any more holds no lock for long."""

_ESCAPE: Final = "\x1a"  # SUBSTITUTE, which stands for what cannot be written

type Unit[Value] = Callable[[Connection], Value]


class _Holder:
    """The driver's connection of one unit, to be cut when the unit is late."""

    def __init__(self) -> None:
        self._driver: asyncpg.Connection[Any] | None = None

    async def take(self, connection: AsyncConnection) -> None:
        raw = await connection.get_raw_connection()
        self._driver = cast("asyncpg.Connection[Any]", raw.driver_connection)

    def cut(self) -> None:
        if self._driver is not None:
            self._driver.terminate()


class Postgres:
    """One pool, and the ways to run a unit over it."""

    def __init__(self, url: str, *, deadline_s: float, waiting_limit: int) -> None:
        self._deadline_s = deadline_s
        self._waiting_limit = waiting_limit
        self._running: set[asyncio.Task[Any]] = set()
        self._engine = _engine(url, deadline_s)
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._points = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._failing = False
        self._closed = False

    async def start(self) -> None:
        """Bring the tables to this revision; raises `Unavailable` with the remedy."""
        try:
            await self.run(_refuse_unsynced)
            # Without the deadline of a call: a large table takes as long as it takes.
            await self._tried(self._engine, _upgrade, _Holder())
        except FanlightError:
            await self.close()
            raise

    async def commit(self, work: Work) -> Committed | None:
        """Commit a call's work."""
        outcome = await self.run(lambda connection: commits.commit_alone(connection, work))
        if isinstance(outcome, FanlightError):
            raise outcome
        return outcome

    async def run[Value](self, unit: Unit[Value]) -> Value:
        """Commit one unit, and give what it gives."""
        try:
            return await self._in_time(self._engine, unit)
        except Unavailable:
            self._failing = True
            raise

    async def snapshot[Value](self, read: Unit[Value]) -> Value:
        """What `read` gives, all of it from one snapshot."""
        return await self._in_time(self._snapshots, read)

    async def at_once[Value](self, read: Unit[Value]) -> Value:
        """What a read of one statement gives."""
        return await self._in_time(self._points, read)

    async def recover(self) -> None:
        """Write where a write has failed, to see whether one succeeds; raises `Unavailable`."""
        if self._failing:
            await self.run(_touch)
            self._failing = False

    async def close(self) -> None:
        """Let what is under way end, within the deadline, and close."""
        self._closed = True
        if self._running:
            await asyncio.wait(self._running, timeout=self._deadline_s)
        closing = asyncio.ensure_future(self._engine.dispose())
        await asyncio.wait({closing}, timeout=self._deadline_s)

    async def _in_time[Value](self, engine: AsyncEngine, unit: Unit[Value]) -> Value:
        if self._closed:
            raise Unavailable("the database is closed")
        if len(self._running) >= self._waiting_limit:
            raise Unavailable("the database is too slow: too many calls are waiting")
        holder = _Holder()
        task = asyncio.create_task(self._tried(engine, unit, holder))
        self._running.add(task)
        task.add_done_callback(self._done)
        # A caller that goes away leaves its unit to its end.
        done, _ = await asyncio.wait({task}, timeout=self._deadline_s)
        if not done:
            holder.cut()
            task.cancel()
            raise Unavailable("the database did not answer in time")
        return task.result()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may have

    async def _tried[Value](self, engine: AsyncEngine, unit: Unit[Value], holder: _Holder) -> Value:
        for left in reversed(range(TRIES)):
            try:
                return await _once(engine, unit, holder)
            except ERRORS as exc:
                if not left or _state(exc) not in OVERTAKEN:
                    raise _as_core(exc) from exc
        raise AssertionError


async def _once[Value](engine: AsyncEngine, unit: Unit[Value], holder: _Holder) -> Value:
    async with engine.connect() as connection:
        await holder.take(connection)
        async with connection.begin():
            return await connection.run_sync(unit)


def _engine(url: str, deadline_s: float) -> AsyncEngine:
    milliseconds = str(int(deadline_s * 1000))

    async def connect() -> asyncpg.Connection[Any]:
        # The whole address is the driver's to read: it knows TLS and several hosts.
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            url,
            timeout=min(CONNECT_S, deadline_s),
            server_settings={
                "application_name": "fanlight",
                "synchronous_commit": "on",
                **dict.fromkeys(_TIMEOUTS, milliseconds),
            },
        )
        for name in ("text", "varchar"):
            await connection.set_type_codec(
                name, schema="pg_catalog", encoder=without_nul, decoder=with_nul, format="text"
            )
        return connection

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=deadline_s,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def leave_the_dead(dbapi: Any, _record: object, _proxy: object) -> None:
        # A server that went away has closed its connections: no round trip is needed to see it.
        if dbapi.driver_connection.is_closed():
            raise DisconnectionError

    return engine


def without_nul(text: str) -> str:
    """Text as PostgreSQL keeps it, which has no character 0; `with_nul` gives it back."""
    if "\x00" not in text and _ESCAPE not in text:
        return text
    return text.replace(_ESCAPE, f"{_ESCAPE}1").replace("\x00", f"{_ESCAPE}0")


def with_nul(text: str) -> str:
    """The text that `without_nul` was given."""
    if _ESCAPE not in text:
        return text
    return text.replace(f"{_ESCAPE}0", "\x00").replace(f"{_ESCAPE}1", _ESCAPE)


def _refuse_unsynced(connection: Connection) -> None:
    fsync, synced = connection.exec_driver_sql(_SYNCED).one()
    if fsync != "on" or synced == "off":
        raise Unavailable(
            "the database acknowledges what it has not synced: set fsync and synchronous_commit on"
        )


def _touch(connection: Connection) -> None:
    connection.exec_driver_sql(_TOUCHED)


def _upgrade(connection: Connection) -> None:
    for name in _TIMEOUTS:
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")
    # Of several processes that start at once one makes the tables, and the others wait.
    locks.hold(connection, locks.MIGRATIONS)
    opening.upgrade(connection)


def _state(exc: Exception) -> str | None:
    original = exc.orig if isinstance(exc, sa.DBAPIError) else exc
    return getattr(original, "sqlstate", None)


def _as_core(exc: Exception) -> Exception:
    if isinstance(exc, asyncpg.PostgresError | asyncpg.InterfaceError):
        words = str(exc).partition("\n")[0]
        return Unavailable(f"the database refuses: {words}")
    return as_core(exc)
