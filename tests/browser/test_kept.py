"""A visitor looks at what is kept, takes it away as a file, and says whether an answer helped."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Staffed, Surfer
from tests.browser.product import Product, until
from tests.browser.visit import READY_MS, Widget, answer, faq, handoff
from tests.browser.watch import NO_NETWORK

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


def the_list(widget: Widget) -> Locator:
    """The dialog that shows what is kept."""
    return widget.root.locator("dialog.sheet")


async def saved(widget: Widget, key: str) -> str:
    """The text of the file that a button of the list hands over."""
    async with widget.page.expect_download() as download:
        await the_list(widget).get_by_role("button", name=widget.say(key)).click()
    file = await (await download.value).path()
    return await asyncio.to_thread(Path(file).read_text, encoding="utf-8")


async def test_what_is_kept_is_shown_searched_and_taken_away_as_a_file(
    surfer: Surfer, demo: Product
) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=True)
    await widget.until_known()
    await expect(answer(await widget.ask("Does it work offline?"))).to_contain_text(faq("offline"))
    unanswered = await widget.ask("When does the bakery open?")
    await expect(handoff(unanswered)).to_contain_text(widget.say("card.queued"))
    await widget.choose_from_menu("menu.kept")
    lines = the_list(widget).locator(".lines li")
    await expect(lines).to_have_count(4)
    await the_list(widget).get_by_role("searchbox").fill("BAKERY")
    await expect(lines).to_have_count(1)
    text = await saved(widget, "kept.text")
    assert "Does it work offline?" in text
    assert faq("offline") in text
    document = json.loads(await saved(widget, "kept.json"))
    [conversation] = document["conversations"]
    assert [line["role"] for line in conversation["lines"]] == ["user", "assistant"] * 2
    held = json.loads(await saved(widget, "kept.server"))
    assert "When does the bakery open?" in json.dumps(held)
    await widget.page.keyboard.press("Escape")
    await expect(the_list(widget)).to_have_count(0)
    await expect(widget.field).to_be_visible()  # the panel itself stays


async def test_the_list_opens_without_a_network(surfer: Surfer, demo: Product) -> None:
    widget, watch = await surfer.visit(demo.page)
    await widget.begin(memory=True)
    await widget.until_stored()
    await expect(answer(await widget.ask("Does it work offline?"))).to_contain_text(faq("offline"))
    watch.expect(NO_NETWORK)
    await widget.page.context.set_offline(True)
    await widget.choose_from_menu("menu.kept")
    await expect(the_list(widget).locator(".lines li")).to_have_count(2)
    await the_list(widget).get_by_role("button", name=widget.say("kept.server")).click()
    await expect(the_list(widget)).to_contain_text(widget.say("kept.unreached"))


async def test_all_answers_can_be_looked_through_and_asked(surfer: Surfer, demo: Product) -> None:
    widget, watch = await surfer.visit(demo.page)
    await widget.begin(memory=False)
    await widget.choose_from_menu("menu.topics")
    topics = the_list(widget).locator(".topics button")
    await expect(topics.first).to_be_visible(timeout=READY_MS)
    assert await topics.count() > 10
    await the_list(widget).get_by_role("searchbox").fill("offline")
    await expect(topics).to_have_count(1)
    await topics.press("Enter")
    await expect(answer(widget.last)).to_contain_text(faq("offline"))
    assert watch.asked("/v1/chat") == []


async def test_the_look_that_a_visitor_chose_is_kept(surfer: Surfer, demo: Product) -> None:
    widget, _ = await surfer.visit(demo.page, color_scheme="light")
    await widget.begin(memory=True)
    await expect(widget.document).to_have_attribute("data-scheme", "light")
    await widget.root.get_by_role("button", name=widget.say("menu"), exact=True).click()
    await widget.root.get_by_role("menuitemradio", name=widget.say("look.dark")).click()
    await expect(widget.document).to_have_attribute("data-scheme", "dark")
    await widget.page.reload()
    await widget.open()
    await expect(widget.document).to_have_attribute("data-scheme", "dark")


async def test_a_mark_of_an_answer_reaches_the_gateway(surfer: Surfer, staffed: Staffed) -> None:
    widget, watch = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await widget.until_known()
    exchange = await widget.ask("slowly: walnut cherry")
    staffed.model.more(2)
    await expect(answer(exchange)).to_have_text("walnut cherry")
    helped = exchange.get_by_role("button", name=widget.say("mark.up"), exact=True)
    await helped.click()
    await expect(helped).to_have_attribute("aria-pressed", "true")

    async def taken() -> bool:
        return len(watch.asked("/v1/feedback")) == 1

    await until(taken, "the mark")
    await widget.page.reload()
    await widget.open()
    await expect(helped).to_have_attribute("aria-pressed", "true")
    await widget.choose_from_menu("menu.kept")
    held = json.loads(await saved(widget, "kept.server"))
    assert [mark["signal"] for mark in held["feedback"]] == ["up"]
