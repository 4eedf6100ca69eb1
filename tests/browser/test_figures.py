"""The console's figures in a real browser: a visitor's question is counted and looked into."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import OPERATOR_TOKEN, Surfer
from tests.browser.product import SITE, Product, running
from tests.browser.test_access import NARROW, WIDE, violations
from tests.browser.test_people import log_in
from tests.browser.visit import FAQ, handoff

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

UNKNOWN = "Which stone is the moon made of?"
SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "Fanlight"
origins = ["{page}"]
kb = ["{kb}"]

[[sites]]
key = "site_help"
name = "The Help Desk"
origins = ["https://help.example"]
kb = ["help.en.md"]

[limits]
login_tries_per_minute = 100
"""
LOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    "light": ("en", {"viewport": WIDE}),
    "dark": ("en", {"viewport": WIDE, "color_scheme": "dark"}),
    "Hebrew, 320 px": ("he", {"viewport": NARROW}),
    "Spanish, strongest colours": ("es", {"viewport": WIDE, "forced_colors": "active"}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A product of its own: what others ask is not counted here."""
    folder = tmp_path_factory.mktemp("figures")
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    product = Product(folder, folder / "fanlight.toml", environ, token=OPERATOR_TOKEN)
    settings = SETTINGS.format(
        port=product.port, site=SITE, page=product.page, kb=FAQ / "faq.en.md"
    )
    (folder / "fanlight.toml").write_text(settings, encoding="utf-8")
    (folder / "help.en.md").write_text("## Who are you?\n\nThe desk.\n", encoding="utf-8")
    async with running(product):
        yield product


async def enter(surfer: Surfer, shop: Product, language: str = "en", **options: Any) -> Page:
    """Log in, and go to the figures by their key."""
    page, _ = await surfer.page(
        shop.console,
        bypass_csp=True,  # axe is put into the page
        reduced_motion="reduce",
        **options,
    )
    await log_in(page, shop.token)
    await page.keyboard.press("4")
    await expect(page.get_by_role("link", name="Figures")).to_be_focused()
    await page.get_by_role("combobox", name="Language of this page").select_option(language)
    return page


async def test_a_question_is_counted_a_moment_later_and_can_be_looked_into(
    surfer: Surfer, shop: Product
) -> None:
    page = await enter(surfer, shop, viewport=WIDE)
    await expect(page.get_by_text("Nothing yet")).to_be_visible()
    assert await violations(page) == []

    widget, _ = await surfer.visit(shop.page)
    await widget.begin(memory=True)
    await expect(handoff(await widget.ask(UNKNOWN))).to_be_visible()

    await expect(page.get_by_text("0 of 1 questions")).to_be_visible()
    plot = page.get_by_role("slider", name=re.compile("of questions needed no person"))
    await plot.focus()
    await page.keyboard.press("End")
    await expect(plot).to_have_attribute("aria-valuetext", re.compile("Handed to a person 1$"))
    chart = page.get_by_role("region", name=re.compile("needed no person")).first
    await chart.get_by_role("button", name="Show as a table").click()
    await expect(chart.get_by_role("row", name=re.compile("^In all"))).to_contain_text("1")

    await page.get_by_role("combobox", name="Site").select_option("site_help")
    await expect(page.get_by_text("Nothing yet")).to_be_visible()
    await page.go_back()
    async with page.expect_download() as waited:
        await page.get_by_role("button", name="Download as CSV").click()
    download = await waited.value
    assert download.suggested_filename == "fanlight-figures-7d.csv"
    rows = (await download.path()).read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].startswith("from,to,turns,escalated")
    assert [row.split(",")[2:4] for row in rows[1:]] == [["0", "0"]] * 6 + [["1", "1"]]

    await page.keyboard.press("1")
    await page.get_by_role("link", name=UNKNOWN).click()
    facts = page.get_by_role("complementary", name="Details")
    await facts.get_by_text("How this was answered").click()
    await expect(facts.get_by_text("Handed over because")).to_be_visible()
    assert await violations(page) == []


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_in_any_look(surfer: Surfer, shop: Product, look: str) -> None:
    language, options = LOOKS[look]
    page = await enter(surfer, shop, language, **options)
    await expect(page.locator(".tile")).to_have_count(4)
    assert await violations(page) == []
    for toggle in await page.locator(".figure-toggle").all():
        await toggle.click()
    assert await violations(page) == []
    wide = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
