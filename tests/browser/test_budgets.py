"""Budgets in the console's figures, in a real browser: two visitors' questions use one up."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from gateway.cli.bench.provider import Provider
from tests.browser.conftest import OPERATOR_TOKEN, Surfer
from tests.browser.product import SITE, Product, running
from tests.browser.test_access import WIDE, violations
from tests.browser.test_figures import LOOKS, enter
from tests.browser.visit import FAQ, Widget, handoff
from tests.gateway.serving import served

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

UNKNOWN = "Which stone is the moon made of?"
SETTINGS = """
[gateway]
port = {port}
private_endpoints = ["{place}"]

[[sites]]
key = "{site}"
name = "Fanlight"
origins = ["{page}"]
kb = ["{kb}"]
daily_usd = 0.019
monthly_usd = 2.0

[[sites]]
key = "site_help"
name = "The Help Desk"
origins = ["https://help.example"]
kb = ["help.en.md"]

[[models]]
name = "dear"
url = "{url}/v1"
model = "dear-1"
read_usd = 5.0
written_usd = 15.0

[permissions.zero_trust]
cost_budget_daily_usd = 0.02
cost_budget_monthly_usd = 0.0
max_output_tokens = 300

[limits]
login_tries_per_minute = 100
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with served(Provider(reply="The moon is made of rock. " * 4)) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory, provider: str) -> AsyncIterator[Product]:
    """A product whose model costs half a cent a question; the day's budget is four of them."""
    folder = tmp_path_factory.mktemp("budgets")
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    product = Product(folder, folder / "fanlight.toml", environ, token=OPERATOR_TOKEN)
    settings = SETTINGS.format(
        port=product.port,
        site=SITE,
        page=product.page,
        kb=FAQ / "faq.en.md",
        url=provider,
        place=provider.removeprefix("http://"),
    )
    (folder / "fanlight.toml").write_text(settings, encoding="utf-8")
    (folder / "help.en.md").write_text("## Who are you?\n\nThe desk.\n", encoding="utf-8")
    async with running(product):
        yield product


async def asked(surfer: Surfer, shop: Product) -> Widget:
    """A new visitor's question for which a model is asked."""
    widget, _ = await surfer.visit(shop.page)
    await widget.begin(memory=True)
    await widget.until_known()
    await expect(handoff(await widget.ask(UNKNOWN))).to_be_visible()
    return widget


def sum_of(page: Page, period: str) -> Any:
    line = page.locator(".budget-line", has=page.get_by_text(period, exact=True))
    return line.first.locator(".budget-sum")


async def test_an_operator_sees_a_budget_run_low_and_is_told(surfer: Surfer, shop: Product) -> None:
    page = await enter(surfer, shop, viewport=WIDE)
    budgets = page.get_by_role("region", name="Budgets")
    await expect(budgets).to_be_visible()
    await expect(budgets.get_by_role("heading", name="The Help Desk")).to_have_count(0)
    await expect(sum_of(page, "Today")).to_have_text("$0.00 of $0.019")
    assert await violations(page) == []

    await asked(surfer, shop)
    await page.reload()
    await expect(sum_of(page, "Today")).to_have_text("$0.0049 of $0.019")
    caller = budgets.get_by_role("row", name=re.compile("^Visitor [0-9a-f]{8} "))
    await expect(caller).to_have_count(1)

    half = page.get_by_role("status").filter(has_text="spent 50% of its budget for today")
    await asked(surfer, shop)
    await expect(half).to_be_visible()
    await expect(caller).to_have_count(2, timeout=10_000)

    told = page.get_by_role("status").filter(has_text="too little left of its budget for today")
    await asyncio.gather(*(asked(surfer, shop) for _ in range(2)))
    await expect(told).to_be_visible()
    await page.reload()
    await expect(
        budgets.get_by_text("Too little left: nothing that costs is asked")
    ).to_be_visible()
    assert await violations(page) == []


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_in_any_look(surfer: Surfer, shop: Product, look: str) -> None:
    language, options = LOOKS[look]
    page = await enter(surfer, shop, language, **options)
    await expect(page.locator(".budget-bar").first).to_be_visible()
    assert await violations(page) == []
    wide = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    if folder := os.environ.get("SHOTS"):
        await page.locator(".budgets").screenshot(path=f"{folder}/{look}.png")
        await page.screenshot(path=f"{folder}/{look} page.png")
