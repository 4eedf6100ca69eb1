"""Integrity over a Redis that forgets: what was admitted before is never admitted again."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gateway.adapters.redis_cache import SETTLE_S, RedisCache
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from tests.gateway.world import GATEWAY, Time, make_services, settings
from tests.servers import RedisServer

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture
def server(redis_server_path: Path) -> Iterator[RedisServer]:
    one = RedisServer(redis_server_path)
    one.start()
    yield one
    one.close()


def again(request: httpx.Request) -> httpx.Request:
    return httpx.Request(
        request.method, request.url, headers=request.headers, content=request.content
    )


def problem(response: httpx.Response) -> str:
    return str(response.json()["type"]).rsplit("/", 1)[-1]


@pytest.mark.parametrize("ahead_s", [0.0, 4.0])
async def test_what_was_admitted_before_redis_forgot_is_refused_and_new_calls_are_not(
    server: RedisServer, ahead_s: float
) -> None:
    time = Time()
    cache = RedisCache(server.url, clock=time, random=secrets.token_bytes)
    await cache.start()
    time.now = cache.since
    services = replace(make_services(settings(), time), cache=cache)
    transport = httpx.ASGITransport(create_app(services, outbox=False))
    async with httpx.AsyncClient(transport=transport) as client:
        visitor = Visitor(client, GATEWAY, "site_demo", clock=lambda: time.now + ahead_s)
        await visitor.open_session()
        body = visitor.chat_body("When are you open?")
        request = await visitor.request("POST", "/v1/chat", body, key="k" * 22)
        assert (await client.send(again(request))).status_code == 200
        await cache._link.client.flushall()

        assert problem(await client.send(again(request))) == "unavailable"
        assert problem(await client.send(again(request))) == "unavailable"
        fresh = await visitor.request("POST", "/v1/sessions/renew", {})
        assert problem(await client.send(fresh)) == "unavailable"
        time.now += SETTLE_S
        assert problem(await client.send(again(request))) == "stale-request"
        renewed = await visitor.call("POST", "/v1/sessions/renew", {})
        assert renewed.status_code == 200
    await cache.close()
