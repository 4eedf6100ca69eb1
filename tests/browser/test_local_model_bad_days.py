"""Bad days of a model on the device: no room, a spoilt store, two tabs, a visitor who types on."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, Route, Worker, expect

from tests.browser.conftest import Surfer
from tests.browser.product import Product
from tests.browser.test_local_model import (
    FETCHED_MS,
    WRITTEN_MS,
    button,
    offering,
    sheet,
    words,
)
from tests.browser.visit import READY_MS, Widget, origin
from tests.browser.watch import JUST_BEGUN, NO_NETWORK

__all__ = ["offering"]

pytestmark = [
    pytest.mark.needs("chromium", "weights"),
    pytest.mark.chromium_only,
    pytest.mark.asyncio(loop_scope="session"),
]
SPOIL = """async () => {
  const name = (await caches.keys()).find((one) => one.includes("-model-"));
  const cache = await caches.open(name);
  await cache.put("/m/kept/3", new Response(new Uint8Array(1 << 20)));
  await cache.delete("/m/kept/5");
}"""

END_SOON = "void setTimeout(() => self.close(), 20)"
"""Ends the worker that it runs in, once whoever asked for that has heard."""


async def begun(page: Page) -> Widget:
    """The panel, with memory allowed and all stored."""
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)
    await widget.until_stored()
    return widget


async def test_a_browser_without_room_says_so(surfer: Surfer, offering: Product) -> None:
    page, _ = await surfer.page(offering.chat)
    widget = await begun(page)
    session = await page.context.new_cdp_session(page)
    quota = {"origin": offering.gateway, "quotaSize": 40 << 20}
    await session.send("Storage.overrideQuotaForOrigin", quota)
    box = await sheet(widget)
    await button(box, "fetch").click()
    await expect(box).to_contain_text(words("why.quota"), timeout=FETCHED_MS)
    # The panel goes on, and so does the download where there is room again.
    await session.send("Storage.overrideQuotaForOrigin", {"origin": offering.gateway})
    await button(box, "again").click()
    await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)


async def test_what_was_spoilt_in_the_store_is_fetched_again_and_nothing_else(
    surfer: Surfer, offering: Product
) -> None:
    page, watch = await surfer.page(offering.chat)
    watch.expect(NO_NETWORK)
    widget = await begun(page)
    box = await sheet(widget)
    await button(box, "fetch").click()
    await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)
    await page.evaluate(SPOIL)
    watch.requests.clear()
    # Only a model that is to be taken into memory is looked at.
    await page.context.set_offline(True)
    await expect(box).to_contain_text(words("why.storage"), timeout=FETCHED_MS)
    await page.context.set_offline(False)
    await button(box, "again").click()
    await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)
    ranges = [
        request.headers.get("range") for request in watch.requests if "/m/sha256/" in request.url
    ]
    assert [each for each in ranges if each] == ["bytes=3145728-4194303", "bytes=5242880-6291455"]


async def test_two_tabs_share_one_download(surfer: Surfer, offering: Product) -> None:
    first, watch = await surfer.page(offering.chat)
    one = await begun(first)
    second = await first.context.new_page()
    await second.goto(offering.chat)
    other = Widget(second, framed=False)
    boxes = [await sheet(one), await sheet(other)]
    watch.requests.clear()
    for box in boxes:
        await button(box, "fetch").click()
    for box in boxes:
        await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)
    asked = [request for request in watch.requests if "/m/sha256/" in request.url]
    assert len([each for each in asked if each.headers.get("range")]) == 1


@pytest.mark.timeout(400)
async def test_a_visitor_types_on_and_looks_away_while_it_writes(
    surfer: Surfer, offering: Product
) -> None:
    page, watch = await surfer.page(offering.chat)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    widget = await begun(page)
    box = await sheet(widget)
    await button(box, "fetch").click()
    await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)
    await page.keyboard.press("Escape")
    await page.context.set_offline(True)
    await expect(widget.document).to_have_attribute("data-device", "ready", timeout=WRITTEN_MS)
    exchange = await widget.ask("Does it work offline?")
    await expect(origin(exchange)).to_contain_text(widget.say("source.kb"), timeout=READY_MS)
    exchange = await widget.ask("Is it sent later?")
    field = page.locator("textarea")
    await field.press_sequentially("and one more thing", delay=20)
    other = await page.context.new_page()
    await other.bring_to_front()
    await expect(origin(exchange)).to_be_visible(timeout=WRITTEN_MS)
    await page.bring_to_front()
    await expect(field).to_have_value("and one more thing")


async def ready(page: Page, widget: Widget) -> None:
    """The model downloaded, the network gone, the model in memory, and what it goes on from."""
    box = await sheet(widget)
    await button(box, "fetch").click()
    await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)
    await page.keyboard.press("Escape")
    await page.context.set_offline(True)
    await expect(widget.document).to_have_attribute("data-device", "ready", timeout=WRITTEN_MS)
    exchange = await widget.ask("Does it work offline?")
    await expect(origin(exchange)).to_contain_text(widget.say("source.kb"), timeout=READY_MS)


def engine_worker(page: Page) -> Worker:
    """The worker that runs the model now."""
    return next(worker for worker in page.workers if "/wllama/worker" in worker.url)


@pytest.mark.timeout(600)
async def test_a_worker_that_ends_itself_is_noticed_and_another_answers(
    surfer: Surfer, offering: Product
) -> None:
    page, watch = await surfer.page(offering.chat)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    widget = await begun(page)
    await ready(page, widget)
    first = engine_worker(page)
    exchange = await widget.ask("Is it sent later?")
    # While it reads the prompt, or writes.
    await expect(exchange.locator(".answer")).to_be_attached()
    await first.evaluate(END_SOON)
    await expect(origin(exchange)).to_be_visible(timeout=WRITTEN_MS)
    # Sooner than silence would have told, by another worker.
    await expect(widget.document).to_have_attribute("data-device", "ready")
    assert engine_worker(page) is not first
    # One that ends while nobody asks is noticed by the next question.
    await engine_worker(page).evaluate(END_SOON)
    exchange = await widget.ask("And does that need my consent?")
    await expect(origin(exchange)).to_be_visible(timeout=WRITTEN_MS)


async def test_a_device_without_the_memory_is_offered_nothing_to_download(
    surfer: Surfer, offering: Product
) -> None:
    small = "Object.defineProperty(navigator, 'deviceMemory', { get: () => 0.5 });"
    page, watch = await surfer.page(offering.chat, small)
    widget = await begun(page)
    box = await sheet(widget)
    await expect(box).to_contain_text(words("unfit.memory"))
    await expect(button(box, "fetch")).to_have_count(0)
    assert not watch.asked("/m/sha256/")


@pytest.mark.parametrize("cut", ["manifest", "block", "engine"])
async def test_a_network_cut_at_any_stage_of_a_download_is_said_and_gone_on_from(
    surfer: Surfer, offering: Product, cut: str
) -> None:
    page, watch = await surfer.page(offering.chat)
    watch.expect(NO_NETWORK)
    widget = await begun(page)
    parts = {"manifest": "**/m/sha256/*", "block": "**/m/sha256/*", "engine": "**/wllama/**"}
    passed: list[str] = []

    async def broken(route: Route) -> None:
        """A manifest comes whole where a block is to be cut."""
        ranged = "range" in route.request.headers
        if cut == "block" and not ranged:
            passed.append(route.request.url)
            await route.continue_()
        else:
            await route.abort("connectionreset")

    await page.context.route(parts[cut], broken)
    box = await sheet(widget)
    await button(box, "fetch").click()
    await expect(box).to_contain_text(words("why.network"), timeout=FETCHED_MS)
    assert bool(passed) is (cut == "block")
    await page.context.unroute(parts[cut])
    await button(box, "again").click()
    await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)
