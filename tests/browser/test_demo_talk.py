"""Ten turns in two languages with the demo as it comes, then what its operator sees of them.

The demo runs its own small model, with two tiers and example prices. Some replies of so small a
model are right and most are not: what is held here is that the visitor is answered or handed over
each time, and that the console shows by which tier, at what cost and how sure.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from gateway.configuration.demo import LARGE_TIER, SMALL_TIER
from tests.browser.conftest import Surfer
from tests.browser.product import Product, running
from tests.browser.test_access import WIDE, violations
from tests.browser.test_people import log_in
from tests.browser.visit import Widget, answer, origin, picture
from tests.browser.watch import NO_NETWORK

pytestmark = [
    pytest.mark.needs("chromium", "weights"),
    pytest.mark.chromium_only,
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.asyncio(loop_scope="session"),
]
ENDED_MS = 120_000
FRANCE = "What is the capital of France?"
HARD = (
    "Compare the capital of France with the capital of Italy, and explain step by step which "
    "of both is older and why."
)
KNOWN, TALKED, DOUBTED = "known", "by the model", "any"
FIRST_DOUBTED = "¿Quién escribió Don Quijote?"
TALK = (
    (FRANCE, TALKED),
    ("What is the capital of Italy?", TALKED),
    ("What is the capital of Spain?", TALKED),
    ("¿Funciona sin conexión?", KNOWN),
    ("¿Qué es Fanlight?", KNOWN),
    (FIRST_DOUBTED, DOUBTED),
    (HARD, DOUBTED),
    ("What is stored about me?", KNOWN),
    ("¿Puede una persona leer lo que escribo?", DOUBTED),
    ("Does it work offline?", KNOWN),
)
AT_THE_GATEWAY = sum(kind != KNOWN for _, kind in TALK)


async def test_ten_turns_in_two_languages_and_what_their_operator_sees(
    surfer: Surfer, weights: Path, tmp_path: Path
) -> None:
    product = Product(tmp_path, environ={"FANLIGHT_MODELS_DIR": str(weights)})
    async with running(product):
        widget, watch = await surfer.visit(product.page, viewport=WIDE)
        watch.expect(NO_NETWORK)  # it still listens when the product ends
        await widget.begin(memory=True)
        await widget.until_known()
        for place, (question, kind) in enumerate(TALK):
            await _ask(widget, question, kind)
            await picture(widget.page, f"talk-{place + 1:02}")
        assert await widget.exchanges.count() == len(TALK)

        page, console_watch = await surfer.page(product.console, viewport=WIDE, bypass_csp=True)
        console_watch.expect(NO_NETWORK)
        await log_in(page, product.token)
        await _look_into(page, FIRST_DOUBTED)
        await _look_at_figures(page)


async def _ask(widget: Widget, question: str, kind: str) -> None:
    """Ask, and wait until it is answered or handed over."""
    exchange = await widget.ask(question)
    ended = exchange.locator(".answer:not(.growing), .handoff").first
    await expect(ended).to_be_visible(timeout=ENDED_MS)
    if kind == KNOWN:
        await expect(origin(exchange)).not_to_contain_text(widget.say("source.cloud"))
    if kind == TALKED:
        await expect(answer(exchange).first).to_contain_text(re.compile("Paris|Rome|Madrid"))
        await expect(origin(exchange)).to_contain_text(widget.say("source.cloud"))


async def _look_into(page: Page, question: str) -> None:
    """What an operator reads of one turn: its tier, its cost and how sure it was."""
    await page.get_by_role("link", name=question).click()
    facts = page.get_by_role("complementary", name="Details")
    await facts.get_by_text("How this was answered").click()
    how = facts.locator(".how")
    await expect(how).to_contain_text(LARGE_TIER)
    await expect(_row(how, "Cost")).to_contain_text("$")
    await expect(_row(how, "Confidence")).to_contain_text("%")
    assert await violations(page) == []
    await picture(page, "talk-case")


async def _look_at_figures(page: Page) -> None:
    """The charts: who answered, what was spent and by which tier, the waits, how sure."""
    await page.keyboard.press("4")
    tiles = page.locator(".tile")
    await expect(tiles).to_have_count(4)
    await expect(tiles.nth(2)).to_contain_text("$")
    for name in (SMALL_TIER, LARGE_TIER):
        await expect(page.locator(".figures").get_by_text(name).first).to_be_visible()
    await expect(page.get_by_text(re.compile(rf"of {AT_THE_GATEWAY} questions"))).to_be_visible()
    assert await violations(page) == []
    await picture(page, "talk-figures")
    await page.locator(".figures > *").last.scroll_into_view_if_needed()
    await picture(page, "talk-figures-end")


def _row(how: Locator, name: str) -> Locator:
    return how.locator("dl > div").filter(has_text=name).first
