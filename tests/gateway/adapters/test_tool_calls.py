"""Calls of tools as models make them: read as the vendors' clients read them, and sent back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest

from core.errors import Declined, Unavailable
from core.ports import Exchange, Piece, Prompt, ToolCall, ToolForm, Transport
from gateway.adapters.model_dialects import DIALECTS
from gateway.adapters.tool_calls import MOST_CALLS, MOST_CHARACTERS
from gateway.cli.bench.provider import REPLY, Calling, Provider
from gateway.settings import ModelSettings, Secret
from tests.gateway.serving import served

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"query": {"type": "string"}}}
FORM = ToolForm("kb_search", "Searches.", SCHEMA)
HELLO = {"role": "user", "content": "¿Qué hora es?"}
PROMPT = Prompt([{"role": "system", "content": "Be brief."}, HELLO], 64, tools=(FORM,))
ARGUMENTS = ('{"query": "¿las doce? 🕛"}', "{}", '{"query": "a", "more": [1, {"b": null}]}')
STEPS = {
    "one": Calling((("kb_search", ARGUMENTS[0]),)),
    "several": Calling(tuple(("kb_search", each) for each in ARGUMENTS)),
    "after a word": Calling((("kb_search", ARGUMENTS[0]),), "Un momento, por favor."),
    "broken JSON": Calling((("kb_search", '{"query": '),)),
}

type Called = tuple[str, list[tuple[str, str]]]
"""What was said, and the calls by name with their arguments."""


async def ours(model: Transport, prompt: Prompt = PROMPT) -> Called:
    pieces = [piece async for piece in model.stream(prompt)]
    assert all(not piece.calls for piece in pieces[:-1]), "calls come whole, and last"
    calls = [(call.name, call.arguments) for piece in pieces for call in piece.calls]
    return "".join(piece.text for piece in pieces), calls


async def by_openai(url: str) -> Called:
    client = openai.AsyncOpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0)
    async with (
        client,
        client.chat.completions.stream(
            model="tiny",
            messages=[{"role": "user", "content": "x"}],
            tools=[{"type": "function", "function": {"name": "kb_search", "parameters": SCHEMA}}],
        ) as stream,
    ):
        done = (await stream.get_final_completion()).choices[0].message
    calls = [(each.function.name, each.function.arguments) for each in done.tool_calls or ()]
    return done.content or "", calls


async def by_anthropic(url: str) -> Called:
    client = anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0)
    parts: dict[int, str] = {}
    async with (
        client,
        client.messages.stream(
            model="tiny",
            max_tokens=64,
            messages=[{"role": "user", "content": "x"}],
            tools=[{"name": "kb_search", "input_schema": SCHEMA}],
        ) as stream,
    ):
        async for event in stream:
            if event.type == "content_block_delta" and event.delta.type == "input_json_delta":
                parts[event.index] = parts.get(event.index, "") + event.delta.partial_json
        done = await stream.get_final_message()
    said = "".join(block.text for block in done.content if block.type == "text")
    named = [
        (block.name, parts[index])
        for index, block in enumerate(done.content)
        if block.type == "tool_use"
    ]
    return said, named


THEIRS = {"openai": by_openai, "anthropic": by_anthropic}


@dataclass
class Server:
    """A provider, and how it is asked in a dialect."""

    provider: Provider
    url: str

    def model(self, dialect: str, **more: bool) -> Transport:
        settings = ModelSettings(self.url + "/v1", "tiny", Secret(""), **more)  # type: ignore[arg-type]
        return DIALECTS[dialect](settings, None, 2.0)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.provider.asked]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    provider = Provider(logprob=-0.25)
    with served(provider) as url:
        yield Server(provider, url)


@pytest.fixture
def server(running: Server) -> Server:
    running.provider.script.clear()
    running.provider.asked.clear()
    return running


# Their client parses broken JSON as it comes, and fails; ours hands it on to be told of.
@pytest.mark.parametrize("dialect", THEIRS)
@pytest.mark.parametrize("step", [name for name in STEPS if name != "broken JSON"])
async def test_calls_are_read_as_the_vendors_clients_read_them(
    server: Server, dialect: str, step: str
) -> None:
    server.provider.script.extend([STEPS[step]] * 2)
    theirs = await THEIRS[dialect](server.url)
    model = server.model(dialect)
    assert await ours(model) == theirs == (STEPS[step].text, list(STEPS[step].calls))
    await model.close()


@pytest.mark.parametrize("dialect", THEIRS)
async def test_arguments_that_are_no_json_come_as_they_are(server: Server, dialect: str) -> None:
    server.provider.script.append(STEPS["broken JSON"])
    model = server.model(dialect)
    assert await ours(model) == ("", [("kb_search", '{"query": ')])
    await model.close()


EXCHANGED = Prompt(
    PROMPT.messages,
    64,
    tools=(FORM,),
    exchanges=(
        Exchange(
            "Un momento.",
            [ToolCall("c1", "kb_search", '{"query":"x"}'), ToolCall("c2", "kb_search", "{broken")],
            ["<tool>one</tool>", "<tool>two</tool>"],
        ),
    ),
    may_call=False,
)
FUNCTION = {"name": "kb_search", "description": "Searches.", "parameters": SCHEMA}
FORMS: dict[str, dict[str, Any]] = {
    "openai": {
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": "none",
        "messages": [
            {"role": "assistant", "content": "Un momento.", "tool_calls": [
                {"id": "c1", "type": "function",
                 "function": {"name": "kb_search", "arguments": '{"query": "x"}'}},
                {"id": "c2", "type": "function",
                 "function": {"name": "kb_search", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "<tool>one</tool>"},
            {"role": "tool", "tool_call_id": "c2", "content": "<tool>two</tool>"},
        ],
    },
    "anthropic": {
        "tools": [{"name": "kb_search", "description": "Searches.", "input_schema": SCHEMA}],
        "tool_choice": {"type": "none"},
        "messages": [
            {"role": "assistant", "content": [
                {"type": "text", "text": "Un momento."},
                {"type": "tool_use", "id": "c1", "name": "kb_search", "input": {"query": "x"}},
                {"type": "tool_use", "id": "c2", "name": "kb_search", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "<tool>one</tool>"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "<tool>two</tool>"},
            ]},
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("dialect", FORMS)
async def test_what_was_called_goes_back_in_the_dialects_own_form(
    server: Server, dialect: str
) -> None:
    model = server.model(dialect)
    await ours(model, EXCHANGED)
    [body] = server.bodies
    form = FORMS[dialect]
    assert (body["tools"], body["tool_choice"]) == (form["tools"], form["tool_choice"])
    after = body["messages"].index(HELLO) + 1
    assert body["messages"][after:] == form["messages"]
    await model.close()


@pytest.mark.parametrize("dialect", FORMS)
async def test_a_server_that_refuses_tools_is_asked_without_and_never_again(dialect: str) -> None:
    provider = Provider(unknown=("tools",))
    with served(provider) as url:
        server = Server(provider, url)
        model = server.model(dialect)
        assert await ours(model, EXCHANGED) == (REPLY, [])
        assert await ours(model, EXCHANGED) == (REPLY, [])
        await model.close()
    assert ["tools" in body for body in server.bodies] == [True, False, False]
    # What was found before stands below the question.
    last = server.bodies[-1]["messages"][-1]
    assert last == {
        "role": "user",
        "content": "¿Qué hora es?\n\n<tool>one</tool>\n\n<tool>two</tool>",
    }


@pytest.mark.parametrize("dialect", FORMS)
async def test_tools_can_be_switched_off(server: Server, dialect: str) -> None:
    model = server.model(dialect, tools=False)
    await ours(model, EXCHANGED)
    assert "tools" not in server.bodies[0]
    await model.close()


async def pieces_of(model: Transport) -> list[Piece]:
    return [piece async for piece in model.stream(Prompt([HELLO], 64))]


async def test_how_likely_the_words_are_is_asked_and_read(server: Server) -> None:
    model = server.model("openai", logprobs=True)
    told = [each for piece in await pieces_of(model) for each in piece.logprobs]
    assert set(told) == {-0.25}
    assert len(told) > 10
    assert server.bodies[0]["logprobs"] is True
    await model.close()


@pytest.mark.parametrize(("dialect", "wanted"), [("openai", False), ("anthropic", True)])
async def test_where_it_is_not_wanted_or_not_known_it_is_not_asked(
    server: Server, dialect: str, wanted: bool
) -> None:
    model = server.model(dialect, logprobs=wanted)
    assert not any(piece.logprobs for piece in await pieces_of(model))
    assert "logprobs" not in server.bodies[0]
    await model.close()


async def test_a_server_that_refuses_both_is_asked_without_either() -> None:
    provider = Provider(unknown=("logprobs", "tools"))
    with served(provider) as url:
        server = Server(provider, url)
        model = server.model("openai", logprobs=True)
        assert await ours(model) == (REPLY, [])
        assert await ours(model) == (REPLY, [])
        await model.close()
    asked = [("logprobs" in body, "tools" in body) for body in server.bodies]
    assert asked == [(True, True), (False, True), (False, False), (False, False)]


async def test_a_refusal_of_something_else_is_no_reason_to_ask_again(server: Server) -> None:
    server.provider.script.append("decline")
    model = server.model("openai")
    with pytest.raises(Declined):
        await ours(model)
    assert len(server.bodies) == 1
    await model.close()


def chunk(**delta: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n"


class Sends(httpx.AsyncByteStream):
    """A body in the given chunks."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for each in self.chunks:
            yield each


async def read(*chunks: bytes, done: bytes = b"data: [DONE]\n\n") -> list[Piece]:
    mock = httpx.MockTransport(lambda _: httpx.Response(200, stream=Sends(*chunks, done)))
    model = DIALECTS["openai"](ModelSettings("http://x/v1", "tiny", Secret("")), mock, 2.0)
    return [piece async for piece in model.stream(PROMPT)]


def part(arguments: object, **more: object) -> dict[str, object]:
    name = more.pop("name", None)
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"function": function, **more}


ODD = {
    "without an index": [[part("{}", id="a", name="x")], [part('{"b":1}', id="b", name="y")]],
    "in one delta": [[part("{}", id="a", name="x"), part('{"b":1}', id="b", name="y")]],
    "the name each time": [
        [part("{", index=0, id="a", name="x")],
        [part("}", index=0, id="a", name="x")],
        [part('{"b":1}', index=1, id="b", name="y")],
    ],
    "an object": [[part({}, index=0, id="a", name="x"), part({"b": 1}, index=1, name="y")]],
}


@pytest.mark.parametrize("deltas", ODD.values(), ids=ODD)
async def test_servers_that_write_calls_otherwise_are_read_too(
    deltas: list[list[dict[str, object]]],
) -> None:
    pieces = await read(*(chunk(tool_calls=each) for each in deltas))
    calls = [(call.name, json.loads(call.arguments or "{}")) for call in pieces[-1].calls]
    assert calls == [("x", {}), ("y", {"b": 1})]


NO_CALLS = {
    "no list": chunk(tool_calls=7),
    "no object": chunk(tool_calls=["x"]),
    "a name that is no text": chunk(tool_calls=[{"function": {"name": 7}}]),
    "too many": chunk(tool_calls=[part("", index=each) for each in range(MOST_CALLS + 1)]),
    "without an end": chunk(tool_calls=[part("x" * (MOST_CHARACTERS + 1), index=0)]),
}


@pytest.mark.parametrize("body", NO_CALLS.values(), ids=NO_CALLS)
async def test_what_is_no_call_is_unavailable(body: bytes) -> None:
    with pytest.raises(Unavailable):
        await read(body)


ODD_LIKELIHOODS: tuple[object, ...] = (
    None,
    {},
    {"content": None},
    {"content": [{"token": "a"}]},
    {"content": 7},
)


@pytest.mark.parametrize("told", ODD_LIKELIHOODS)
async def test_a_reply_does_not_fail_for_its_likelihoods(told: object) -> None:
    choice = {"delta": {"content": "yes"}, "logprobs": told}
    body = b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"
    pieces = await read(body)
    assert [(piece.text, piece.logprobs) for piece in pieces] == [("yes", ())]
