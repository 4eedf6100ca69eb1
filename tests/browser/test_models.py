"""A model behind the gateway: its words arrive in pieces, late or never, and some are hostile."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Staffed, Surfer
from tests.browser.hostile import INSPECT, corpus
from tests.browser.product import Desk, until
from tests.browser.test_people import log_in
from tests.browser.visit import answer, faq, handoff, origin
from tests.browser.watch import Watch
from tests.gateway.adapters.http_receiver import receiver

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


async def test_a_models_words_are_shown_as_they_come(surfer: Surfer, staffed: Staffed) -> None:
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await widget.until_known()
    exchange = await widget.ask("slowly: walnut cherry **poplar**")
    growing = exchange.locator(".growing")
    staffed.model.more()
    await expect(growing).to_have_text("walnut")
    staffed.model.more()
    await expect(growing).to_have_text("walnut cherry")
    staffed.model.more()
    await expect(answer(exchange)).to_have_text("walnut cherry poplar")
    await expect(growing).to_have_count(0)
    await expect(origin(exchange)).to_contain_text(widget.say("source.cloud"))


async def test_a_visitor_can_stop_an_answer_and_keeps_what_came(
    surfer: Surfer, staffed: Staffed
) -> None:
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await widget.until_known()
    exchange = await widget.ask("slowly: spruce hazel maple")
    staffed.model.more()
    await expect(exchange.locator(".growing")).to_have_text("spruce")
    await widget.root.get_by_role("button", name=widget.say("composer.stop")).click()
    await expect(exchange).to_contain_text(widget.say("stopped"))
    await expect(widget.field).to_be_focused()
    await expect(answer(exchange)).to_have_text("spruce")
    staffed.model.more(2)


async def test_a_model_that_hangs_ends_in_a_fallback_within_five_seconds(
    surfer: Surfer, staffed: Staffed
) -> None:
    widget, _ = await surfer.visit(staffed.product.page)
    await widget.begin(memory=True)
    await widget.until_known()
    exchange = await widget.ask("hang: which clouds bring hail?")
    await expect(exchange).to_contain_text(widget.say("thinking"))

    async def asked() -> bool:
        return any("hail" in question for question in staffed.model.asked)

    await until(asked, "the question at the model")
    await expect(answer(exchange)).to_contain_text(faq("system-fallback"), timeout=5_000)
    await expect(handoff(exchange)).to_be_visible()


STRANGE = (
    "over the moon, said the baker to the gardener in May, when the apples and the pears and all"
    " the other trees of the valley were in bloom and the bees came home late"
)
"""Words that keep the knowledge base from answering a question about, say, a script tag."""


async def _nothing_happened(parts: Locator, watch: Watch, trap: str) -> None:
    for part in await parts.all():
        assert await part.evaluate(INSPECT) == []
    assert watch.asked(trap) == []


async def test_hostile_answers_of_a_model_do_nothing_shown_or_withheld(
    surfer: Surfer, staffed: Staffed
) -> None:
    async with receiver() as trap:
        address = f"http://127.0.0.1:{trap.port}"
        widget, watch = await surfer.visit(staffed.product.page)
        await widget.begin(memory=True)
        await widget.until_known()
        for name, text in corpus(address).items():
            await widget.field.fill(f"repeat: {STRANGE}\n\n{text}")
            await widget.field.press("Enter")
            # Drawn as it comes; then, where it is not to be believed, taken back.
            await expect(origin(widget.last), name).to_be_visible()
        await _nothing_happened(widget.root.locator(".prose"), watch, address)
        await widget.page.reload()  # and once more, as the vault gives it back
        await widget.open()
        await _nothing_happened(widget.root.locator(".prose"), watch, address)
        assert trap.connections == 0


async def test_hostile_replies_of_a_person_are_only_shown_to_visitor_and_operator(
    surfer: Surfer, staffed: Staffed, operator: Desk
) -> None:
    question = "zebra <img src=x onerror=alert(1)> ![crossing](http://127.0.0.1:9/q.png) who?"
    async with receiver() as trap:
        address = f"http://127.0.0.1:{trap.port}"
        widget, watch = await surfer.visit(staffed.product.page)
        await widget.begin(memory=True)
        await expect(handoff(await widget.ask(question))).to_be_visible()
        escalation = await operator.one(question)
        texts = corpus(address)
        for text in texts.values():
            await operator.reply(escalation["id"], text)
        await expect(widget.last.locator(".reply")).to_have_count(len(texts))
        await _nothing_happened(widget.root.locator(".prose"), watch, address)

        console, seen = await surfer.page(staffed.product.console)
        await log_in(console, staffed.product.token)
        await console.get_by_role("link", name="who?").click()
        await expect(console.locator(".talk > ol > li")).to_have_count(len(texts) + 1)
        await _nothing_happened(console.locator(".talk .prose"), seen, address)
        assert trap.connections == 0
