"""The knowledge desk in a real browser: what an operator writes, a visitor gets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, ViewportSize, expect

from tests.browser.conftest import OPERATOR_TOKEN, Surfer
from tests.browser.product import SITE, Product, running, until
from tests.browser.test_access import NARROW, WIDE, violations
from tests.browser.test_people import log_in
from tests.browser.visit import FAQ, answer

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

BUILD_MS = 120_000
KNOWN = "What is Fanlight?"
# One language of the demo's three: what is published is built anew, several times here.
SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "Fanlight"
origins = ["{page}"]
kb = ["{kb}"]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product of its own: what is published here must not reach the other tests' visitors."""
    folder = tmp_path_factory.mktemp("knowledge-desk")
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    product = Product(folder, folder / "fanlight.toml", environ, token=OPERATOR_TOKEN)
    settings = SETTINGS.format(
        port=product.port, site=SITE, page=product.page, kb=FAQ / "faq.en.md"
    )
    (folder / "fanlight.toml").write_text(settings, encoding="utf-8")
    async with running(product):
        yield product


async def enter(page: Page, product: Product) -> None:
    """Log in, and go to the knowledge room by its key."""
    await log_in(page, product.token)
    await page.keyboard.press("2")
    await expect(page.get_by_role("link", name="Knowledge")).to_be_focused()
    entries = page.get_by_role("navigation", name="Entries")
    await expect(entries).to_contain_text(re.compile(r"50 of \d+ entries"))


async def write(page: Page, question: str, text: str, *ways: str) -> None:
    """Write a new entry and save it, by the keyboard."""
    await page.keyboard.press("Escape")  # out of the field, if in one
    await page.keyboard.press("n")
    await expect(page.get_by_label("Question", exact=True)).to_be_focused()
    await page.keyboard.type(question)
    for at, way in enumerate(ways):
        if at == 0:
            await page.get_by_role("button", name="Add a way to ask").press("Enter")
        else:
            await page.keyboard.press("Enter")
        await page.keyboard.type(way)
    await page.get_by_label("Answer", exact=True).fill(text)
    await page.keyboard.press("Control+s")
    await expect(page.get_by_text("Saved in the draft")).to_be_visible()


async def attempt(page: Page, question: str, outcome: str) -> None:
    """Try a question at the desk, and wait for what would become of it."""
    await page.get_by_label("A visitor's question").fill(question)
    verdict = page.locator(".verdict:not(.verdict-waits)")
    await expect(verdict.locator(".verdict-outcome")).to_have_text(outcome, timeout=BUILD_MS)


async def test_what_an_operator_publishes_is_what_a_visitor_gets(
    surfer: Surfer, shop: Product
) -> None:
    asked = "when can I buy bread at the bakery"
    page, _ = await surfer.page(shop.console)
    await enter(page, shop)
    await attempt(page, asked, "Goes to a person")
    await write(
        page,
        "When does the bakery open?",
        "From **seven**, on weekdays.",
        "bakery opening hours",
        "when is the bakery open",
        "can I buy bread now",
    )
    await expect(page.get_by_text("1 unpublished change")).to_be_visible()
    await attempt(page, "what are the opening hours of the bakery", "Answered")
    await page.get_by_label("A visitor's question").fill(asked)
    await page.get_by_role("button", name="Make it a way to ask this entry").click()
    await expect(page.get_by_label("Way to ask 4")).to_have_value(asked)
    await page.get_by_role("button", name="Publish", exact=True).click()
    await expect(page.get_by_role("progressbar", name="Publishing")).to_be_visible()
    await expect(page.get_by_text("Visitors get it from now on")).to_be_visible(timeout=BUILD_MS)

    widget, _ = await surfer.visit(shop.page)
    await widget.begin(memory=True)
    await widget.until_known()
    shown = answer(await widget.ask(asked))
    await expect(shown).to_contain_text("From seven, on weekdays.")


async def test_what_was_written_is_kept_through_rooms_and_asked_about(
    surfer: Surfer, shop: Product
) -> None:
    page, watch = await surfer.page(shop.console)
    await enter(page, shop)
    await page.get_by_label("Search entries").fill("what is fanlight")
    await page.get_by_role("link", name=KNOWN).click()
    await page.get_by_label("Answer", exact=True).fill("Half a sent")
    await page.get_by_role("link", name="Inbox").click()
    await expect(page.get_by_role("heading", name="Escalations")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_label("Answer", exact=True)).to_have_value("Half a sent")
    watch.expect("^dialog: ")  # the watch answers that the page should not be left

    async def asked() -> list[str]:
        return [line for line in watch.complaints if line.startswith("dialog: ")]

    await page.evaluate("() => setTimeout(() => location.reload())")
    await until(asked, "the question whether to leave")
    await page.get_by_role("button", name="Discard").click()
    await expect(page.get_by_label("Answer", exact=True)).to_have_value(
        re.compile("^Fanlight answers")
    )


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [
        pytest.param("light", WIDE, id="light"),
        pytest.param("dark", WIDE, id="dark"),
        pytest.param("light", NARROW, id="320 px"),
    ],
)
async def test_axe_finds_nothing_in_the_knowledge_room(
    surfer: Surfer, shop: Product, scheme: Any, viewport: ViewportSize
) -> None:
    page, _ = await surfer.page(
        shop.console,
        bypass_csp=True,
        color_scheme=scheme,
        viewport=viewport,
        reduced_motion="reduce",
    )
    await enter(page, shop)
    found = {"entries": await violations(page)}
    await page.keyboard.press("j")
    await expect(page.get_by_label("Answer", exact=True)).to_be_visible()
    await attempt(page, KNOWN, "Answered")
    found["entry"] = await violations(page)
    for name, title in (
        ("unanswered", "Unanswered questions"),
        ("check", "Check"),
        ("import", "Import"),
    ):
        await page.goto(f"{shop.console}#knowledge/{SITE}/{name}")
        await expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        found[name] = await violations(page)
        wide = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is {wide} px wider than the window"
    assert found == {place: [] for place in found}
