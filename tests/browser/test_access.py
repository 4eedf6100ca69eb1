"""Everyone can use it: axe-core finds nothing, and the keyboard is enough."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Frame, Page, ViewportSize, expect

from tests.browser.conftest import ROOT, Staffed, Surfer
from tests.browser.product import Product
from tests.browser.test_people import log_in
from tests.browser.visit import Widget, answer, handoff

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

AXE: Path = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document, { iframes: false })).violations.map(
  ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`)"""
PAGES = {"en": "/", "es": "/es", "he": "/he"}
USUAL, DARK = ("light", "no-preference"), ("dark", "no-preference")
MORE, DARK_MORE = ("light", "more"), ("dark", "more")
"""Colours and contrast that the device prefers."""
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 320, "height": 640}


KNOWN = {
    "en": "Does it work offline?",
    "es": "¿Funciona sin conexión?",
    "he": "האם זה עובד בלי אינטרנט?",
}


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


async def violations(place: Page | Frame) -> list[str]:
    """What axe-core finds in this document, without the frames in it."""
    if not await place.evaluate("() => 'axe' in window"):
        await place.add_script_tag(content=_axe())
    found: list[str] = await place.evaluate(RUN)
    return found


@pytest.mark.parametrize(
    ("locale", "device", "viewport"),
    [
        pytest.param("en", USUAL, WIDE, id="light"),
        pytest.param("en", DARK, WIDE, id="dark"),
        pytest.param("es", MORE, WIDE, id="more contrast, Spanish"),
        pytest.param("en", DARK_MORE, NARROW, id="more contrast, dark, 320 px"),
        pytest.param("he", USUAL, WIDE, id="Hebrew"),
        pytest.param("en", USUAL, NARROW, id="320 px"),
    ],
)
async def test_axe_finds_nothing_in_panel_and_launcher(
    surfer: Surfer,
    staffed: Staffed,
    locale: str,
    device: tuple[Any, Any],
    viewport: ViewportSize,
) -> None:
    # Only here is the policy off: axe-core has to be brought into the frame.
    widget, _ = await surfer.visit(
        staffed.product.page + PAGES[locale],
        bypass_csp=True,
        color_scheme=device[0],
        contrast=device[1],
        viewport=viewport,
        reduced_motion="reduce",
    )
    widget.locale = locale
    assert await violations(widget.page) == []
    await widget.open()
    frame = await widget.frame()
    found = {"consent": await violations(frame)}
    await widget.choose(memory=True)
    found["welcome"] = await violations(frame)
    await widget.until_known()
    await expect(answer(await widget.ask(KNOWN[locale]))).to_be_visible()
    await widget.last.locator(".why summary").click()
    await expect(
        handoff(await widget.ask("repeat me: opening hours of the bakery"))
    ).to_be_visible()
    found["conversation"] = await violations(frame)
    await widget.last.get_by_role("button", name=widget.say("contact.offer")).click()
    await widget.last.get_by_role("button", name=widget.say("contact.send")).click()
    await expect(widget.last.get_by_role("alert")).to_be_visible()
    found["contact"] = await violations(frame)
    await widget.root.get_by_role("button", name=widget.say("menu"), exact=True).click()
    found["menu"] = await violations(frame)
    await widget.root.get_by_role("menuitem", name=widget.say("menu.clear")).click()
    await expect(widget.root.get_by_role("dialog")).to_be_visible()
    found["dialog"] = await violations(frame)
    await widget.page.keyboard.press("Escape")
    await widget.choose_from_menu("menu.kept")
    await expect(widget.root.locator(".lines li")).to_have_count(4)
    found["what is kept"] = await violations(frame)
    await widget.page.keyboard.press("Escape")
    await widget.choose_from_menu("talks")
    await expect(widget.root.locator(".talks li")).to_have_count(1)
    found["conversations"] = await violations(frame)
    found["host page"] = await violations(widget.page)
    assert found == {place: [] for place in found}


@pytest.mark.parametrize(
    ("scheme", "question"),
    [("light", "Who carved the wooden boat?"), ("dark", "Why do the geese fly south?")],
)
async def test_axe_finds_nothing_in_the_console(
    surfer: Surfer, staffed: Staffed, scheme: Any, question: str
) -> None:
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=False)
    await expect(handoff(await widget.ask(question))).to_be_visible()
    page, _ = await surfer.page(
        staffed.product.console, bypass_csp=True, color_scheme=scheme, reduced_motion="reduce"
    )
    await expect(page.get_by_label("Operator token")).to_be_visible()
    found = {"door": await violations(page)}
    await log_in(page, staffed.product.token)
    found["list"] = await violations(page)
    await page.get_by_role("link", name=question).click()
    await expect(page.get_by_role("heading", name=question)).to_be_visible()
    found["question"] = await violations(page)
    assert found == {place: [] for place in found}


async def test_the_keyboard_is_enough(surfer: Surfer, demo: Product) -> None:
    widget, _ = await surfer.visit(demo.page)
    page = widget.page
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await widget.launcher.evaluate("(it) => it.getRootNode().activeElement === it"):
            break
    await expect(widget.launcher).to_be_focused()
    await page.keyboard.press("Enter")
    title = widget.root.get_by_role("heading", name=widget.say("consent.title"))
    await expect(title).to_be_focused()
    accept = widget.root.get_by_role("button", name=widget.say("consent.accept"), exact=True)
    await _tab_to(widget, accept)
    await page.keyboard.press("Enter")
    await expect(widget.field).to_be_focused()
    await page.keyboard.type("What is a receipt?")
    await page.keyboard.press("Enter")
    await expect(answer(widget.last)).to_be_visible()
    await expect(widget.field).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(widget.launcher).to_be_focused()
    await expect(widget.launcher).to_have_attribute("aria-expanded", "false")
    await page.keyboard.press("Enter")
    await expect(widget.field).to_be_focused()


async def _tab_to(widget: Widget, target: Any) -> None:
    for _ in range(8):
        if await target.evaluate("(it) => document.activeElement === it"):
            return
        await widget.page.keyboard.press("Tab")
    await expect(target).to_be_focused()


async def test_the_menu_is_moved_through_by_arrows_and_left_by_escape(
    surfer: Surfer, demo: Product
) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=False)
    opener = widget.root.get_by_role("button", name=widget.say("menu"), exact=True)
    await opener.focus()
    await widget.page.keyboard.press("ArrowDown")
    items = widget.root.get_by_role("menuitem")
    await expect(items.first).to_be_focused()
    await widget.page.keyboard.press("End")
    await expect(items.last).to_be_focused()
    await widget.page.keyboard.press("Escape")
    await expect(opener).to_be_focused()
    await expect(widget.launcher).to_have_attribute("aria-expanded", "true")
