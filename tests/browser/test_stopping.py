"""SIGTERM: whoever is listening hears a last word, and nothing that was asked is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from gateway.adapters.visitor import Visitor
from tests.browser.conftest import Staffed, Surfer, make_staffed
from tests.browser.model_server import model_server
from tests.browser.product import SITE, desk, running
from tests.browser.visit import handoff
from tests.browser.watch import JUST_BEGUN, NO_NETWORK
from tests.gateway.adapters.http_receiver import receiver

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def mortal(tmp_path: Path) -> AsyncIterator[Staffed]:
    """A product of the test's own, which may be ended."""
    async with (
        model_server() as model,
        receiver() as webhook,
        running(make_staffed(tmp_path, model, webhook)) as product,
    ):
        yield Staffed(product, model, webhook)


async def _visitor(client: httpx.AsyncClient, mortal: Staffed) -> Visitor:
    """A visitor with a session; a gateway refuses what was signed in its own first second."""
    visitor = Visitor(client, mortal.product.gateway, SITE)
    for _ in range(30):
        try:
            await visitor.open_session()
        except httpx.HTTPStatusError:
            await asyncio.sleep(0.1)
        else:
            break
    return visitor


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def test_open_streams_end_with_a_last_event(mortal: Staffed) -> None:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        visitor = await _visitor(client, mortal)
        body = visitor.chat_body("Who paints the boats?")
        turn = (await visitor.call("POST", "/v1/chat", body, key="first")).json()
        assert turn["escalate"]
        path = f"/v1/conversations/{turn['conversation_id']}/events"
        waiting = await client.send(await visitor.request("GET", path), stream=True)
        asked = visitor.chat_body("slowly: rowan alder", stream=True)
        talking = await client.send(
            await visitor.request("POST", "/v1/chat", asked, key="second"), stream=True
        )
        assert (waiting.status_code, talking.status_code) == (200, 200)
        replies, words = _events(waiting), _events(talking)
        mortal.model.more()
        name, looked = await anext(words)
        assert (name, looked["schema_version"]) == ("meta", "v1")
        assert await anext(words) == ("delta", {"text": "rowan "})
        mortal.product.terminate()
        last = [name async for name, _ in replies][-1:]
        assert last == ["bye"]
        (_, (name, done)) = told = [item async for item in words]
        assert [each for each, _ in told] == ["meta", "done"]
        assert name == "done"
        assert done["turn"]["escalate"]  # committed as far as it got: a person has the question
        await waiting.aclose()
        await talking.aclose()
    assert await mortal.product.stop() == 0


@pytest.mark.needs("chromium")
async def test_a_visitor_whose_gateway_restarts_in_mid_answer_loses_nothing(
    surfer: Surfer, mortal: Staffed
) -> None:
    question = "slowly: which willow weeps"
    widget, watch = await surfer.visit(mortal.product.page)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    await widget.begin(memory=True)
    await widget.until_known()
    exchange = await widget.ask(question)
    mortal.model.more()
    await expect(exchange.locator(".growing")).to_have_text("which")
    await mortal.product.stop()
    await expect(handoff(exchange)).to_contain_text(widget.say("card.unsent"))
    await mortal.product.start()
    await expect(handoff(exchange)).to_contain_text(widget.say("card.delivered"), timeout=30_000)
    async with desk(mortal.product) as operator:
        assert len(await operator.asked(question)) == 1
