"""`fanlight check --online` calls PostgreSQL and Redis, and tells no password."""

from pathlib import Path
from urllib.parse import quote

import pytest

from gateway.cli.answering import stores
from gateway.settings import Secret, Settings
from tests.gateway.world import settings
from tests.servers import PASSWORD, PostgresServer, RedisServer


def of(database: str = "sqlite:///x.db", redis: str = "") -> Settings:
    return settings(database_url=database, redis_url=Secret(redis))


def test_what_is_not_there_is_not_looked_for() -> None:
    assert stores(of(), online=True) == []


def test_without_online_nobody_is_called() -> None:
    found = stores(of("postgresql://x/y", "redis://x"), online=False)
    assert [(one.name, one.state) for one in found] == [
        ("database", "skipped"),
        ("redis", "skipped"),
    ]


@pytest.mark.needs("postgresql")
def test_a_database_that_answers_and_one_that_does_not(
    postgres_server: PostgresServer, free_port: int
) -> None:
    [fine] = stores(of(postgres_server.create_database()), online=True)
    assert (fine.state, fine.key) == ("ok", "FANLIGHT_DATABASE_URL")
    word = quote(PASSWORD, safe="")
    gone = f"postgresql://fanlight:{word}@127.0.0.1:{free_port}/x"
    wrong = postgres_server.url().replace("fanlight:", "fanlight:x")
    for url in (gone, wrong):
        [bad] = stores(of(url), online=True)
        assert bad.state == "failed"
        assert bad.remedy
        assert PASSWORD not in repr(bad)
        assert word not in repr(bad)


@pytest.mark.needs("redis-server")
def test_a_redis_that_answers_one_that_evicts_and_none(
    redis_server: RedisServer, redis_server_path: Path, free_port: int
) -> None:
    [fine] = stores(of(redis=redis_server.url), online=True)
    assert (fine.state, fine.key) == ("ok", "FANLIGHT_REDIS_URL")
    options = ("--maxmemory", "9mb", "--maxmemory-policy", "allkeys-lru")
    evicting = RedisServer(redis_server_path, *options)
    evicting.start()
    for url, words in (
        (evicting.url, "noeviction"),
        (f"redis://:{PASSWORD.replace('/', '')[:5]}@127.0.0.1:{free_port}", "reached"),
    ):
        [bad] = stores(of(redis=url), online=True)
        assert bad.state == "failed"
        assert words in bad.detail
    evicting.close()
