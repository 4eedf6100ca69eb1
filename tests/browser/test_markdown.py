"""Five hundred hostile messages and fifty benign ones, in the panel of a real browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.benign import SHOWN
from tests.browser.conftest import Surfer
from tests.browser.hostile import INSPECT, many
from tests.browser.product import Product
from tests.browser.visit import Widget
from tests.gateway.adapters.http_receiver import receiver

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

TURNS = 50
PUT = "(kept) => localStorage.setItem('fanlight.memory.v1:site_demo', kept)"


def _turn(number: int, texts: Sequence[str]) -> list[dict[str, Any]]:
    """An exchange: the first text is a model's answer, the others are people's replies to it."""
    turn_id = f"t_{number:04}"
    lines = [{"id": f"{turn_id}:q", "role": "user", "content": "zebra?"}]
    lines.append({"id": f"{turn_id}:a", "role": "assistant", "content": texts[0]})
    lines[1]["source"] = "cloud"
    lines += [
        {"id": f"{turn_id}:r{n}", "role": "person", "content": text}
        for n, text in enumerate(texts[1:])
    ]
    return [
        {"turn_id": turn_id, "at": 1000 * number + n, "rev": 1, **line}
        for n, line in enumerate(lines)
    ]


async def shown(surfer: Surfer, demo: Product, texts: Sequence[str]) -> tuple[Widget, Any]:
    """A panel on whose screen all these texts stand, as its vault gives them back."""
    page, watch = await surfer.page(demo.chat)
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)
    kept = await widget.kept()
    each = -(-len(texts) // TURNS)
    turns = [texts[at : at + each] for at in range(0, len(texts), each)]
    kept["entries"] = [line for n, turn in enumerate(turns) for line in _turn(n, turn)]
    await page.evaluate(PUT, json.dumps(kept))
    await page.reload()
    await expect(widget.root.locator(".prose")).to_have_count(len(texts))
    # Until the parser has come, each text stands as it was written.
    await widget.field.fill("a")
    await expect(widget.root.locator(".prose strong, .prose em").first).to_be_attached()
    return widget, watch


async def test_of_500_hostile_messages_none_runs_loads_or_leads_anywhere(
    surfer: Surfer, demo: Product
) -> None:
    async with receiver() as trap:
        address = f"http://127.0.0.1:{trap.port}"
        texts = [text.replace("{trap}", address) for text in many()]
        assert len(set(texts)) == 500
        widget, watch = await shown(surfer, demo, texts)
        navigations: list[str] = []
        widget.page.on("framenavigated", lambda frame: navigations.append(frame.url))
        found = {
            texts[at]: flaws
            for at, part in enumerate(await widget.root.locator(".prose").element_handles())
            if (flaws := await part.evaluate(INSPECT))
        }
        assert found == {}
        await widget.page.wait_for_load_state("networkidle")
        elsewhere = [url for url in watch.asked("") if not url.startswith(demo.gateway)]
        assert elsewhere == []
        assert trap.connections == 0
        assert navigations == []
        assert widget.page.frames == [widget.page.main_frame]
        assert len(widget.page.context.pages) == 1


async def test_fifty_benign_messages_are_shown_as_they_were_meant(
    surfer: Surfer, demo: Product
) -> None:
    assert len(SHOWN) == 50
    widget, _ = await shown(surfer, demo, list(SHOWN))
    drawn = await widget.root.locator(".prose").evaluate_all(
        "(all) => all.map((one) => one.innerHTML)"
    )
    assert dict(zip(SHOWN, drawn, strict=True)) == SHOWN
