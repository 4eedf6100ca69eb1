"""`Truth` in SQL.

It decides how a call runs on each engine. In SQLite writes join the group commit, and reads have
a connection of their own, which WAL never makes wait for the writer; in PostgreSQL each call has a
transaction of a pool. Statements and their meaning are in `commits`, `outbox` and `reads`; driver
errors become `core.errors` here and there alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Literal, Protocol

from sqlalchemy import Connection, text

from core.errors import FanlightError, NotFound, Unavailable
from core.messages import (
    Attempt,
    DeliveryState,
    Escalation,
    EscalationStatus,
    Reply,
    Turn,
    VisitorEvent,
)
from core.ports import Clock, Thread
from core.scope import Scope
from core.truth import EVENTS_KEPT_S, Backlog, Committed, Finished, LeasedDelivery, Threaded, Work
from gateway.adapters.sql import following, opening, outbox, outcomes, reads, revocations
from gateway.adapters.sql.bank import SqlBank
from gateway.adapters.sql.budgets import SqlBudgets
from gateway.adapters.sql.commands import SqlCommands
from gateway.adapters.sql.conversations import SqlConversations
from gateway.adapters.sql.errors import mapped
from gateway.adapters.sql.figures import SqlFigures
from gateway.adapters.sql.group_commit import WAITING_LIMIT, GroupCommit
from gateway.adapters.sql.knowledge import SqlKnowledge
from gateway.adapters.sql.personalities import SqlPersonalities
from gateway.adapters.sql.reader import Reader
from gateway.adapters.sql.revocations import SqlRevocations
from gateway.adapters.sql.subjects import SqlSubjects
from gateway.adapters.sql.trajectories import SqlLearning

_log = logging.getLogger(__name__)

SWEEP_EVERY_S = 60.0
"""How often outcomes that are not given again are dropped."""


class Writer(Protocol):
    """Commits units of work."""

    async def commit(self, work: Work) -> Committed | None:
        """Commit a call's work."""

    async def run[Value](self, unit: Callable[[Connection], Value]) -> Value:
        """Commit one unit, and give what it gives."""

    async def recover(self) -> None:
        """Where a write has failed, try another; raises `Unavailable` while it fails too."""

    async def close(self) -> None:
        """Finish what waits, and close."""


class Reads(Protocol):
    """Runs reads."""

    async def at_once[Value](self, read: Callable[[Connection], Value]) -> Value:
        """What a read of one row by its key gives."""

    async def snapshot[Value](self, read: Callable[[Connection], Value]) -> Value:
        """What `read` gives, all of it from one snapshot."""

    async def close(self) -> None:
        """Close the connections."""


class SqlTruth:
    """A `Truth` in a SQLite file (`sqlite:///data/fanlight.db`) or in PostgreSQL.

    No call takes longer than about `deadline_s`: it raises `Unavailable` instead.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        deadline_s: float = 5.0,
        waiting_limit: int = WAITING_LIMIT,
    ) -> None:
        self._url = url
        self._clock = clock
        self._deadline_s = deadline_s
        self._waiting_limit = waiting_limit
        self._writer: Writer | None = None
        self._reader: Reads | None = None
        self._swept = 0.0
        self._sweeping: asyncio.Task[None] | None = None
        self._knowledge = SqlKnowledge(self._read, self._write)
        self._personalities = SqlPersonalities(self._read, self._write)
        self._commands = SqlCommands(self._read, self._write, self._empty_log)
        self._conversations = SqlConversations(self._read)
        self._revocations = SqlRevocations(self._glance, self._write)
        self._learning = SqlLearning(self._read, self._write)
        self._bank = SqlBank(self._read, self._write)
        self._figures = SqlFigures(self._read)
        self._subjects = SqlSubjects(self._read, self._write, self._empty_log)
        self._budgets = SqlBudgets(self._read, self._write)

    @property
    def knowledge(self) -> SqlKnowledge:
        """The part that keeps what operators changed of knowledge bases."""
        return self._knowledge

    @property
    def personalities(self) -> SqlPersonalities:
        """The part that keeps what operators changed of how chats speak."""
        return self._personalities

    @property
    def commands(self) -> SqlCommands:
        """The part that keeps what people said of classified commands."""
        return self._commands

    @property
    def conversations(self) -> SqlConversations:
        """The part that gives out what was said in a conversation."""
        return self._conversations

    @property
    def revocations(self) -> SqlRevocations:
        """The part that keeps which sessions were ended."""
        return self._revocations

    @property
    def learning(self) -> SqlLearning:
        """The part that keeps how turns were answered, to learn from it."""
        return self._learning

    @property
    def bank(self) -> SqlBank:
        """The part that gives out answers that were right."""
        return self._bank

    @property
    def figures(self) -> SqlFigures:
        """The part that counts how turns were answered."""
        return self._figures

    @property
    def subjects(self) -> SqlSubjects:
        """The part that gives out, erases, moves and forgets what is held of visitors."""
        return self._subjects

    @property
    def budgets(self) -> SqlBudgets:
        """The part that counts what models cost."""
        return self._budgets

    async def start(self) -> None:
        """Open the store, made and brought to this revision as needed; raises `Unavailable`."""
        if opening.is_postgresql(self._url):
            await self._start_postgres()
        else:
            await self._start_sqlite()

    async def _start_postgres(self) -> None:
        # Its driver is loaded where it is used: the benchmark's and the desk's children have none.
        from gateway.adapters.sql.postgres import Postgres  # noqa: PLC0415

        store = Postgres(self._url, deadline_s=self._deadline_s, waiting_limit=self._waiting_limit)
        await store.start()
        self._writer = self._reader = store

    async def _start_sqlite(self) -> None:
        url = opening.sqlite_file(self._url)
        # Half the deadline: a locked file is reported before the caller gives up.
        busy_s = self._deadline_s / 2
        with mapped():
            await asyncio.to_thread(opening.create_private, url)
        writer = GroupCommit(
            opening.sqlite_engine(url, begin="BEGIN IMMEDIATE", busy_timeout_s=busy_s),
            deadline_s=self._deadline_s,
            waiting_limit=self._waiting_limit,
        )
        try:
            await writer.upgrade(opening.upgrade)
        except Unavailable:
            await writer.close()
            raise
        self._writer = writer
        self._reader = Reader(
            patient=opening.sqlite_engine(url, begin="BEGIN", busy_timeout_s=busy_s),
            hasty=opening.sqlite_engine(url, begin=None, busy_timeout_s=0),
            deadline_s=self._deadline_s,
        )

    async def close(self) -> None:
        """Finish what is under way and close."""
        writer, self._writer = self._writer, None
        reader, self._reader = self._reader, None
        for one in dict.fromkeys((writer, reader)):
            if one is not None:
                await one.close()

    async def ping(self) -> None:
        """Raise `Unavailable` unless the store answers, and takes writes where one has failed."""
        await self._read(lambda connection: connection.execute(text("SELECT 1")).scalar())
        await self._open()[0].recover()

    async def finished(self, scope: Scope, key: str, since: float) -> Finished | None:
        """The outcome stored under this idempotency key since `since`, if any."""
        return await self._glance(lambda connection: reads.finished(connection, scope, key, since))

    async def receipt_head(self, sid: str) -> str | None:
        """The hash of the session's newest receipt."""
        return await self._glance(lambda connection: reads.receipt_head(connection, sid))

    async def receipt_gaps(self, sid: str) -> int:
        """How often the session's browser showed another receipt than its chain's head."""
        return await self._read(lambda connection: reads.receipt_gaps(connection, sid))

    async def commit(self, work: Work) -> Committed | None:
        """Commit one call's work; the escalation that the work asks for."""
        writer = self._open()[0]
        if work.at - self._swept > SWEEP_EVERY_S:
            self._swept = work.at
            self._sweeping = asyncio.create_task(self._sweep(writer, work.at))
        return await writer.commit(work)

    async def turn(self, scope: Scope, turn_id: str) -> Turn | None:
        """A stored turn of this scope."""
        return await self._glance(lambda connection: reads.turn(connection, scope, turn_id))

    async def conversation_owned(self, scope: Scope, conversation_id: str) -> bool:
        """False when the conversation belongs to another scope; an unknown one is free."""
        return await self._glance(
            lambda connection: reads.conversation_owned(connection, scope, conversation_id)
        )

    async def events(self, scope: Scope, conversation_id: str, after: int) -> list[VisitorEvent]:
        """The visitor's events after that id, oldest first."""
        oldest = self._clock() - EVENTS_KEPT_S
        return await self._read(
            lambda connection: reads.events(connection, scope, conversation_id, after, oldest)
        )

    async def open_escalations(self, scope: Scope, conversation_id: str) -> int:
        """How many of the conversation's escalations are not resolved."""
        return await self._read(
            lambda connection: reads.open_escalations(connection, scope, conversation_id)
        )

    async def escalations(
        self, *, status: Literal["open", "resolved", "all"], before: str | None, limit: int
    ) -> list[Escalation]:
        """Operators' list, newest first, older than the id `before`."""
        return await self._read(
            lambda connection: reads.escalation_page(connection, status, before, limit)
        )

    async def escalation(self, escalation_id: str) -> Escalation:
        """One escalation; raises `NotFound`."""
        return await self._read(lambda connection: reads.escalation(connection, escalation_id))

    async def reply(
        self, reply: Reply, *, resolve: bool, at: float, via: str = "", seen: int | None = None
    ) -> bool:
        """Store a person's reply, and the visitor's event with it; whether it resolved the case."""
        word = outbox.Word(at, via, seen)
        return await self._write(
            lambda connection: outbox.reply(connection, reply, word, resolve=resolve)
        )

    async def resolve(
        self, escalation_id: str, at: float, *, via: str = "", seen: int | None = None
    ) -> bool:
        """Mark an escalation resolved, unless it has turns that were not seen; whether it is."""
        word = outbox.Word(at, via, seen)
        return await self._write(
            lambda connection: outbox.resolved(connection, escalation_id, word)
        )

    async def keep_thread(self, thread: Thread, threaded: Threaded) -> None:
        """Store whose thread this is; one that is known stays as it is."""
        at = self._clock()
        await self._write(lambda connection: outbox.keep_thread(connection, thread, threaded, at))

    async def threaded(self, thread: Thread) -> Threaded | None:
        """Whose thread this is; None where it is nobody's."""
        return await self._read(lambda connection: following.threaded(connection, thread))

    async def resend(self, escalation_id: str, at: float, *, dead_only: bool = False) -> int:
        """Make deliveries that are not delivered due again; raises `NotFound`."""
        return await self._write(
            lambda connection: outbox.resend(connection, escalation_id, at, dead_only=dead_only)
        )

    async def dead_letters(self, limit: int) -> list[Escalation]:
        """The escalations of which something was given up and is still wanted, newest first."""
        return await self._read(lambda connection: reads.dead_letters(connection, limit))

    async def lease_deliveries(
        self,
        now: float,
        until: float,
        limit: int,
        *,
        except_targets: frozenset[str] = frozenset(),
    ) -> list[LeasedDelivery]:
        """Take due deliveries of other targets than those; nobody else gets them before `until`."""
        wanted = outbox.Leasing(now, until, limit, except_targets)
        leased = await self._write(lambda connection: outbox.lease(connection, wanted))
        for name in leased.damaged:
            # What cannot be written now is leased, and found damaged, once more.
            with suppress(Unavailable, NotFound):
                await self._write(partial(outbox.fail_damaged, delivery_id=name, at=now))
        return leased.deliveries

    async def finish_delivery(
        self,
        delivery_id: int,
        attempt: Attempt,
        state: DeliveryState,
        next_at: float | None,
        *,
        thread: Thread | None = None,
    ) -> EscalationStatus:
        """Record an attempt and what follows; raises `NotFound`."""
        at = self._clock()
        return await self._write(
            lambda connection: outbox.finish(
                connection, delivery_id, attempt, state, next_at, at=at, thread=thread
            )
        )

    async def put_off_delivery(self, delivery_id: int, until: float) -> None:
        """Give a leased delivery back untried, due at `until`; raises `NotFound`."""
        await self._write(lambda connection: outbox.put_off(connection, delivery_id, until))

    async def next_due(self, *, except_targets: frozenset[str] = frozenset()) -> float | None:
        """When the next pending delivery to another target than those is due, in Unix seconds."""
        return await self._read(lambda connection: reads.next_due(connection, except_targets))

    async def backlog(self) -> Backlog:
        """What waits in the outbox."""
        return await self._read(reads.backlog)

    async def _sweep(self, writer: Writer, now: float) -> None:
        # Nobody waits for it: what could not be dropped now is dropped a minute later.
        for drop in (outcomes.drop_finished, revocations.drop_old):
            with suppress(FanlightError):
                while await writer.run(partial(drop, now=now)):
                    pass

    async def _empty_log(self) -> None:
        """Leave nothing of what was just deleted in SQLite's log."""
        if opening.is_postgresql(self._url):
            return
        with suppress(Unavailable), mapped():
            emptied = await asyncio.to_thread(opening.empty_log, opening.sqlite_file(self._url))
            if not emptied:
                _log.info("truth: the log of the database is in use and is emptied later")

    def _open(self) -> tuple[Writer, Reads]:
        if self._writer is None or self._reader is None:
            raise Unavailable("the database is not open")
        return self._writer, self._reader

    async def _glance[Value](self, read: Callable[[Connection], Value]) -> Value:
        return await self._open()[1].at_once(read)

    async def _read[Value](self, read: Callable[[Connection], Value]) -> Value:
        return await self._open()[1].snapshot(read)

    async def _write[Value](self, unit: Callable[[Connection], Value]) -> Value:
        return await self._open()[0].run(unit)
