"""Three questions that go on from an answer of the FAQ, with no network and no WebGPU, as a visitor
asks them: each reply stands in the FAQ, or the visitor is told honestly that a person will see it.
"""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from kb.features import STOP_STEMS, stems
from models.local.knowledge import own_entries
from tests.browser.conftest import Surfer
from tests.browser.product import Product
from tests.browser.test_local_model import (
    FETCHED_MS,
    WRITTEN_MS,
    close,
    offering,
    sheet,
    words,
)
from tests.browser.visit import READY_MS, Widget, answer, handoff, origin, picture
from tests.browser.watch import JUST_BEGUN, NO_NETWORK

__all__ = ["offering"]

pytestmark = [
    pytest.mark.needs("chromium", "weights"),
    pytest.mark.chromium_only,
    pytest.mark.asyncio(loop_scope="session"),
]
TALKS = {
    "en": (
        "Does it work offline?",
        ("Is it sent later?", "and after a reload?", "for how many days is that kept?"),
    ),
    "es": (
        "¿Funciona sin conexión?",
        ("¿y se envía después?", "¿y después de recargar?", "¿cuántos días se guarda eso?"),
    ),
}
NO_WEBGPU = "delete Navigator.prototype.gpu;"
FROM_ENTRY = 0.6
"""Share of the telling words of a reply that must stand in the FAQ: a connecting word is new."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("locale", ["en", pytest.param("es", marks=pytest.mark.long)])
async def test_three_follow_ups_are_grounded_or_handed_on(
    surfer: Surfer, offering: Product, locale: str
) -> None:
    known, follow_ups = TALKS[locale]
    page, watch = await surfer.page(offering.chat, NO_WEBGPU, locale=locale)
    watch.expect(NO_NETWORK)
    watch.expect(JUST_BEGUN)
    widget = Widget(page, locale, framed=False)
    await widget.choose(memory=True)
    await widget.until_stored()
    box = await sheet(widget)
    await box.locator(".button.strong").click()
    await expect(box).to_contain_text(words("kept", locale), timeout=FETCHED_MS)
    await close(box)
    await page.context.set_offline(True)
    await offering.stop()
    try:
        await expect(widget.document).to_have_attribute("data-device", "ready", timeout=WRITTEN_MS)
        exchange = await widget.ask(known)
        await expect(origin(exchange)).to_contain_text(widget.say("source.kb"), timeout=READY_MS)
        told = [await _told(widget, follow_up) for follow_up in follow_ups]
        await picture(page, f"follow-ups-{locale}")
    finally:
        await offering.start()
    said = {word for one in own_entries() for word in _telling(f"{one.question} {one.answer}")}
    for question, (who, text) in zip(follow_ups, told, strict=True):
        if who != "answer":
            continue
        telling = _telling(text) - _telling(question)
        assert telling, text
        assert len(telling & said) / len(telling) >= FROM_ENTRY, text


async def _told(widget: Widget, question: str) -> tuple[str, str]:
    """What the visitor gets: an answer, of the FAQ or the model; a question back; or a person."""
    exchange = await widget.ask(question)
    await expect(origin(exchange)).to_be_visible(timeout=WRITTEN_MS)
    source = await origin(exchange).inner_text()
    text = await answer(exchange).inner_text()
    if await exchange.get_by_role("button", name=widget.say("clarify.none")).count():
        return "choice", text
    if widget.say("source.local") in source or widget.say("source.kb") in source:
        return "answer", text
    # Honest: it says that it waits for a person, and shows nothing of what was not sure enough.
    await expect(handoff(exchange)).to_contain_text(widget.say("card.unsent"))
    return "person", text


def _telling(text: str) -> set[str]:
    return set(stems(text)) - STOP_STEMS
