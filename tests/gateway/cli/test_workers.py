"""Several processes of one gateway: started together, one for visitors, ended in order."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.adapters.visitor import Visitor
from kb import load_index
from tests.gateway.cli.test_run import TOKEN, command, ended
from tests.servers import PASSWORD, PostgresServer, RedisServer, free_port

pytestmark = [pytest.mark.needs("redis-server"), pytest.mark.timeout(300)]

STARTED_S = 90
AT_ONCE_S = 12
"""Less than a heartbeat, after which a stream would look all the same."""


@pytest.fixture(scope="module")
def redis(redis_server_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(redis_server_path)
    server.start()
    yield server
    server.close()


def configure(folder: Path, ports: tuple[int, int], workers: int) -> Path:
    (folder / "faq.md").write_text(
        "locale: en\n\n## When are you open? {#hours}\n\nFrom nine.\n", encoding="utf-8"
    )
    path = folder / "fanlight.toml"
    path.write_text(
        f"[gateway]\nport = {ports[0]}\nconsole_port = {ports[1]}\nworkers = {workers}\n"
        '[[sites]]\nkey = "site_shop"\nname = "Shop"\nkb = ["faq.md"]\n'
        'origins = ["http://localhost:1"]\n[limits]\npow_difficulty = 0\n'
        "address_per_minute = 100000\nsession_per_minute = 100000\n",
        encoding="utf-8",
    )
    return path


class Running:
    """A gateway of several processes."""

    def __init__(self, folder: Path, redis: RedisServer, database: str = "") -> None:
        self.ports = free_port(), free_port()
        self.folder = folder
        path = configure(folder, self.ports, 2)
        self.process = command(
            *("--config", str(path), "--json"),
            data=folder,
            FANLIGHT_OPERATOR_TOKEN=TOKEN,
            FANLIGHT_REDIS_URL=redis.url,
            FANLIGHT_DATABASE_URL=database,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=STARTED_S)[1]
        self.ready: dict[str, Any] = json.loads(line)
        assert self.ready["running"], self.process.communicate(timeout=STARTED_S)[1]

    @property
    def children(self) -> list[int]:
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


@pytest.fixture
def running(tmp_path: Path, redis: RedisServer) -> Iterator[Running]:
    one = Running(tmp_path, redis)
    yield one
    one.process.kill()
    one.process.communicate(timeout=20)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer) -> Iterator[Running]:
    """A gateway that several tests share: none ends it."""
    one = Running(tmp_path_factory.mktemp("lasting"), redis)
    yield one
    one.process.kill()
    one.process.communicate(timeout=20)


@pytest.fixture
def running_on_postgresql(
    tmp_path: Path, redis: RedisServer, postgres_server: PostgresServer
) -> Iterator[Running]:
    one = Running(tmp_path, redis, postgres_server.create_database())
    yield one
    one.process.kill()
    one.process.communicate(timeout=20)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    # A connection for each call: whichever process is free takes it.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, timeout=60, trust_env=False) as one:
        yield one


class Console:
    """An operator at the console's own port."""

    def __init__(self, client: httpx.AsyncClient, running: Running) -> None:
        self._client = client
        self._url = f"http://127.0.0.1:{running.ports[1]}"
        self._headers = {"host": f"console.localhost:{running.ports[1]}"}

    async def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        response = await self._client.request(
            method, self._url + path, json=body, headers=self._headers
        )
        assert response.is_success, response.text
        return response

    async def log_in(self) -> None:
        entered = await self.call("POST", "/v1/operator/session", {"token": TOKEN})
        self._headers["cookie"] = entered.headers["set-cookie"].partition(";")[0]
        session = await self.call("GET", "/v1/operator/session")
        self._headers["x-csrf-token"] = session.json()["csrf"]


def test_several_workers_without_redis_are_refused_with_the_remedy(tmp_path: Path) -> None:
    path = configure(tmp_path, (free_port(), free_port()), 2)
    status, _, errors = ended("--config", str(path), data=tmp_path, FANLIGHT_OPERATOR_TOKEN=TOKEN)
    assert status == 1
    assert "Set FANLIGHT_REDIS_URL" in errors
    assert not (tmp_path / "fanlight.db").exists()


def test_they_answer_and_end_in_order(running: Running) -> None:
    assert running.ready["console"] == f"http://console.localhost:{running.ports[1]}"
    assert len(running.children) == 3
    for port in running.ports:
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    status, errors = running.stop()
    assert (status, errors.splitlines()[-1]) == (0, "Stopped.")
    assert running.children == []


async def test_a_replay_is_refused_by_every_process(
    lasting: Running, client: httpx.AsyncClient
) -> None:
    visitor = Visitor(client, lasting.ready["gateway"], "site_shop")
    await visitor.open_session()
    for _ in range(10):
        request = await visitor.request("POST", "/v1/sessions/renew", {})
        again = [
            client.send(httpx.Request("POST", request.url, headers=request.headers, content=b"{}"))
            for _ in range(8)
        ]
        codes = sorted(reply.status_code for reply in await asyncio.gather(*again))
        assert codes == [200] + [401] * 7


async def test_a_reply_reaches_a_stream_in_another_process_at_once(
    lasting: Running, client: httpx.AsyncClient
) -> None:
    await reply_is_heard(lasting, client)


@pytest.mark.needs("postgresql")
async def test_it_does_so_over_postgresql_too(
    running_on_postgresql: Running, client: httpx.AsyncClient
) -> None:
    await reply_is_heard(running_on_postgresql, client)
    assert not (running_on_postgresql.folder / "fanlight.db").exists()
    status, errors = await asyncio.to_thread(running_on_postgresql.stop)
    assert (status, errors.splitlines()[-1]) == (0, "Stopped.")
    assert PASSWORD not in errors


async def reply_is_heard(running: Running, client: httpx.AsyncClient) -> None:
    console = Console(client, running)
    await console.log_in()
    visitor = Visitor(client, running.ready["gateway"], "site_shop")
    await visitor.open_session()
    turn = (await visitor.ask("Which stone is the moon made of?")).json()
    [asked] = (await console.call("GET", "/v1/escalations")).json()["items"]
    path = f"/v1/conversations/{turn['conversation_id']}/events"
    response = await client.send(await visitor.request("GET", path), stream=True)
    lines = response.aiter_lines()
    assert await anext(lines) == ": heartbeat"
    await asyncio.sleep(0.5)
    async with asyncio.timeout(AT_ONCE_S):
        await console.call(
            "POST", f"/v1/escalations/{asked['id']}/replies", {"content": "Of none."}
        )
        while "Of none." not in await anext(lines):
            pass
    await response.aclose()


async def test_what_is_published_is_served_by_every_process(
    lasting: Running, client: httpx.AsyncClient
) -> None:
    console = Console(client, lasting)
    await console.log_in()
    moon = {"locale": "en", "question": "What is the moon?", "answer": "Far."}
    await console.call("POST", "/v1/knowledge/site_shop/entries", moon)
    await console.call("POST", "/v1/knowledge/site_shop/publish")
    release = ""
    async with asyncio.timeout(STARTED_S):
        while not release:
            [site] = (await console.call("GET", "/v1/knowledge")).json()["sites"]
            release = site["release"] if site["building"] is None else ""
        index, served = b"", 0
        while served < 40:
            await asyncio.sleep(0.02)
            found = await client.get(f"{lasting.ready['gateway']}/kb/site_shop/{release}.idx")
            index, served = found.content, served + 1 if found.status_code == 200 else 0
    assert load_index(index).get("what-is-the-moon", "en") is not None


def test_a_signal_to_all_of_them_asks_each_once(running: Running) -> None:
    for pid in running.children:
        os.kill(pid, signal.SIGTERM)
    status, errors = running.stop()
    assert (status, errors.splitlines()[-1]) == (0, "Stopped.")


def test_a_process_that_dies_is_replaced(running: Running) -> None:
    before = set(running.children)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    ends = time.monotonic() + STARTED_S
    while len(now := set(running.children)) < 3 or victim in now:
        assert time.monotonic() < ends
        time.sleep(0.1)
    for _ in range(20):
        assert httpx.get(f"http://127.0.0.1:{running.ports[0]}/health").status_code == 200
    status, errors = running.stop()
    assert status == 0
    assert "another takes its place" in errors


def test_when_the_parent_is_killed_all_end(running: Running) -> None:
    children = running.children
    running.process.kill()
    ends = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        assert time.monotonic() < ends
        time.sleep(0.1)


CREW = """
import sys, time
from gateway.cli.serving import CannotServe
from gateway.cli.workers import Crew
def fine(ready):
    ready(); time.sleep(60); return True
def bad(ready):
    raise CannotServe("no such thing")
try:
    Crew([fine, bad, fine], lambda: print("ready", flush=True)).run()
except CannotServe as error:
    sys.exit(f"refused: {error}")
"""


def test_one_that_does_not_start_ends_all_and_says_why() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CREW], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "no such thing" in done.stderr
    assert "refused: A process did not start" in done.stderr
    assert done.stdout == ""
