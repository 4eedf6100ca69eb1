"""A real Chromium, and the product to open in it; both live as long as the whole run.

Two products run: `demo`, just as `fanlight run --demo` starts it, and `staffed`, which has a model,
a webhook and limits that many tests in a row do not reach.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from _pytest.mark import ParameterSet
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from scripts import machine
from tests.browser.model_server import ModelServer, model_server
from tests.browser.product import SITE, Desk, Product, desk, running
from tests.browser.visit import Widget
from tests.browser.watch import Watch
from tests.gateway.adapters.http_receiver import Receiver, receiver

FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Playwright's own list also switches storage partitioning off, which browsers have on.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,PaintHolding",
)
PATIENCE_MS = 30_000
WEBHOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OPERATOR_TOKEN = "operator-token-for-browser-tests"
ROOT = Path(__file__).resolve().parents[2]

STAFFED = """
[gateway]
port = {port}
private_endpoints = ["127.0.0.1:{model}", "127.0.0.1:{webhook}"]

[[sites]]
key = "{site}"
name = "Fanlight"
origins = ["http://localhost:{page}", "http://127.0.0.1:{page}"]
kb = ["{kb}"]
accent = "#1f5f8b"
targets = ["desk"]

[[targets]]
name = "desk"
url = "http://127.0.0.1:{webhook}/hook"

[model]
url = "http://127.0.0.1:{model}/v1"
model = "parrot"

[limits]
session_per_minute = 10000
subject_per_minute = 1000000
site_per_minute = 10000000
sessions_per_site_per_minute = 1000000
address_per_minute = 10000
sessions_per_address_per_minute = 1000
login_tries_per_minute = 100
between_tokens_s = 20
"""


@dataclass
class Staffed:
    """A product with somebody behind it."""

    product: Product
    model: ModelServer
    webhook: Receiver


@dataclass
class Surfer:
    """Opens browser contexts, each with a watch, and asks the watches at the end."""

    browser: Browser
    contexts: list[tuple[BrowserContext, Watch]] = field(default_factory=list)

    async def context(self, **options: Any) -> tuple[BrowserContext, Watch]:
        """A browser without a past."""
        context = await self.browser.new_context(**{"locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE_MS)
        watch = Watch()
        await watch.over(context)
        self.contexts.append((context, watch))
        return context, watch

    async def page(self, url: str, *scripts: str, **options: Any) -> tuple[Page, Watch]:
        """A page in a browser without a past; `scripts` run first in every document."""
        context, watch = await self.context(**options)
        for script in scripts:
            await context.add_init_script(script)
        page = await context.new_page()
        await page.goto(url)
        return page, watch

    async def visit(self, url: str, *scripts: str, **options: Any) -> tuple[Widget, Watch]:
        """A visitor on the host page."""
        page, watch = await self.page(url, *scripts, **options)
        return Widget(page), watch


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that opens a browser runs once in each engine of `--engines`."""
    engines = metafunc.config.getoption("--engines").split(",")
    marks = list(metafunc.definition.iter_markers())
    chosen = any(mark.name == "parametrize" and mark.args[0] == "engine" for mark in marks)
    if engines == ["chromium"] or chosen or "engine" not in metafunc.fixturenames:
        return
    if any(mark.name == "chromium_only" for mark in marks):
        engines = ["chromium"]
    metafunc.parametrize("engine", in_engines(*engines), indirect=True, scope="session")


def in_engines(*names: str) -> list[ParameterSet]:
    """The engines as parameters, each skipped with its reason where the machine lacks it."""
    return [pytest.param(name, marks=pytest.mark.needs(name)) for name in names]


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of the browser: chromium, firefox or webkit."""
    return str(getattr(request, "param", "chromium"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(engine: str) -> AsyncIterator[Browser]:
    """The browser of the whole run, of one engine."""
    expect.set_options(timeout=PATIENCE_MS)
    ours = engine == "chromium"
    path = machine.chromium() if ours else machine.playwright_browser(engine)
    async with async_playwright() as playwright:
        kind = getattr(playwright, engine)
        made: Browser = await kind.launch(executable_path=path, args=FLAGS if ours else ())
        yield made
        await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def surfer(browser: Browser) -> AsyncIterator[Surfer]:
    """The test's own browsers; a complaint of any that was not expected fails the test."""
    made = Surfer(browser)
    yield made
    # Closing cuts off what a page still fetches, of which it then complains.
    complaints = [watch.unexpected() for _, watch in made.contexts]
    for context, _ in made.contexts:
        await context.close()
    assert complaints == [[] for _ in made.contexts]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """`fanlight run --demo`, and nothing else."""
    async with running(Product(tmp_path_factory.mktemp("demo"))) as product:
        yield product


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def staffed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    """A product with a model, a webhook and an operator."""
    folder = tmp_path_factory.mktemp("staffed")
    async with model_server() as model, receiver() as webhook:
        product = make_staffed(folder, model, webhook)
        async with running(product):
            yield Staffed(product, model, webhook)


def make_staffed(folder: Path, model: ModelServer, webhook: Receiver) -> Product:
    """The product with its settings written."""
    config = folder / "fanlight.toml"
    environ = {
        "FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN,
        "FANLIGHT_TARGET_DESK_SECRET": WEBHOOK_SECRET,
    }
    product = Product(folder, config, environ, token=OPERATOR_TOKEN)
    config.write_text(
        STAFFED.format(
            port=product.port,
            page=product.page_port,
            model=model.port,
            webhook=webhook.port,
            site=SITE,
            kb=ROOT / "kb" / "data",
        )
    )
    return product


@pytest_asyncio.fixture(loop_scope="session")
async def operator(staffed: Staffed) -> AsyncIterator[Desk]:
    """Somebody who answers at the API of `staffed`."""
    async with desk(staffed.product) as made:
        yield made
