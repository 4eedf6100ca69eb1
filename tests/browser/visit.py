"""A visitor at the widget: opens it, chooses, asks, reads; on a host page or on its own page."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Frame, FrameLocator, Locator, Page, expect

import kb

I18N = Path(__file__).resolve().parents[2] / "web" / "src" / "i18n"
FAQ = Path(kb.__file__).parent / "data"
READY_MS = 30_000


def words(locale: str, key: str, **values: object) -> str:
    """A string of the panel."""
    text = json.loads((I18N / f"{locale}.json").read_text(encoding="utf-8"))[key]
    assert isinstance(text, str)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


@cache
def _entries(locale: str) -> dict[str, kb.Entry]:
    with (FAQ / f"faq.{locale}.md").open(encoding="utf-8") as stream:
        reading = kb.read_entries(stream, format="markdown", source="faq", locale=locale)
    return {entry.id: entry for entry in reading.entries}


def faq(entry: str, locale: str = "en") -> str:
    """The first words of an answer of the demo's knowledge base."""
    return " ".join(_entries(locale)[entry].answer.split()[:4])


def question_of(entry: str, locale: str = "en") -> str:
    """The question of an entry of the demo's knowledge base."""
    return _entries(locale)[entry].question


@dataclass
class Widget:
    """The panel in a page: in the loader's frame, or the page itself."""

    page: Page
    locale: str = "en"
    framed: bool = True

    @property
    def root(self) -> Page | FrameLocator:
        """Where the panel's elements are."""
        return self.page.frame_locator("fanlight-launcher iframe") if self.framed else self.page

    @property
    def launcher(self) -> Locator:
        """The button on the host page."""
        return self.page.locator("fanlight-launcher button")

    @property
    def document(self) -> Locator:
        """The panel's root element."""
        return self.root.locator("html")

    @property
    def field(self) -> Locator:
        """Where the visitor writes."""
        return self.root.locator("textarea")

    @property
    def exchanges(self) -> Locator:
        """Each question with all that answers it."""
        return self.root.locator("article.exchange")

    @property
    def last(self) -> Locator:
        """The newest question with all that answers it."""
        return self.exchanges.last

    def say(self, key: str, **values: object) -> str:
        """A string of the panel, in this visitor's language."""
        return words(self.locale, key, **values)

    async def frame(self) -> Frame:
        """The panel's frame, for scripts."""
        handle = await self.document.element_handle()
        frame = await handle.owner_frame()
        assert frame is not None
        return frame

    async def run(self, script: str, argument: object = None) -> Any:
        """What a script gives in the panel's document."""
        return await (await self.frame()).evaluate(script, argument)

    async def open(self) -> None:
        """Open the panel by the launcher, and wait for its first screen."""
        await self.launcher.click()
        await expect(self.root.locator("header h1")).to_be_visible()

    async def choose(self, *, memory: bool) -> None:
        """Answer the question of consent."""
        key = "consent.accept" if memory else "consent.decline"
        await self.root.get_by_role("button", name=self.say(key), exact=True).click()
        await expect(self.field).to_be_visible()

    async def begin(self, *, memory: bool) -> None:
        """Open and choose."""
        await self.open()
        await self.choose(memory=memory)

    async def until_known(self) -> None:
        """Wait until Python has loaded; memory must be on, or nothing on the page tells."""
        await expect(self.root.locator("html[data-offline]")).to_be_attached(timeout=READY_MS)

    async def until_stored(self) -> None:
        """Wait until the page works without a network; memory must be on."""
        await expect(self.document).to_have_attribute("data-offline", "ready", timeout=READY_MS)

    async def ask(self, question: str) -> Locator:
        """Ask, and wait until something stands under the question; that exchange."""
        count = await self.exchanges.count()
        await self.field.fill(question)
        await self.field.press("Enter")
        exchange = self.exchanges.nth(count)
        await expect(exchange.locator(".question")).to_contain_text(question)
        return exchange

    async def choose_from_menu(self, key: str) -> None:
        """Open the menu and take this item."""
        await self.root.get_by_role("button", name=self.say("menu"), exact=True).click()
        await self.root.get_by_role("menuitem", name=self.say(key)).click()

    async def kept(self) -> dict[str, Any]:
        """What the vault holds in localStorage."""
        text = await self.run("() => localStorage.getItem('fanlight.memory.v1:site_demo')")
        kept: dict[str, Any] = json.loads(text or "{}")
        return kept


async def picture(page: Page, name: str) -> None:
    """Kept in the folder FANLIGHT_PICTURES, where somebody wants to look."""
    folder = os.environ.get("FANLIGHT_PICTURES")
    if folder:
        await page.wait_for_timeout(300)
        await page.screenshot(path=Path(folder) / f"{name}.png")


def answer(exchange: Locator) -> Locator:
    """The answer's prose."""
    return exchange.locator(".answer .prose")


def origin(exchange: Locator) -> Locator:
    """The line that says where the answer comes from."""
    return exchange.locator(".origin")


def handoff(exchange: Locator) -> Locator:
    """The card that says that a person will answer."""
    return exchange.locator(".handoff")
