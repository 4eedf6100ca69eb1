"""Another chat as a client of ours: deep-chat's own OpenAI connector, in a page of another origin.

The package is fetched by npm, as `fanlight bench widget` fetches it, and is no part of Fanlight.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from gateway.app import create_app
from gateway.cli.bench.beside import NotHadError, fetch_bundle
from gateway.settings import LimitSettings, Secret, Settings
from tests.browser.conftest import Surfer
from tests.gateway.serving import free_port, served
from tests.gateway.world import make_services, settings

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

KEY = "api-key-for-browser-tests-0123456789"
ANSWER = "Monday to Friday, 9 to 17."
FONTS = "net::ERR_.*fonts.googleapis.com|net::ERR_NAME_NOT_RESOLVED"
"""The other chat asks Google for its letters, which a test does not let it have."""
SAID = "deep-chat .ai-message-text:not(.error-message):not(.deep-chat-loading-message-bubble)"
WHOLE = "No valid stream events were sent"
"""What its version 2.4.2 says of a stream that comes whole: it looks before it has read it."""
PAGE = """<!doctype html><meta charset="utf-8"><title>Deep chat</title>
<link rel="icon" href="data:,"><body><script type="module">
await import("/deep-chat.js");
const chat = document.createElement("deep-chat");
Object.assign(chat, OPTIONS);
document.body.append(chat);
</script>"""


@dataclass
class House:
    """A gateway, the page of a named origin, and one of another."""

    gateway: str
    named: str
    other: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bundle(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    try:
        return await fetch_bundle(tmp_path_factory.mktemp("deep-chat"))
    except NotHadError as error:
        pytest.skip(f"deep-chat cannot be had: {error}")


@pytest.fixture(scope="module")
def house(bundle: bytes) -> Iterator[House]:
    port = free_port()

    async def page(request: Request) -> Response:
        streams = request.query_params.get("stream") == "yes"
        connect = {
            "url": f"http://127.0.0.1:{port}/v1/chat/completions",
            "stream": streams,
            "additionalBodyProps": {"model": "fanlight"},
        }
        openai = {"key": KEY, "completions": True}
        options = json.dumps({"directConnection": {"openAI": openai}, "connect": connect})
        return HTMLResponse(PAGE.replace("OPTIONS", options))

    async def script(_: Request) -> Response:
        return Response(bundle, media_type="text/javascript")

    site = Starlette(routes=[Route("/", page), Route("/deep-chat.js", script)])
    with served(site) as origin:
        chosen = _settings(f"http://127.0.0.1:{port}", origin)
        app = create_app(make_services(chosen, time.time), outbox=False)
        with served(app, port) as gateway:
            yield House(gateway, origin, origin.replace("127.0.0.1", "localhost"))


def _settings(gateway: str, origin: str) -> Settings:
    made = settings(public_url=gateway, limits=LimitSettings(pow_difficulty=4))
    first, *others = made.sites
    named = replace(first, api_key=Secret(KEY), api_origins=(origin,))
    return replace(made, sites=(named, *others))


async def ask(page: Page, question: str) -> None:
    field = page.locator("deep-chat #text-input")
    await field.fill(question)
    await field.press("Enter")


@pytest.mark.parametrize("stream", ["no", "yes"])
async def test_its_connector_holds_a_conversation(
    surfer: Surfer, house: House, stream: str
) -> None:
    page, watch = await surfer.page(f"{house.named}/?stream={stream}")
    watch.expect(FONTS)
    if stream == "yes":
        watch.expect(WHOLE)
    await ask(page, "When are you open?")
    said = page.locator(SAID)
    await expect(said.first).to_contain_text(ANSWER)
    await ask(page, "How do I return an order?")
    await expect(said.nth(1)).to_contain_text("Send it back within 30 days")


async def test_on_a_page_that_is_not_named_it_gets_nothing(surfer: Surfer, house: House) -> None:
    page, watch = await surfer.page(f"{house.other}/")
    watch.expect(FONTS)
    watch.expect("CORS policy|ERR_FAILED|Failed to fetch")
    await ask(page, "When are you open?")
    await expect(page.locator("deep-chat .error-message-text")).to_be_visible()
    await expect(page.locator(SAID)).to_have_count(0)
