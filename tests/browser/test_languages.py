"""An owner imports a FAQ page in one language, and visitors ask in others, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import OPERATOR_TOKEN, Surfer
from tests.browser.product import FANLIGHT, SITE, Product, running
from tests.browser.visit import answer, handoff, origin
from tests.browser.watch import NO_NETWORK

PAGE = Path(__file__).with_name("faq_page.html")
SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "Bramble Bikes"
origins = ["http://localhost:{page}"]
kb = ["{kb}"]
"""

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """A shop whose FAQ page, in English alone, was imported by the command."""
    folder = tmp_path_factory.mktemp("shop")
    entries, config = folder / "faq.jsonl", folder / "fanlight.toml"
    command: list[str | Path] = [FANLIGHT, "kb", "import", PAGE, "--out", entries]
    importing = await asyncio.create_subprocess_exec(*command)
    assert await importing.wait() == 0
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    product = Product(folder, config, environ, token=OPERATOR_TOKEN)
    config.write_text(
        SETTINGS.format(port=product.port, page=product.page_port, site=SITE, kb=entries)
    )
    async with running(product) as started:
        yield started


@pytest.mark.parametrize(
    ("locale", "known", "reply", "language", "unknown"),
    [
        (
            "es", "¿Puedo devolver la bici si no me queda bien?", "within 30 days", "inglés",
            "¿Quién ganó el mundial de fútbol?",
        ),
        ("he", "מתי החנות פתוחה?", "Tuesday to Saturday", "אנגלית", "מי המציא את הטלפון?"),
    ],
)  # fmt: skip
async def test_a_question_in_another_language_finds_the_entry_offline_and_says_so(
    surfer: Surfer,
    shop: Product,
    *,
    locale: str,
    known: str,
    reply: str,
    language: str,
    unknown: str,
) -> None:
    widget, watch = await surfer.visit(f"{shop.page}/{locale}")
    watch.expect(NO_NETWORK)
    widget.locale = locale
    await widget.begin(memory=True)
    await widget.until_stored()
    await widget.page.context.set_offline(True)
    exchange = await widget.ask(known)
    await expect(answer(exchange)).to_contain_text(reply)
    await expect(origin(exchange)).to_contain_text(widget.say("in.language", language=language))
    exchange = await widget.ask(unknown)
    await expect(handoff(exchange)).to_contain_text(widget.say("card.unsent"))
