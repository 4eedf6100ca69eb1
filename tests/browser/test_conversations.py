"""Several conversations: a new one, an earlier one again, named, deleted and taken back; in two
tabs, without a network, by keyboard alone on a small screen in Hebrew; and a person's reply to an
earlier one.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Staffed, Surfer
from tests.browser.product import Desk, Product
from tests.browser.test_access import violations
from tests.browser.test_five_tasks import SMALL, Keyboard
from tests.browser.visit import Widget, answer, faq, handoff
from tests.browser.watch import NO_NETWORK

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

OFFLINE, RECEIPT = "Does it work offline?", "What is a receipt?"
HEBREW = "האם זה עובד בלי אינטרנט?"
HEBREW_NAME = "שאלה ראשונה"


def the_list(widget: Widget) -> Locator:
    """The dialog that lists the conversations."""
    return widget.root.locator("dialog.sheet")


def rows(widget: Widget) -> Locator:
    """The conversations in the list."""
    return the_list(widget).locator("li")


def in_list(widget: Widget, key: str, **values: object) -> Locator:
    """A button of the list by what it says."""
    return the_list(widget).get_by_role("button", name=widget.say(key, **values), exact=True)


async def open_list(widget: Widget) -> None:
    """Open the list by the menu."""
    await widget.choose_from_menu("talks")
    await expect(the_list(widget)).to_be_visible()


async def ask_two(widget: Widget) -> None:
    """One question, then a new chat with another one."""
    await expect(answer(await widget.ask(OFFLINE))).to_contain_text(faq("offline"))
    await widget.choose_from_menu("talk.begin")
    await expect(widget.exchanges).to_have_count(0)
    await expect(widget.field).to_be_focused()
    await expect(answer(await widget.ask(RECEIPT))).to_be_visible()


async def test_a_new_chat_leaves_the_earlier_one_to_come_back_to_also_after_a_reload(
    surfer: Surfer, demo: Product
) -> None:
    widget, watch = await surfer.visit(demo.page)
    await widget.begin(memory=True)
    await widget.until_known()
    await open_list(widget)
    await expect(the_list(widget)).to_contain_text(widget.say("talks.empty"))
    await in_list(widget, "talk.begin").click()
    await ask_two(widget)
    await open_list(widget)
    await expect(rows(widget).locator(".title")).to_have_text([RECEIPT, OFFLINE])
    await expect(rows(widget).first).to_contain_text(widget.say("talks.current"))
    await rows(widget).last.locator("[name=open]").click()
    await expect(widget.exchanges).to_have_count(1)
    await expect(widget.last).to_contain_text(OFFLINE)
    await expect(widget.field).to_be_focused()
    await widget.page.reload()
    await widget.open()
    await expect(widget.last).to_contain_text(OFFLINE)
    await widget.choose_from_menu("menu.kept")
    await expect(the_list(widget).locator("h3")).to_have_text([RECEIPT, OFFLINE])
    assert watch.asked("/v1/chat") == []


async def test_a_conversation_is_renamed_deleted_and_taken_back(
    surfer: Surfer, demo: Product
) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=True)
    await widget.until_known()
    await ask_two(widget)
    await open_list(widget)
    await in_list(widget, "talks.rename", title=OFFLINE).click()
    field = the_list(widget).get_by_role("textbox")
    await expect(field).to_be_focused()
    await field.press("Escape")
    await expect(field).to_have_count(0)
    await in_list(widget, "talks.rename", title=OFFLINE).press("Enter")
    await field.fill("On the train")
    await field.press("Enter")
    await expect(in_list(widget, "talks.rename", title="On the train")).to_be_focused()
    await in_list(widget, "talks.delete", title="On the train").click()
    await expect(the_list(widget).get_by_role("status")).to_contain_text("On the train")
    undo = in_list(widget, "talks.undo")
    await expect(undo).to_be_focused()
    assert OFFLINE not in str(await widget.kept())
    await undo.press("Enter")
    await expect(rows(widget).locator(".title")).to_have_text([RECEIPT, "On the train"])
    await in_list(widget, "talks.delete", title=RECEIPT).click()
    await widget.page.keyboard.press("Escape")
    await expect(widget.exchanges).to_have_count(0)
    await widget.page.reload()
    await widget.open()
    await open_list(widget)
    await expect(rows(widget).locator(".title")).to_have_text(["On the train"])


async def test_a_persons_reply_to_an_earlier_conversation_is_counted_and_opened(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    first, second = "Who sharpens the old skates?", "Where is the ferry moored in June?"
    widget, watch = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await expect(handoff(await widget.ask(first))).to_contain_text(widget.say("card.delivered"))
    await widget.choose_from_menu("talk.begin")
    await expect(handoff(await widget.ask(second))).to_contain_text(widget.say("card.delivered"))
    one, other = await operator.one(first), await operator.one(second)
    assert one["conversation_id"] != other["conversation_id"]
    await open_list(widget)
    await expect(rows(widget)).to_contain_text([widget.say("talks.waits")] * 2)
    await widget.page.keyboard.press("Escape")
    await operator.reply(one["id"], "The cobbler does.", resolve=True)
    elsewhere = widget.root.get_by_role("button", name=widget.say("talks.elsewhere"))
    await expect(elsewhere).to_be_visible()
    await widget.root.get_by_role("button", name=widget.say("close")).click()
    await expect(widget.launcher.locator(".badge")).to_have_text("1")
    await operator.reply(other["id"], "At the second pier.")
    await expect(widget.launcher.locator(".badge")).to_have_text("2")
    await widget.launcher.click()
    await expect(widget.last.locator(".reply")).to_contain_text("At the second pier.")
    await expect(widget.launcher.locator(".badge")).to_have_text("1")
    await elsewhere.click()
    await expect(widget.last.locator(".reply")).to_contain_text("The cobbler does.")
    await expect(widget.launcher.locator(".badge")).to_have_text("")
    await widget.root.locator(".column > .begin").click()  # closed: the next one is offered
    await expect(widget.exchanges).to_have_count(0)
    opened = [url for url in watch.asked("/events") if "also=" in url]
    assert len(opened) >= 1  # one stream for both


async def test_two_tabs_are_in_step(surfer: Surfer, demo: Product) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=True)
    await widget.until_known()
    await ask_two(widget)
    other = Widget(await widget.page.context.new_page())
    await other.page.goto(demo.page)
    await other.open()
    await expect(other.last).to_contain_text(RECEIPT)
    await open_list(other)
    await rows(other).last.locator("[name=open]").click()
    await expect(widget.last).to_contain_text(OFFLINE)
    await expect(answer(await other.ask("How are requests signed?"))).to_be_visible()
    await expect(widget.exchanges).to_have_count(2)
    await open_list(widget)
    await in_list(widget, "talks.delete", title=RECEIPT).click()
    await open_list(other)
    await expect(rows(other).locator(".title")).to_have_text([OFFLINE])
    await in_list(widget, "talks.undo").click()
    await expect(rows(other).locator(".title")).to_have_text([OFFLINE, RECEIPT])


async def test_what_one_tab_forgets_the_other_does_not_keep(
    surfer: Surfer, staffed: Staffed
) -> None:
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await widget.until_known()
    await ask_two(widget)
    other = Widget(await widget.page.context.new_page())
    await other.page.goto(staffed.product.page)
    await other.open()
    await expect(other.last).to_contain_text(RECEIPT)
    await widget.choose_from_menu("menu.forget")
    yes = widget.root.get_by_role("dialog").get_by_role("button", name=widget.say("forget.yes"))
    await yes.click()
    await expect(other.root.get_by_text(other.say("notice.forgotten"))).to_be_visible()
    await expect(other.exchanges).to_have_count(0)
    asked = await other.ask("Who feeds the swans behind the mill?")
    await expect(handoff(asked)).to_contain_text(other.say("card.delivered"))
    assert await other.kept() == {}


async def test_conversations_work_without_a_network(surfer: Surfer, demo: Product) -> None:
    widget, watch = await surfer.visit(demo.page)
    watch.expect(NO_NETWORK)
    await widget.begin(memory=True)
    await widget.until_stored()
    await widget.page.context.set_offline(True)
    await ask_two(widget)
    unanswered = await widget.ask("When does the bakery open on Mondays?")
    await expect(handoff(unanswered)).to_contain_text(widget.say("card.unsent"))
    await open_list(widget)
    await rows(widget).last.locator("[name=open]").click()
    await expect(widget.last).to_contain_text(OFFLINE)
    await widget.page.context.set_offline(False)
    await open_list(widget)
    await rows(widget).first.locator("[name=open]").click()
    await expect(handoff(widget.last)).to_contain_text(widget.say("card.queued"))


async def test_without_memory_they_are_gone_with_the_page(surfer: Surfer, demo: Product) -> None:
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=False)
    await widget.ask("Is there a garden behind the museum?")
    await widget.choose_from_menu("talk.begin")
    await open_list(widget)
    await expect(rows(widget)).to_have_count(1)
    assert await widget.kept() == {}
    await widget.page.reload()
    await widget.begin(memory=False)
    await open_list(widget)
    await expect(the_list(widget)).to_contain_text(widget.say("talks.empty"))


async def test_a_list_that_cannot_be_fetched_says_so_and_is_tried_again(
    surfer: Surfer, demo: Product
) -> None:
    widget, watch = await surfer.visit(demo.page)
    watch.expect(NO_NETWORK)
    await widget.begin(memory=False)
    await widget.page.context.set_offline(True)
    await widget.choose_from_menu("talks")
    said = widget.root.get_by_role("dialog", name=widget.say("later.title"))
    await expect(said).to_be_visible()
    again = said.get_by_role("button", name=widget.say("problem.retry"))
    await again.press("Enter")
    await expect(said).to_be_visible()
    await widget.page.context.set_offline(False)
    await again.press("Enter")
    await expect(the_list(widget)).to_contain_text(widget.say("talks.empty"))
    await expect(said).to_have_count(0)


async def test_in_hebrew_on_a_small_screen_the_keyboard_is_enough_and_axe_finds_nothing(
    surfer: Surfer, demo: Product
) -> None:
    # Only here is the policy off: axe-core has to be brought into the frame.
    widget, _ = await surfer.visit(demo.page + "/he", viewport=SMALL, bypass_csp=True)
    widget.locale = "he"
    hand = Keyboard(widget)
    menu = widget.root.get_by_role("button", name=widget.say("menu"), exact=True)
    item = widget.root.get_by_role("menuitem", name=widget.say("talks"))
    await hand.use(widget.launcher)
    await hand.use(widget.root.get_by_role("button", name=widget.say("consent.accept"), exact=True))
    await widget.until_known()
    await hand.write(HEBREW)
    await expect(answer(widget.last)).to_be_visible()
    begin = widget.root.get_by_role("menuitem", name=widget.say("talk.begin"))
    await hand.choose(menu, begin)
    await expect(widget.field).to_be_focused()
    await hand.write("מתי המאפייה נפתחת?")
    await expect(handoff(widget.last)).to_be_visible()
    await hand.choose(menu, item)
    frame = await widget.frame()
    found = {"list": await violations(frame)}
    await hand.use(in_list(widget, "talks.rename", title=HEBREW))
    found["naming"] = await violations(frame)
    await widget.page.keyboard.type(HEBREW_NAME)
    await widget.page.keyboard.press("Enter")
    await hand.use(in_list(widget, "talks.delete", title=HEBREW_NAME))
    await expect(in_list(widget, "talks.undo")).to_be_focused()
    found["deleted"] = await violations(frame)
    await widget.page.keyboard.press("Enter")
    opener = rows(widget).last.locator("[name=open]")
    await expect(opener).to_be_focused()
    wider = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await widget.run(wider)
    await widget.page.keyboard.press("Enter")
    await expect(widget.last).to_contain_text(HEBREW)
    await expect(widget.field).to_be_focused()
    assert found == {place: [] for place in found}
