"""The main states of the panel, each reached as a visitor reaches it, on the chat's own page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from playwright.async_api import expect

from tests.browser.conftest import Surfer
from tests.browser.product import Product
from tests.browser.visit import Widget, answer, handoff, question_of
from tests.browser.watch import NO_NETWORK

UNKNOWN: Final = {
    "en": "Do you have a workshop for schools?",
    "es": "¿Tenéis un taller para colegios?",
    "he": "יש לכם סדנה לבתי ספר?",
}
PHONE: Final = {"width": 390, "height": 700}


async def consent(widget: Widget) -> None:
    """The first question, before anything is kept."""
    await expect(widget.root.get_by_text(widget.say("consent.lead"))).to_be_visible()


async def welcome(widget: Widget) -> None:
    """Nothing has been asked."""
    await widget.choose(memory=False)
    await expect(widget.root.get_by_role("heading", name=widget.say("greeting"))).to_be_visible()


async def answered(widget: Widget) -> None:
    """An answer of the site's, with why it is one."""
    await widget.choose(memory=True)
    await widget.until_known()
    exchange = await widget.ask(question_of("offline", widget.locale))
    await expect(answer(exchange).locator("p").first).to_be_visible()
    await widget.last.locator(".why summary").click()


async def handed_over(widget: Widget) -> None:
    """A person will answer."""
    await widget.choose(memory=True)
    await widget.until_known()
    exchange = await widget.ask(UNKNOWN[widget.locale])
    await expect(handoff(exchange)).to_contain_text(widget.say("card.queued"))


async def menu(widget: Widget) -> None:
    """What else there is."""
    await welcome(widget)
    await widget.root.get_by_role("button", name=widget.say("menu"), exact=True).click()
    await expect(widget.root.get_by_role("menu")).to_be_visible()


async def topics(widget: Widget) -> None:
    """All that the site answers."""
    await answered(widget)
    await widget.choose_from_menu("menu.topics")
    await expect(widget.root.locator("dialog.sheet li").first).to_be_visible()


async def kept(widget: Widget) -> None:
    """What is kept of the visitor."""
    await answered(widget)
    await widget.choose_from_menu("menu.kept")
    await expect(widget.root.locator("dialog.sheet li").first).to_be_visible()


async def contrast(widget: Widget) -> None:
    """The look for those who want it strong, in the menu where it was chosen."""
    await answered(widget)
    await widget.root.get_by_role("button", name=widget.say("menu"), exact=True).click()
    await widget.root.get_by_role("menuitemradio", name=widget.say("look.contrast")).click()


async def offline(widget: Widget) -> None:
    """The network has gone, and a question waits."""
    await widget.choose(memory=True)
    await widget.until_stored()
    await widget.page.context.set_offline(True)
    await expect(widget.root.locator(".banner")).to_be_visible()
    exchange = await widget.ask(UNKNOWN[widget.locale])
    await expect(handoff(exchange)).to_contain_text(widget.say("card.unsent"))


STATES: Final[dict[str, Callable[[Widget], Awaitable[None]]]] = {
    "consent": consent,
    "welcome": welcome,
    "answered": answered,
    "handed over": handed_over,
    "menu": menu,
    "topics": topics,
    "kept": kept,
    "contrast": contrast,
    "offline": offline,
}
LOCALES: Final = {"en": "en-GB", "es": "es-ES", "he": "he-IL"}


async def reach(
    surfer: Surfer, product: Product, state: str, locale: str = "en", **options: object
) -> Widget:
    """A panel in this state; what tells the hour is set to one hour."""
    look = {"viewport": PHONE, "reduced_motion": "reduce", "locale": LOCALES[locale], **options}
    page, watch = await surfer.page(product.chat, **look)
    watch.expect(NO_NETWORK)
    widget = Widget(page, locale, framed=False)
    await STATES[state](widget)
    await page.evaluate(
        "() => document.querySelectorAll('time').forEach((time) => { time.textContent = '10:24'; })"
    )
    return widget
