"""Anthropic's dialect against a real server that behaves, and one that does not."""

from __future__ import annotations

import json

import httpx
import pytest

from core.errors import Declined, Unavailable
from core.messages import Usage
from core.ports import Piece, Prompt
from gateway.adapters.anthropic_dialect import AnthropicTransport, apart
from gateway.cli.bench.provider import REPLY, Provider, Step
from gateway.settings import ModelSettings, Secret
from tests.gateway.adapters.http_receiver import answer, receiver
from tests.gateway.adapters.test_openai_dialect import Sends
from tests.gateway.serving import served

SYSTEM = {"role": "system", "content": "Be brief."}
HELLO = {"role": "user", "content": "¿Qué hora es?"}
PROMPT = Prompt([SYSTEM, HELLO], 64)


def transport(url: str, key: str = "") -> AnthropicTransport:
    return AnthropicTransport(ModelSettings(url + "/v1/", "tiny", Secret(key)))


async def ask(model: AnthropicTransport) -> tuple[str, Usage | None]:
    pieces = [piece async for piece in model.stream(PROMPT)]
    usage = [piece.usage for piece in pieces if piece.usage]
    return "".join(piece.text for piece in pieces), usage[-1] if usage else None


async def test_a_reply_comes_whole_with_its_usage() -> None:
    provider = Provider()
    with served(provider) as url:
        model = transport(url)
        text, usage = await ask(model)
        await model.close()
    assert (text, usage) == (REPLY, Usage(900, len(REPLY.split())))
    asked = json.loads(provider.asked[0])
    assert (asked["model"], asked["max_tokens"], asked["stream"]) == ("tiny", 64, True)
    assert (asked["system"], asked["messages"]) == ("Be brief.", [HELLO])


async def test_the_key_and_the_version_are_sent() -> None:
    async with receiver(answer(200, body=b'data: {"type":"message_stop"}\n\n')) as got:
        model = transport(f"http://127.0.0.1:{got.port}", "k-1")
        assert await ask(model) == ("", None)
        await model.close()
    assert got.received[0].line == "POST /v1/messages HTTP/1.1"
    headers = got.received[0].headers
    assert (headers["x-api-key"], headers["anthropic-version"]) == ("k-1", "2023-06-01")


FAILURES: tuple[Step, ...] = ("reset", "garbage", "half", "refuse", "error", "busy")


@pytest.mark.parametrize("step", FAILURES)
async def test_a_server_that_fails_is_unavailable_and_the_next_call_works(step: Step) -> None:
    with served(Provider([step])) as url:
        model = transport(url)
        with pytest.raises(Unavailable) as raised:
            await ask(model)
        assert raised.value.again
        assert raised.value.after_s == (1.0 if step == "busy" else None)
        assert (await ask(model))[0] == REPLY
        await model.close()


async def test_what_is_not_taken_is_declined() -> None:
    with served(Provider(["decline"])) as url:
        model = transport(url)
        with pytest.raises(Declined):
            await ask(model)
        await model.close()


def test_messages_begin_with_the_users() -> None:
    said = {"role": "assistant", "content": "Hello!"}
    assert apart([SYSTEM, said, HELLO])[1][1:] == [said, HELLO]
    assert apart([SYSTEM, said, HELLO])[1][0]["role"] == "user"
    assert apart([HELLO, said, HELLO]) == ("", [HELLO, said, HELLO])


def event(kind: str, **more: object) -> bytes:
    return b"data: " + json.dumps({"type": kind, **more}).encode() + b"\n\n"


def block(**delta: object) -> bytes:
    return event("content_block_delta", delta=delta)


STOP = event("message_stop")


async def said(*chunks: bytes) -> list[Piece]:
    """What is read of a body in these chunks."""
    mock = httpx.MockTransport(lambda _: httpx.Response(200, stream=Sends(*chunks)))
    model = AnthropicTransport(ModelSettings("http://x/v1", "tiny", Secret("")), mock)
    return [piece async for piece in model.stream(PROMPT)]


async def test_thoughts_come_apart_from_what_is_said() -> None:
    thought = block(type="thinking_delta", thinking="Hm.")
    assert await said(thought, block(type="text_delta", text="Noon."), STOP) == [
        Piece("", None, "Hm."),
        Piece("Noon."),
    ]


NOT_THE_DIALECT = {
    "no JSON": b"data: {\n",
    "no object": b"data: 7\n",
    "no type": b"data: {}\n",
    "a type that is no text": b'data: {"type": 3}\n',
    "text that is none": block(type="text_delta", text={"a": 1}),
    "usage that is none": event("message_delta", usage=3),
    "the end before the end": block(type="text_delta", text="half"),
    "an error": event("error", error={"type": "overloaded_error"}),
}


@pytest.mark.parametrize("body", NOT_THE_DIALECT.values(), ids=NOT_THE_DIALECT)
async def test_another_dialect_is_unavailable(body: bytes) -> None:
    with pytest.raises(Unavailable):
        await said(body)
