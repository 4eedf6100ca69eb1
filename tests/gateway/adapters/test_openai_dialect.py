"""The model's transport against a real server that behaves, and one that does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece, Prompt
from gateway.adapters.openai_dialect import MAX_LINE, OpenAiTransport
from gateway.cli.bench.provider import REPLY, Provider, Step, create_provider
from gateway.settings import ModelSettings, Secret
from tests.gateway.adapters.http_receiver import answer, receiver
from tests.gateway.serving import served

PROMPT = Prompt([{"role": "user", "content": "¿Qué hora es?"}], 64)


def transport(url: str, key: str = "") -> OpenAiTransport:
    return OpenAiTransport(ModelSettings(url + "/v1/", "tiny", Secret(key)))


async def ask(model: OpenAiTransport) -> tuple[str, Usage | None]:
    pieces = [piece async for piece in model.stream(PROMPT)]
    usage = [piece.usage for piece in pieces if piece.usage]
    return "".join(piece.text for piece in pieces), usage[-1] if usage else None


class Sends(httpx.AsyncByteStream):
    """A body in the given chunks."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


async def said(*chunks: bytes) -> list[Piece]:
    """What is read of a body in these chunks."""
    mock = httpx.MockTransport(lambda _: httpx.Response(200, stream=Sends(*chunks)))
    model = OpenAiTransport(ModelSettings("http://x/v1", "tiny", Secret("")), mock)
    return [piece async for piece in model.stream(PROMPT)]


def delta(text: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


async def test_a_reply_comes_whole_with_its_usage() -> None:
    provider = create_provider()
    with served(provider) as url:
        model = transport(url)
        text, usage = await ask(model)
        await model.close()
    assert text == REPLY
    assert usage == Usage(900, len(REPLY.split()))
    asked = json.loads(provider.asked[0])
    assert (asked["model"], asked["max_tokens"], asked["stream"]) == ("tiny", 64, True)
    assert asked["messages"] == PROMPT.messages


async def test_calls_share_a_connection_and_carry_the_key() -> None:
    body = delta("yes") + DONE
    async with receiver(answer(200, body=body)) as got:
        model = transport(f"http://127.0.0.1:{got.port}", "k-1")
        for _ in range(3):
            assert (await ask(model))[0] == "yes"
        await model.close()
        assert got.connections == 1
        assert got.received[0].line == "POST /v1/chat/completions HTTP/1.1"
        assert got.received[0].headers["authorization"] == "Bearer k-1"
        assert got.received[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("step", ["reset", "garbage", "half", "refuse"])
async def test_a_server_that_fails_is_unavailable_and_the_next_call_works(step: Step) -> None:
    with served(Provider([step], reply="a b c d e f")) as url:
        model = transport(url)
        with pytest.raises(Unavailable):
            await ask(model)
        assert (await ask(model))[0] == "a b c d e f"
        await model.close()


async def test_a_server_that_hangs_can_be_left() -> None:
    with served(Provider(["hang"])) as url:
        model = transport(url)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await ask(model)
        assert (await ask(model))[0] == REPLY
        await model.close()


async def test_another_address_of_the_provider_is_not_there() -> None:
    with served(Provider()) as url:
        async with httpx.AsyncClient() as client:
            assert (await client.get(url)).status_code == 404


async def test_nobody_listens_is_unavailable() -> None:
    model = transport("http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="ConnectError"):
        await ask(model)
    await model.close()


async def test_what_comes_together_is_one_piece() -> None:
    assert await said(delta("a") + delta("b"), delta("c") + DONE) == [Piece("ab"), Piece("c")]


async def test_lines_may_be_cut_anywhere() -> None:
    body = b": hello\r\n\r\n" + delta("ño") + delta(None) + b'data:{"choices":[]}\n' + DONE
    pieces = await said(*(body[place : place + 1] for place in range(len(body))))
    assert "".join(piece.text for piece in pieces) == "ño"


async def test_a_server_that_does_not_end_its_stream_does_not_hold_the_turn() -> None:
    body = delta("yes") + DONE
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (len(body) + 1)
    async with receiver(head + body) as got:
        model = transport(f"http://127.0.0.1:{got.port}")
        assert (await ask(model))[0] == "yes"
        await model.close()


NOT_THE_DIALECT = {
    "no JSON": b"data: {\n",
    "no UTF-8": b"data: \xff\xfe\xff\n",
    "no object": b"data: 7\n",
    "choices that are none": b'data: {"choices": 3}\n',
    "content that is no text": delta({"a": 1}),
    "nested too deeply": b"data: " + b"[" * 200_000 + b"\n",
    "the end before the end": delta("half"),
    "a line too long": b"data: " + b" " * MAX_LINE + b"\n",
    "a line that never ends": b"d" * (MAX_LINE + 1),
}


@pytest.mark.parametrize("body", NOT_THE_DIALECT.values(), ids=NOT_THE_DIALECT)
async def test_another_dialect_is_unavailable(body: bytes) -> None:
    with pytest.raises(Unavailable):
        await said(body)


@pytest.mark.parametrize("usage", [3, {}, {"prompt_tokens": "1", "completion_tokens": 2}])
async def test_usage_that_cannot_be_read_is_left_out(usage: object) -> None:
    body = b"data: " + json.dumps({"usage": usage, "choices": []}).encode() + b"\n\n" + DONE
    assert await said(body) == []
