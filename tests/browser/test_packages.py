"""The packages for npm as an owner uses them: built, imported by a page, bundled with React."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import OPERATOR_TOKEN, Surfer
from tests.browser.host_site import WEB, HostSite, embedded, output
from tests.browser.product import SITE, Product, running
from tests.browser.visit import answer

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "The Shop"
origins = ["{page}", "{shop}"]
kb = ["shop.en.md"]
"""
APP = Path(__file__).parent / "react_app"
KNOWN = "Does it work offline?"
MODULE = '<script type="module" src="/packages/widget/dist/element.js"></script>'


@dataclass
class Owner:
    """A site's owner with the packages installed: a website, and the gateway behind it."""

    product: Product
    shop: HostSite
    shown: dict[str, Any]

    @property
    def policy(self) -> str:
        """The documented lines, and the site's own scripts."""
        gateway = self.product.gateway
        return (
            f"default-src 'none'; script-src 'self' {gateway}; frame-src {gateway}; "
            "require-trusted-types-for 'script'; trusted-types fanlight"
        )

    def element(self, attributes: str = "") -> str:
        """The custom element."""
        gateway = self.product.gateway
        return f'<fanlight-chat gateway="{gateway}" site="{SITE}" {attributes}></fanlight-chat>'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Owner]:
    folder: Path = tmp_path_factory.mktemp("owner")
    config = folder / "fanlight.toml"
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    product = Product(folder, config, environ, token=OPERATOR_TOKEN)
    bundle = folder / "bundle"
    shop = HostSite(files=bundle)
    (folder / "shop.en.md").write_text(f"## {KNOWN}\n\nYes, it works offline.\n", encoding="utf-8")
    config.write_text(
        SETTINGS.format(port=product.port, site=SITE, page=product.page, shop=shop.origin),
        encoding="utf-8",
    )
    await output("node", "scripts/packages.mjs", cwd=WEB)
    await output("node", str(APP / "bundle.mjs"), str(bundle))
    with ExitStack() as servers:
        servers.enter_context(shop.open())
        async with running(product):
            yield Owner(product, shop, await embedded(product, SITE))


async def test_the_custom_element_is_the_chat(surfer: Surfer, owner: Owner) -> None:
    """Under Trusted Types, and pinned."""
    pinned = f'integrity="{owner.shown["integrity"]}" position="left" locale="es"'
    url = owner.shop.show(owner.element(pinned) + MODULE, policy=owner.policy)
    widget, watch = await surfer.visit(url)
    await expect(widget.launcher).to_have_attribute("aria-label", "Abrir el chat")
    assert watch.asked("/loader.") == [owner.shown["src"]]
    await widget.page.evaluate(
        """() => {
        window.heard = [];
        const element = document.querySelector("fanlight-chat");
        for (const name of ["open", "message", "close"]) {
          element.addEventListener(name, ({ detail }) => window.heard.push([name, detail]));
        }
        element.setLocale("en");
        element.ask("Does it work offline?");
      }"""
    )
    await widget.choose(memory=False)
    await expect(answer(widget.last)).to_contain_text("it works offline")
    await widget.page.evaluate("() => document.querySelector('fanlight-chat').close()")
    await expect(widget.launcher).to_have_attribute("aria-expanded", "false")
    assert await widget.page.evaluate("() => window.heard") == [
        ["open", {}],
        ["message", {"from": "visitor"}],
        ["message", {"from": "chat"}],
        ["close", {}],
    ]


async def test_the_element_takes_its_chat_along(surfer: Surfer, owner: Owner) -> None:
    widget, _ = await surfer.visit(owner.shop.show(owner.element() + MODULE))
    await widget.begin(memory=False)
    # Moved, it keeps the chat as it is.
    await widget.page.evaluate(
        "() => document.body.prepend(document.querySelector('fanlight-chat'))"
    )
    await expect(widget.field).to_be_visible()
    await widget.page.evaluate("() => document.querySelector('fanlight-chat').remove()")
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(0)
    assert await widget.page.evaluate("() => window.fanlight") is None


async def test_a_gateway_that_is_not_there_is_said(surfer: Surfer, owner: Owner) -> None:
    body = '<fanlight-chat gateway="http://localhost:9" site="site_x"></fanlight-chat>'
    listen = """
      addEventListener("error", (event) => {
        if (event.target.localName === "fanlight-chat") window.told = event.detail;
      }, true);
    """
    widget, watch = await surfer.visit(owner.shop.show(body + MODULE), listen)
    watch.expect("ERR_CONNECTION_REFUSED|ERR_UNSAFE_PORT")
    await widget.page.wait_for_function("() => window.told")
    assert await widget.page.evaluate("() => window.told") == {"reason": "unreachable"}


async def test_a_react_application_has_one_chat_over_its_pages(
    surfer: Surfer, owner: Owner
) -> None:
    page = '<div id="app"></div><script type="module" src="/files/app.js"></script>'
    data = json.dumps({"gateway": owner.product.gateway, "site": SITE})
    told = f"document.addEventListener('readystatechange', () => {{\
        Object.assign(document.documentElement.dataset, {data}) }}, {{ once: true }});"
    widget, watch = await surfer.visit(owner.shop.show(page), told)
    button = widget.page.get_by_role("button", name="Ask about offline")
    await expect(button).to_be_enabled()
    assert len(watch.asked("/loader.js")) == 1, "StrictMode mounts everything twice"
    await button.click()
    await widget.choose(memory=False)
    await expect(answer(widget.last)).to_contain_text("it works offline")
    await expect(widget.page.locator("#heard")).to_have_text(re.compile("^visitor chat"))
    await widget.root.get_by_role("button", name=widget.say("close")).click()
    await widget.page.get_by_role("button", name="Go on").click()
    await expect(widget.page.get_by_role("heading", name="Page /two")).to_be_visible()
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(1)
    await expect(widget.exchanges).to_have_count(1)
    switch = widget.page.get_by_role("button", name="Chat on or off")
    await switch.click()
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(0)
    await expect(button).to_be_disabled()
    await switch.click()
    await expect(widget.launcher).to_be_visible()
    await expect(button).to_be_enabled()
