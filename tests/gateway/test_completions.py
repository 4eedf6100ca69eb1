"""A site's own server asks in OpenAI's dialect, with the key of its site."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from core.ports import Piece, Prompt
from gateway.app import create_app
from gateway.configuration import parse_settings
from gateway.settings import LimitSettings, Secret, Settings
from tests.gateway.serving import served
from tests.gateway.test_chat import ScriptedModel
from tests.gateway.world import GATEWAY, World, make_services, settings, world

KEY = "api-key-for-tests-0123456789"
GOOD = "Orders return within 30 days; the label is in the box."
UNKNOWN = "zxqv unknown thing"
ASKED = {"model": "fanlight", "messages": [{"role": "user", "content": "When are you open?"}]}


def with_key(**limits: float) -> Settings:
    chosen = settings(limits=LimitSettings(pow_difficulty=4, **limits))  # type: ignore[arg-type]
    first, *others = chosen.sites
    return replace(chosen, sites=(replace(first, api_key=Secret(KEY)), *others))


async def call(gateway: World, body: object = ASKED, key: str = KEY) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    url = f"{GATEWAY}/v1/chat/completions"
    return await gateway.client.post(url, json=body, headers=headers)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A gateway on a real port, whose model repeats an entry."""
    services = make_services(with_key(), time.time, ScriptedModel(GOOD))
    with served(create_app(services, outbox=False)) as origin:
        yield f"{origin}/v1"


async def test_the_official_client_gets_a_whole_answer(url: str) -> None:
    async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0) as client:
        models = [model.id async for model in client.models.list()]
        answer = await client.chat.completions.create(
            model="fanlight", messages=[{"role": "user", "content": "When are you open?"}]
        )
    assert models == ["fanlight"]
    [choice] = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("Monday to Friday, 9 to 17.", "stop")
    told: dict[str, Any] = answer.model_extra["fanlight"]  # type: ignore[index]
    assert (told["source"], told["escalate"]) == ("kb", False)
    assert told["confidence"] >= 0.55


async def test_the_official_client_reads_a_stream_with_its_usage(url: str) -> None:
    said, told, usage = "", None, None
    async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0) as client:
        stream = await client.chat.completions.create(
            model="fanlight",
            messages=[
                {"role": "user", "content": "hello"},
                {"role": "assistant", "content": "Hello!"},
                {"role": "user", "content": [{"type": "text", "text": UNKNOWN}]},
            ],
            stream=True,
            stream_options={"include_usage": True},
        )
        async with stream:
            async for chunk in stream:
                said += "".join(each.delta.content or "" for each in chunk.choices)
                told = (chunk.model_extra or {}).get("fanlight", told)
                usage = chunk.usage or usage
    assert told is not None
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (12, 3, 15)
    assert (told["source"], told["model"]) == ("cloud", "scripted-1")
    assert said == GOOD or told["escalate"]


async def test_what_is_not_trusted_is_the_fallback_and_wakes_nobody() -> None:
    model = ScriptedModel("Bananas orbit purple engines.")
    async with world(transport=model, chosen=with_key()) as gateway:
        body = {**ASKED, "messages": [{"role": "user", "content": UNKNOWN}]}
        answer = (await call(gateway, body)).json()
        assert await gateway.truth.escalations(status="all", before=None, limit=9) == []
    content = answer["choices"][0]["message"]["content"]
    assert content
    assert "Bananas" not in content
    assert answer["fanlight"]["escalate"] is True
    assert answer["fanlight"]["reasons"] == ["low_confidence"]


@pytest.mark.parametrize("key", ["", "wrong", KEY + "x", KEY.upper()])
async def test_without_the_key_nothing_is_answered(key: str) -> None:
    async with world(chosen=with_key()) as gateway:
        response = await call(gateway, key=key)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


async def test_without_any_key_there_is_no_such_address() -> None:
    async with world() as gateway:
        assert (await call(gateway, key="")).status_code == 404


async def test_guesses_at_the_key_are_counted() -> None:
    async with world(chosen=with_key(address_per_minute=2)) as gateway:
        codes = [(await call(gateway, key="wrong")).status_code for _ in range(3)]
    assert codes == [401, 401, 429]


USER = {"role": "user", "content": "hello"}
REFUSED = {
    "instructions": ({"messages": [{"role": "system", "content": "x"}, USER]}, "messages.0.role"),
    "no question": ({"messages": [USER, {"role": "assistant", "content": "x"}]}, "messages.1.role"),
    "an empty question": ({"messages": [{"role": "user", "content": " "}]}, "messages.0.content"),
    "no message": ({"messages": []}, "messages"),
    "another model": ({"model": "gpt"}, "model"),
    "tools": ({"tools": []}, "tools"),
    "several answers": ({"n": 2}, "n"),
    "a tier": ({"auth_context": {"level": 2}}, "auth_context"),
}


@pytest.mark.parametrize(("change", "field"), REFUSED.values(), ids=REFUSED)
async def test_what_is_not_built_is_refused_by_its_name(
    change: dict[str, object], field: str
) -> None:
    async with world(chosen=with_key()) as gateway:
        response = await call(gateway, {**ASKED, **change})
    assert response.status_code == 400
    assert response.json()["field"] == field


class Waiting:
    """A model that never answers, and says when it is let go of."""

    model = "waiting"

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        self.asked.set()
        try:
            await asyncio.sleep(3600)
            yield Piece(str(prompt))
        finally:
            self.left.set()

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_caller_that_leaves_ends_its_turn() -> None:
    model = Waiting()
    async with world(transport=model, chosen=with_key(first_token_s=60.0)) as gateway:
        app = gateway.client._transport.app  # type: ignore[attr-defined]
        body = b'{"model":"fanlight","messages":[{"role":"user","content":"zxqv unknown thing"}]}'
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, object]:
            if messages:
                return messages.pop()
            await model.asked.wait()
            return {"type": "http.disconnect"}

        async def send(_: object) -> None:
            """Nobody listens."""

        fields = [
            (b"host", b"localhost:8000"),
            (b"content-type", b"application/json"),
            (b"authorization", f"Bearer {KEY}".encode()),
        ]
        scope: dict[str, object] = {
            "type": "http",
            "method": "POST",
            "path": "/v1/chat/completions",
        }
        scope |= {"query_string": b"", "headers": fields, "client": ("192.0.2.1", 1)}
        scope |= {"raw_path": b"/v1/chat/completions"}
        await asyncio.wait_for(app(scope, receive, send), 20)
        await asyncio.wait_for(model.left.wait(), 5)


def test_a_weak_key_is_refused() -> None:
    site = {"key": "site_a", "name": "A", "origins": ["https://a.example"], "kb": ["kb"]}
    document = {"gateway": {"public_url": "https://chat.example"}, "sites": [site]}
    environ = {"FANLIGHT_OPERATOR_TOKEN": KEY, "FANLIGHT_SITE_SITE_A_API_KEY": "short"}
    _, flaws = parse_settings(document, environ, Path("/srv"))
    assert [flaw.key for flaw in flaws] == ["FANLIGHT_SITE_SITE_A_API_KEY"]
    environ["FANLIGHT_SITE_SITE_A_API_KEY"] = KEY
    read, flaws = parse_settings(document, environ, Path("/srv"))
    assert (flaws, read.sites[0].api_key.reveal()) == ([], KEY)
