"""Group commit: concurrent units of writing share one transaction and one sync to disk.

A single writer takes what has gathered while it was busy, runs it as one transaction on its own
thread, and only then tells each caller. When something in the batch fails that is not the whole
store's failure, the batch is rolled back and each unit runs again behind a savepoint of its own,
so that one caller's conflict is no one else's. It refuses with `Unavailable` what waited too long
or finds too many waiting; a caller that goes away leaves its unit in the batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf
from typing import Any, cast

from sqlalchemy import Connection, Engine

from core.errors import Unavailable
from core.truth import Committed, Work
from gateway.adapters.sql import commits
from gateway.adapters.sql.errors import as_core, store_wide

Unit = Callable[[Connection], Any]

BATCH_LIMIT = 256
"""Units in one transaction: enough to hide the sync, few enough to answer in time."""

WAITING_LIMIT = 4096
"""Beyond this many waiting units the store is too slow for its callers, who should hear so."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A unit and who waits for it; `work` where it can share its statements with others."""

    unit: Unit
    work: Work | None
    waiter: asyncio.Future[Any]
    expires: float


class GroupCommit:
    """The one writer of a store, in one event loop; its connection lives on one thread."""

    def __init__(
        self, engine: Engine, *, deadline_s: float, waiting_limit: int = WAITING_LIMIT
    ) -> None:
        self._engine = engine
        self._deadline_s = deadline_s
        self._waiting_limit = waiting_limit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="truth-writer")
        self._connection: Connection | None = None
        self._waiting: deque[_Job] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._failing = False
        self._closed = False

    async def commit(self, work: Work) -> Committed | None:
        """Commit a call's work in company."""
        return cast(
            "Committed | None",
            await self._run(lambda connection: commits.commit_alone(connection, work), work),
        )

    async def run[Value](self, unit: Callable[[Connection], Value]) -> Value:
        """Commit one unit, and give what it gives."""
        return cast("Value", await self._run(unit, None))

    async def upgrade(self, unit: Callable[[Connection], None]) -> None:
        """Commit a change of the tables, without the deadline of a call: a large table takes as
        long as it takes."""
        await self._run(unit, None, deadline_s=inf)

    async def recover(self) -> None:
        """Write where a write has failed, to see whether one succeeds; raises `Unavailable`."""
        if self._failing:
            await self._run(_touch, None)
            self._failing = False

    async def close(self) -> None:
        """Finish what waits, within the deadline, and close."""
        self._closed = True
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=self._deadline_s)
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        await asyncio.wait({closing}, timeout=self._deadline_s)
        self._thread.shutdown(wait=False)

    async def _run(
        self, unit: Unit, work: Work | None, *, deadline_s: float | None = None
    ) -> object:
        if self._closed:
            raise Unavailable("the database is closed")
        if len(self._waiting) >= self._waiting_limit:
            raise Unavailable("the database is too slow: too many writes are waiting")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Any] = loop.create_future()
        expires = loop.time() + (self._deadline_s if deadline_s is None else deadline_s)
        self._waiting.append(_Job(unit, work, waiter, expires))
        if self._writer is None:
            self._writer = loop.create_task(self._write())
        try:
            async with asyncio.timeout_at(None if expires == inf else expires):
                return await waiter
        except TimeoutError as exc:
            raise Unavailable("the database did not answer in time") from exc

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while jobs := self._take(loop.time()):
                outcomes = await loop.run_in_executor(self._thread, self._batch, jobs)
                for job, outcome in zip(jobs, outcomes, strict=True):
                    _tell(job.waiter, outcome)
        finally:
            self._writer = None

    def _take(self, now: float) -> list[_Job]:
        jobs: list[_Job] = []
        while self._waiting and len(jobs) < BATCH_LIMIT:
            job = self._waiting.popleft()
            # Its caller has already been told that it was not written.
            if job.expires > now:
                jobs.append(job)
        return jobs

    def _batch(self, jobs: Sequence[_Job]) -> list[object]:
        """On the writer's thread: what each job gives, or the exception it raises."""
        try:
            return self._transaction(_together, jobs)
        except Exception as exc:  # noqa: BLE001 - the thread's edge: whoever waits is told
            if store_wide(exc):
                return self._failed(exc, jobs)
        try:
            return self._transaction(_each, jobs)
        except Exception as exc:  # noqa: BLE001 - the thread's edge: whoever waits is told
            return self._failed(exc, jobs)

    def _transaction(
        self, run: Callable[[Connection, Sequence[_Job]], list[object]], jobs: Sequence[_Job]
    ) -> list[object]:
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            return run(self._connection, jobs)

    def _failed(self, exc: Exception, jobs: Sequence[_Job]) -> list[object]:
        # Not until a write is seen to succeed: a unit that finds nothing to do writes nothing.
        self._failing = True
        # The next batch starts with a fresh connection.
        self._disconnect()
        return [as_core(exc) for _ in jobs]

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _touch(connection: Connection) -> None:
    """Write a page of the file as it is: what SQLite keeps for its user, who has no use for it."""
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    connection.exec_driver_sql(f"PRAGMA user_version = {int(version)}")


def _together(connection: Connection, jobs: Sequence[_Job]) -> list[object]:
    works = [job.work for job in jobs if job.work is not None]
    committed = iter(commits.commit_all(connection, works) if works else ())
    return [next(committed) if job.work is not None else job.unit(connection) for job in jobs]


def _each(connection: Connection, jobs: Sequence[_Job]) -> list[object]:
    return [_alone(connection, job) for job in jobs]


def _alone(connection: Connection, job: _Job) -> object:
    try:
        with connection.begin_nested():
            return job.unit(connection)
    except Exception as exc:
        if store_wide(exc):
            raise
        return as_core(exc)


def _tell(waiter: asyncio.Future[Any], outcome: object) -> None:
    if waiter.done():
        return
    if isinstance(outcome, BaseException):
        waiter.set_exception(outcome)
    else:
        waiter.set_result(outcome)
