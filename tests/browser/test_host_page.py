"""What the host page pays: one script, no shifted layout, and no word of its own policy bent."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Surfer
from tests.browser.product import SITE, Product

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

COUNT_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""


async def test_nothing_but_the_loader_is_fetched_before_the_launcher_is_used(
    surfer: Surfer, demo: Product
) -> None:
    widget, watch = await surfer.visit(demo.page)
    await expect(widget.launcher).to_be_visible()
    await widget.page.wait_for_load_state("networkidle")
    assert watch.asked(demo.gateway) == [f"{demo.gateway}/loader.js"]
    assert widget.page.frames == [widget.page.main_frame]
    await widget.launcher.hover()
    await expect(widget.root.locator("header h1")).to_be_attached()
    assert f"{demo.gateway}/panel/{SITE}" in watch.asked(demo.gateway)
    await expect(widget.launcher).to_have_attribute("aria-expanded", "false")


async def test_the_loader_shifts_nothing(surfer: Surfer, demo: Product) -> None:
    widget, _ = await surfer.visit(demo.page, COUNT_SHIFTS)
    await widget.begin(memory=False)
    await widget.root.get_by_role("button", name=widget.say("close")).click()
    await expect(widget.launcher).to_be_focused()
    assert await widget.page.evaluate("() => window.shifts") == []


async def test_the_host_page_gets_one_global(surfer: Surfer, demo: Product) -> None:
    names = "() => Object.getOwnPropertyNames(window)"
    widget, _ = await surfer.visit(demo.page)
    await widget.open()
    with_loader = await widget.page.evaluate(names)
    await widget.page.route("**/loader.js", lambda route: route.fulfill(body=""))
    await widget.page.reload()
    await expect(widget.launcher).to_have_count(0)
    assert set(with_loader) - set(await widget.page.evaluate(names)) == {"fanlight"}


async def test_a_page_that_may_not_embed_the_panel_is_refused_by_the_browser(
    surfer: Surfer, demo: Product
) -> None:
    page, watch = await surfer.page(f"{demo.gateway}/health")
    watch.expect("frame-ancestors|CSP: frame-src|violates the following Content Security Policy")
    await page.evaluate(
        """(url) => { const frame = document.createElement("iframe"); frame.src = url;
        document.documentElement.append(frame); }""",
        f"{demo.gateway}/panel/{SITE}",
    )
    await page.wait_for_load_state("networkidle")
    assert await page.locator("iframe").content_frame.locator("header h1").count() == 0
