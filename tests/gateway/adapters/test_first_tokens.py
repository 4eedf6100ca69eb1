"""Likelihoods from a model server, and from one that is none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from core.errors import Unavailable
from gateway.adapters.first_tokens import MOST_BYTES, REST_S, OpenAiFirstTokens
from gateway.settings import ModelSettings, Secret
from tests.congruence.samples import StandingClock

GOOD = {"choices": [{"logprobs": {"top_logprobs": [{" READ": -0.5, " DEL": -1.5}]}}]}


class Sends(httpx.AsyncByteStream):
    """A body in one chunk."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body


def answering(body: bytes, status: int = 200) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, stream=Sends(body))


def adapter(
    handle: Callable[[httpx.Request], httpx.Response], clock: StandingClock, key: str = ""
) -> OpenAiFirstTokens:
    settings = ModelSettings("http://model.example/v1/", "tiny", Secret(key))
    return OpenAiFirstTokens(settings, httpx.MockTransport(handle), clock)


async def test_the_likeliest_first_tokens_are_read() -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answering(json.dumps(GOOD).encode())(request)

    model = adapter(handle, StandingClock(), "secret")
    assert await model.first_tokens("Effect:") == {" READ": -0.5, " DEL": -1.5}
    [request] = asked
    assert str(request.url) == "http://model.example/v1/completions"
    assert request.headers["authorization"] == "Bearer secret"
    body = json.loads(request.content)
    assert (body["max_tokens"], body["temperature"], body["prompt"]) == (1, 0.1, "Effect:")
    await model.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"[]", 200),
        (b'{"choices": []}', 200),
        (b'{"choices": [{"logprobs": null}]}', 200),
        (b'{"choices": [{"logprobs": {"top_logprobs": [{"a": "b"}]}}]}', 200),
        (b"x" * (MOST_BYTES + 1), 200),
        (b"{}", 404),
    ],
)
async def test_anything_else_is_unavailable(body: bytes, status: int) -> None:
    with pytest.raises(Unavailable):
        await adapter(answering(body, status), StandingClock()).first_tokens("x")


async def test_a_server_that_fails_is_left_alone_for_a_minute() -> None:
    calls = 0

    def refuse(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        raise httpx.ConnectError("no", request=request)

    clock = StandingClock()
    model = adapter(refuse, clock)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await model.first_tokens("x")
    assert calls == 1
    clock.now += REST_S + 1
    with pytest.raises(Unavailable):
        await model.first_tokens("x")
    assert calls == 2
