"""What a site says before it is asked: a bubble beside the launcher; how visitors are spared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import FrameLocator, Locator, Page, expect

from tests.browser.conftest import OPERATOR_TOKEN, Surfer
from tests.browser.host_site import HostSite, embedded
from tests.browser.product import SITE, Product, running
from tests.browser.test_access import violations
from tests.browser.visit import Widget, picture

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

HELLO, PLANS, SHALOM = (
    "Unsure which lamp fits your room? Ask away, day or night.",
    "Need a hand with the plans?",
    "מתלבטים איזו מנורה מתאימה לחדר? אפשר לשאול כאן, בכל שעה.",
)
SETTINGS = f"""
[gateway]
port = {{port}}

[[sites]]
key = "{{site}}"
name = "The Shop"
origins = ["{{page}}", "{{shop}}"]
kb = ["shop.en.md"]

[[sites.greetings]]
name = "plans"
text = {{{{ en = "{PLANS}" }}}}
pages = ["/plans/*"]
after_s = 1
scroll = 60

[[sites.greetings]]
name = "hello"
text = {{{{ en = "{HELLO}", he = "{SHALOM}" }}}}
pages = ["!/plans/*", "!/checkout"]
after_s = 1
once = "visit"

[[sites]]
key = "site_quiet"
name = "Quiet"
origins = ["{{shop}}"]
kb = ["shop.en.md"]

[limits]
sessions_per_address_per_minute = 1000
address_per_minute = 10000
"""
ENTRIES = (
    "## Which lamps do you have?\n\nFloor lamps and desk lamps.\n\n## Who are you?\n\nA shop.\n"
)
TEXT = (
    "<main><h1>Lamps</h1><p>Some words.</p><a href='/two'>Two</a>"
    "<div style='height: 3000px'></div></main>"
)
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((one) => one.value)))
  .observe({ type: "layout-shift", buffered: true });
"""
STORED = """async () => [
  localStorage.length + sessionStorage.length, document.cookie,
  (await indexedDB.databases()).length, (await caches.keys()).length,
]"""


@dataclass
class Shop:
    """A gateway with a site that greets, and the website."""

    product: Product
    host: HostSite

    def tag(self, more: str = "", site: str = SITE) -> str:
        """The tag, with more attributes."""
        source = f"{self.product.gateway}/loader.js"
        return f'<script src="{source}" data-site="{site}" {more} async></script>'

    def page(self, path: str = "/", more: str = "") -> str:
        """A page with the chat; its address."""
        return self.host.show(TEXT + self.tag(more), path)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("shop")
    config = folder / "fanlight.toml"
    product = Product(
        folder, config, {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}, token=OPERATOR_TOKEN
    )
    made = Shop(product, HostSite())
    (folder / "shop.en.md").write_text(ENTRIES, encoding="utf-8")
    addresses = {"page": product.page, "shop": made.host.origin}
    config.write_text(SETTINGS.format(port=product.port, site=SITE, **addresses), encoding="utf-8")
    with made.host.open():
        async with running(product):
            yield made


def bubble(page: Page) -> FrameLocator:
    """The greeter's document."""
    return page.frame_locator("fanlight-launcher .tip iframe")


def frame(page: Page) -> Locator:
    """Where the bubble stands on the host page."""
    return page.locator("fanlight-launcher .tip")


async def greeted(page: Page, text: str = HELLO) -> None:
    """Wait for the greeting."""
    await expect(bubble(page).get_by_role("status")).to_have_text(text)
    await expect(frame(page)).to_be_visible()


async def never_greeted(page: Page) -> None:
    """The greeter has come and has had its time."""
    await expect(bubble(page).get_by_role("status")).to_be_attached()
    await asyncio.sleep(3)
    await expect(frame(page)).to_be_hidden()


async def test_a_greeting_moves_nothing_stores_nothing_and_takes_no_focus(
    surfer: Surfer, shop: Shop
) -> None:
    page, watch = await surfer.page(shop.page(), SHIFTS, bypass_csp=True)
    field = "() => document.activeElement === document.body"
    await greeted(page)
    assert await page.evaluate(field)
    assert await page.evaluate("() => window.shifts") == []
    greeter = page.frame(url=lambda url: "/greet/" in url)
    assert greeter is not None
    assert await greeter.evaluate(STORED) == [0, "", 0, 0]
    assert await page.evaluate(STORED) == [0, "", 0, 0]
    assert watch.asked("/panel/") == []
    # A few words in a frame have no heading; axe takes every document for a page.
    found = [one for one in await violations(greeter) if "page-has-heading-one" not in one]
    assert found == []
    assert await violations(page) == []
    tip, launcher = await frame(page).bounding_box(), await Widget(page).launcher.bounding_box()
    assert tip is not None
    assert launcher is not None
    assert tip["y"] + tip["height"] <= launcher["y"]
    assert tip["height"] < 120
    await picture(page, "greeting")


async def test_the_words_open_the_chat_and_stand_there_again(surfer: Surfer, shop: Shop) -> None:
    widget, _ = await surfer.visit(shop.page())
    await greeted(widget.page)
    await bubble(widget.page).get_by_role("button", name=HELLO).click()
    await expect(frame(widget.page)).to_have_count(0)
    await widget.choose(memory=False)
    await expect(widget.root.locator(".welcome p").first).to_have_text(HELLO)
    await widget.page.keyboard.press("Escape")
    await asyncio.sleep(3)
    await expect(frame(widget.page)).to_have_count(0)


@pytest.mark.parametrize("way", ["cross", "escape"])
async def test_a_greeting_is_closed_by_the_keyboard_alone(
    surfer: Surfer, shop: Shop, way: str
) -> None:
    widget, _ = await surfer.visit(shop.page())
    page = widget.page
    await greeted(page)
    await widget.launcher.focus()
    # The panel is fetched as the focus comes near; it is not open, and takes no Tab.
    await page.keyboard.press("Tab")
    await expect(bubble(page).get_by_role("button", name=HELLO)).to_be_focused()
    if way == "cross":
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
    else:
        await page.keyboard.press("Escape")
    await expect(frame(page)).to_have_count(0)
    await expect(widget.launcher).to_be_focused()


async def test_without_memory_it_comes_on_the_first_page_alone(surfer: Surfer, shop: Shop) -> None:
    shop.page("/two")
    page, _ = await surfer.page(shop.page())
    await greeted(page)
    await page.get_by_role("link", name="Two").click()
    await page.wait_for_url("**/two")
    await never_greeted(page)
    await page.reload()
    await never_greeted(page)


async def agree(shop: Shop, page: Page) -> None:
    """Agree to memory, on a page where no greeting is for."""
    await page.goto(shop.page("/checkout"))
    widget = Widget(page)
    await widget.begin(memory=True)
    await widget.page.keyboard.press("Escape")


async def test_with_memory_what_was_closed_stays_closed_and_what_was_shown_waits(
    surfer: Surfer, shop: Shop
) -> None:
    context, _ = await surfer.context()
    page = await context.new_page()
    await agree(shop, page)
    await page.goto(shop.page("/two"))
    await greeted(page)
    await page.goto(shop.page())
    await never_greeted(page)
    await page.goto(shop.page("/plans/big"))
    await page.mouse.wheel(0, 3000)
    await greeted(page, PLANS)
    await bubble(page).get_by_role("button", name="Close this message").click()
    await expect(frame(page)).to_have_count(0)
    await page.reload()
    await page.mouse.wheel(0, 3000)
    await never_greeted(page)
    kept = "() => Object.keys(localStorage).filter((key) => key.includes('greetings'))"
    widget = Widget(page)
    await widget.open()
    assert await widget.run(kept) == [f"fanlight.greetings.v1:{SITE}"]
    await widget.choose_from_menu("menu.forget")
    await widget.root.get_by_role("button", name=widget.say("forget.yes")).click()
    await expect(widget.root.get_by_text(widget.say("notice.forgotten"))).to_be_visible()
    assert await widget.run(kept) == []


async def test_a_greeting_waits_for_its_page_and_for_what_was_seen_of_it(
    surfer: Surfer, shop: Shop
) -> None:
    page, _ = await surfer.page(shop.page("/plans/small"))
    await never_greeted(page)
    await page.mouse.wheel(0, 3000)
    await greeted(page, PLANS)
    # A router shows another page, that it is not for.
    await page.evaluate("() => history.pushState({}, '', '/elsewhere')")
    await expect(frame(page)).to_have_count(0)


async def test_a_site_without_greetings_fetches_none(surfer: Surfer, shop: Shop) -> None:
    page, watch = await surfer.page(shop.host.show(shop.tag(site="site_quiet"), "/quiet"))
    await expect(Widget(page).launcher).to_be_visible()
    await asyncio.sleep(3)
    assert watch.asked("/greet/") == []


async def test_hebrew_is_mirrored(surfer: Surfer, shop: Shop) -> None:
    body = f"<script>document.documentElement.dir = 'rtl'</script>{TEXT}"
    url = shop.host.show(body + shop.tag('data-locale="he"'), "/he")
    page, _ = await surfer.page(url, locale="he-IL")
    await greeted(page, SHALOM)
    await expect(bubble(page).locator("html")).to_have_attribute("dir", "rtl")
    words = bubble(page).get_by_role("button", name=SHALOM)
    cross = bubble(page).get_by_role("button", name="סגירת ההודעה")
    await expect(words).to_be_visible()
    tip, close = await frame(page).bounding_box(), await cross.bounding_box()
    assert tip is not None
    assert close is not None
    assert tip["x"] < 100
    assert close["x"] < tip["x"] + tip["width"] / 2
    await picture(page, "greeting-he")


@pytest.mark.parametrize("size", [(320, 640), (640, 320)])
async def test_a_small_screen_gets_a_badge_and_finds_the_words_in_the_chat(
    surfer: Surfer, shop: Shop, size: tuple[int, int]
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    widget, _ = await surfer.visit(shop.page(), viewport=viewport)
    badge = widget.page.locator("fanlight-launcher .badge")
    await expect(badge).to_have_text("1")
    await expect(widget.launcher).to_have_attribute("aria-label", f"Open the chat, 1: {HELLO}")
    await expect(frame(widget.page)).to_be_hidden()
    await picture(widget.page, f"greeting-{size[0]}")
    await widget.begin(memory=False)
    await expect(widget.root.locator(".welcome p").first).to_have_text(HELLO)
    await expect(badge).to_be_hidden()


async def test_a_pinned_loader_greets_under_exactly_the_documented_policy(
    surfer: Surfer, shop: Shop
) -> None:
    shown: dict[str, Any] = await embedded(shop.product, SITE)
    assert "data-greetings" in shown["pinned"]
    lines = [f"{directive} {source}" for directive, source in shown["csp"].items()]
    policy = "; ".join(["default-src 'none'", *lines, "require-trusted-types-for 'script'"])
    page, _ = await surfer.page(shop.host.show(shown["pinned"], "/pinned", policy=policy))
    await greeted(page)
    shop.host.policy = ""


async def test_a_page_that_opens_the_chat_is_not_greeted(surfer: Surfer, shop: Shop) -> None:
    opens = "<script>(window.fanlight ||= []).push((chat) => chat.open())</script>"
    widget, watch = await surfer.visit(shop.host.show(TEXT + opens + shop.tag(), "/opens"))
    await expect(widget.root.locator("header h1")).to_be_visible()
    await asyncio.sleep(3)
    await expect(frame(widget.page)).to_have_count(0)
    assert watch.asked("/greet/") == []


async def test_what_the_device_prefers_is_followed(surfer: Surfer, shop: Shop) -> None:
    page, _ = await surfer.page(shop.page(), color_scheme="dark", reduced_motion="reduce")
    await greeted(page)
    moves = "(tip) => getComputedStyle(tip).transitionDuration"
    assert await frame(page).evaluate(moves) == "0s"
    color = "() => getComputedStyle(document.body).backgroundColor"
    greeter = page.frame(url=lambda url: "/greet/" in url)
    assert greeter is not None
    assert await greeter.evaluate(color) == "rgb(22, 24, 28)"
    await picture(page, "greeting-dark")
