"""A person has answered and closed the case: the visitor may say whether it helped."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Staffed, Surfer
from tests.browser.product import Desk, until
from tests.browser.test_access import violations
from tests.browser.test_people import log_in
from tests.browser.visit import handoff, picture

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


async def test_a_visitor_says_whether_the_answer_helped_and_the_console_shows_it(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    question, word = "Is the tower open on Mondays?", "Clear, and quick."
    console, _ = await surfer.page(staffed.product.console)
    await log_in(console, staffed.product.token)
    widget, _ = await surfer.visit(staffed.product.page, bypass_csp=True)
    await widget.begin(memory=True)
    exchange = await widget.ask(question)
    await expect(handoff(exchange)).to_contain_text(widget.say("card.delivered"))
    case = await operator.one(question)
    await operator.reply(case["id"], "It is, **from ten**.", resolve=True)
    asks = exchange.get_by_role("group", name=widget.say("helped.ask"))
    await expect(asks).to_be_visible()
    assert await violations(await widget.frame()) == []
    await picture(widget.page, "helped")
    await asks.get_by_role("button", name=widget.say("helped.yes")).press("Enter")
    await expect(exchange).to_contain_text(widget.say("mark.thanks"))
    more = exchange.get_by_role("button", name=widget.say("helped.more"))
    await expect(more).to_be_focused()
    await widget.page.keyboard.press("Enter")
    await expect(exchange.get_by_label(widget.say("helped.label"))).to_be_focused()
    await picture(widget.page, "helped-word")
    await widget.page.keyboard.type(word)
    await widget.page.keyboard.press("Enter")
    await expect(exchange).to_contain_text(widget.say("helped.sent"))
    await expect(widget.field).to_be_focused()

    async def judged() -> bool:
        return word in str(await operator.one(question))

    await until(judged, word)
    await (
        console.get_by_role("radio", name="Resolved")
        .or_(console.get_by_role("button", name="Resolved"))
        .first.click()
    )
    await console.get_by_role("link", name=question).click()
    facts = console.get_by_role("complementary", name="Details")
    await expect(facts).to_contain_text("Did it help?")
    await expect(facts).to_contain_text(word)
    await picture(console, "helped-console")
    # Kept, so that it is not asked again.
    await widget.page.reload()
    await widget.open()
    await expect(widget.root.get_by_text("from ten")).to_be_visible()
    await expect(widget.root.locator(".helped")).to_have_count(0)
