"""WebLLM on a graphics processor: real code of it through our engine, and what follows its failure.

No compiled library comes in any package: without `FANLIGHT_WEBLLM_LIB` WebLLM is run up to its own
word on that, over a software adapter, and the model goes on in wllama.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, async_playwright, expect

from scripts import machine
from tests.browser.conftest import FLAGS, Surfer
from tests.browser.product import FANLIGHT, Product, running
from tests.browser.test_local_model import FETCHED_MS, WRITTEN_MS, button, sheet, words
from tests.browser.visit import READY_MS, Widget, answer, handoff, origin
from tests.browser.watch import JUST_BEGUN, NO_NETWORK

pytestmark = [
    pytest.mark.needs("chromium", "weights"),
    pytest.mark.chromium_only,
    pytest.mark.asyncio(loop_scope="session"),
]
MODEL = "smollm2-135m"
SOFTWARE = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
ANY_ADAPTER = "globalThis.fanlightAnyAdapter = true;"
LIBRARY = os.environ.get("FANLIGHT_WEBLLM_LIB", "")
"""A library that mlc_llm compiled for SmolLM2-135M in q4f32_1."""
WEBLLM_MS = 120_000
NO_ADAPTER = r"No available adapters\."
"""Chromium's own word to whoever asks for one."""


async def fanlight(weights: Path, *command: str) -> None:
    """Run a command that must succeed."""
    environ = {**os.environ, "FANLIGHT_MODELS_DIR": str(weights)}
    process = await asyncio.create_subprocess_exec(FANLIGHT, *command, env=environ)
    assert await process.wait() == 0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def offering(
    weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """The demo, which offers the small model for graphics processors too."""
    folder = tmp_path_factory.mktemp("webllm")
    published, mlc = folder / "data" / "published", folder / "mlc"
    export = ("models", "export", "mlc", MODEL, str(mlc), "--quantization", "q4f32_1")
    await fanlight(weights, *export)
    publish = ("models", "publish", MODEL, "--to", str(published))
    await fanlight(weights, *publish, "--form", "q8_0")
    library = ("--library", LIBRARY) if LIBRARY else ()
    await fanlight(weights, *publish, "--mlc", str(mlc), *library)
    async with running(Product(folder)) as product:
        yield product


@pytest_asyncio.fixture(loop_scope="session")
async def gpu() -> AsyncIterator[Surfer]:
    """A browser that has a software adapter."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=machine.chromium(), args=[*FLAGS, *SOFTWARE]
        )
        made = Surfer(browser)
        yield made
        complaints = [watch.unexpected() for _, watch in made.contexts]
        await browser.close()
    assert complaints == [[] for _ in made.contexts]


async def begun(page: Page) -> Widget:
    """The panel, with memory allowed and all stored."""
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)
    await widget.until_stored()
    return widget


async def asked_offline(page: Page, widget: Widget, product: Product) -> None:
    """A known question and one that goes on from it, without a network."""
    await page.context.set_offline(True)
    await product.stop()
    try:
        exchange = await widget.ask("Does it work offline?")
        await expect(origin(exchange)).to_contain_text(widget.say("source.kb"), timeout=READY_MS)
        exchange = await widget.ask("Is it sent later?")
        await expect(origin(exchange)).to_be_visible(timeout=WRITTEN_MS)
        await expect(widget.document).to_have_attribute("data-device", "ready")
        if widget.say("source.local") in await origin(exchange).inner_text():
            await expect(answer(exchange)).not_to_be_empty()
        else:
            await expect(handoff(exchange)).to_contain_text(widget.say("card.unsent"))
    finally:
        await product.start()


@pytest.mark.skipif(bool(LIBRARY), reason="FANLIGHT_WEBLLM_LIB is set: nothing is missing")
@pytest.mark.timeout(600)
async def test_webllm_says_that_its_library_is_missing_and_wllama_answers(
    gpu: Surfer, offering: Product
) -> None:
    page, watch = await gpu.page(offering.chat, ANY_ADAPTER)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    widget = await begun(page)
    box = await sheet(widget)
    await expect(box).to_contain_text(words("engine.webllm"))
    await box.get_by_role("button", name=words("fetch", size="77 MB"), exact=True).click()
    await expect(box).to_contain_text(words("fell.library"), timeout=FETCHED_MS)
    # WebLLM's own words, from its worker; nothing of the other form came unasked.
    await expect(widget.document).to_have_attribute("data-fell", re.compile("Missing `model_lib`"))
    assert watch.asked("webllm_worker-")
    await expect(widget.document).to_have_attribute("data-engine", "wllama")
    await button(box, "fetch").click()
    await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)
    await page.keyboard.press("Escape")
    await asked_offline(page, widget, offering)


@pytest.mark.skipif(not LIBRARY, reason="FANLIGHT_WEBLLM_LIB names no library for q4f32_1")
@pytest.mark.may_skip
@pytest.mark.timeout(900)
async def test_webllm_answers_where_it_has_its_library(gpu: Surfer, offering: Product) -> None:
    page, watch = await gpu.page(offering.chat, ANY_ADAPTER)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    widget = await begun(page)
    box = await sheet(widget)
    await box.locator(".button.strong").click()
    await expect(box).to_contain_text(words("ready"), timeout=WEBLLM_MS)
    await expect(widget.document).to_have_attribute("data-engine", "webllm")
    await page.keyboard.press("Escape")
    await asked_offline(page, widget, offering)


@pytest.mark.parametrize("adapter", ["none", "software"])
async def test_a_software_adapter_counts_as_none(
    surfer: Surfer, gpu: Surfer, offering: Product, adapter: str
) -> None:
    browser = gpu if adapter == "software" else surfer
    page, watch = await browser.page(offering.chat)
    watch.expect(NO_ADAPTER)
    widget = await begun(page)
    box = await sheet(widget)
    await expect(box).to_contain_text(words("engine.wllama", count="1"))
    await expect(button(box, "fetch")).to_be_visible()
    assert not watch.asked("webllm_worker-")
    assert not watch.asked("/m/sha256/")


@pytest.mark.parametrize(("isolated", "threads"), [(True, "3"), (False, "1")])
async def test_threads_come_with_the_isolation_that_the_gateway_asks_for(
    surfer: Surfer, offering: Product, *, isolated: bool, threads: str
) -> None:
    cores = "Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => 4 });"
    context, watch = await surfer.context()
    watch.expect(NO_ADAPTER)
    await context.add_init_script(cores)
    page = await context.new_page()
    if not isolated:

        async def bare(route: Route) -> None:
            response = await route.fetch()
            kept = {k: v for k, v in response.headers.items() if "isolation" not in k}
            await route.fulfill(response=response, headers=kept)

        await context.route("**/chat/*", bare)
    await page.goto(offering.chat)
    assert await page.evaluate("crossOriginIsolated") is isolated
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)
    box = await sheet(widget)
    await expect(box).to_contain_text(words("engine.wllama", count=threads))
    if isolated:
        await widget.until_stored()
        await button(box, "fetch").click()
        await expect(box).to_contain_text(words("kept"), timeout=FETCHED_MS)
        await page.keyboard.press("Escape")
        await context.set_offline(True)
        await expect(widget.document).to_have_attribute("data-device", "ready", timeout=WRITTEN_MS)
        watch.expect(NO_NETWORK)
        assert any("threads=3" in url for url in watch.asked("/wllama/worker"))


async def test_the_sheet_says_what_battery_and_data_saver_make_of_it(
    surfer: Surfer, offering: Product
) -> None:
    power = """
    const battery = Object.assign(new EventTarget(), { charging: false, level: 0.12 });
    Navigator.prototype.getBattery = async () => battery;
    Object.defineProperty(navigator, "connection", {
      get: () => Object.assign(new EventTarget(), { saveData: true, type: "cellular" }),
    });
    """
    page, watch = await surfer.page(offering.chat, power)
    watch.expect(NO_ADAPTER)
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)
    box = await sheet(widget)
    await expect(box).to_contain_text(words("route.low_battery", share="12%"))
    await expect(box).to_contain_text(words("route.data_saver"))
    await expect(box).to_contain_text(words("route.metered"))
    await expect(button(box, "fetch.anyway")).to_be_visible()
    assert not watch.asked("/m/sha256/")
    assert not watch.asked("wllama")
