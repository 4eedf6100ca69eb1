"""The console's builder: what is chosen is seen, copied, and holds on a real page."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Frame, FrameLocator, Locator, Page, ViewportSize, expect

from tests.browser.conftest import OPERATOR_TOKEN, ROOT, Surfer
from tests.browser.host_site import HostSite
from tests.browser.product import SITE, Product, desk, running
from tests.browser.test_access import violations
from tests.browser.test_people import log_in
from tests.browser.visit import answer, handoff, words

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "The Shop"
origins = ["{demo}", "{shop}"]
kb = ["{kb}"]

[[sites]]
key = "site_help"
name = "The Help Desk"
origins = ["https://help.example"]
kb = ["help.en.md"]
accent = "#ffd400"

[limits]
login_tries_per_minute = 100
"""
HELP = "## Where is the help desk?\n\nOn the **second floor**.\n\n## Who are you?\n\nThe desk.\n"
WIDE = ViewportSize(width=1280, height=900)
NARROW = ViewportSize(width=360, height=740)
KNOWN = "Does it work offline?"
UNKNOWN = "Which stone is the moon made of?"
GREEN = "#0a7d32"


@dataclass
class Shop:
    """A gateway with two sites, and the website of the first."""

    product: Product
    page: HostSite


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("builder")
    config = folder / "fanlight.toml"
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    made = Shop(Product(folder, config, environ, token=OPERATOR_TOKEN), HostSite())
    (folder / "help.en.md").write_text(HELP, encoding="utf-8")
    config.write_text(
        SETTINGS.format(
            port=made.product.port,
            site=SITE,
            demo=made.product.page,
            shop=made.page.origin,
            kb=ROOT / "kb" / "data",
        ),
        encoding="utf-8",
    )
    with made.page.open():
        async with running(made.product):
            yield made


async def build(page: Page, product: Product) -> None:
    """Log in, and go to the builder by its key."""
    await log_in(page, product.token)
    await page.keyboard.press("3")
    await expect(page.get_by_role("heading", name="Embed the chat")).to_be_visible()
    await expect(page.get_by_role("link", name="Embed")).to_be_focused()


async def builder(surfer: Surfer, shop: Shop, **options: object) -> Page:
    """The builder, entered; the clipboard is the operator's to use."""
    page, _ = await surfer.page(shop.product.console, viewport=WIDE, **options)
    rights = ["clipboard-read", "clipboard-write"]
    await page.context.grant_permissions(rights, origin=shop.product.console)
    await build(page, shop.product)
    return page


def stage(page: Page) -> FrameLocator:
    """The sample page."""
    return page.frame_locator("iframe.stage-frame")


def panel(page: Page) -> FrameLocator:
    """The panel on the sample page."""
    return stage(page).frame_locator("fanlight-launcher iframe")


def radio(page: Page, group: str, name: str) -> Locator:
    """A choice among a few."""
    return page.get_by_role("group", name=group).get_by_role("radio", name=name, exact=True)


async def copied(page: Page, what: str) -> str:
    """What the operator's clipboard holds, once this was copied by the keyboard."""
    button = page.get_by_role("button", name=re.compile(f"^Copy {re.escape(what)}$"))
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").get_by_text(f"Copied: {what}")).to_be_attached()
    text: str = await page.evaluate("() => navigator.clipboard.readText()")
    return text


async def test_what_is_chosen_is_seen_copied_and_holds_on_a_real_page(
    surfer: Surfer, shop: Shop
) -> None:
    page = await builder(surfer, shop)
    await expect(panel(page).get_by_text(words("en", "consent.lead"))).to_be_visible()
    await page.get_by_label("Language", exact=True).select_option("he")
    await expect(panel(page).locator("html")).to_have_attribute("dir", "rtl")
    await radio(page, "Side", "Right").check()
    await page.get_by_label("Colour", exact=True).fill(GREEN)
    await radio(page, "Look", "Dark").check()
    await expect(panel(page).locator("html")).to_have_attribute("data-scheme", "dark")
    launcher = stage(page).locator("fanlight-launcher")
    await expect(launcher).to_have_attribute("data-side", "right")
    await expect(stage(page).locator("html")).to_have_attribute("dir", "rtl")
    await expect(launcher).to_have_attribute("style", re.compile(f"--accent: {GREEN}"))
    await expect(page.locator(".guide pre")).to_contain_text('data-position="right"')

    tag = await copied(page, "Any page, step 1")
    assert tag == (
        f'<script src="{shop.product.gateway}/loader.js" data-site="{SITE}" data-locale="he" '
        f'data-position="right" data-accent="{GREEN}" async></script>'
    )
    pinned = await copied(page, "The same tag, pinned by its hash")
    policy = (await copied(page, "Lines for a Content-Security-Policy")).replace("\n", "; ")
    lines = (await copied(page, "Lines for fanlight.toml")).splitlines()
    assert lines == ["[[sites]]", f'key = "{SITE}"', 'theme = "dark"']

    for pasted in (tag, pinned):
        widget, _ = await surfer.visit(shop.page.show(pasted, policy=policy))
        widget.locale = "he"
        await widget.open()
        host = widget.page.locator("fanlight-launcher")
        await expect(host).to_have_attribute("data-side", "right")
        await expect(host).to_have_attribute("style", re.compile(f"--accent: {GREEN}"))
        await expect(widget.document).to_have_attribute("lang", "he")
        await expect(widget.document).to_have_attribute("data-scheme", "light")

    await page.close()  # it would complain while the gateway is away
    config = shop.product.config
    assert config is not None
    text = config.read_text(encoding="utf-8")
    changed = text.replace(lines[1], "\n".join(lines[1:]), 1)
    config.write_text(changed, encoding="utf-8")
    await shop.product.stop()
    await shop.product.start()
    widget, _ = await surfer.visit(shop.page.show(tag))
    await widget.open()
    await expect(widget.document).to_have_attribute("data-scheme", "dark")
    config.write_text(text, encoding="utf-8")
    await shop.product.stop()
    await shop.product.start()


async def test_the_preview_answers_keeps_nothing_and_wakes_nobody(
    surfer: Surfer, shop: Shop
) -> None:
    page, watch = await surfer.page(shop.product.console, viewport=WIDE)
    await build(page, shop.product)
    # As wide as it is: Playwright misses what is drawn smaller.
    await radio(page, "Screen", "Phone").check()
    root = panel(page)
    await root.get_by_role("button", name=words("en", "consent.accept"), exact=True).click()
    field = root.locator("textarea")
    await field.fill(KNOWN)
    await field.press("Enter")
    last = root.locator("article.exchange").last
    await expect(answer(last)).not_to_be_empty()
    await field.fill(UNKNOWN)
    await field.press("Enter")
    await expect(last.locator(".question")).to_contain_text(UNKNOWN)
    await expect(handoff(last)).to_contain_text(words("en", "card.queued"))
    async with desk(shop.product) as operator:
        assert await operator.asked(UNKNOWN) == []
    assert [url for url in watch.asked("/v1/") if url.startswith(shop.product.gateway)] == []
    frame = page.frame(url=re.compile("/preview/auto/panel/"))
    assert frame is not None
    assert await kept(frame) == [0, [], []]


async def kept(frame: Frame) -> list[object]:
    """What the browser holds for this origin: texts, databases, workers."""
    found: list[object] = await frame.evaluate(
        """async () => [
          localStorage.length,
          await indexedDB.databases(),
          await navigator.serviceWorker.getRegistrations(),
        ]"""
    )
    return found


async def test_the_keyboard_stays_where_one_chooses(surfer: Surfer, shop: Shop) -> None:
    page = await builder(surfer, shop)
    await expect(panel(page).locator("header h1")).to_be_visible()
    await radio(page, "Side", "Auto").focus()
    await page.keyboard.press("ArrowRight")
    launcher = stage(page).locator("fanlight-launcher")
    await expect(launcher).to_have_attribute("data-side", "left")
    await expect(panel(page).get_by_text(words("en", "consent.lead"))).to_be_visible()
    await expect(radio(page, "Side", "Left")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(launcher).to_have_attribute("data-side", "right")
    await expect(panel(page).get_by_text(words("en", "consent.lead"))).to_be_visible()
    await expect(radio(page, "Side", "Right")).to_be_focused()
    await radio(page, "Side", "Left").click()
    await expect(launcher).to_have_attribute("data-side", "left")
    await expect(panel(page).get_by_text(words("en", "consent.lead"))).to_be_visible()
    await expect(radio(page, "Side", "Left")).to_be_focused()
    await page.get_by_role("tab", name="Any page").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("tab", name="npm")).to_be_focused()
    await expect(page.get_by_role("tabpanel", name="npm")).to_contain_text("@fanlight/widget")


async def test_an_address_says_it_all_and_back_takes_a_step_back(
    surfer: Surfer, shop: Shop
) -> None:
    page = await builder(surfer, shop)
    await radio(page, "Look", "Contrast").check()
    await radio(page, "Screen", "Phone").check()
    await page.get_by_role("tab", name="Shopify").click()
    await expect(panel(page).locator("html")).to_have_attribute("data-contrast", "more")
    address = page.url
    assert address.endswith(f"#embed/{SITE}?theme=contrast&screen=phone&guide=shopify")
    await page.go_back()
    await expect(page.get_by_role("tab", name="Any page")).to_have_attribute(
        "aria-selected", "true"
    )
    await page.go_back()
    await expect(radio(page, "Screen", "Desktop")).to_be_checked()
    await page.go_back()
    await expect(radio(page, "Look", "Auto")).to_be_checked()
    await expect(panel(page).locator("html")).to_have_attribute("data-contrast", "usual")

    other, _ = await surfer.page(address)
    await other.get_by_label("Operator token").fill(OPERATOR_TOKEN)
    await other.get_by_role("button", name="Log in").click()
    await expect(radio(other, "Look", "Contrast")).to_be_checked()
    await expect(other.get_by_role("tabpanel", name="Shopify")).to_contain_text("theme.liquid")
    await expect(panel(other).locator("html")).to_have_attribute("data-contrast", "more")


async def test_a_colour_that_cannot_be_read_is_mended(surfer: Surfer, shop: Shop) -> None:
    page = await builder(surfer, shop)
    await page.get_by_label("Site", exact=True).select_option("site_help")
    await expect(panel(page).get_by_role("heading", name="The Help Desk")).to_be_visible()
    await expect(page.get_by_text("1.2:1, where 4.5:1 is needed")).to_be_visible()
    await page.get_by_role("button", name="Use #7a6600").click()
    await expect(page.get_by_text("reads well on the light panel")).to_be_visible()
    await expect(page.locator(".guide pre")).to_contain_text('data-accent="#7a6600"')
    await page.get_by_label("Address of a page of yours").fill("https://elsewhere.example/page")
    await expect(page.get_by_text("may not have the chat yet")).to_be_visible()
    await expect(page.get_by_role("figure", name="Lines for fanlight.toml")).to_contain_text(
        'origins = ["https://help.example", "https://elsewhere.example"]'
    )


async def test_a_preview_that_cannot_be_reached_is_said_to_be_so(
    surfer: Surfer, shop: Shop
) -> None:
    page, watch = await surfer.page(shop.product.console, viewport=WIDE)
    watch.expect("net::ERR_FAILED")
    address = re.compile(f"^{re.escape(shop.product.gateway)}/preview/")
    await page.route(address, lambda route: route.abort())
    await build(page, shop.product)
    late = page.get_by_role("alert").filter(has_text="The preview did not come")
    await expect(late).to_contain_text(shop.product.gateway)
    await expect(page.locator(".guide pre")).to_contain_text("loader.js")
    await page.unroute(address)
    await late.get_by_role("button", name="Try again").click()
    await expect(panel(page).locator("header h1")).to_be_visible()


async def test_a_website_cannot_frame_the_preview(surfer: Surfer, shop: Shop) -> None:
    frames = "".join(
        f'<iframe src="{shop.product.gateway}{path}"></iframe>'
        for path in (f"/preview/{SITE}", f"/preview/dark/panel/{SITE}")
    )
    page, watch = await surfer.page("about:blank")
    watch.expect("frame-ancestors")
    await page.goto(shop.page.show(frames))
    assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"] * 2


@pytest.mark.parametrize(
    ("scheme", "viewport", "asked"),
    [
        pytest.param("light", WIDE, "accent=%23ffd400&guide=static", id="light"),
        pytest.param("dark", WIDE, "theme=dark&page=https://else.example", id="dark"),
        pytest.param("light", NARROW, "screen=phone&guide=react", id="360 px"),
    ],
)
async def test_axe_finds_nothing_in_the_builder(
    surfer: Surfer, shop: Shop, scheme: str, viewport: ViewportSize, asked: str
) -> None:
    # Only here is the policy off: axe-core has to be brought into the page.
    page, _ = await surfer.page(
        shop.product.console,
        bypass_csp=True,
        color_scheme=scheme,
        viewport=viewport,
        reduced_motion="reduce",
    )
    await build(page, shop.product)
    await page.goto(f"{shop.product.console}/#embed/{SITE}?{asked}")
    await expect(page.locator(".output pre").first).to_be_visible()
    await expect(panel(page).locator("header h1")).to_be_attached()
    assert await violations(page) == []
    wide = await page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= viewport["width"]
