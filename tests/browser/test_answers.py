"""A visitor asks, and the browser itself answers: consent, three languages, memory."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Staffed, Surfer
from tests.browser.product import Desk, Product
from tests.browser.visit import Widget, answer, faq, handoff, origin

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

PAGES = {"en": "/", "es": "/es", "he": "/he"}
STORED = """async () => ({
  local: Object.keys(localStorage),
  session: Object.keys(sessionStorage),
  databases: (await indexedDB.databases()).map(({ name }) => name),
  caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope),
  cookies: document.cookie,
})"""
NOTHING = {"local": [], "session": [], "databases": [], "caches": [], "workers": [], "cookies": ""}


async def test_nothing_is_stored_before_the_visitor_agrees(surfer: Surfer, demo: Product) -> None:
    widget, watch = await surfer.visit(demo.page)
    await widget.open()
    await expect(widget.root.get_by_text(widget.say("consent.lead"))).to_be_visible()
    await widget.page.wait_for_load_state("networkidle")  # Python has come
    assert await widget.run(STORED) == NOTHING
    assert await widget.page.evaluate(STORED) == NOTHING
    assert await widget.page.context.cookies() == []
    assert watch.asked("/v1/") == []


async def test_a_visitor_who_declines_is_answered_and_nothing_is_stored(
    surfer: Surfer, demo: Product
) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=False)
    exchange = await widget.ask("Does it work offline?")
    await expect(answer(exchange)).to_contain_text(faq("offline"))
    await expect(origin(exchange)).to_contain_text(widget.say("source.kb"))
    exchange = await widget.ask("When does the bakery open?")
    await expect(handoff(exchange)).to_contain_text(widget.say("card.stay"))
    assert await widget.run(STORED) == NOTHING
    assert await widget.page.context.cookies() == []
    await widget.page.reload()
    await widget.open()
    await expect(widget.root.get_by_text(widget.say("consent.lead"))).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "question"),
    [
        ("en", "Does it work offline?"),
        ("es", "¿Funciona sin conexión?"),
        ("he", "האם זה עובד בלי אינטרנט?"),
    ],
    ids=["English", "Spanish", "Hebrew"],
)
async def test_the_browser_answers_by_itself_in_the_pages_language(
    surfer: Surfer, demo: Product, locale: str, question: str
) -> None:
    widget, watch = await surfer.visit(demo.page + PAGES[locale])
    widget.locale = locale
    await widget.begin(memory=True)
    await widget.until_known()
    exchange = await widget.ask(question)
    await expect(answer(exchange)).to_contain_text(faq("offline", locale))
    await expect(origin(exchange)).to_contain_text(widget.say("source.kb"))
    await expect(handoff(exchange)).to_have_count(0)
    assert watch.asked("/v1/chat") == []
    await expect(widget.document).to_have_attribute("lang", locale)


async def test_a_question_in_another_language_is_answered_in_it(
    surfer: Surfer, demo: Product
) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=True)
    await widget.until_known()
    exchange = await widget.ask("האם זה עובד בלי אינטרנט?")
    await expect(answer(exchange)).to_contain_text(faq("offline", "he"))
    await expect(answer(exchange)).to_have_attribute("dir", "rtl")
    await expect(widget.document).to_have_attribute("dir", "ltr")


async def _middle(part: Locator) -> float:
    box = await part.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


@pytest.mark.parametrize(("locale", "direction"), [("en", "ltr"), ("he", "rtl")])
async def test_hebrew_mirrors_the_layout(
    surfer: Surfer, demo: Product, locale: str, direction: str
) -> None:
    widget, _ = await surfer.visit(demo.page + PAGES[locale])
    widget.locale = locale
    await widget.begin(memory=False)
    await expect(widget.document).to_have_attribute("dir", direction)
    exchange = await widget.ask("Fanlight?")
    await expect(answer(exchange)).to_be_visible()
    left_to_right = direction == "ltr"
    panel = await _middle(widget.document)
    close = widget.root.get_by_role("button", name=widget.say("close"))
    send = widget.root.get_by_role("button", name=widget.say("composer.send"))
    for part in (close, send, exchange.locator(".question")):
        assert (await _middle(part) > panel) == left_to_right
    assert (await _middle(widget.root.locator("header h1")) < panel) == left_to_right
    viewport = widget.page.viewport_size
    assert viewport is not None
    assert (await _middle(widget.launcher) > viewport["width"] / 2) == left_to_right


async def test_a_reload_brings_the_conversation_back(surfer: Surfer, demo: Product) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=True)
    exchange = await widget.ask("What is a receipt?")
    await expect(answer(exchange)).to_be_visible()
    text = await answer(exchange).inner_text()
    await widget.page.reload()
    await widget.open()
    await expect(widget.exchanges).to_have_count(1)
    await expect(widget.last.locator(".question")).to_contain_text("What is a receipt?")
    assert await answer(widget.last).inner_text() == text


async def test_clearing_empties_the_panel_and_the_vault(surfer: Surfer, demo: Product) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=True)
    exchange = await widget.ask("What is a receipt?")
    await expect(answer(exchange)).to_be_visible()
    before = await widget.kept()
    assert [entry["role"] for entry in before["entries"]] == ["user", "assistant"]
    await widget.choose_from_menu("menu.clear")
    await widget.root.get_by_role("button", name=widget.say("clear.yes"), exact=True).click()
    await expect(widget.exchanges).to_have_count(0)
    after = await widget.kept()
    assert after["entries"] == []
    assert after["conversation_id"] != before["conversation_id"]
    await widget.page.reload()
    await widget.open()
    await expect(widget.field).to_be_visible()
    await expect(widget.exchanges).to_have_count(0)


async def test_erasing_everything_takes_the_question_from_the_desk_too(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    question = "Which moss grows on the north wall?"
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await expect(handoff(await widget.ask(question))).to_contain_text(widget.say("card.delivered"))
    assert len(await operator.asked(question)) == 1
    await widget.choose_from_menu("menu.erase")
    await widget.root.get_by_role("button", name=widget.say("erase.yes"), exact=True).click()
    await expect(widget.root.get_by_text(widget.say("notice.erased"))).to_be_visible()
    await expect(widget.exchanges).to_have_count(0)
    assert await operator.asked(question) == []
    exchange = await widget.ask("What is a receipt?")
    await expect(origin(exchange)).to_contain_text(widget.say("source.kb"))


async def test_forgetting_leaves_nothing_in_the_browser(surfer: Surfer, demo: Product) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=True)
    await widget.until_stored()
    await widget.choose_from_menu("menu.forget")
    await widget.root.get_by_role("button", name=widget.say("forget.yes"), exact=True).click()
    await expect(widget.root.get_by_text(widget.say("notice.forgotten"))).to_be_visible()
    assert await widget.run(STORED) == NOTHING


async def test_two_tabs_share_one_vault(surfer: Surfer, demo: Product) -> None:
    first, _ = await surfer.visit(demo.page)
    await first.begin(memory=True)
    await expect(answer(await first.ask("What is a receipt?"))).to_be_visible()
    second = Widget(await first.page.context.new_page())
    await second.page.goto(demo.page)
    await second.open()
    await expect(second.exchanges).to_have_count(1)
    await expect(answer(await second.ask("Is the chat accessible?"))).to_be_visible()
    await expect(first.exchanges).to_have_count(2)
    await expect(answer(first.last)).to_be_visible()
    assert len((await first.kept())["entries"]) == 4


REFUSE_STORAGE = """
for (const name of ["localStorage", "sessionStorage"]) {
  const get = () => { throw new DOMException("refused", "SecurityError"); };
  Object.defineProperty(Window.prototype, name, { configurable: true, get });
  Object.defineProperty(window, name, { configurable: true, get });
}
IDBFactory.prototype.open = () => { throw new DOMException("refused", "SecurityError"); };
"""


async def test_a_browser_that_refuses_storage_works_without_memory_and_says_so(
    surfer: Surfer, demo: Product
) -> None:
    widget, _ = await surfer.visit(demo.page, REFUSE_STORAGE)
    await widget.begin(memory=True)
    await expect(widget.root.get_by_text(widget.say("notice.refused"))).to_be_visible()
    exchange = await widget.ask("What is a receipt?")
    await expect(origin(exchange)).to_contain_text(widget.say("source.kb"))
    exchange = await widget.ask("When does the bakery open?")
    await expect(handoff(exchange)).to_contain_text(widget.say("card.stay"))


async def test_a_page_of_another_site_gets_answers_in_a_partition_of_its_own(
    surfer: Surfer, demo: Product
) -> None:
    """A frame of localhost on a page of 127.0.0.1 is a third party: its storage is its own."""
    widget, watch = await surfer.visit(demo.page.replace("localhost", "127.0.0.1"))
    await widget.begin(memory=True)
    await widget.until_stored()
    exchange = await widget.ask("What is a receipt?")
    await expect(origin(exchange)).to_contain_text(widget.say("source.kb"))
    assert watch.asked("/v1/chat") == []
    exchange = await widget.ask("When does the bakery open?")
    await expect(handoff(exchange)).to_contain_text(widget.say("card.queued"))
    await widget.page.reload()
    await widget.open()
    await expect(widget.exchanges).to_have_count(2)
    chat = Widget(await widget.page.context.new_page(), framed=False)
    await chat.page.goto(demo.chat)
    await expect(chat.root.get_by_text(chat.say("consent.lead"))).to_be_visible()
