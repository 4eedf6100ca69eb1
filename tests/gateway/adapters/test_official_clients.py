"""What we read of a stream is what the vendors' own clients read of the same bytes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress

import anthropic
import openai
import pytest
from starlette.types import Receive, Scope, Send

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Prompt, Transport
from gateway.adapters.model_dialects import DIALECTS
from gateway.cli.bench.provider import Provider, Step
from gateway.settings import ModelSettings, Secret
from tests.gateway.serving import served

HELLO = "¿Qué hora es?"
REPLY = "Son las doce, más o menos: השעה שתים עשרה 🕛 — « twelve »."

type Read = tuple[str, str, Usage | None]
"""What was said, what was thought, and the usage."""


async def ours(model: Transport) -> Read:
    said = thought = ""
    usage = None
    async for piece in model.stream(Prompt([{"role": "user", "content": HELLO}], 64)):
        said, thought = said + piece.text, thought + piece.reasoning
        usage = piece.usage or usage
    return said, thought, usage


async def by_openai(url: str) -> Read:
    said = thought = ""
    usage = None
    async with openai.AsyncOpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as client:
        stream = await client.chat.completions.create(
            model="tiny",
            messages=[{"role": "user", "content": HELLO}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async with stream:
            async for chunk in stream:
                for choice in chunk.choices[:1]:
                    said += choice.delta.content or ""
                    thought += getattr(choice.delta, "reasoning_content", None) or ""
                if chunk.usage:
                    usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
    return said, thought, usage


async def by_anthropic(url: str) -> Read:
    said = thought = ""
    async with (
        anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0) as client,
        client.messages.stream(
            model="tiny", max_tokens=64, messages=[{"role": "user", "content": HELLO}]
        ) as stream,
    ):
        async for event in stream:
            if event.type == "content_block_delta":
                said += getattr(event.delta, "text", "")
                thought += getattr(event.delta, "thinking", "")
        last = await stream.get_final_message()
    return said, thought, Usage(last.usage.input_tokens, last.usage.output_tokens)


THEIRS: dict[str, Callable[[str], Awaitable[Read]]] = {
    "openai": by_openai,
    "anthropic": by_anthropic,
}


def ask_ours(dialect: str, url: str) -> Transport:
    return DIALECTS[dialect](ModelSettings(url + "/v1", "tiny", Secret("")), None, 2.0)


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[Provider, str]]:
    made = Provider(reply=REPLY)
    with served(made) as url:
        yield made, url


@pytest.mark.parametrize("dialect", THEIRS)
async def test_a_whole_stream_is_read_alike(dialect: str, provider: tuple[Provider, str]) -> None:
    theirs = await THEIRS[dialect](provider[1])
    model = ask_ours(dialect, provider[1])
    assert await ours(model) == theirs == (REPLY, "", Usage(900, len(REPLY.split(" "))))
    await model.close()


FAILURES: tuple[Step, ...] = ("reset", "garbage", "error", "busy", "decline")


@pytest.mark.parametrize("dialect", THEIRS)
@pytest.mark.parametrize("step", FAILURES)
async def test_what_they_take_for_a_failure_is_one_for_us(
    dialect: str, step: Step, provider: tuple[Provider, str]
) -> None:
    provider[0].script.extend([step, step])
    read = None
    # What they raise of a stream that breaks off is not always an error of their own.
    with suppress(Exception):
        read = await THEIRS[dialect](provider[1])
    assert read is None
    model = ask_ours(dialect, provider[1])
    with pytest.raises(Unavailable):
        await ours(model)
    await model.close()


def chunk(delta: dict[str, object], **more: object) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**head, "choices": [choice], **more}


USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
OPENAI: list[dict[str, object] | None] = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning_content": "¿La hora?"}),
    chunk({"content": "Son las "}),
    chunk({"content": None}),
    chunk({"content": "doce 🕛"}),
    {**chunk({}), "choices": [], "usage": USAGE},
    None,
]
MESSAGE: dict[str, object] = {
    "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [],
    "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 7, "output_tokens": 1},
}  # fmt: skip


def block(index: int, *deltas: dict[str, object], **first: object) -> list[dict[str, object]]:
    start = {"type": "content_block_start", "index": index, "content_block": first}
    middle = [{"type": "content_block_delta", "index": index, "delta": one} for one in deltas]
    return [start, *middle, {"type": "content_block_stop", "index": index}]


ANTHROPIC: list[dict[str, object] | None] = [
    {"type": "message_start", "message": MESSAGE},
    *block(0, {"type": "thinking_delta", "thinking": "¿La hora?"}, type="thinking", thinking="",
           signature=""),
    {"type": "ping"},
    *block(1, {"type": "text_delta", "text": "Son las "}, {"type": "text_delta", "text": "doce 🕛"},
           type="text", text=""),
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
     "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
]  # fmt: skip
STREAMS: dict[str, Sequence[dict[str, object] | None]] = {"openai": OPENAI, "anthropic": ANTHROPIC}
FORMS = {"usual": ("\n", " "), "returns": ("\r\n", " "), "tight": ("\n", "")}


def wire(events: Sequence[dict[str, object] | None], line: str, space: str) -> bytes:
    """The events as a server writes them; the last of OpenAI's is no JSON."""
    parts = []
    for event in events:
        data = json.dumps(event, ensure_ascii=False) if event is not None else "[DONE]"
        name = f"event:{space}{event['type']}{line}" if event and "type" in event else ""
        parts.append(f": hello{line}{line}{name}data:{space}{data}{line}{line}")
    return "".join(parts).encode()


async def writes(scope: Scope, _: Receive, send: Send) -> None:
    """A server that writes a stream in the form and the pieces that its path names."""
    if scope["type"] != "http":
        return
    _, form, size, *rest = scope["path"].split("/")
    dialect = "anthropic" if rest[-1] == "messages" else "openai"
    body = wire(STREAMS[dialect], *FORMS[form])
    head = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    for at in range(0, len(body), int(size)):
        piece = body[at : at + int(size)]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def writer() -> Iterator[str]:
    with served(writes) as url:
        yield url


@pytest.mark.parametrize("dialect", THEIRS)
@pytest.mark.parametrize(("form", "size"), [("usual", 1), ("returns", 7), ("tight", 10_000)])
async def test_however_a_stream_is_written_and_cut_it_is_read_alike(
    dialect: str, form: str, size: int, writer: str
) -> None:
    url = f"{writer}/{form}/{size}"
    theirs = await THEIRS[dialect](url)
    model = ask_ours(dialect, url)
    assert await ours(model) == theirs == ("Son las doce 🕛", "¿La hora?", Usage(7, 3))
    await model.close()
