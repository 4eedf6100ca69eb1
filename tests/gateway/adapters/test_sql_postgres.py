"""What is particular to PostgreSQL: many writers at once, and bad days of a server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, inspect, text

from core.errors import Conflict, Exists, Unavailable
from core.knowledge import Publication
from core.truth import Committed
from gateway.adapters.sql import locks, opening, outbox
from gateway.adapters.sql.group_commit import WAITING_LIMIT
from gateway.adapters.sql.postgres import CONNECTIONS, Postgres, with_nul, without_nul
from gateway.adapters.sql.schema import metadata
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import (
    ANNA,
    HOOK,
    NOON,
    PAGER,
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
from tests.congruence.test_knowledge import SITE, an_edit
from tests.servers import PASSWORD, PostgresServer

pytestmark = pytest.mark.needs("postgresql")

PATIENT_S = 10.0
"""Within this a store must serve again once its server does."""


@asynccontextmanager
async def store_at(
    url: str, *, deadline_s: float = 20.0, waiting_limit: int = WAITING_LIMIT
) -> AsyncIterator[SqlTruth]:
    store = SqlTruth(url, clock=StandingClock(), deadline_s=deadline_s, waiting_limit=waiting_limit)
    await store.start()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.create_database()


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlTruth]:
    async with store_at(url) as one:
        yield one


@pytest.fixture
async def other(url: str, store: SqlTruth) -> AsyncIterator[SqlTruth]:
    """Another process' store over the same database."""
    async with store_at(url) as one:
        yield one


@pytest.fixture(scope="module")
def mortal(postgresql_path: Path) -> Iterator[PostgresServer]:
    """A server that tests may stop and stall."""
    one = PostgresServer(postgresql_path)
    yield one
    one.close()


async def recovered[Value](call: Callable[[], Awaitable[Value]]) -> Value:
    """What the call gives as soon as it gives anything."""
    async with asyncio.timeout(PATIENT_S):
        while True:
            try:
                return await call()
            except Unavailable:
                await asyncio.sleep(0.05)


async def recovered_reading(store: SqlTruth) -> None:
    """Ping once what it reads with is there again."""
    await recovered(lambda: store.receipt_head("s"))
    await store.ping()


class TestOpening:
    async def test_a_commit_waits_for_the_disk(self, store: SqlTruth) -> None:
        def settings(connection: Connection) -> list[object]:
            names = ("fsync", "synchronous_commit", "statement_timeout")
            return [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]

        assert await store._write(settings) == ["on", "on", "20s"]

    async def test_a_server_that_does_not_sync_is_refused(self, mortal: PostgresServer) -> None:
        url = mortal.create_database()
        for word, fits in (("off", False), ("on", True)):
            mortal.run_sql(f"ALTER SYSTEM SET fsync = {word}")
            mortal.run_sql("SELECT pg_reload_conf()")
            mortal.stop()
            mortal.start()
            if fits:
                async with store_at(url) as store:
                    await store.ping()
                continue
            with pytest.raises(Unavailable, match="set fsync"):
                async with store_at(url):
                    pass

    async def test_it_keeps_what_a_role_gave_up(
        self, postgres_server: PostgresServer, url: str
    ) -> None:
        name = url.rpartition("/")[2]
        postgres_server.run_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
        async with store_at(url) as store:
            shown = await store._write(
                lambda connection: connection.exec_driver_sql("SHOW synchronous_commit").scalar()
            )
        assert shown == "on"

    async def test_a_database_that_may_only_be_read_is_told_of_until_it_takes_writes(
        self, postgres_server: PostgresServer, url: str, store: SqlTruth
    ) -> None:
        name = url.rpartition("/")[2]

        def alter(what: str) -> None:
            postgres_server.run_sql(f"ALTER DATABASE {name} {what}")
            # A connection keeps the settings that it began with.
            postgres_server.run_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
                name,
            )

        alter("SET default_transaction_read_only = on")
        with pytest.raises(Unavailable):
            await store.commit(a_work("k1"))
        for _ in range(2):
            with pytest.raises(Unavailable, match="read-only"):
                await recovered_reading(store)
        alter("RESET default_transaction_read_only")
        await recovered(store.ping)
        await store.commit(a_work("k1"))

    async def test_processes_that_start_at_once_make_the_tables_once(self, url: str) -> None:
        stores = [SqlTruth(url, clock=StandingClock(), deadline_s=30) for _ in range(4)]
        await asyncio.gather(*(one.start() for one in stores))
        for one in stores:
            await one.ping()
            await one.close()

    async def test_a_database_of_a_newer_fanlight_is_refused_and_left_alone(
        self, postgres_server: PostgresServer, url: str
    ) -> None:
        async with store_at(url) as store:
            await store.commit(a_work("k", turn=a_turn()))
        name = url.rpartition("/")[2]
        postgres_server.run_sql("UPDATE alembic_version SET version_num = '9999'", name)
        with pytest.raises(Unavailable, match="update Fanlight"):
            async with store_at(url):
                pass
        assert postgres_server.run_sql("SELECT count(*) FROM turns", name) == "1"

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ((":", ":x"), "password authentication failed"),
            (("/test", "/no_test"), "does not exist"),
        ],
    )
    async def test_what_is_wrong_is_said_without_the_password(
        self, url: str, changed: tuple[str, str], words: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        head, _, tail = url.partition("//")
        wrong = f"{head}//{tail.replace(*changed, 1)}"
        with pytest.raises(Unavailable, match=words) as refused:
            async with store_at(wrong):
                pass
        assert PASSWORD not in f"{refused.value!r} {refused.value.__cause__!r} {caplog.text}"

    async def test_nobody_there_is_unavailable(self, free_port: int) -> None:
        with pytest.raises(Unavailable):
            async with store_at(f"postgresql://a:b@127.0.0.1:{free_port}/x"):
                pass


class TestMigrations:
    @pytest.fixture
    async def empty(self, url: str) -> AsyncIterator[Postgres]:
        one = Postgres(url, deadline_s=30, waiting_limit=9)
        yield one
        await one.close()

    async def test_the_revisions_make_the_tables(self, empty: Postgres) -> None:
        def compare(connection: Connection) -> list[object]:
            opening.upgrade(connection)
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            return list(compare_metadata(context, metadata))

        assert await empty.run(compare) == []

    async def test_every_revision_can_be_taken_back_and_made_again(self, empty: Postgres) -> None:
        def down_and_up(connection: Connection) -> None:
            config = opening.configuration(connection)
            opening.upgrade(connection)
            for _ in ScriptDirectory.from_config(config).walk_revisions():
                command.downgrade(config, "-1")
                command.upgrade(config, "+1")
                command.downgrade(config, "-1")
            assert inspect(connection).get_table_names() == ["alembic_version"]
            opening.upgrade(connection)

        await empty.run(down_and_up)
        names = await empty.run(lambda connection: inspect(connection).get_table_names())
        assert set(names) == {*metadata.tables, "alembic_version"}

    async def test_it_may_take_longer_than_a_call(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upgrade = opening.upgrade

        def slow(connection: Connection) -> None:
            upgrade(connection)
            connection.execute(text("SELECT pg_sleep(1.5)"))

        monkeypatch.setattr(opening, "upgrade", slow)
        async with store_at(url, deadline_s=1), store_at(url, deadline_s=1) as store:
            assert await store.commit(a_work("k")) is None
            with pytest.raises(Unavailable):
                await store._write(lambda one: one.execute(text("SELECT pg_sleep(30)")))

    async def test_it_waits_for_another_that_makes_the_tables(self, url: str) -> None:
        holding, release = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(connection: Connection) -> None:
            locks.hold(connection, locks.MIGRATIONS)
            loop.call_soon(holding.set)
            connection.execute(text("SELECT pg_sleep(1.5)"))
            loop.call_soon(release.set)

        other = Postgres(url, deadline_s=20, waiting_limit=9)
        held = asyncio.create_task(other.run(hold))
        await holding.wait()
        async with store_at(url, deadline_s=1) as store:
            assert release.is_set()
            await store.ping()
        await held
        await other.close()


class TestNumbers:
    async def test_ids_go_on_beyond_32_bits(
        self, postgres_server: PostgresServer, url: str, store: SqlTruth
    ) -> None:
        name = url.rpartition("/")[2]
        for table in ("visitor_events", "deliveries", "attempts", "kb_edits", "kb_publications"):
            postgres_server.run_sql(f"SELECT setval('{table}_id_seq', {2**31 - 1})", name)
        await store.commit(a_work("k", escalation=opened(1, a_request(), by_gateway=False)))
        [leased] = await store.lease_deliveries(NOON, NOON + 60, 9)
        await store.finish_delivery(leased.id, an_attempt(), "delivered", None)
        found = await store.events(ANNA, named("c", 1), 2**31 - 1)
        assert [event.id for event in found] == [2**31, 2**31 + 1]
        edits = await store.knowledge.append([an_edit()], seen=0)
        await store.knowledge.publish(
            Publication(SITE, "anna", NOON, "r", edits[0].number, 0.2, ())
        )
        published = await store.knowledge.published(SITE)
        assert published is not None
        assert (leased.id, edits[0].number, published.edits) == (2**31, 2**31, 2**31)

    async def test_a_number_beyond_any_finds_nothing(self, store: SqlTruth) -> None:
        assert await store.events(ANNA, named("c", 1), 10**18 - 1) == []

    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            ("SELECT CAST(:value AS bigint)", "DataError"),
            ("SELECT CAST(CAST(:value AS numeric) AS bigint)", "NumericValueOutOfRangeError 22003"),
        ],
    )
    async def test_what_cannot_be_bound_is_told_without_its_value(
        self, store: SqlTruth, asked: str, told: str
    ) -> None:
        value = 7 * 10**30
        with pytest.raises(Unavailable, match=told) as refused:
            await store._write(lambda one: one.execute(text(asked), {"value": value}))
        assert str(value) not in str(refused.value)


class TestManyWriters:
    async def test_two_workers_never_share_a_delivery(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        for number in range(20):
            escalation = opened(
                number, a_request(number, number), by_gateway=False, targets=(HOOK, PAGER)
            )
            await store.commit(a_work(f"k{number}", escalation=escalation))

        async def work(truth: SqlTruth) -> list[int]:
            taken = []
            while leased := await truth.lease_deliveries(NOON, NOON + 60, 3):
                for one in leased:
                    taken.append(one.id)
                    await truth.finish_delivery(one.id, an_attempt(), "delivered", None)
            return taken

        taken = await asyncio.gather(*(work(truth) for truth in (store, other, store, other)))
        assert sorted(one for each in taken for one in each) == list(range(1, 41))
        found = await store.escalations(status="all", before=None, limit=99)
        assert {(one.status, len(one.deliveries)) for one in found} == {("delivered", 2)}

    async def test_a_leased_delivery_is_skipped_and_waited_for_by_nobody(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        for number in (1, 2):
            escalation = opened(number, a_request(number, number), by_gateway=False)
            await store.commit(a_work(f"k{number}", escalation=escalation))
        holding, release = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(connection: Connection) -> None:
            connection.execute(text("SELECT id FROM deliveries WHERE id = 1 FOR UPDATE"))
            loop.call_soon(holding.set)
            connection.execute(text("SELECT pg_sleep(0.5)"))
            release.set()

        held = asyncio.create_task(store._write(hold))
        await holding.wait()
        leased = await other.lease_deliveries(NOON, NOON + 60, 9)
        assert [one.id for one in leased] == [2]
        assert not release.is_set()
        await held

    async def test_a_lease_that_meets_a_damaged_row_waits_for_no_lock_while_it_holds_one(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        for number in (1, 2):
            escalation = opened(number, a_request(number, number), by_gateway=False)
            await store.commit(a_work(f"k{number}", escalation=escalation))
        damage = text("UPDATE escalations SET tail = '7' WHERE id = :id")
        await store._write(lambda connection: connection.execute(damage, {"id": named("e", 2)}))
        waiting = text(
            "SELECT 1 FROM pg_locks JOIN pg_database ON oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
        holding = asyncio.Event()
        loop = asyncio.get_running_loop()

        def change(connection: Connection) -> None:
            """What a reply that resolves does: the conversation, then its deliveries."""
            outbox._row(connection, named("e", 2))
            loop.call_soon(holding.set)
            while not connection.execute(waiting).scalar():
                connection.execute(text("SELECT pg_sleep(0.05)"))
            # Less than the second before the server looks for a deadlock and ends one of the two.
            connection.execute(text("SET LOCAL lock_timeout = '300ms'"))
            connection.execute(
                text("UPDATE deliveries SET next_at = next_at WHERE escalation_id = :id"),
                {"id": named("e", 2)},
            )

        held = asyncio.create_task(store._write(change))
        await holding.wait()
        leased = await other.lease_deliveries(NOON, NOON + 60, 9)
        await held
        assert [one.escalation.id for one in leased] == [named("e", 1)]
        await store.finish_delivery(leased[0].id, an_attempt(), "delivered", None)
        assert await store.next_due() is None  # the damaged one has failed

    async def test_whoever_reads_on_from_a_number_misses_no_event(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        escalation = opened(1, a_request(), by_gateway=False, targets=())
        await store.commit(a_work("k", escalation=escalation))
        seen: list[int] = []
        ended = asyncio.Event()

        async def read() -> None:
            after = 0
            while True:
                last = ended.is_set()
                found = await other.events(ANNA, named("c", 1), after)
                seen.extend(event.id for event in found)
                after = seen[-1] if seen else 0
                if last:
                    return

        async def write(truth: SqlTruth, first: int) -> None:
            for number in range(first, first + 30):
                await truth.reply(a_reply(number, 1), resolve=False, at=NOON)

        reading = asyncio.create_task(read())
        await asyncio.gather(*(write((store, other)[n % 2], 100 * n) for n in range(1, 7)))
        ended.set()
        await reading
        assert len(seen) == len(set(seen)) == 1 + 6 * 30

    async def test_of_edits_over_the_same_one_is_kept(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        outcomes = await asyncio.gather(
            *((store, other)[n % 2].knowledge.append([an_edit()], seen=0) for n in range(12)),
            return_exceptions=True,
        )
        kinds = [type(one) for one in outcomes]
        assert kinds.count(list) == 1
        assert kinds.count(Conflict) == 11
        assert len(await store.knowledge.edits(SITE, 0)) == 1

    async def test_of_many_calls_that_want_the_same_each_hears_what_is_true(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        both = (store, other)
        same_turn = [both[n % 2].commit(a_work(f"t{n}", turn=a_turn(1))) for n in range(8)]
        same_key = [both[n % 2].commit(a_work("k", turn=a_turn(n))) for n in range(10, 18)]
        same_head = [both[n % 2].commit(a_work(f"h{n}", link=a_link(f"r{n}"))) for n in range(8)]
        outcomes = await asyncio.gather(*same_turn, *same_key, *same_head, return_exceptions=True)
        for group, refused in ((0, Exists), (8, Conflict), (16, Conflict)):
            kinds = [type(one) for one in outcomes[group : group + 8]]
            assert kinds.count(type(None)) == 1
            assert kinds.count(refused) == 7

    async def test_a_turn_asks_for_one_person_whoever_asks_first(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        for number in range(1, 11):
            request, later = a_request(number, number), by_browser(number, number)
            calls = (
                store.commit(a_work(f"g{number}", escalation=opened(number, request))),
                other.commit(
                    a_work(f"b{number}", escalation=opened(50 + number, later, by_gateway=False))
                ),
                store.commit(a_work(f"t{number}", turn=a_turn(number, number))),
            )
            first, second, _ = await asyncio.gather(*calls)
            assert isinstance(first, Committed)
            assert first == second
            found = await store.escalation(first.id)
            assert (found.provenance, found.contact) == ("server", "a@example.com")

    async def test_nothing_changes_what_a_person_has_answered(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        for number in range(1, 16):
            await store.commit(
                a_work(f"g{number}", escalation=opened(number, a_request(number, number)))
            )
            later = opened(90 + number, by_browser(number, number), by_gateway=False)
            replied = asyncio.create_task(
                other.reply(a_reply(number, number), resolve=False, at=NOON)
            )
            await store.commit(a_work(f"b{number}", escalation=later))
            before = await store.escalation(named("e", number))
            await replied
            after = await store.escalation(named("e", number))
            if before.replies:
                assert (before.contact, before.fallback_text) == (
                    after.contact,
                    after.fallback_text,
                )
            again = opened(200 + number, by_browser(number, number, contact="z@example.com"))
            await store.commit(a_work(f"c{number}", escalation=again))
            assert await store.escalation(named("e", number)) == after

    async def test_publications_of_two_processes_are_in_one_order(
        self, store: SqlTruth, other: SqlTruth
    ) -> None:
        made = [Publication(SITE, "anna", NOON, f"r{n}", n, 0.2, ()) for n in range(8)]
        await asyncio.gather(*((store, other)[n % 2].knowledge.publish(made[n]) for n in range(8)))
        assert await store.knowledge.published(SITE) == await other.knowledge.published(SITE)


class TestBadDays:
    async def test_a_server_that_stops_is_unavailable_and_comes_back(
        self, mortal: PostgresServer
    ) -> None:
        async with store_at(mortal.create_database(), deadline_s=3) as store:
            await recovered(lambda: store.commit(a_work("k1")))
            mortal.stop(9)
            for call in (store.commit(a_work("k2")), store.ping(), store.receipt_head("s")):
                with pytest.raises(Unavailable):
                    await call
            mortal.start()
            assert await recovered(lambda: store.commit(a_work("k3"))) is None
            assert await store.finished(ANNA, "k1", 0) is not None

    async def test_a_stalled_server_is_unavailable_within_the_deadline_and_comes_back(
        self, mortal: PostgresServer
    ) -> None:
        async with store_at(mortal.create_database(), deadline_s=2) as store:
            await recovered(lambda: store.commit(a_work("k1")))
            mortal.stall()
            try:
                async with asyncio.timeout(5):
                    refused = await asyncio.gather(
                        *(store.commit(a_work(f"s{n}")) for n in range(3 * CONNECTIONS)),
                        store.ping(),
                        return_exceptions=True,
                    )
                assert {type(one) for one in refused} == {Unavailable}
            finally:
                mortal.go_on()
            assert await recovered(lambda: store.commit(a_work("k2"))) is None
            assert await store.finished(ANNA, "k1", 0) is not None

    async def test_a_connection_that_is_cut_costs_one_call(self, mortal: PostgresServer) -> None:
        async with store_at(mortal.create_database()) as store:
            await recovered(lambda: store.commit(a_work("k1")))
            slow = asyncio.create_task(
                store._write(lambda connection: connection.execute(text("SELECT pg_sleep(30)")))
            )
            cut = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE '%sleep(30)' AND pid != pg_backend_pid()"
            )
            gone = ""
            while "t" not in gone:
                gone = await asyncio.to_thread(mortal.run_sql, cut)
                await asyncio.sleep(0.05)
            with pytest.raises(Unavailable):
                await slow
            await store.commit(a_work("k2"))

    async def test_late_units_leave_the_pool_whole(self, url: str) -> None:
        async with store_at(url, deadline_s=1) as store:

            def sleep(connection: Connection) -> None:
                connection.execute(text("SELECT pg_sleep(30)"))

            late = await asyncio.gather(
                *(store._write(sleep) for _ in range(2 * CONNECTIONS)), return_exceptions=True
            )
            assert {type(one) for one in late} == {Unavailable}
            assert await recovered(lambda: store.commit(a_work("k"))) is None
            await asyncio.gather(*(store.commit(a_work(f"k{n}")) for n in range(CONNECTIONS)))

    async def test_a_caller_that_goes_away_leaves_its_unit_to_its_end(
        self, store: SqlTruth
    ) -> None:
        tasks = [asyncio.create_task(store.commit(a_work(f"k{n}"))) for n in range(10)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(PATIENT_S):
            for number in range(10):
                found = None
                while found is None:
                    found = await store.finished(ANNA, f"k{number}", 0)
                    await asyncio.sleep(0.02)

    async def test_closing_finishes_what_waits(
        self, url: str, postgres_server: PostgresServer
    ) -> None:
        async with store_at(url) as store:
            tasks = [asyncio.create_task(store.commit(a_work(f"k{n}"))) for n in range(100)]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        name = url.rpartition("/")[2]
        assert postgres_server.run_sql("SELECT count(*) FROM finished_calls", name) == "100"
        with pytest.raises(Unavailable):
            await store.ping()

    async def test_too_many_that_wait_are_refused(self, url: str) -> None:
        async with store_at(url, waiting_limit=5) as store:
            outcomes = await asyncio.gather(
                *(store.commit(a_work(f"k{n}")) for n in range(8)), return_exceptions=True
            )
        assert [type(one) for one in outcomes] == [type(None)] * 5 + [Unavailable] * 3
        assert "too slow" in str(outcomes[-1])

    async def test_a_fault_of_ours_reaches_its_own_caller_alone(self, store: SqlTruth) -> None:
        def faulty(_: Connection) -> None:
            raise ZeroDivisionError

        outcomes = await asyncio.gather(
            store.commit(a_work("k1")), store._write(faulty), return_exceptions=True
        )
        assert [type(one) for one in outcomes] == [type(None), ZeroDivisionError]

    async def test_garbage_is_unavailable(self) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await reader.read()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        address = f"postgresql://a:b@127.0.0.1:{port}/x?sslmode=disable"
        with pytest.raises(Unavailable):
            async with store_at(address, deadline_s=2):
                pass
        server.close()


@given(st.text(st.sampled_from("\x00\x1a01a")))
def test_text_comes_back_as_it_was_and_has_no_character_0(words: str) -> None:
    kept = without_nul(words)
    assert "\x00" not in kept
    assert with_nul(kept) == words


@given(st.lists(st.text(st.sampled_from("\x00\x1a01")), unique=True))
def test_no_two_texts_are_kept_alike(words: list[str]) -> None:
    assert len({without_nul(one) for one in words}) == len(words)
