"""Better search on the visitor's device: a real encoder in a real ONNX Runtime."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray
from playwright.async_api import Locator, Page, Route, expect

from core.ports import Purpose
from kb import load_index
from kb.bundled import load_bundled
from kb.refine import texts
from models.engines.onnx import OnnxEngine, OnnxSettings
from models.registry.catalog import CATALOG, read_catalog
from models.registry.model import pick
from tests.browser.conftest import Surfer
from tests.browser.product import FANLIGHT, SITE, Product, running
from tests.browser.test_local_model import KEPT, words
from tests.browser.visit import READY_MS, Widget, answer, origin
from tests.browser.watch import JUST_BEGUN, NO_NETWORK

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.chromium_only,
    pytest.mark.asyncio(loop_scope="session"),
]
SMALL = "all-minilm-l6-v2"
LARGE = "multilingual-e5-small"
ALIKE = 1e-3
"""How far the cosine of a browser's vector and CPython's may be from 1."""
ROUNDED = 5e-3
"""The same of an encoder whose activations are rounded to eight bits: last bits become steps."""
READ_MS = 240_000
VECTORS = """async () => {
  const name = (await caches.keys()).find((one) => one.includes("-model-"));
  const cache = await caches.open(name);
  const kept = (await cache.keys()).filter(({ url }) => url.includes("/vectors/"));
  const piece = ({ url }) => Number(url.split("/").at(-1));
  kept.sort((one, other) => piece(one) - piece(other));
  const parts = await Promise.all(kept.map(async (one) => (await cache.match(one)).blob()));
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}"""
"""What the browser made of the site's texts: numbers of 32 bits, one vector after the other."""


async def offering(model: str, models: Path, folder: Path) -> Product:
    """The demo, which offers this encoder."""
    command = ("models", "publish", model, "--to", str(folder / "data" / "published"))
    publishing = await asyncio.create_subprocess_exec(
        FANLIGHT, *command, env={**os.environ, "FANLIGHT_MODELS_DIR": str(models)}
    )
    assert await publishing.wait() == 0
    return Product(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def small(
    small_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    folder = tmp_path_factory.mktemp("encoder")
    async with running(await offering(SMALL, small_encoder, folder)) as product:
        yield product


async def sheet(widget: Widget) -> Locator:
    """Open what the menu has on a better search."""
    await widget.choose_from_menu("menu.device")
    found = widget.root.locator("dialog.sheet")
    await expect(found).to_contain_text(words("search.title"))
    return found


def fetch(box: Locator, megabytes: int) -> Locator:
    """The button that downloads it."""
    return box.get_by_role("button", name=words("fetch", size=f"{megabytes} MB"), exact=True)


async def opened(page: Page) -> tuple[Widget, Locator]:
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)
    await widget.until_stored()
    return widget, await sheet(widget)


async def reference(model: str, models: Path, given: Sequence[str], purpose: Purpose) -> Any:
    """What ONNX Runtime gives in CPython."""
    known = pick(read_catalog(CATALOG).models, model, None)
    assert known.embedding is not None
    path = models / known.id / known.version / known.loads
    engine = OnnxEngine(path, OnnxSettings(known.embedding, known.context))
    await engine.load()
    return np.array((await engine.embed(given, purpose)).vectors)


async def site_texts(page: Page, *languages: str) -> list[str]:
    """What is encoded of the site's index."""
    document = await page.evaluate("document.getElementById('fanlight-config').textContent")
    response = await page.request.get(urljoin(page.url, json.loads(document)["kb"]["url"]))
    index = load_index(await response.body(), load_bundled())
    return [text for _, spoken, text in texts(index) if not languages or spoken in languages]


async def browser_vectors(page: Page, count: int) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(await page.evaluate(VECTORS)), np.float32).reshape(
        count, -1
    )


@pytest.mark.needs("small encoder")
async def test_a_visitor_who_declines_fetches_nothing(surfer: Surfer, small: Product) -> None:
    page, watch = await surfer.page(small.chat)
    _, box = await opened(page)
    await box.get_by_role("button", name=words("decline"), exact=True).click()
    await expect(box).to_have_count(0)
    assert await page.evaluate(KEPT) == 0
    assert watch.asked("/m/sha256/") == watch.asked("ort-wasm") == []


@pytest.mark.needs("small encoder")
async def test_a_spoilt_encoder_is_refused(surfer: Surfer, small: Product) -> None:
    page, watch = await surfer.page(small.chat)
    _, box = await opened(page)

    async def spoil(route: Route) -> None:
        response = await route.fetch()
        body = bytearray(await response.body())
        if len(body) > 1 << 20:
            body[1_500_000] ^= 1
        await route.fulfill(response=response, body=bytes(body))

    await page.context.route("**/m/sha256/*", spoil)
    await fetch(box, 23).click()
    await expect(box).to_contain_text(words("why.tampered"), timeout=READ_MS)
    await expect(page.locator("html")).to_have_attribute("data-meaning", "failed")
    await box.get_by_role("button", name=words("remove"), exact=True).click()
    await expect(fetch(box, 23)).to_be_visible()
    assert await page.evaluate(KEPT) == 0
    assert watch.asked("encoder_worker") != []


@pytest.mark.timeout(400)
@pytest.mark.needs("small encoder")
async def test_its_vectors_are_those_of_the_reference_and_it_works_without_a_network(
    surfer: Surfer, small: Product, small_encoder: Path
) -> None:
    page, watch = await surfer.page(small.chat)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    widget, box = await opened(page)
    await fetch(box, 23).click()
    await expect(box).to_contain_text(words("search.ready"), timeout=READ_MS)
    given = await site_texts(page, "en")
    found = await browser_vectors(page, len(given))
    wanted = await reference(SMALL, small_encoder, given, "passage")
    assert np.abs((found * wanted).sum(1) - 1).max() < ALIKE
    await page.keyboard.press("Escape")
    await page.context.set_offline(True)
    await small.stop()
    try:
        await page.reload()
        # Chromium tells a reloaded document that it is online until the emulation changes.
        await page.context.set_offline(False)
        await page.context.set_offline(True)
        await expect(page.locator("html")).to_have_attribute(
            "data-meaning", "ready", timeout=READ_MS
        )
        # The knowledge base alone is not sure enough to answer this.
        exchange = await widget.ask("What proof do I get?")
        await expect(origin(exchange)).to_contain_text(widget.say("source.kb"), timeout=READY_MS)
        await expect(answer(exchange)).not_to_be_empty()
        box = await sheet(widget)
        await box.get_by_role("button", name=words("remove"), exact=True).click()
        await expect(fetch(box, 23)).to_be_visible()
        assert await page.evaluate(KEPT) == 0
    finally:
        await small.start()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.needs("encoder")
async def test_the_multilingual_encoder_reads_three_languages_as_the_reference(
    surfer: Surfer, encoder: Path, tmp_path: Path
) -> None:
    async with running(await offering(LARGE, encoder, tmp_path)) as product:
        page, _ = await surfer.page(f"{product.gateway}/chat/{SITE}")
        _, box = await opened(page)
        await fetch(box, 137).click()
        await expect(box).to_contain_text(words("search.ready"), timeout=600_000)
        given = await site_texts(page)
        found = await browser_vectors(page, len(given))
        wanted = await reference(LARGE, encoder, given, "passage")
        away = np.abs((found * wanted).sum(1) - 1)
        assert away.max() < ROUNDED
        assert np.median(away) < ALIKE
