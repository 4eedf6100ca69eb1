"""docs/ops/deploy.md as a whole: PostgreSQL, Redis, two workers, and a real proxy before them."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Final

import httpx
import pytest

from gateway.adapters.visitor import Visitor
from tests.deployment.page import adapted, block
from tests.deployment.proxies import CHAT, CONSOLE, Caddy, Nginx, Proxy, Through
from tests.gateway.cli.test_run import command
from tests.servers import PostgresServer, RedisServer, free_port

pytestmark = [pytest.mark.needs("redis-server", "postgresql"), pytest.mark.timeout(240)]

STARTED_S: Final = 90
AT_ONCE_S: Final = 8
"""Less than a heartbeat, with which a proxy that holds words back would let them go."""
STRANGERS: Final = (f"127.{net}.0.1" for net in count(5))
"""Visitors' addresses in networks that nobody came from yet; all are loopback on Linux."""
OPERATOR: Final = "make-one-with-openssl-rand-hex-24"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


class Machine:
    """Steps 2 to 5 of the page; the proxy is apart."""

    def __init__(self, folder: Path, redis_program: Path, database: str) -> None:
        self.ports = free_port(), free_port()
        users = adapted(block("`/etc/redis/users.acl`"), **{"REDIS-PASSWORD": "word"})
        options = ["--aclfile", str(written(folder / "users.acl", users))]
        for line in block("`/etc/redis/redis.conf`").splitlines()[:2]:
            name, value = line.split()
            options += [f"--{name}", value]
        self.redis = RedisServer(redis_program, *options)
        self.redis.start()
        environ = dict(line.split("=", 1) for line in block("`/etc/fanlight/.env`").splitlines())
        environ["FANLIGHT_DATABASE_URL"] = database
        environ["FANLIGHT_REDIS_URL"] = adapted(
            environ["FANLIGHT_REDIS_URL"],
            **{"REDIS-PASSWORD": "word", "127.0.0.1:6379": f"127.0.0.1:{self.redis.port}"},
        )
        self.process = command(
            *("--config", str(self.configure(folder)), "--json"), data=folder, **environ
        )

    def configure(self, folder: Path) -> Path:
        """The page's file, for this machine's folder and ports."""
        knowledge = folder / "kb"
        knowledge.mkdir()
        written(
            knowledge / "faq.md", "locale: en\n\n## When are you open? {#hours}\n\nFrom nine.\n"
        )
        text = adapted(
            block("`/etc/fanlight/fanlight.toml`:"),
            **{
                "port = 8000": f"port = {self.ports[0]}",
                "console_port = 8002": f"console_port = {self.ports[1]}",
                "/var/lib/fanlight": str(folder),
                "/etc/fanlight/kb": str(knowledge),
            },
        )
        return written(folder / "fanlight.toml", text)

    def until_ready(self) -> None:
        """Wait for the line that says so."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=STARTED_S)[1]
        assert json.loads(line)["running"]

    def close(self) -> None:
        """End all of it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate(timeout=20)
        self.redis.close()


@pytest.fixture(scope="module")
def machine(
    tmp_path_factory: pytest.TempPathFactory,
    redis_server_path: Path,
    postgres_server: PostgresServer,
) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    one = Machine(folder, redis_server_path, postgres_server.create_database())
    try:
        one.until_ready()
        yield one
    finally:
        one.close()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("nginx", marks=pytest.mark.needs("nginx")),
        pytest.param("caddy", marks=pytest.mark.needs("caddy")),
    ],
)
def proxy(request: pytest.FixtureRequest, machine: Machine) -> Iterator[Proxy]:
    kinds: dict[str, type[Proxy]] = {"nginx": Nginx, "caddy": Caddy}
    program: Path = request.getfixturevalue(f"{request.param}_path")
    one = kinds[request.param](program, *machine.ports)
    try:
        one.start()
        yield one
    finally:
        one.close()


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=Through(proxy), timeout=30) as one:
        yield one


async def test_a_visitor_is_answered_under_the_name_that_was_signed(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get(f"https://{CHAT}/health")).status_code == 200
    loader = await client.get(f"https://{CHAT}/loader.js")
    assert loader.status_code == 200
    visitor = Visitor(client, f"https://{CHAT}", "site_shop")
    await visitor.open_session()
    answered = (await visitor.ask("When are you open?")).raise_for_status().json()
    assert "From nine." in json.dumps(answered)


async def test_a_persons_reply_comes_through_at_once(client: httpx.AsyncClient) -> None:
    entered = await client.post(f"https://{CONSOLE}/v1/operator/session", json={"token": OPERATOR})
    fields = {"cookie": entered.raise_for_status().headers["set-cookie"].partition(";")[0]}
    session = await client.get(f"https://{CONSOLE}/v1/operator/session", headers=fields)
    fields["x-csrf-token"] = session.raise_for_status().json()["csrf"]
    visitor = Visitor(client, f"https://{CHAT}", "site_shop")
    await visitor.open_session()
    turn = (await visitor.ask("Which stone is the moon made of?")).raise_for_status().json()
    listed = await client.get(f"https://{CONSOLE}/v1/escalations", headers=fields)
    asked = listed.raise_for_status().json()["items"][0]
    began = time.monotonic()
    path = f"/v1/conversations/{turn['conversation_id']}/events"
    response = await client.send(await visitor.request("GET", path), stream=True)
    lines = response.aiter_lines()
    async with asyncio.timeout(AT_ONCE_S):
        assert await anext(lines) == ": heartbeat"
        replied = await client.post(
            f"https://{CONSOLE}/v1/escalations/{asked['id']}/replies",
            json={"content": "Of none."},
            headers=fields,
        )
        assert replied.is_success, replied.text
        while "Of none." not in await anext(lines):
            pass
    assert time.monotonic() - began < AT_ONCE_S
    await response.aclose()


async def test_operators_have_no_door_at_the_visitors_name(client: httpx.AsyncClient) -> None:
    asked = await client.post(f"https://{CHAT}/v1/operator/session", json={"token": OPERATOR})
    assert asked.status_code == 404


async def test_a_visitor_counts_by_the_address_that_the_proxy_saw(proxy: Proxy) -> None:
    body = {"site_key": "site_shop", "thumbprint": "a" * 43}
    statuses = []
    async with httpx.AsyncClient(transport=Through(proxy, next(STRANGERS)), timeout=30) as liar:
        for number in range(100):
            claimed = {"x-forwarded-for": f"203.0.{number}.9", "x-real-ip": f"203.0.{number}.9"}
            asked = await liar.post(f"https://{CHAT}/v1/challenges", json=body, headers=claimed)
            statuses.append(asked.status_code)
    assert statuses[0] == 200
    assert set(statuses) == {200, 429}
    async with httpx.AsyncClient(transport=Through(proxy, next(STRANGERS)), timeout=30) as other:
        asked = await other.post(f"https://{CHAT}/v1/challenges", json=body)
        assert asked.status_code == 200
