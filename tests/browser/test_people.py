"""What the browser must not answer reaches a person, and the person's answer comes back."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Page, expect
from standardwebhooks import Webhook

from tests.browser.conftest import WEBHOOK_SECRET, Staffed, Surfer
from tests.browser.product import Desk, until
from tests.browser.visit import answer, faq, handoff
from tests.gateway.adapters.http_receiver import Receiver, Request

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


async def log_in(page: Page, token: str) -> None:
    """Log in at the console."""
    await page.get_by_label("Operator token").fill(token)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", name="Escalations")).to_be_visible()


async def delivered(webhook: Receiver, question: str) -> Request:
    """The one delivery about this question, waited for."""

    async def about() -> list[Request]:
        return [request for request in webhook.received if question.encode() in request.body]

    (found,) = await until(about, "a call of the webhook")
    return found


async def test_an_unknown_question_wakes_a_person_whose_reply_appears_in_place(
    surfer: Surfer, staffed: Staffed
) -> None:
    question = "Which bus goes to the harbour?"
    console, _ = await surfer.page(staffed.product.console)
    await log_in(console, staffed.product.token)
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await widget.until_known()
    exchange = await widget.ask(question)
    await expect(answer(exchange)).to_contain_text(faq("system-fallback"))
    await expect(handoff(exchange)).to_contain_text(widget.say("card.delivered"))

    sent = await delivered(staffed.webhook, question)
    told = Webhook(WEBHOOK_SECRET).verify(sent.body, sent.headers)
    assert told == json.loads(sent.body)
    assert told["type"] == "escalation.created"
    assert told["data"]["question"] == question

    row = console.get_by_role("link", name=question)  # it came by itself: nothing was reloaded
    await expect(row).to_be_visible()
    await row.click()
    await expect(console.get_by_role("heading", name=question)).to_be_visible()
    await console.get_by_label("Reply to the visitor").fill("Number **12**, from the station.")
    await console.get_by_role("button", name="Send", exact=True).click()

    reply = exchange.locator(".reply")
    await expect(reply).to_contain_text("Number 12, from the station.")
    await expect(reply.locator("strong")).to_have_text("12")
    await expect(handoff(exchange)).to_contain_text(widget.say("card.answered"))
    await expect(widget.exchanges).to_have_count(1)


async def test_a_reply_to_a_closed_panel_is_counted_on_the_launcher(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    question = "Where do the swans sleep?"
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await expect(handoff(await widget.ask(question))).to_be_visible()
    escalation = await operator.one(question)
    await widget.root.get_by_role("button", name=widget.say("close")).click()
    await expect(widget.launcher).to_be_focused()
    await operator.reply(escalation["id"], "Under the bridge.")
    await expect(widget.launcher.locator(".badge")).to_have_text("1")
    await widget.launcher.click()
    await expect(widget.last.locator(".reply")).to_contain_text("Under the bridge.")
    await expect(widget.launcher.locator(".badge")).to_have_text("")


async def test_a_reply_that_was_missed_is_there_on_the_next_visit(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    question = "Who winds the tower clock?"
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await expect(handoff(await widget.ask(question))).to_be_visible()
    escalation = await operator.one(question)
    await widget.page.goto("about:blank")
    await operator.reply(escalation["id"], "The mayor does.", resolve=True)
    await widget.page.goto(staffed.product.page)
    await widget.open()
    await expect(widget.last.locator(".reply")).to_contain_text("The mayor does.")
    await expect(handoff(widget.last)).to_contain_text(widget.say("card.resolved"))


async def test_a_visitor_may_ask_for_a_person_under_an_answer(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=False)
    exchange = await widget.ask("What is a receipt, please?")
    await exchange.get_by_role("button", name=widget.say("ask.person")).click()
    await expect(handoff(exchange)).to_be_visible()
    asked = await operator.one("What is a receipt, please?")
    assert asked["reason"] == "visitor_asked"


async def test_what_is_asked_meanwhile_goes_to_the_same_person_and_wakes_nobody_again(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    first, second = "Who paints the old lighthouse?", "And who feeds its cat?"
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    earlier = await widget.ask(first)
    await expect(handoff(earlier)).to_contain_text(widget.say("card.delivered"))
    later = await widget.ask(second)
    await expect(handoff(later)).to_contain_text(widget.say("card.delivered"))
    told = json.loads((await delivered(staffed.webhook, second)).body)
    case = await operator.one(first)
    assert (told["type"], told["data"]["escalation_id"]) == ("escalation.turn_added", case["id"])
    assert [turn["question"] for turn in case["added"]] == [second]
    assert await operator.asked(second) == []
    await operator.reply(case["id"], "The keeper, both.")
    await expect(later.locator(".reply")).to_contain_text("The keeper, both.")
    for exchange in (earlier, later):
        await expect(handoff(exchange)).to_contain_text(widget.say("card.answered"))


async def test_a_contact_is_left_by_keyboard_with_consent_and_reaches_whoever_answers(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    question, contact = "Who tunes the bells on Sunday?", "noa@example.org"
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    card = handoff(await widget.ask(question))
    await expect(card).to_contain_text(widget.say("card.delivered"))
    await card.get_by_role("button", name=widget.say("contact.offer")).press("Enter")
    field = card.get_by_label(widget.say("contact.label"))
    await expect(field).to_be_focused()
    await widget.page.keyboard.type(contact)
    await widget.page.keyboard.press("Enter")
    await expect(card.get_by_role("alert")).to_have_text(widget.say("contact.unticked"))
    tick = card.get_by_role("checkbox")
    await expect(tick).to_be_focused()
    await widget.page.keyboard.press("Space")
    await widget.page.keyboard.press("Enter")
    await expect(card).to_contain_text(widget.say("contact.sent"))
    told = json.loads((await delivered(staffed.webhook, contact)).body)
    assert (told["type"], told["data"]["contact"]) == ("escalation.contact_left", contact)
    case = await operator.one(question)
    assert (case["contact"], case["contact_consent"]) == (contact, told["data"]["contact_consent"])
    assert "contact me here about this question" in case["contact_consent"]["wording"]
