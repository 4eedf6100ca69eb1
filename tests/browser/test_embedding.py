"""A site that embeds the widget: tag, `window.fanlight`, policies, navigation, several sites."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import OPERATOR_TOKEN, ROOT, Surfer
from tests.browser.host_site import HostSite, embedded
from tests.browser.product import SITE, Product, desk, running, until
from tests.browser.visit import Widget, answer, handoff

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "The Shop"
origins = ["{page}", "{shop}"]
kb = ["{kb}"]

[[sites]]
key = "site_help"
name = "The Help Desk"
origins = ["{help}"]
kb = ["help.en.md"]

[limits]
sessions_per_address_per_minute = 1000
address_per_minute = 10000
"""
HELP = (
    "## Where is the help desk?\n\nOn the **second floor**.\n\n## Who are you?\n\nThe help desk.\n"
)
KNOWN = "Does it work offline?"
UNKNOWN = "Which stone is the moon made of?"
EVENTS = ["ready", "open", "close", "message", "escalated", "reply", "unread", "error"]
LISTEN = f"""
window.heard = [];
(window.fanlight ||= []).push((chat) => {{
  for (const name of {json.dumps(EVENTS)}) {{
    chat.on(name, (detail) => window.heard.push([name, detail]));
  }}
}});
"""


@dataclass
class Town:
    """One gateway, and two websites that embed a site of it each."""

    product: Product
    shop: HostSite
    help: HostSite

    def tag(self, site: str = SITE) -> str:
        """The tag of the README."""
        return f'<script src="{self.product.gateway}/loader.js" data-site="{site}" async></script>'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder: Path = tmp_path_factory.mktemp("town")
    config = folder / "fanlight.toml"
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    product = Product(folder, config, environ, token=OPERATOR_TOKEN)
    made = Town(product, HostSite(), HostSite())
    (folder / "help.en.md").write_text(HELP, encoding="utf-8")
    config.write_text(
        SETTINGS.format(
            port=product.port,
            site=SITE,
            page=product.page,
            shop=made.shop.origin,
            help=made.help.origin,
            kb=ROOT / "kb" / "data",
        ),
        encoding="utf-8",
    )
    with ExitStack() as servers:
        servers.enter_context(made.shop.open())
        servers.enter_context(made.help.open())
        async with running(product):
            yield made


async def heard(page: Page) -> list[list[Any]]:
    """What the host page was told."""
    told: list[list[Any]] = await page.evaluate("() => window.heard")
    return told


async def until_heard(page: Page, name: str) -> None:
    """Wait until the host page was told this."""

    async def look() -> bool:
        return any(told[0] == name for told in await heard(page))

    await until(look, name)


async def call(widget: Widget, expression: str) -> None:
    """Call the chat as the host page would."""
    await widget.page.evaluate(f"() => void window.fanlight.{expression}")


async def test_a_page_asks_and_hears_all_but_what_was_said(surfer: Surfer, town: Town) -> None:
    widget, _ = await surfer.visit(town.shop.show(town.tag()), LISTEN)
    await expect(widget.launcher).to_be_visible()
    await call(widget, f"ask({json.dumps(KNOWN)})")
    # Nothing is asked in the visitor's place before their word about memory.
    await widget.choose(memory=False)
    await expect(widget.last.locator(".question")).to_contain_text(KNOWN)
    await expect(answer(widget.last)).not_to_be_empty()
    await call(widget, f"ask({json.dumps(UNKNOWN)})")
    await expect(handoff(widget.last)).to_be_visible()
    await until_heard(widget.page, "escalated")
    await call(widget, "close()")
    async with desk(town.product) as operator:
        await operator.reply((await operator.one(UNKNOWN))["id"], "It is **basalt**.")
    await until_heard(widget.page, "unread")
    said = [
        ["open", {}],
        ["ready", {}],
        ["message", {"from": "visitor"}],
        ["message", {"from": "chat"}],
        ["message", {"from": "visitor"}],
        ["message", {"from": "chat"}],
        ["escalated", {}],
        ["close", {}],
    ]
    told = await heard(widget.page)
    assert told[: len(said)] == said
    assert sorted(map(json.dumps, told[len(said) :])) == sorted(
        map(json.dumps, [["unread", {"count": 1}], ["message", {"from": "person"}], ["reply", {}]])
    )
    await expect(widget.launcher).to_have_attribute("aria-label", re.compile("new replies: 1"))
    await call(widget, "open()")
    await expect(widget.root.get_by_text("basalt")).to_be_visible()
    assert (await heard(widget.page))[-2:] == [["open", {}], ["unread", {"count": 0}]]


async def test_a_page_changes_the_language(surfer: Surfer, town: Town) -> None:
    widget, _ = await surfer.visit(town.shop.show(town.tag()))
    await widget.open()
    await call(widget, 'setLocale("he")')
    await expect(widget.document).to_have_attribute("dir", "rtl")
    await expect(widget.launcher).to_have_attribute("aria-label", "סגירת הצ׳אט")
    await call(widget, 'setLocale("es")')
    spanish = Widget(widget.page, "es")
    await spanish.choose(memory=False)
    # The visitor's own choice goes before the page's.
    await spanish.root.get_by_role("button", name=re.compile("Español")).click()
    await (
        spanish.root.get_by_role("menuitem", name="English")
        .or_(spanish.root.get_by_role("menuitemradio", name="English"))
        .click()
    )
    await expect(widget.document).to_have_attribute("lang", "en")
    await call(widget, 'setLocale("he")')
    await asyncio.sleep(0.3)
    await expect(widget.document).to_have_attribute("lang", "en")


async def test_a_destroyed_chat_leaves_nothing_and_loads_again(surfer: Surfer, town: Town) -> None:
    widget, _ = await surfer.visit(town.shop.show(town.tag()))
    before = "() => Object.getOwnPropertyNames(window)"
    await widget.begin(memory=False)
    await call(widget, "destroy()")
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(0)
    assert len(widget.page.frames) == 1
    assert "fanlight" not in await widget.page.evaluate(before)
    await widget.page.evaluate(INSERT, [town.product.gateway, SITE])
    await expect(widget.launcher).to_be_visible()
    await widget.begin(memory=False)
    await widget.ask(KNOWN)
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(1)


INSERT = """([gateway, site]) => {
  const tag = document.createElement("script");
  tag.src = `${gateway}/loader.js`;
  tag.dataset.site = site;
  document.head.append(tag);
  return new Promise((resolve) => tag.addEventListener("load", () => resolve()));
}"""

ANOTHER_BODY = """() => {
  const body = document.createElement("body");
  body.innerHTML = "<h1>Page two</h1>";
  const tag = document.createElement("script");
  for (const { name, value } of document.querySelector("script[data-site]").attributes) {
    tag.setAttribute(name, value);
  }
  history.pushState({}, "", "/two");
  document.documentElement.replaceChild(body, document.body);
  body.append(tag);
  return new Promise((resolve) => tag.addEventListener("load", () => resolve()));
}"""


async def test_a_single_page_app_keeps_one_chat_through_its_navigation(
    surfer: Surfer, town: Town
) -> None:
    widget, watch = await surfer.visit(town.shop.show(f"<h1>Page one</h1>{town.tag()}"))
    await widget.begin(memory=False)
    await expect(answer(await widget.ask(KNOWN))).not_to_be_empty()
    for path in ("/one", "/two", "/one?query#part"):
        await widget.page.evaluate("(path) => history.pushState({}, '', path)", path)
    await widget.page.go_back()
    await widget.page.go_back()
    # Such as Turbo does it: another body, and its scripts run again.
    await widget.page.evaluate(ANOTHER_BODY)
    await widget.page.evaluate(INSERT, [town.product.gateway, SITE])
    await widget.page.evaluate(INSERT, [town.product.gateway, "site_help"])
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(1)
    await expect(widget.exchanges).to_have_count(1)
    panels = [url for url in watch.asked("/panel/") if url.startswith(town.product.gateway)]
    assert panels == [f"{town.product.gateway}/panel/{SITE}"]
    await expect(widget.page.get_by_role("heading", name="Page two")).to_be_visible()
    await widget.ask("How do I add a question?")


async def test_the_focus_goes_back_to_the_pages_own_button(surfer: Surfer, town: Town) -> None:
    button = "<button onclick='fanlight.open()'>Chat with us</button><input>"
    widget, _ = await surfer.visit(town.shop.show(button + town.tag()))
    await expect(widget.launcher).to_be_visible()
    own = widget.page.get_by_role("button", name="Chat with us")
    await own.click()
    await widget.choose(memory=False)
    await expect(widget.field).to_be_focused()
    await widget.page.keyboard.press("Escape")
    await expect(own).to_be_focused()
    field = widget.page.locator("input")
    await call(widget, "open()")
    await field.click()
    await call(widget, "close()")
    await expect(field).to_be_focused()


@pytest.mark.parametrize("named", ["by its origin", "by its hash"])
async def test_a_pinned_loader_is_run_under_exactly_the_documented_policy(
    surfer: Surfer, town: Town, named: str
) -> None:
    shown = await embedded(town.product, SITE)
    csp = shown["csp"]
    if named == "by its hash":
        csp["script-src"] = f"'{shown['integrity']}'"
    lines = [f"{directive} {source}" for directive, source in csp.items()]
    policy = "; ".join(["default-src 'none'", *lines, "require-trusted-types-for 'script'"])
    widget, watch = await surfer.visit(town.shop.show(shown["pinned"], policy=policy))
    await widget.begin(memory=False)
    exchange = await widget.ask(KNOWN)
    await expect(answer(exchange)).not_to_be_empty()
    assert watch.asked("/loader.") == [shown["src"]]


async def test_a_pinned_loader_that_was_changed_is_not_run(surfer: Surfer, town: Town) -> None:
    shown = await embedded(town.product, SITE)
    page, watch = await surfer.page("about:blank")
    watch.expect("Failed to find a valid digest in the 'integrity' attribute")

    async def tamper(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, body=await response.text() + ";window.fooled = 1")

    await page.route(shown["src"], tamper)
    await page.goto(town.shop.show(shown["pinned"]))
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate("() => [window.fooled, window.fanlight]") == [None, None]
    await expect(page.locator("fanlight-launcher")).to_have_count(0)
    untampered, _ = await surfer.visit(town.shop.origin)
    await expect(untampered.launcher).to_be_visible()


async def test_each_site_of_a_gateway_has_its_own_pages(surfer: Surfer, town: Town) -> None:
    shop, _ = await surfer.visit(town.shop.show(town.tag()))
    help_, _ = await surfer.visit(town.help.show(town.tag("site_help")))
    for widget, name in ((shop, "The Shop"), (help_, "The Help Desk")):
        await widget.begin(memory=False)
        await expect(widget.root.locator("header h1")).to_have_text(name)
    exchange = await help_.ask("Where is the help desk?")
    await expect(answer(exchange)).to_contain_text("second floor")


async def test_a_page_of_one_site_may_not_embed_another(surfer: Surfer, town: Town) -> None:
    widget, watch = await surfer.visit(town.help.show(town.tag(SITE), "/wrong"), LISTEN)
    watch.expect("frame-ancestors|CSP: frame-src|violates the following Content Security Policy")
    watch.expect("does not match the recipient window's origin")
    await expect(widget.launcher).to_be_visible()
    await call(widget, 'ask("Where?")')
    await asyncio.sleep(1)
    assert await widget.root.locator("header h1").count() == 0
    assert await heard(widget.page) == [["open", {}]]
