"""A talk of more questions than are drawn at once, in a real browser: counted, not timed."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from gateway.cli.bench.browser_scripts import ASK_OFTEN
from gateway.cli.bench.talk import WORDS
from tests.browser.conftest import Surfer
from tests.browser.product import Product
from tests.browser.visit import Widget

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

DRAWN = 50
TURNS = 2 * DRAWN + 10
PLACE = """(id) => document.getElementById(id).getBoundingClientRect().top"""


async def test_a_long_talk_is_drawn_from_its_end_and_read_upwards(
    surfer: Surfer, demo: Product
) -> None:
    page, _ = await surfer.page(demo.chat)
    widget = Widget(page, framed=False)
    await widget.choose(memory=False)
    await page.evaluate(ASK_OFTEN, {"questions": WORDS, "turns": TURNS})
    await expect(widget.exchanges).to_have_count(DRAWN)
    assert await page.locator("*").count() < 2_500

    earlier = widget.root.get_by_role("button", name=widget.say("log.earlier"))
    first = await widget.exchanges.first.get_attribute("id")
    log = widget.root.get_by_role("log")
    await earlier.scroll_into_view_if_needed()
    before = await page.evaluate(PLACE, first)
    await earlier.press("Enter")
    await expect(widget.exchanges).to_have_count(2 * DRAWN)
    # What was read stays where it was and keeps the focus, and nothing is read aloud.
    assert abs(await page.evaluate(PLACE, first) - before) < 2
    await expect(page.locator(f'[id="{first}"]')).to_be_focused()
    await expect(log).to_have_attribute("aria-live", "polite")

    await earlier.press("Enter")
    await expect(widget.exchanges).to_have_count(TURNS)
    await expect(earlier).to_have_count(0)
    await widget.field.fill("Does it work offline?")
    await widget.field.press("Enter")
    await expect(widget.exchanges).to_have_count(DRAWN)
    await expect(widget.last).to_be_in_viewport()
