"""A visitor's first question in every browser engine that the machine has."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Surfer, in_engines
from tests.browser.product import Product
from tests.browser.visit import answer, faq

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    "engine", in_engines("chromium", "firefox", "webkit"), indirect=True, scope="session"
)
async def test_a_first_question_is_answered_in(
    engine: str, browser: Browser, surfer: Surfer, demo: Product
) -> None:
    assert browser.browser_type.name == engine
    widget, _ = await surfer.visit(demo.page)
    await widget.begin(memory=False)
    await expect(answer(await widget.ask("Does it work offline?"))).to_contain_text(faq("offline"))
