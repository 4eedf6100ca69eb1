"""Five tasks on a screen of 320 px, by keyboard alone and by touch alone: ask, follow up without a
network, ask a person, change the language, and clear everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Surfer
from tests.browser.product import Product
from tests.browser.visit import Widget, answer, faq, handoff
from tests.browser.watch import NO_NETWORK

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SMALL = {"width": 320, "height": 640}
STOPS = 60
"""No control is further than so many presses of Tab."""


class Hand(Protocol):
    """How a visitor reaches and writes."""

    async def use(self, target: Locator) -> None:
        """Press a control."""

    async def write(self, text: str) -> None:
        """Write into the field, and send."""

    async def choose(self, opener: Locator, item: Locator) -> None:
        """Open a menu and take an item."""


@dataclass
class Keyboard:
    """Tab, arrows, Enter; nothing else."""

    widget: Widget

    async def use(self, target: Locator) -> None:
        """Press a control."""
        await self._reach(target, "Tab")
        await self.widget.page.keyboard.press("Enter")

    async def write(self, text: str) -> None:
        """Write into the field, and send."""
        await self._reach(self.widget.field, "Tab")
        await self.widget.page.keyboard.type(text)
        await self.widget.page.keyboard.press("Enter")

    async def choose(self, opener: Locator, item: Locator) -> None:
        """Open a menu and take an item."""
        await self.use(opener)
        await self._reach(item, "ArrowDown")
        await self.widget.page.keyboard.press("Enter")

    async def _reach(self, target: Locator, key: str) -> None:
        await expect(target).to_be_visible()
        for _ in range(STOPS):
            if await target.evaluate("(it) => it.getRootNode().activeElement === it"):
                return
            await self.widget.page.keyboard.press(key)
        await expect(target).to_be_focused()


@dataclass
class Finger:
    """Taps, and the keyboard that a phone shows for a field that was tapped."""

    widget: Widget

    async def use(self, target: Locator) -> None:
        """Tap a control, which is large enough for a finger (WCAG 2.5.8)."""
        box = await target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
        await target.tap()

    async def write(self, text: str) -> None:
        """Write into the field, and send."""
        await self.widget.field.tap()
        await self.widget.page.keyboard.type(text)
        send = self.widget.say("composer.send")
        await self.use(self.widget.root.get_by_role("button", name=send, exact=True))

    async def choose(self, opener: Locator, item: Locator) -> None:
        """Open a menu and take an item."""
        await self.use(opener)
        await self.use(item)


def button(widget: Widget, key: str, *, exact: bool = True) -> Locator:
    """A button of the panel by what it says."""
    return widget.root.get_by_role("button", name=widget.say(key), exact=exact)


async def ask_then_follow_up_without_a_network(widget: Widget, hand: Hand) -> None:
    """The first two tasks: an answer, and another one while there is no network."""
    await hand.use(widget.launcher)
    await hand.use(button(widget, "consent.accept"))
    await widget.until_stored()
    await hand.write("Does it work offline?")
    await expect(answer(widget.last)).to_contain_text(faq("offline"))
    await widget.page.context.set_offline(True)
    await hand.write("What is a receipt?")
    await expect(answer(widget.exchanges.nth(1))).to_be_visible()
    await expect(widget.root.get_by_text(widget.say("banner.offline"))).to_be_visible()
    await widget.page.context.set_offline(False)


async def ask_a_person(widget: Widget, hand: Hand) -> None:
    """The third: straight to a person."""
    person = widget.root.get_by_role("menuitem", name=widget.say("ask.person"), exact=True)
    await hand.choose(button(widget, "menu"), person)
    await expect(widget.root.get_by_text(widget.say("person.mode"))).to_be_visible()
    await hand.write("Could somebody call me back?")
    await expect(handoff(widget.last)).to_contain_text(widget.say("card.queued"))


async def change_the_language_and_clear_everything(widget: Widget, hand: Hand) -> None:
    """The last two; the second in the language just chosen."""
    spanish = widget.root.get_by_role("menuitemradio", name="Español")
    await hand.choose(button(widget, "menu.language", exact=False), spanish)
    await expect(widget.document).to_have_attribute("lang", "es")
    widget.locale = "es"
    erase = widget.root.get_by_role("menuitem", name=widget.say("menu.erase"))
    await hand.choose(button(widget, "menu"), erase)
    await hand.use(button(widget, "erase.yes"))
    await expect(widget.root.get_by_text(widget.say("notice.erased"))).to_be_visible()
    await expect(widget.exchanges).to_have_count(0)
    assert await widget.kept() == {}


@pytest.mark.parametrize("by", [Keyboard, Finger], ids=["keyboard", "touch"])
async def test_five_tasks_can_be_done_on_a_small_screen(
    surfer: Surfer, demo: Product, by: type[Keyboard | Finger]
) -> None:
    touch = by is Finger
    widget, watch = await surfer.visit(demo.page, viewport=SMALL, has_touch=touch, is_mobile=touch)
    watch.expect(NO_NETWORK)
    hand = by(widget)
    await ask_then_follow_up_without_a_network(widget, hand)
    await ask_a_person(widget, hand)
    await change_the_language_and_clear_everything(widget, hand)
    wider = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await widget.run(wider)
