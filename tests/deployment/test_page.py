"""docs/ops/deploy.md is followed to the letter: what it says an operator should write works."""

import re
import secrets
import time
import tomllib
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from gateway.adapters.redis_bell import RedisBell
from gateway.adapters.redis_cache import RedisCache
from gateway.configuration import parse_settings
from tests.deployment.page import PAGE, ROOT, block
from tests.servers import RedisServer


def test_the_configuration_has_no_flaw() -> None:
    environ = dict(line.split("=", 1) for line in block("`/etc/fanlight/.env`").splitlines())
    document = tomllib.loads(block("`/etc/fanlight/fanlight.toml`:"))
    settings, flaws = parse_settings(document, environ, Path("/etc/fanlight"))
    assert flaws == []
    assert settings.workers > 1
    assert f"127.0.0.1:{settings.port};" in PAGE
    assert f"127.0.0.1:{settings.console_port};" in PAGE
    assert settings.trusted_proxies


def test_every_command_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    known = set(project["project"]["entry-points"]["fanlight.commands"])
    named = set(re.findall(r"(?:bin/|`|^)fanlight ([a-z]+)", PAGE, re.MULTILINE))
    assert {"run", "check", "backup", "restore"} <= named <= known


@pytest.mark.needs("redis-server")
async def test_the_user_in_redis_may_do_what_is_needed_and_nothing_else(
    redis_server_path: Path, tmp_path: Path
) -> None:
    users = tmp_path / "users.acl"
    users.write_text(block("`/etc/redis/users.acl`").replace("REDIS-PASSWORD", "word"))
    settings = [line.split() for line in block("`/etc/redis/redis.conf`").splitlines()]
    options = [word for name, value in settings[:2] for word in (f"--{name}", value)]
    server = RedisServer(redis_server_path, *options, "--aclfile", str(users))
    server.start()
    url = f"redis://fanlight:word@127.0.0.1:{server.port}/0"
    cache = RedisCache(url, clock=time.time, random=secrets.token_bytes)
    carried = RedisBell(url, random=secrets.token_bytes)
    try:
        await cache.start()
        assert await cache.claim("nonce", 60)
        await cache.release("nonce")
        assert (await cache.count("quota", 60))[0] == 1
        await cache.put("name", "value", 60)
        assert await cache.get("name") == "value"
        with carried.bell.listen("any") as ear:
            carried.start()
            assert await ear.wait(20)
        async with Redis.from_url(url, protocol=2) as client:
            for forbidden in (client.flushall, lambda: client.config_get("*"), client.shutdown):
                with pytest.raises(NoPermissionError):
                    await forbidden()
            with pytest.raises(NoPermissionError):
                await client.get("other")
    finally:
        await carried.close()
        await cache.close()
        server.close()
