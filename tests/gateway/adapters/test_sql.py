"""What is particular to SQL: opening, what two processes share, and bad days of the store."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, Engine, event, insert, select, text

from core.errors import Conflict, Exists, Unavailable
from core.receipts import chain_hash
from core.revocation import REVOCATION_KEPT_S
from core.scope import Scope
from core.truth import FINISHED_KEPT_S, ReceiptLink
from gateway.adapters.sql import opening, rows, tables, truth
from gateway.adapters.sql.group_commit import WAITING_LIMIT
from gateway.adapters.sql.outcomes import DROPPED_AT_ONCE
from gateway.adapters.sql.reader import Reader
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import (
    ANNA,
    NOON,
    StandingClock,
    a_link,
    a_reply,
    a_request,
    a_turn,
    a_work,
    an_attempt,
    by_browser,
    named,
    opened,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "truth.db"


def store_at(file: Path, deadline_s: float = 5.0, waiting_limit: int = WAITING_LIMIT) -> SqlTruth:
    return SqlTruth(
        f"sqlite:///{file}",
        clock=StandingClock(),
        deadline_s=deadline_s,
        waiting_limit=waiting_limit,
    )


@pytest.fixture
async def store(file: Path) -> AsyncIterator[SqlTruth]:
    """A store that gives up soon."""
    one = store_at(file, deadline_s=0.6)
    await one.start()
    yield one
    await one.close()


def _written(url: URL, together: threading.Barrier) -> str:
    """Opens the file when the others do, and writes; the journal it then has."""
    engine = opening.sqlite_engine(url, begin="BEGIN IMMEDIATE", busy_timeout_s=5.0)
    together.wait(10)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS marks (mark INTEGER)")
        return str(connection.scalar(text("PRAGMA journal_mode")))


class TestOpening:
    async def test_it_is_synced_checked_and_its_owners_alone(
        self, store: SqlTruth, file: Path
    ) -> None:
        def pragmas(connection: Connection) -> list[object]:
            names = ("journal_mode", "synchronous", "foreign_keys")
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

        assert await store._write(pragmas) == ["wal", 2, 1]
        assert await store._read(pragmas) == ["wal", 2, 1]
        await store.commit(a_work("k"))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
        assert modes == {0o600}

    async def test_what_was_written_is_there_after_opening_again(self, file: Path) -> None:
        for number in (1, 2, 3):
            store = store_at(file)
            await store.start()
            await store.commit(a_work(f"k{number}", turn=a_turn(number)))
            assert await store.turn(ANNA, named("t", 1)) == a_turn(1)
            await store.close()

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("nonsense", "address"),
            ("postgresql+asyncpg://localhost/fanlight", "write sqlite:///FILE or postgresql://"),
            ("sqlite+aiosqlite:///data/x.db", "write sqlite:///FILE"),
            ("mysql://localhost/x", "mysql is not known"),
            ("sqlite://", "name a file"),
            ("sqlite:///:memory:", "name a file"),
            ("sqlite:///file:x?mode=memory&uri=true", "name a file"),
        ],
    )
    async def test_an_address_it_cannot_use_is_refused(self, url: str, words: str) -> None:
        with pytest.raises(Unavailable, match=words):
            await SqlTruth(url, clock=StandingClock()).start()

    def test_a_file_that_is_no_database_is_refused_and_left_alone(self, file: Path) -> None:
        file.parent.mkdir()
        file.write_text("this is no database" * 100)
        with pytest.raises(Unavailable, match="not a database"):
            asyncio.run(store_at(file).start())
        assert file.read_text() == "this is no database" * 100

    async def test_a_folder_that_cannot_be_made_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(Unavailable, match=r"File exists|Not a directory"):
            await store_at(tmp_path / "file" / "truth.db").start()

    async def test_a_database_of_a_newer_fanlight_is_refused_and_left_alone(
        self, file: Path
    ) -> None:
        store = store_at(file)
        await store.start()
        await store.commit(a_work("k", turn=a_turn()))
        await store.close()
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        with pytest.raises(Unavailable, match="update Fanlight"):
            await store_at(file).start()
        with sqlite3.connect(file) as connection:
            assert connection.execute("SELECT count(*) FROM turns").fetchone() == (1,)
        connection.close()

    async def test_two_that_open_a_new_file_at_once_both_succeed(self, file: Path) -> None:
        stores = [store_at(file), store_at(file)]
        await asyncio.gather(*(store.start() for store in stores))
        await asyncio.gather(
            *(store.commit(a_work(f"k{number}")) for number, store in enumerate(stores))
        )
        for store in stores:
            await store.close()
        with sqlite3.connect(file) as connection:
            assert connection.execute("SELECT count(*) FROM finished_calls").fetchone() == (2,)
        connection.close()

    def test_many_that_switch_a_new_file_to_wal_at_once_wait_for_each_other(
        self, tmp_path: Path
    ) -> None:
        # One race is won by luck; of forty without waiting, several are lost.
        for race in range(40):
            url = opening.sqlite_file(f"sqlite:///{tmp_path}/{race}.db")
            opening.create_private(url)
            with ThreadPoolExecutor(6) as pool:
                together = threading.Barrier(6)
                for done in [pool.submit(_written, url, together) for _ in range(6)]:
                    assert done.result() == "wal"

    async def test_before_it_is_open_and_after_it_is_closed_it_is_unavailable(
        self, file: Path
    ) -> None:
        store = store_at(file)
        for call in (store.ping(), store.commit(a_work("k"))):
            with pytest.raises(Unavailable):
                await call
        await store.close()
        await store.start()
        await store.ping()
        await store.close()
        await store.close()
        for call in (store.ping(), store.commit(a_work("k"))):
            with pytest.raises(Unavailable):
                await call

    async def test_after_a_write_failed_it_is_unavailable_until_one_succeeds(
        self, file: Path
    ) -> None:
        store = SqlTruth(f"sqlite:///{file}", clock=StandingClock(), deadline_s=0.4)
        await store.start()
        await store.ping()
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable):
                await store.commit(a_work("k1"))
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await store.ping()
            other.execute("ROLLBACK")
            before = other.execute("PRAGMA data_version").fetchone()
            await store.ping()
            after = other.execute("PRAGMA data_version").fetchone()
            assert before != after, "it wrote"
            await store.ping()
            assert other.execute("PRAGMA data_version").fetchone() == after, "and no more"
        await store.close()


class TestTwoProcesses:
    """Two stores over one file stand for two processes: they share nothing else."""

    @pytest.fixture
    async def other(self, store: SqlTruth, file: Path) -> AsyncIterator[SqlTruth]:
        other = store_at(file)
        await other.start()
        yield other
        await other.close()

    async def test_one_of_two_same_calls_wins(self, store: SqlTruth, other: SqlTruth) -> None:
        works = [a_work("k", turn=a_turn(number)) for number in (1, 2)]
        outcomes = await asyncio.gather(
            store.commit(works[0]), other.commit(works[1]), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {type(None), Conflict}

    async def test_a_head_that_the_other_moved_is_refused(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        await store.commit(a_work("k1", link=a_link("r1")))
        assert await other.receipt_head("s_1") == chain_hash("r1")
        await other.commit(a_work("k2", link=a_link("r2", chain_hash("r1"))))
        with pytest.raises(Conflict):
            await store.commit(a_work("k3", link=a_link("r3", chain_hash("r1"))))

    async def test_a_delivery_is_leased_by_one_of_them(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        for number in range(6):
            await store.commit(
                a_work(
                    f"k{number}",
                    escalation=opened(number, a_request(number, number), by_gateway=False),
                )
            )
        leases = await asyncio.gather(
            *(one.lease_deliveries(NOON, NOON + 60, 2) for one in (store, other) * 3)
        )
        assert sorted(one.id for lease in leases for one in lease) == [1, 2, 3, 4, 5, 6]


class TestDamagedRows:
    """A row that makes no sense, such as a hand or a failing disk leaves, hurts itself alone."""

    @pytest.mark.parametrize("tail", ['[{"role":', "{", '[{"no": "turn"}]', "7"])
    async def test_a_damaged_escalation_holds_up_no_other_delivery(
        self, store: SqlTruth, tail: str
    ) -> None:
        for number in (1, 2, 3):
            escalation = opened(number, a_request(number, number), by_gateway=False)
            await store.commit(a_work(f"k{number}", escalation=escalation))
        damage = text("UPDATE escalations SET tail = :tail WHERE id = :id")
        values = {"tail": tail, "id": named("e", 2)}
        await store._write(lambda connection: connection.execute(damage, values))
        leased = await store.lease_deliveries(NOON, NOON + 60, 10)
        assert [one.escalation.id for one in leased] == [named("e", 1), named("e", 3)]
        for one in leased:
            await store.finish_delivery(one.id, an_attempt(), "delivered", None)
        assert await store.next_due() is None

        def recorded(connection: Connection) -> tuple[object, ...]:
            joined = select(tables.attempts.c.outcome, tables.deliveries.c.state).join(
                tables.deliveries, tables.deliveries.c.id == tables.attempts.c.delivery_id
            )
            where = tables.deliveries.c.escalation_id == named("e", 2)
            return tuple(connection.execute(joined.where(where)).one())

        assert await store._read(recorded) == ("damaged", "failed")


class TestBadDays:
    async def test_a_locked_store_is_unavailable_for_writes_and_still_reads(
        self, store: SqlTruth, file: Path
    ) -> None:
        await store.commit(a_work("k1"))
        lock = sqlite3.connect(file, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        calls = [store.commit(a_work(f"k{number}")) for number in range(2, 6)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unavailable}
        assert "locked" in str(outcomes[0])
        assert await store.finished(ANNA, "k1", 0) is not None
        lock.execute("ROLLBACK")
        lock.close()
        await store.commit(a_work("k2"))

    async def test_a_full_disk_is_unavailable_and_leaves_nothing_half_written(
        self, store: SqlTruth
    ) -> None:
        await store._write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=1"))
        works = [
            a_work(
                f"k{number}",
                turn=a_turn(number, reply="x" * 100_000),
                link=a_link("r", sid=f"s{number}"),
            )
            for number in range(3)
        ]
        outcomes = await asyncio.gather(
            *(store.commit(work) for work in works), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {Unavailable}
        assert "full" in str(outcomes[0])
        for number in range(3):
            assert await store.turn(ANNA, named("t", number)) is None
            assert await store.receipt_head(f"s{number}") is None
        # The limit went with the connection, as a disk's space may come back.
        await asyncio.gather(*(store.commit(work) for work in works))

    async def test_a_store_that_hangs_is_unavailable_in_time_and_recovers(
        self, store: SqlTruth
    ) -> None:
        hang = threading.Event()
        stuck = asyncio.create_task(store._write(lambda _: hang.wait(30)))
        stuck_read = asyncio.create_task(store._read(lambda _: hang.wait(30)))
        await asyncio.sleep(0)
        calls = (store.commit(a_work("k")), store.resolve("e", NOON), store.next_due())
        outcomes = await asyncio.gather(*calls, stuck, stuck_read, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Unavailable}
        hang.set()
        await store.commit(a_work("after"))
        # Its caller heard that it was not written, and so it was not.
        assert await store.finished(ANNA, "k", 0) is None

    async def test_making_the_tables_has_not_the_deadline_of_a_call(self, file: Path) -> None:
        store = store_at(file, deadline_s=0.001)
        await store.start()
        await store.close()
        again = store_at(file)
        await again.start()
        await again.commit(a_work("k"))
        await again.close()

    async def test_closing_a_store_that_hangs_ends(self, file: Path) -> None:
        store = store_at(file, deadline_s=0.2)
        await store.start()
        hang = threading.Event()
        stuck = asyncio.create_task(store._write(lambda _: hang.wait(30)))
        await asyncio.sleep(0)
        await store.close()
        hang.set()
        with pytest.raises(Unavailable):
            await stuck

    async def test_a_read_that_fails_at_once_is_tried_again_patiently(
        self, store: SqlTruth
    ) -> None:
        await store.commit(a_work("k"))
        assert isinstance(store._reader, Reader)
        assert await store.finished(ANNA, "k", 0) is not None
        connection = store._reader._hasty._connection
        assert connection is not None
        connection.connection.dbapi_connection.close()  # type: ignore[union-attr]
        assert await store.finished(ANNA, "k", 0) is not None
        assert await store.finished(ANNA, "k", 0) is not None

    async def test_a_store_whose_tables_are_gone_is_unavailable(
        self, store: SqlTruth, file: Path
    ) -> None:
        with sqlite3.connect(file) as connection:
            for table in ("attempts", "deliveries", "visitor_events", "turns", "replies"):
                connection.execute(f"DROP TABLE {table}")
            connection.execute("DROP TABLE finished_calls")
        connection.close()
        for call in (
            store.commit(a_work("k", turn=a_turn())),
            store.finished(ANNA, "k", 0),
            store.turn(ANNA, "t"),
            store.next_due(),
            store.lease_deliveries(NOON, NOON + 1, 1),
        ):
            with pytest.raises(Unavailable, match="no such table"):
                await call

    async def test_text_that_no_database_takes_hurts_its_own_call_alone(
        self, store: SqlTruth
    ) -> None:
        outcomes = await asyncio.gather(
            store.commit(a_work("k1", turn=a_turn(1))),
            store.commit(a_work("k2", turn=a_turn(2, reply="lone \ud800 surrogate"))),
            store.commit(a_work("k3", turn=a_turn(3))),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [type(None), Unavailable, type(None)]
        assert "surrogate" not in str(outcomes[1])


class TestGroupCommit:
    async def test_a_caller_that_goes_away_breaks_nothing(self, store: SqlTruth) -> None:
        tasks = [asyncio.create_task(store.commit(a_work(f"k{number}"))) for number in range(10)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[5].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes].count(asyncio.CancelledError) == 2
        await store.commit(a_work("last"))
        for number in range(10):
            assert await store.finished(ANNA, f"k{number}", 0) is not None

    async def test_closing_finishes_what_waits(self, store: SqlTruth, file: Path) -> None:
        tasks = [asyncio.create_task(store.commit(a_work(f"k{number}"))) for number in range(300)]
        await asyncio.sleep(0)
        await store.close()
        await asyncio.gather(*tasks)
        with sqlite3.connect(file) as connection:
            assert connection.execute("SELECT count(*) FROM finished_calls").fetchone() == (300,)
        connection.close()

    async def test_too_many_that_wait_are_refused(self, file: Path) -> None:
        store = store_at(file, waiting_limit=5)
        await store.start()
        tasks = [asyncio.create_task(store.commit(a_work(f"k{number}"))) for number in range(8)]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await store.close()
        assert sum(isinstance(outcome, Unavailable) for outcome in outcomes) >= 2
        assert "too slow" in str(outcomes[-1])

    async def test_a_fault_of_ours_reaches_its_own_caller_alone(self, store: SqlTruth) -> None:
        def faulty(_: Connection) -> None:
            raise ZeroDivisionError

        outcomes = await asyncio.gather(
            store.commit(a_work("k1")),
            store._write(faulty),
            store.commit(a_work("k2")),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [
            type(None),
            ZeroDivisionError,
            type(None),
        ]

    async def test_a_store_that_fails_while_units_run_alone_is_unavailable_for_all(
        self, store: SqlTruth
    ) -> None:
        def fill_up(connection: Connection) -> None:
            connection.exec_driver_sql("PRAGMA max_page_count=1")

        outcomes = await asyncio.gather(
            store._write(fill_up),
            store.reply(a_reply(1, 1), resolve=False, at=NOON),
            store.commit(a_work("k", turn=a_turn(reply="x" * 100_000))),
            return_exceptions=True,
        )
        assert {type(outcome) for outcome in outcomes} == {Unavailable}

    async def test_old_outcomes_are_dropped_though_the_store_fails_now_and_then(
        self, store: SqlTruth, file: Path
    ) -> None:
        await store.commit(a_work("old"))
        lock = sqlite3.connect(file, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        day_after = NOON + 86400 + 1
        with pytest.raises(Unavailable):
            await store.commit(a_work("k1", at=day_after))
        lock.execute("ROLLBACK")
        await store.commit(a_work("k2", at=day_after + truth.SWEEP_EVERY_S / 2))
        assert lock.execute("SELECT count(*) FROM finished_calls").fetchone() == (2,)
        await store.commit(a_work("k3", at=day_after + truth.SWEEP_EVERY_S + 1))
        await store.close()
        keys = {row[0] for row in lock.execute("SELECT key FROM finished_calls")}
        lock.close()
        assert keys == {"k2", "k3"}


class TestSweeping:
    """What is not needed any more is dropped beside a commit, once a minute by the calls' clock."""

    OLD = NOON - FINISHED_KEPT_S - 1

    @staticmethod
    def left(file: Path) -> dict[str, set[str]]:
        """What there still is of each kind; calls by the first word of their keys."""
        with closing(sqlite3.connect(file)) as reader:
            return {
                "calls": {
                    row[0].split(" ")[0] for row in reader.execute("SELECT key FROM finished_calls")
                },
                "sessions": {row[0] for row in reader.execute("SELECT sid FROM ended_sessions")},
                "subjects": {
                    row[0] for row in reader.execute("SELECT subject FROM ended_subjects")
                },
            }

    @staticmethod
    async def fill(store: SqlTruth, calls: int) -> None:
        """Many calls that are no longer given again, and ended sessions, old and new."""
        old = TestSweeping.OLD
        values = [rows.finished_values(a_work(f"old {number}", at=old)) for number in range(calls)]
        await store._write(lambda one: one.execute(insert(tables.finished_calls), values))
        for name, at in (("old", NOON - REVOCATION_KEPT_S - 1), ("new", NOON)):
            await store.revocations.end_session(name, at)
            await store.revocations.end_subject(Scope("site_a", name), at)

    @staticmethod
    async def commit(store: SqlTruth, key: str, at: float) -> None:
        await store.commit(a_work(key, at=at))
        if store._sweeping is not None:
            await store._sweeping

    async def test_all_that_is_old_goes_however_much_and_nothing_else(
        self, store: SqlTruth, file: Path
    ) -> None:
        await self.fill(store, 2 * DROPPED_AT_ONCE + 1)
        await self.commit(store, "new", NOON)
        assert self.left(file) == {"calls": {"new"}, "sessions": {"new"}, "subjects": {"new"}}

    async def test_within_a_minute_nothing_is_looked_for(self, store: SqlTruth, file: Path) -> None:
        await self.commit(store, "first", NOON)
        await self.fill(store, 1)
        await self.commit(store, "new", NOON + truth.SWEEP_EVERY_S)
        assert self.left(file)["sessions"] == {"old", "new"}
        await self.commit(store, "new 2", NOON + truth.SWEEP_EVERY_S + 1)
        assert self.left(file)["sessions"] == {"new"}

    async def test_a_pass_that_fails_ends_neither_the_others_nor_the_next(
        self, store: SqlTruth, file: Path
    ) -> None:
        await self.fill(store, DROPPED_AT_ONCE + 1)
        refuse = "CREATE TRIGGER no BEFORE DELETE ON finished_calls WHEN old.key LIKE 'old%'"
        refuse += " BEGIN SELECT RAISE(ABORT, 'not now'); END"
        await store._write(lambda one: one.exec_driver_sql(refuse))
        await self.commit(store, "new", NOON)
        assert self.left(file) == {
            "calls": {"old", "new"},
            "sessions": {"new"},
            "subjects": {"new"},
        }
        await store._write(lambda one: one.exec_driver_sql("DROP TRIGGER no"))
        await self.commit(store, "new 2", NOON + truth.SWEEP_EVERY_S + 1)
        assert self.left(file)["calls"] == {"new"}


async def test_a_gap_in_a_chain_is_recorded_with_its_time(store: SqlTruth) -> None:
    link = ReceiptLink("s_1", "r1", None, "0" * 64)
    await store.commit(a_work("k", at=NOON + 7, link=link))
    heads = tables.receipt_heads.c

    def row(connection: Connection) -> tuple[object, ...]:
        return tuple(connection.execute(select(heads.site, heads.gaps, heads.gap_at)).one())

    assert await store._read(row) == ("site_a", 1, NOON + 7)


class TestPlans:
    @pytest.fixture
    async def traced(self, store: SqlTruth) -> AsyncIterator[list[str]]:
        """Every step of every plan while the test reads and writes."""
        steps: list[str] = []

        def explain(
            _conn: object, cursor: sqlite3.Cursor, statement: str, parameters: Any, *_: object
        ) -> None:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                one = parameters[0] if isinstance(parameters, list) else parameters
                plan = cursor.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", one)
                steps.extend(f"{row[3]} ({statement[:40]})" for row in plan)

        event.listen(Engine, "before_cursor_execute", explain)
        yield steps
        event.remove(Engine, "before_cursor_execute", explain)

    async def test_no_call_scans_a_table(self, store: SqlTruth, traced: list[str]) -> None:
        escalation = opened(1, a_request())
        await store.commit(a_work("k", turn=a_turn(), link=a_link("r"), escalation=escalation))
        with pytest.raises(Exists):
            await store.commit(a_work("k2", turn=a_turn()))
        later = opened(2, by_browser(), by_gateway=False)
        await store.commit(a_work("k3", escalation=later))
        await store.finished(ANNA, "k", 0)
        await store.receipt_head("s_1")
        await store.turn(ANNA, named("t", 1))
        await store.conversation_owned(ANNA, named("c", 1))
        await store.events(ANNA, named("c", 1), 0)
        await store.open_escalations(ANNA, named("c", 1))
        await store.escalation(named("e", 1))
        for status in ("open", "resolved", "all"):
            await store.escalations(status=status, before=None, limit=5)
            await store.escalations(status=status, before=named("e", 1), limit=5)
        (leased,) = await store.lease_deliveries(NOON, NOON + 60, 5)
        await store.finish_delivery(leased.id, an_attempt(), "failed", None)
        await store.resend(named("e", 1), NOON)
        await store.reply(a_reply(1, 1), resolve=True, at=NOON)
        for without in (frozenset[str](), frozenset({"hook", "pager"})):
            await store.lease_deliveries(NOON, NOON + 60, 5, except_targets=without)
            await store.next_due(except_targets=without)
        assert len(traced) > 30
        scans = [step for step in traced if step.startswith("SCAN") and "INDEX" not in step]
        assert scans == []
