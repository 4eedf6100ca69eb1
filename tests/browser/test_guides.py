"""The guides of docs/embed, followed: their own lines, put where they say."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import OPERATOR_TOKEN, ROOT, Surfer
from tests.browser.product import SITE, Product, running, until
from tests.browser.visit import Widget, answer
from tests.gateway.serving import free_port

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "The Shop"
origins = ["{demo}", "{origin}"]
kb = ["{kb}"]
"""
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8">{policy}<title>{title}</title></head>
<body><h1>{title}</h1><a href="about.html">About</a>{tag}</body>
</html>
"""
KNOWN = "Does it work offline?"


@dataclass
class Street:
    """A gateway, and a folder that is a website of its own."""

    product: Product
    folder: Path
    origin: str

    def lines(self, guide: str) -> list[str]:
        """The blocks of code of a guide, for this gateway and its site."""
        page = (ROOT / "docs" / "embed" / guide).read_text(encoding="utf-8")
        blocks = re.findall(r"^ *```\w*\n(.*?)^ *```$", page, re.DOTALL | re.MULTILINE)
        return [
            block.strip()
            .replace("https://chat.example.com", self.product.gateway)
            .replace("site_shop", SITE)
            for block in blocks
        ]

    def write(self, name: str, title: str, tag: str, policy: str = "") -> None:
        """Put a page into the folder."""
        page = PAGE.format(title=title, tag=tag, policy=policy)
        (self.folder / name).write_text(page, encoding="utf-8")


@asynccontextmanager
async def http_server(folder: Path, port: int) -> AsyncIterator[None]:
    """`python -m http.server`, as the guide says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "http.server", str(port), "--directory", str(folder)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(trust_env=False) as client:

            async def answers() -> bool:
                try:
                    return (await client.get(f"http://127.0.0.1:{port}/")).is_success
                except httpx.TransportError:
                    return False

            await until(answers, "the folder's server")
        yield
    finally:
        process.terminate()
        await process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def street(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    folder: Path = tmp_path_factory.mktemp("guides")
    (folder / "site").mkdir()
    (folder / "site" / "favicon.ico").touch()  # a browser asks for one, and complains where none is
    port = free_port()
    config = folder / "fanlight.toml"
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    product = Product(folder, config, environ, token=OPERATOR_TOKEN)
    made = Street(product, folder / "site", f"http://localhost:{port}")
    config.write_text(
        SETTINGS.format(
            port=product.port,
            site=SITE,
            demo=product.page,
            origin=made.origin,
            kb=ROOT / "kb" / "data",
        ),
        encoding="utf-8",
    )
    async with running(product), http_server(made.folder, port):
        yield made


async def test_a_folder_of_pages_has_the_chat_on_each(surfer: Surfer, street: Street) -> None:
    tag = street.lines("static.md")[0]
    policy = "; ".join(["default-src 'self'", *street.lines("csp.md")[0].splitlines()])
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    street.write("index.html", "Bread", tag, meta)
    street.write("about.html", "About us", tag, meta)
    widget, _ = await surfer.visit(street.origin)
    await widget.begin(memory=True)
    await expect(answer(await widget.ask(KNOWN))).not_to_be_empty()
    await widget.page.get_by_role("button", name="Close the chat").click()
    await widget.page.get_by_role("link", name="About").click()
    await expect(widget.page.get_by_role("heading", name="About us")).to_be_visible()
    await widget.open()
    await expect(widget.last.locator(".question")).to_contain_text(KNOWN)


async def test_an_application_routes_and_keeps_its_chat(surfer: Surfer, street: Street) -> None:
    tag, *_ = street.lines("spa.md")
    street.write("index.html", "App", tag)
    widget, watch = await surfer.visit(street.origin)
    await widget.begin(memory=False)
    await expect(answer(await widget.ask(KNOWN))).not_to_be_empty()
    for path in ("/basket", "/basket/2?size=l", "/"):
        await widget.page.evaluate(
            """(path) => {
              history.pushState({}, "", path);
              document.querySelector("h1").textContent = path;
            }""",
            path,
        )
    await widget.page.go_back()
    await expect(widget.page.get_by_role("heading")).to_have_text("/")
    await expect(widget.exchanges).to_have_count(1)
    assert len(watch.asked("/loader.js")) == len(watch.asked(f"/panel/{SITE}")) == 1


async def test_an_application_tells_what_the_guide_says(surfer: Surfer, street: Street) -> None:
    page = (ROOT / "docs" / "embed" / "spa.md").read_text(encoding="utf-8")
    speak, end = (
        found.group(1)
        for name in ("setLocale", "destroy")
        if (found := re.search(rf"`(fanlight\.{name}\([^`]*\))`", page))
    )
    street.write("index.html", "App", street.lines("spa.md")[0])
    widget, _ = await surfer.visit(street.origin)
    await widget.begin(memory=False)
    await widget.page.evaluate(f"() => void {speak}")
    await expect(widget.document).to_have_attribute("lang", "es")
    await widget.page.evaluate(f"() => void {end}")
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(0)


async def test_shopifys_line_is_read_by_a_browser(surfer: Surfer, street: Street) -> None:
    """A theme is beyond reach; that its tag works before `</body>` is not."""
    tag = street.lines("shopify.md")[0]
    street.write("index.html", "Theme", tag)
    widget, _ = await surfer.visit(street.origin)
    await widget.open()
    button = re.search(r"`(<button[^`]*)`", (ROOT / "docs/embed/shopify.md").read_text("utf-8"))
    assert button is not None
    street.write("index.html", "Theme", button.group(1) + tag)
    other, _ = await surfer.visit(street.origin)
    await expect(other.launcher).to_be_visible()
    await other.page.get_by_role("button", name="Chat with us").click()
    await expect(Widget(other.page).root.locator("header h1")).to_be_visible()
