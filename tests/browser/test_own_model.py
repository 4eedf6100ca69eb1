"""The demo with a model of its own: real weights, from the package to the panel."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import Surfer
from tests.browser.product import Product, running
from tests.browser.visit import answer, origin

pytestmark = [
    pytest.mark.needs("chromium", "weights"),
    pytest.mark.asyncio(loop_scope="session"),
]
GENERATED_MS = 60_000


async def test_the_demo_answers_with_a_model_that_runs_beside_it(
    surfer: Surfer, weights: Path, tmp_path: Path
) -> None:
    product = Product(tmp_path, environ={"FANLIGHT_MODELS_DIR": str(weights)})
    async with running(product):
        widget, _ = await surfer.visit(product.page)
        await widget.begin(memory=True)
        await widget.until_known()
        exchange = await widget.ask("What is the capital of France?")
        await expect(answer(exchange).first).to_contain_text("Paris", timeout=GENERATED_MS)
        await expect(origin(exchange)).to_contain_text(widget.say("source.cloud"))
        # What the pages answer is still answered from them.
        known = await widget.ask("Does it work offline?")
        await expect(origin(known)).not_to_contain_text(widget.say("source.cloud"))
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{product.gateway}/health")).status_code == 200
    assert product.errors().endswith("Stopped.\n")
