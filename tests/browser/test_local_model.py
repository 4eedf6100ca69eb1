"""A model on the visitor's device: real weights and real wllama, from a download to an answer."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Route, expect

from tests.browser.conftest import Surfer
from tests.browser.product import FANLIGHT, Product, running
from tests.browser.visit import I18N, READY_MS, Widget, answer, handoff, origin
from tests.browser.watch import JUST_BEGUN, NO_NETWORK

pytestmark = [
    pytest.mark.needs("chromium", "weights"),
    pytest.mark.chromium_only,
    pytest.mark.asyncio(loop_scope="session"),
]
MODEL = "smollm2-135m"
FETCHED_MS = 90_000
WRITTEN_MS = 180_000
KEPT = """async () => {
  const found = (await caches.keys()).filter((name) => name.includes("-model-"));
  const opened = await Promise.all(found.map((name) => caches.open(name)));
  const blocks = await Promise.all(opened.map((cache) => cache.keys()));
  return blocks.flat().length;
}"""
"""How many blocks of models the browser keeps."""


def words(key: str, locale: str = "en", **values: str) -> str:
    """A string of the sheet."""
    text = json.loads((I18N / "device" / f"{locale}.json").read_text(encoding="utf-8"))[key]
    assert isinstance(text, str)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def offering(
    weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """The demo, which offers the small model to browsers; it runs none itself."""
    folder = tmp_path_factory.mktemp("offering")
    published = folder / "data" / "published"
    command = ("models", "publish", MODEL, "--form", "q8_0", "--to", str(published))
    publishing = await asyncio.create_subprocess_exec(
        FANLIGHT, *command, env={**os.environ, "FANLIGHT_MODELS_DIR": str(weights)}
    )
    assert await publishing.wait() == 0
    async with running(Product(folder)) as product:
        yield product


async def sheet(widget: Widget) -> Locator:
    """Open what the menu has on a model here."""
    await widget.choose_from_menu("menu.device")
    found = widget.root.locator("dialog.sheet")
    await expect(found).to_contain_text("SmolLM2 135M Instruct")
    return found


def button(box: Locator, key: str) -> Locator:
    """A button of the sheet."""
    return box.get_by_role("button", name=words(key, size="145 MB"), exact=True)


async def close(box: Locator) -> None:
    """Close the sheet."""
    await box.page.keyboard.press("Escape")
    await expect(box).to_have_count(0)


async def test_a_visitor_declines_and_nothing_is_fetched(surfer: Surfer, offering: Product) -> None:
    page, watch = await surfer.page(offering.chat)
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)
    box = await sheet(widget)
    await button(box, "decline").click()
    await expect(box).to_have_count(0)
    assert await page.evaluate(KEPT) == 0
    assert watch.asked("/m/sha256/") == watch.asked("wllama") == []


async def test_a_spoilt_block_is_refused_and_the_rest_kept(
    surfer: Surfer, offering: Product
) -> None:
    page, _ = await surfer.page(offering.chat)
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)

    async def spoil(route: Route) -> None:
        """The first two blocks, with one bit of the second turned; a manifest as it is."""
        response = await route.fetch(headers={**route.request.headers, "range": "bytes=0-2097151"})
        body = bytearray(await response.body())
        if len(body) == 2_097_152:
            body[1_500_000] ^= 1
        await route.fulfill(response=response, body=bytes(body))

    await page.context.route("**/m/sha256/*", spoil)
    box = await sheet(widget)
    await button(box, "fetch").click()
    await expect(box).to_contain_text(words("why.tampered"))
    # The manifest and the block that was right.
    assert await page.evaluate(KEPT) == 2
    await page.context.unroute("**/m/sha256/*")
    await button(box, "remove").click()
    await expect(button(box, "fetch")).to_be_visible()
    assert await page.evaluate(KEPT) == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("known", "follow_up"),
    [
        ("Does it work offline?", "Is it sent later?"),
        pytest.param("¿Qué es un recibo?", "¿Puedo comprobarlo después?", marks=pytest.mark.long),
    ],
    ids=["en", "es"],
)
async def test_a_follow_up_is_answered_or_handed_on_without_a_network(
    surfer: Surfer, offering: Product, known: str, follow_up: str
) -> None:
    page, watch = await surfer.page(offering.chat)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)
    await widget.until_stored()
    box = await sheet(widget)
    await button(box, "fetch").click()
    await expect(box).to_contain_text(words("fetching"))
    await button(box, "pause").click()
    await button(box, "resume").click()
    await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)
    await close(box)
    await page.context.set_offline(True)
    await offering.stop()
    try:
        await page.reload()
        # Chromium 150 tells a reloaded document that it is online until the emulation changes.
        await page.context.set_offline(False)
        await page.context.set_offline(True)
        await _asks(widget, known, follow_up)
        box = await sheet(widget)
        await button(box, "remove").click()
        await expect(button(box, "fetch")).to_be_visible()
        assert await page.evaluate(KEPT) == 0
    finally:
        await offering.start()


async def _asks(widget: Widget, known: str, follow_up: str) -> None:
    """What the pages answer, and a question that goes on from it: the model's, or a person's."""
    exchange = await widget.ask(known)
    await expect(origin(exchange)).to_contain_text(widget.say("source.kb"), timeout=READY_MS)
    exchange = await widget.ask(follow_up)
    await expect(origin(exchange)).to_be_visible(timeout=WRITTEN_MS)
    # It was asked, whatever became of it.
    await expect(widget.document).to_have_attribute("data-device", "ready")
    if widget.say("source.local") in await origin(exchange).inner_text():
        await expect(answer(exchange)).not_to_be_empty()
    else:
        await expect(handoff(exchange)).to_contain_text(widget.say("card.unsent"))
