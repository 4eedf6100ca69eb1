"""`make screenshots`: the pictures in docs/screenshots, taken from the running demo.

They show the panel on its host page with a person's reply, and the console; those of the panel
alone are in docs/screens, and tests/browser/test_screens.py takes and compares them.

Decides what each picture tells. Refuses a picture of 200 kB or more: they are part of every clone.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from core.model_routing.decision import Price
from core.trajectory import Trajectory
from gateway.adapters.sql.truth import SqlTruth
from scripts import machine
from tests.browser.conftest import FLAGS, PATIENCE_MS, ROOT, Surfer
from tests.browser.product import SITE, Desk, Product, desk, running
from tests.browser.test_people import log_in
from tests.browser.visit import Widget, answer, handoff

FOLDER = ROOT / "docs" / "screenshots"
LARGEST = 200_000
WIDE = {"width": 1280, "height": 800}
TALL = {"width": 1280, "height": 1480}
NARROW = {"width": 320, "height": 640}

TALKS: dict[str, tuple[str, str, str, str]] = {
    "en": (
        "/",
        "Which browsers are supported?",
        "Do you have a workshop for schools?",
        "We do, **every Thursday** from ten. How many children would come?",
    ),
    "he": (
        "/he",
        "באילו דפדפנים זה עובד?",
        "יש לכם סדנה לבתי ספר?",
        "כן, **בכל יום חמישי** מעשר. כמה ילדים יגיעו?",
    ),
}
OTHERS = ("When does the bakery open?", "¿Tienen aparcamiento para bicicletas?")
LONG = "Could somebody call me back about the group booking for the second week of May?"


async def talk(widget: Widget, operator: Desk, known: str, unknown: str, reply: str) -> None:
    """A conversation that shows both ways: an answer at once, and a person's."""
    await widget.begin(memory=True)
    await widget.until_known()
    await expect(answer(await widget.ask(known))).to_be_visible()
    exchange = await widget.ask(unknown)
    await expect(handoff(exchange)).to_contain_text(widget.say("card.queued"))
    escalation = await operator.one(unknown)
    await operator.reply(escalation["id"], reply)
    await expect(exchange.locator(".reply")).to_be_visible()


async def panel(browser: Browser, name: str, talk_in: str, **options: Any) -> None:
    """One picture of the panel on its host page, from a gateway of its own."""
    path, known, unknown, reply = TALKS[talk_in]
    with tempfile.TemporaryDirectory(prefix="fanlight-shots-") as folder:
        async with running(Product(Path(folder))) as product, desk(product) as operator:
            surfer = Surfer(browser)
            widget, _ = await surfer.visit(product.page + path, reduced_motion="reduce", **options)
            widget.locale = talk_in
            await talk(widget, operator, known, unknown, reply)
            await widget.page.screenshot(path=FOLDER / f"{name}.png")
            await surfer.contexts[0][0].close()


async def console(browser: Browser) -> None:
    """The console with one question open."""
    with tempfile.TemporaryDirectory(prefix="fanlight-shots-") as folder:
        async with running(Product(Path(folder))) as product, desk(product) as operator:
            surfer = Surfer(browser)
            for question in (LONG, *reversed(OTHERS)):
                # A visitor each: one visitor's questions would be one case.
                widget, _ = await surfer.visit(product.page)
                await widget.begin(memory=False)
                await expect(handoff(await widget.ask(question))).to_be_visible()
            escalation = await operator.one(OTHERS[0])
            await operator.reply(escalation["id"], "From seven, on weekdays.")
            page, _ = await surfer.page(product.console, viewport=WIDE, reduced_motion="reduce")
            await log_in(page, product.token)
            await page.get_by_role("link", name=OTHERS[0]).click()
            await expect(page.get_by_role("heading", name=OTHERS[0])).to_be_visible()
            await page.screenshot(path=FOLDER / "console.png")
            await knowledge(page, product)
            await builder(page, product)


async def knowledge(page: Page, product: Product) -> None:
    """The knowledge room with an entry open and a question tried."""
    await page.goto(f"{product.console}/#knowledge/{SITE}/entries/en/offline")
    await expect(page.get_by_label("Answer", exact=True)).not_to_be_empty()
    await page.get_by_label("A visitor's question").fill("can I use it without internet")
    await expect(page.get_by_text("The visitor gets this answer.")).to_be_visible()
    await page.screenshot(path=FOLDER / "knowledge.png")


async def builder(page: Page, product: Product) -> None:
    """The builder with a look of its own, and what comes out of it."""
    chosen = "position=left&accent=%230a7d32&guide=shopify"
    await page.goto(f"{product.console}/#embed/{SITE}?{chosen}")
    shown = page.frame_locator("iframe.stage-frame").frame_locator("fanlight-launcher iframe")
    await expect(shown.locator(".consent .choices")).to_be_visible()
    await expect(page.get_by_role("tabpanel", name="Shopify")).to_contain_text("theme.liquid")
    await page.mouse.move(0, 0)
    await page.screenshot(path=FOLDER / "builder.png")


async def figures(browser: Browser) -> None:
    """The figures of a month, of turns that were made up for the picture."""
    with tempfile.TemporaryDirectory(prefix="fanlight-shots-") as folder:
        product = Product(Path(folder))
        await made_up(f"sqlite:///{folder}/data/fanlight.db")
        async with running(product):
            surfer = Surfer(browser)
            page, _ = await surfer.page(product.console, viewport=TALL, reduced_motion="reduce")
            await log_in(page, product.token)
            await page.goto(f"{product.console}/#figures?range=30d")
            await expect(page.locator(".tile")).to_have_count(4)
            await page.screenshot(path=FOLDER / "figures.png")


async def made_up(database: str) -> None:
    """Store a month of turns, the same ones each time."""
    truth = SqlTruth(database, clock=time.time)
    await truth.start()
    chance = random.Random(7)  # noqa: S311 - a picture, no secret
    midnight = time.time() // 86_400 * 86_400
    for number in range(420):
        at = midnight - (number % 30) * 86_400 + chance.uniform(0, 3_600)
        if (number % 30) % 7 in (2, 3) and chance.random() < 0.6:
            continue  # a weekend
        await truth.learning.add(SITE, _turn(number, at, chance))
    await truth.close()


def _turn(number: int, at: float, chance: random.Random) -> Trajectory:
    asked, large = chance.random() < 0.45, chance.random() < 0.3
    sure = min(1.0, chance.betavariate(5, 1.6))
    handed = sure < 0.45
    read, written = chance.randint(600, 1_400), chance.randint(60, 320)
    price = Price(2.5, 10.0) if large else Price(0.15, 0.6)
    judged = chance.random() < 0.4
    made = Trajectory(
        turn_id=f"t_{number:032x}", conversation_id="", at=at, request_sha256="", reply_sha256="",
        source="cloud" if asked else "kb", confidence=sure, escalated=handed,
        reasons=(chance.choice(("low_confidence", "no_match")),) if handed else (),
        channel="widget", locale="en",
        total_ms=chance.lognormvariate(7, 0.5) if asked else chance.uniform(8, 40),
        outcome=(1.0 if chance.random() < sure else -1.0) if judged else None,
        outcome_at=at if judged else None,
    )  # fmt: skip
    if not asked:
        return made
    return replace(
        made, tier="large" if large else "small",
        model="answers-large" if large else "answers-small",
        reason=chance.choice(("complexity", "complexity", "unsure", "predicted")),
        prompt_tokens=read, completion_tokens=written, cost_micros=price.micros(read, written),
        first_token_ms=chance.lognormvariate(5.7, 0.4),
    )  # fmt: skip


async def take() -> None:
    """All pictures."""
    path = machine.chromium()
    if path is None:
        sys.exit("No Chromium: run `make test` once, or set FANLIGHT_CHROMIUM.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        await panel(browser, "light", "en", viewport=WIDE)
        await panel(browser, "dark", "en", viewport=WIDE, color_scheme="dark")
        await panel(browser, "hebrew", "he", viewport=WIDE, locale="he-IL")
        await panel(browser, "320px", "en", viewport=NARROW, device_scale_factor=2)
        await console(browser)
        await figures(browser)
        await browser.close()
    for picture in sorted(FOLDER.glob("*.png")):
        size = picture.stat().st_size
        print(f"{picture.relative_to(ROOT)}: {size / 1000:.0f} kB")
        if size >= LARGEST:
            sys.exit(f"{picture.name} is larger than {LARGEST // 1000} kB.")


if __name__ == "__main__":
    asyncio.run(take())
