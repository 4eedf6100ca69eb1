"""How the chat speaks, in the console: made, mended, chosen, heard by the model, and reset."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.browser.conftest import OPERATOR_TOKEN, ROOT, Surfer
from tests.browser.model_server import ModelServer, model_server
from tests.browser.product import SITE, Product, running, until
from tests.browser.test_access import violations
from tests.browser.test_people import log_in
from tests.browser.visit import answer

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SETTINGS = """
[gateway]
port = {port}
private_endpoints = ["127.0.0.1:{model}"]

[prompts]
personalities = "own"

[[sites]]
key = "{site}"
name = "The Shop"
origins = ["http://localhost:{page}", "http://127.0.0.1:{page}"]
kb = ["{kb}"]
personality = "professional"

[model]
url = "http://127.0.0.1:{model}/v1"
model = "parrot"

[limits]
login_tries_per_minute = 100
"""
EVA = "identity: {name: Eva, role: a Hebrew guide}\ncommunication: {tone: warm}\n"
WIDE = ViewportSize(width=1280, height=900)
NARROW = ViewportSize(width=360, height=740)
PLAIN = "Answer in one or two sentences."
INSTRUCTIONS = 'Say "bike", never "bicycle".'


@dataclass
class Shop:
    """A gateway whose model repeats what it is told to, and remembers how it was told to speak."""

    product: Product
    model: ModelServer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("personality")
    config = folder / "fanlight.toml"
    (folder / "own").mkdir()
    (folder / "own" / "eva.yaml").write_text(EVA, encoding="utf-8")
    (folder / "own" / "broken.yaml").write_text("identity: {role: 7}\n", encoding="utf-8")
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    product = Product(folder, config, environ, token=OPERATOR_TOKEN)
    async with model_server() as model:
        config.write_text(
            SETTINGS.format(
                port=product.port,
                page=product.page_port,
                model=model.port,
                site=SITE,
                kb=ROOT / "kb" / "data",
            ),
            encoding="utf-8",
        )
        async with running(product):
            yield Shop(product, model)


async def enter(page: Page, product: Product) -> None:
    """Log in, and go to the room by its key."""
    await log_in(page, product.token)
    await page.keyboard.press("5")
    await expect(page.get_by_role("heading", name="How it speaks")).to_be_visible()


async def room(surfer: Surfer, shop: Shop, **options: object) -> Page:
    """The room, entered."""
    page, watch = await surfer.page(shop.product.console, **{"viewport": WIDE, **options})
    # A refusal by the gateway, which the page tells in its own words.
    watch.expect("status of 409")
    await enter(page, shop.product)
    return page


def row(page: Page, name: str) -> Locator:
    """A personality in the list."""
    return page.get_by_role("navigation", name="Personalities").get_by_role(
        "link", name=re.compile(f"^{re.escape(name)}")
    )


def radio(page: Page, group: str, name: str) -> Locator:
    """A choice among a few."""
    return page.get_by_role("group", name=group).get_by_role("radio", name=name, exact=True)


def note(page: Page, text: str) -> Locator:
    """The word after a deed."""
    return page.locator(".notes").get_by_text(text)


async def told(surfer: Surfer, shop: Shop) -> str:
    """What the model is told when a visitor asks what the knowledge base does not know."""
    widget, _ = await surfer.visit(shop.product.page)
    before = len(shop.model.told)
    await widget.begin(memory=False)
    exchange = await widget.ask("repeat: the moon is made of green stone")
    await expect(answer(exchange)).not_to_be_empty()
    assert len(shop.model.told) == before + 1
    return shop.model.told[-1]


async def test_one_is_made_from_a_preset_mended_used_heard_and_reset(
    surfer: Surfer, shop: Shop
) -> None:
    page = await room(surfer, shop)
    await expect(row(page, "Professional")).to_contain_text("In use")
    assert PLAIN in await told(surfer, shop)

    await row(page, "Teacher").click()
    await expect(page.get_by_text("This one comes with Fanlight")).to_be_visible()
    await page.get_by_role("button", name="Make your own from it").click()
    name = page.get_by_label("Name", exact=True)
    await expect(name).to_be_focused()
    await name.fill("")
    await page.get_by_label("Role").fill("the shop's assistant")
    await radio(page, "Tone", "Direct").check()
    area = page.get_by_role("textbox", name="Instructions")
    await area.fill("x" * 2_003)
    await expect(page.get_by_text("3 letters too many")).to_be_visible()
    await page.keyboard.press("Control+s")
    await expect(page.get_by_text("Not saved: mend 2 fields.")).to_be_visible()
    await expect(name).to_be_focused()
    await expect(name).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_text("Give it a name.")).to_be_visible()

    await name.fill("Ana")
    await area.fill(INSTRUCTIONS)
    lines = page.get_by_role("complementary", name="What a model is told").locator(".manner-lines")
    await expect(lines).to_contain_text("Your name is Ana.")
    await expect(lines).to_contain_text("Your tone is direct")
    await radio(page, "Language", "Hebrew").check()
    await expect(lines).to_contain_text("שמך Ana.")
    await expect(lines).to_have_attribute("dir", "rtl")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(note(page, "Saved.")).to_be_visible()
    await expect(row(page, "Ana")).to_be_visible()
    assert page.url.endswith(f"#personality/{SITE}/console.ana")
    assert PLAIN in await told(surfer, shop), "nothing is in use before it is chosen"

    await page.get_by_role("button", name="Use it").click()
    await expect(note(page, "from the next question on")).to_be_visible()
    await expect(row(page, "Ana")).to_contain_text("In use")
    head = await told(surfer, shop)
    assert head.startswith("Your name is Ana.\nYour role: the shop's assistant.\n")
    assert INSTRUCTIONS in head
    assert "Your tone is direct" in head
    assert "Answer in detail." in head, "the rest is the teacher's"

    await page.get_by_role("button", name="Go back to fanlight.toml: Professional").click()
    await expect(row(page, "Professional")).to_contain_text("In use")
    assert PLAIN in await told(surfer, shop)
    await (
        note(page, "fanlight.toml chooses again")
        .locator("..")
        .get_by_role("button", name="Undo")
        .click()
    )
    await expect(row(page, "Ana")).to_contain_text("In use")


async def test_a_question_is_tried_by_what_is_written_and_leaves_nothing(
    surfer: Surfer, shop: Shop
) -> None:
    page = await room(surfer, shop)
    await row(page, "Eva").click()
    await page.get_by_role("button", name="Make your own from it").click()
    await page.get_by_label("Name", exact=True).fill("Noa")
    await page.get_by_label("A visitor’s question").fill("repeat: the moon is made of cheese")
    await page.keyboard.press("Enter")
    await expect(page.locator(".manner-answer")).to_contain_text("the moon is made of cheese")
    assert shop.model.told[-1].startswith("Your name is Noa.")
    await page.get_by_label("A visitor’s question").fill("Does it work offline?")
    await page.get_by_role("button", name="Ask", exact=True).click()
    await expect(page.locator(".manner-answer")).to_contain_text("in its own words")
    await page.get_by_role("button", name="Discard").click()
    await expect(note(page, "Put aside.")).to_be_visible()
    await page.keyboard.press("1")
    await expect(page.get_by_role("heading", name="Escalations")).to_be_visible()
    await expect(page.get_by_text("made of cheese")).to_have_count(0)


async def test_two_operators_do_not_write_over_each_other(surfer: Surfer, shop: Shop) -> None:
    one = await room(surfer, shop)
    await one.get_by_role("button", name="New personality").click()
    await one.get_by_label("Name", exact=True).fill("Lia")
    await one.get_by_role("button", name="Save", exact=True).click()
    await expect(note(one, "Saved.")).to_be_visible()
    other = await room(surfer, shop)
    await row(other, "Lia").click()
    await other.get_by_label("Role").fill("the second")
    await one.get_by_label("Role").fill("the first")
    await one.get_by_role("button", name="Save", exact=True).click()
    await expect(note(one, "Saved.")).to_be_visible()
    await expect(other.get_by_text("changed this after you began")).to_be_visible()
    await other.get_by_role("button", name="Save", exact=True).click()
    await expect(other.get_by_label("Role")).to_have_value("the second")
    await other.get_by_role("button", name="Save mine instead").click()
    await expect(note(other, "Saved.")).to_be_visible()
    await expect(one.get_by_label("Role")).to_have_value("the second")
    await one.get_by_role("button", name="Remove").click()
    await expect(row(one, "Lia")).to_have_count(0)
    await one.get_by_role("button", name="Undo", exact=True).click()
    await expect(row(one, "Lia")).to_have_count(1)


async def test_leaving_with_unsaved_words_is_asked_about(surfer: Surfer, shop: Shop) -> None:
    page, watch = await surfer.page(shop.product.console, viewport=WIDE)
    watch.expect("^dialog: ")  # the watch answers that the page should not be left
    await enter(page, shop.product)
    await page.keyboard.press("n")
    name = page.get_by_label("Name", exact=True)
    await expect(name).to_be_focused()
    await name.fill("Half")
    await name.click()
    await page.evaluate("() => setTimeout(() => location.reload(), 0)")

    async def asked() -> list[str]:
        return [line for line in watch.complaints if line.startswith("dialog: ")]

    await until(asked, "the browser asks")
    await expect(name).to_have_value("Half")
    await page.get_by_role("button", name="Discard").click()


async def test_it_is_told_in_hebrew_from_the_right(surfer: Surfer, shop: Shop) -> None:
    page = await room(surfer, shop)
    await page.get_by_label("Language of this page").select_option("he")
    await expect(page.get_by_role("heading", name="איך הצ'אט מדבר")).to_be_visible()
    await expect(page.get_by_role("main")).to_have_attribute("dir", "rtl")
    side = await page.get_by_role("navigation", name="אישיויות").bounding_box()
    assert side is not None
    assert side["x"] > WIDE["width"] / 2
    await page.get_by_label("שפת העמוד").select_option("es")
    await expect(page.get_by_role("heading", name="Cómo habla")).to_be_visible()
    await page.get_by_label("Idioma de esta página").select_option("en")


async def test_the_keyboard_reads_the_list(surfer: Surfer, shop: Shop) -> None:
    page = await room(surfer, shop)
    await row(page, "Default").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Default", level=2)).to_be_focused()
    await row(page, "Default").focus()
    await page.keyboard.press("j")
    await expect(row(page, "Professional")).to_be_focused()
    await expect(page.get_by_role("heading", name="Professional", level=2)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(row(page, "Professional")).to_be_focused()
    assert page.url.endswith(f"#personality/{SITE}")


@pytest.mark.parametrize("language", ["en", "he"])
@pytest.mark.parametrize(
    ("device", "place"),
    [
        pytest.param({"viewport": WIDE}, "teacher", id="light"),
        pytest.param({"viewport": WIDE, "color_scheme": "dark"}, "~new", id="dark, new"),
        pytest.param({"viewport": WIDE}, "broken", id="broken"),
        pytest.param({"viewport": NARROW, "color_scheme": "dark"}, "~new", id="360 px, new"),
        pytest.param({"viewport": NARROW}, "", id="360 px, list"),
        pytest.param({"viewport": NARROW}, "~none", id="360 px, none"),
    ],
)
async def test_axe_finds_nothing_in_the_room(
    surfer: Surfer, shop: Shop, device: dict[str, Any], place: str, language: str
) -> None:
    # Only here is the policy off: axe-core has to be brought into the page.
    page, _ = await surfer.page(
        shop.product.console, bypass_csp=True, reduced_motion="reduce", **device
    )
    await enter(page, shop.product)
    await page.get_by_label("Language of this page").select_option(language)
    await page.goto(f"{shop.product.console}/#personality/{SITE}/{place}")
    if place == "~new":
        await page.locator(".manner-more summary").click()
        await page.locator("#manner-custom_instructions").fill("x" * 2_003)
        await page.keyboard.press("Control+s")
        await expect(page.locator("[aria-invalid=true]")).to_have_count(2)
    if place in {"teacher", "~new"}:
        await expect(page.locator(".manner-lines")).to_be_attached()
    folder = os.environ.get("FANLIGHT_SCREENSHOTS")
    if folder:
        width, scheme = device["viewport"]["width"], device.get("color_scheme", "light")
        name = f"{scheme}-{width}-{place or 'list'}-{language}.png"
        await page.screenshot(path=f"{folder}/{name}", full_page=True)
    assert await violations(page) == []
    wide = await page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= device["viewport"]["width"]
