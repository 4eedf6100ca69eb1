"""A site behind Turnstile in a real browser: its script under our policy, and two ways round it.

Cloudflare's script is a double that this test serves in its place; siteverify is whatever the
machine reaches, which gives no verdict on a made-up secret.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, Request, Route, expect

from tests.browser.conftest import OPERATOR_TOKEN, ROOT, Surfer
from tests.browser.product import SITE, Product, running, until
from tests.browser.visit import Widget
from tests.gateway.serving import free_port

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "Fanlight"
origins = ["http://localhost:{page}"]
kb = ["{kb}"]
turnstile_site_key = "0x4AAAAAAA-made-up"

[limits]
pow_difficulty = 4
pow_difficulty_most = 9
"""
CLOUDFLARE = "https://challenges.cloudflare.com/**"
SCRIPT = """
window.turnstile = {
  render(place, options) {
    const frame = document.createElement("iframe");
    frame.src = "https://challenges.cloudflare.com/frame";
    place.append(frame);
    document.documentElement.dataset.widget = JSON.stringify(options);
    frame.addEventListener("load", () => options.callback("0.a-token-for-this-visitor-only"));
    return "w1";
  },
  remove() {},
};
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def behind(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product whose one site has a Turnstile widget."""
    folder = tmp_path_factory.mktemp("turnstile")
    environ = {
        "FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN,
        "FANLIGHT_TURNSTILE_SITE_DEMO_SECRET": "a-made-up-secret",
    }
    product = Product(folder, folder / "fanlight.toml", environ, page_port=free_port())
    places = {"port": product.port, "page": product.page_port, "site": SITE}
    text = SETTINGS.format(**places, kb=ROOT / "kb" / "data")
    (folder / "fanlight.toml").write_text(text)
    async with running(product):
        yield product


def listen(page: Page) -> tuple[list[dict[str, object]], list[int]]:
    """What challenges are asked for, and how tries at a session end, from now on."""
    asked: list[dict[str, object]] = []
    ended: list[int] = []

    def sent(request: Request) -> None:
        if request.url.endswith("/v1/challenges"):
            asked.append(json.loads(request.post_data or "{}"))

    page.on("request", sent)
    page.on(
        "response",
        lambda answer: ended.append(answer.status) if answer.url.endswith("/v1/sessions") else None,
    )
    return asked, ended


async def test_a_browser_that_blocks_the_script_gets_a_session_by_work(
    surfer: Surfer, behind: Product
) -> None:
    page, watch = await surfer.page("about:blank")
    watch.expect("ERR_FAILED|ERR_BLOCKED_BY_CLIENT")
    await page.route(CLOUDFLARE, lambda route: route.abort("blockedbyclient"))
    asked, ended = listen(page)
    await page.goto(behind.chat)
    widget = Widget(page, framed=False)
    await widget.choose(memory=False)
    await widget.ask("Which stone is the moon made of?")

    async def opened() -> bool:
        return 201 in ended

    await until(opened, "a session")
    assert [one.get("without") for one in asked] == [None, "turnstile"]
    assert ended == [201]


async def test_the_widget_runs_under_our_policy_and_an_outage_is_got_round(
    surfer: Surfer, behind: Product
) -> None:
    page, watch = await surfer.page("about:blank")
    watch.expect("status of 400")  # the first try, whose token nobody gave a verdict on

    async def cloudflare(route: Route) -> None:
        kind = "text/html" if route.request.url.endswith("/frame") else "text/javascript"
        await route.fulfill(body="" if kind == "text/html" else SCRIPT, content_type=kind)

    await page.route(CLOUDFLARE, cloudflare)
    _, ended = listen(page)
    await page.goto(behind.chat)
    widget = Widget(page, framed=False)
    await widget.choose(memory=False)
    await widget.ask("Which stone is the moon made of?")

    async def opened() -> bool:
        return 201 in ended

    await until(opened, "a session")
    assert ended == [400, 201]
    options = json.loads(await page.evaluate("() => document.documentElement.dataset.widget"))
    assert (options["sitekey"], options["action"]) == ("0x4AAAAAAA-made-up", SITE)
    await expect(page.locator(".turnstile")).to_have_count(0)
