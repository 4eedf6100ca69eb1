"""The network goes away: what is known is still answered, and what is not waits to be sent."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Staffed, Surfer
from tests.browser.product import Desk, Product, until
from tests.browser.visit import Widget, answer, faq, handoff, origin
from tests.browser.watch import JUST_BEGUN, NO_NETWORK

WRITTEN_DOWN = """() => new Promise((resolve) => {
  indexedDB.open("fanlight:site_demo").onsuccess = ({ target: { result: database } }) => {
    const store = database.transaction("outbox").objectStore("outbox");
    store.count().onsuccess = ({ target }) => { database.close(); resolve(target.result); };
  };
})"""
"""How many escalations wait in the browser's own store."""

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


async def test_the_chat_page_answers_after_a_reload_without_network_or_server(
    surfer: Surfer, demo: Product
) -> None:
    page, watch = await surfer.page(demo.chat)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    widget = Widget(page, framed=False)
    await widget.choose(memory=True)
    await widget.until_stored()
    await expect(answer(await widget.ask("What is a receipt?"))).to_be_visible()
    await page.context.set_offline(True)
    await demo.stop()
    try:
        await page.reload()
        # Chromium 150 tells a reloaded document that it is online until the emulation changes.
        await page.context.set_offline(False)
        await page.context.set_offline(True)
        await expect(widget.exchanges).to_have_count(1)
        exchange = await widget.ask("How are requests signed?")
        await expect(origin(exchange)).to_contain_text(widget.say("source.kb"))
        await expect(widget.root.get_by_text(widget.say("banner.offline"))).to_be_visible()
        exchange = await widget.ask("When does the bakery open?")
        await expect(handoff(exchange)).to_contain_text(widget.say("card.unsent"))
    finally:
        await demo.start()
    await page.context.set_offline(False)
    await expect(handoff(exchange)).to_contain_text(widget.say("card.queued"))
    await expect(widget.root.get_by_text(widget.say("banner.offline"))).to_have_count(0)


@pytest.mark.chromium_only
async def test_the_browser_finds_the_chat_page_fit_to_be_installed(
    surfer: Surfer, demo: Product
) -> None:
    page, _ = await surfer.page(demo.chat)
    browser = await page.context.new_cdp_session(page)
    found = await browser.send("Page.getAppManifest")
    assert found["errors"] == []
    assert found["url"].endswith("/chat/site_demo/app.webmanifest")
    flaws = (await browser.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    # A test's browser has no past, which Chromium takes for a private window.
    assert {flaw["errorId"] for flaw in flaws} <= {"in-incognito"}


async def test_an_open_page_that_loses_the_network_answers_and_sends_later_once(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    question = "What do the gardeners plant in May?"
    widget, watch = await surfer.visit(staffed.product.page)
    watch.expect(NO_NETWORK)
    await widget.begin(memory=True)
    await widget.until_known()
    await widget.page.context.set_offline(True)
    exchange = await widget.ask("What is a receipt?")
    await expect(origin(exchange)).to_contain_text(widget.say("source.kb"))
    exchange = await widget.ask(question)
    await expect(answer(exchange)).to_contain_text(faq("system-offline"))
    await expect(handoff(exchange)).to_contain_text(widget.say("card.unsent"))
    assert await operator.asked(question) == []
    await widget.page.context.set_offline(False)
    await expect(handoff(exchange)).to_contain_text(widget.say("card.delivered"))
    assert len(await operator.asked(question)) == 1
    sent = [request for request in watch.requests if request.url.endswith("/v1/escalations")]
    assert len(sent) == 1


async def test_a_question_that_could_not_be_sent_survives_a_closed_tab(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    question = "Which apples keep through winter?"
    widget, watch = await surfer.visit(staffed.product.page)
    watch.expect(NO_NETWORK)
    await widget.begin(memory=True)
    await widget.until_known()
    context = widget.page.context
    await context.set_offline(True)
    await expect(handoff(await widget.ask(question))).to_contain_text(widget.say("card.unsent"))
    await until(lambda: widget.run(WRITTEN_DOWN), "the question in the store")
    await widget.page.close()
    await context.set_offline(False)
    later = Widget(await context.new_page())
    await later.page.goto(staffed.product.page)
    await later.open()
    await expect(handoff(later.last)).to_contain_text(later.say("card.delivered"))
    assert len(await operator.asked(question)) == 1


async def test_a_gateway_that_is_down_is_told_and_what_waits_is_sent_when_it_is_back(
    surfer: Surfer, demo: Product
) -> None:
    widget, watch = await surfer.visit(demo.page)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    await widget.begin(memory=True)
    await widget.until_known()
    await demo.stop()
    try:
        exchange = await widget.ask("When does the bakery open on Sundays?")
        await expect(handoff(exchange)).to_contain_text(widget.say("card.unsent"))
        await expect(widget.root.get_by_text(widget.say("banner.unreachable"))).to_be_visible()
        known = await widget.ask("What is a receipt?")
        await expect(origin(known)).to_contain_text(widget.say("source.kb"))
    finally:
        await demo.start()
    await expect(handoff(exchange)).to_contain_text(widget.say("card.queued"), timeout=30_000)
    await expect(widget.root.get_by_text(widget.say("banner.unreachable"))).to_have_count(0)
