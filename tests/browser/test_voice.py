"""What is spoken, dropped or pasted instead of typed.

Chromium without a sound card takes down no speech, so that its own interface stands in a double;
all else is real.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Frame, Page, expect

from tests.browser.conftest import OPERATOR_TOKEN, Surfer
from tests.browser.host_site import HostSite
from tests.browser.product import SITE, Product, running
from tests.browser.test_access import violations
from tests.browser.visit import Widget, picture

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "The Shop"
origins = ["{page}", "{shop}"]
kb = ["shop.en.md"]
voice = true

[[sites]]
key = "site_silent"
name = "Silent"
origins = ["{shop}"]
kb = ["shop.en.md"]

[limits]
sessions_per_address_per_minute = 1000
address_per_minute = 10000
"""
ENTRIES = (
    "## Which lamps do you have?\n\nFloor lamps and desk lamps.\n\n## Who are you?\n\nA shop.\n"
)
DOUBLE = """
window.recognitions = [];
delete window.SpeechRecognition;
window.webkitSpeechRecognition = class extends EventTarget {
  static async available() { return "unavailable"; }
  start() { window.recognitions.push(this); this.running = true; }
  stop() { if (this.running) { this.running = false; this.dispatchEvent(new Event("end")); } }
  hear(text) {
    const results = [[{ transcript: text }]];
    this.dispatchEvent(Object.assign(new Event("result"), { results }));
  }
  fail(error) {
    this.dispatchEvent(Object.assign(new Event("error"), { error }));
    this.stop();
  }
};
"""
NO_SPEECH = "delete window.SpeechRecognition; delete window.webkitSpeechRecognition;"
ALLOWED = "() => document.featurePolicy.allowsFeature('microphone')"


@dataclass
class Shop:
    """A gateway with a site that lets visitors speak, and the website."""

    product: Product
    host: HostSite

    def page(self, path: str, more: str = "data-voice", site: str = SITE) -> str:
        """A page with the chat; its address."""
        source = f"{self.product.gateway}/loader.js"
        tag = f'<script src="{source}" data-site="{site}" {more} async></script>'
        return self.host.show(f"<h1>Lamps</h1>{tag}", path)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("voices")
    config = folder / "fanlight.toml"
    product = Product(
        folder, config, {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}, token=OPERATOR_TOKEN
    )
    made = Shop(product, HostSite())
    (folder / "shop.en.md").write_text(ENTRIES, encoding="utf-8")
    addresses = {"page": product.page, "shop": made.host.origin}
    config.write_text(SETTINGS.format(port=product.port, site=SITE, **addresses), encoding="utf-8")
    with made.host.open():
        async with running(product):
            yield made


async def heard(frame: Frame, text: str) -> None:
    """The browser has understood this."""
    await frame.evaluate("(text) => window.recognitions.at(-1).hear(text)", text)


async def test_a_question_is_spoken_read_and_only_then_sent(surfer: Surfer, shop: Shop) -> None:
    widget, _ = await surfer.visit(shop.page("/"), DOUBLE, bypass_csp=True)
    await widget.begin(memory=True)
    frame = await widget.frame()
    assert await frame.evaluate(ALLOWED)
    speak = widget.root.get_by_role("button", name=widget.say("voice.start"))
    await speak.focus()
    await widget.page.keyboard.press("Enter")
    note = widget.root.get_by_text(widget.say("voice.note", name="The Shop"))
    await expect(note).to_be_visible()
    agree = widget.root.get_by_role("button", name=widget.say("voice.agree"))
    await expect(agree).to_be_focused()
    assert await frame.evaluate("() => window.recognitions.length") == 0
    assert await violations(frame) == []
    await picture(widget.page, "voice-note")
    await widget.page.keyboard.press("Enter")
    stop = widget.root.get_by_role("button", name=widget.say("voice.stop"))
    await expect(stop).to_have_attribute("aria-pressed", "true")
    assert await frame.evaluate("() => window.recognitions[0].lang") == "en-GB"
    await heard(frame, "which lamps do you have")
    await expect(widget.field).to_have_value("which lamps do you have")
    await picture(widget.page, "voice-listening")
    assert await violations(frame) == []
    await widget.page.keyboard.press("Escape")
    await expect(speak).to_have_attribute("aria-pressed", "false")
    # The panel is still there, and so is what was said; nobody has sent it.
    await expect(widget.field).to_be_focused()
    await expect(widget.exchanges).to_have_count(0)
    await widget.page.keyboard.press("Enter")
    await expect(widget.last.locator(".question")).to_contain_text("which lamps")
    # Known from now on, on the next visit too.
    await widget.page.reload()
    await widget.open()
    await widget.root.get_by_role("button", name=widget.say("voice.start")).click()
    await expect(widget.root.get_by_role("button", name=widget.say("voice.stop"))).to_be_visible()


async def test_what_went_wrong_is_said_in_hebrew_on_a_small_screen(
    surfer: Surfer, shop: Shop
) -> None:
    viewport = {"width": 320, "height": 640}
    options = {"viewport": viewport, "locale": "he-IL", "bypass_csp": True}
    page, _ = await surfer.page(shop.page("/he", 'data-voice data-locale="he"'), DOUBLE, **options)
    widget = Widget(page, "he")
    await widget.begin(memory=False)
    frame = await widget.frame()
    await widget.root.get_by_role("button", name=widget.say("voice.start")).click()
    await picture(page, "voice-he")
    assert await frame.evaluate("() => document.documentElement.scrollWidth") == 320
    await widget.root.get_by_role("button", name=widget.say("voice.agree")).click()
    await expect(widget.root.get_by_text(widget.say("voice.listening"))).to_be_visible()
    await frame.evaluate("() => window.recognitions.at(-1).fail('not-allowed')")
    await expect(widget.root.get_by_text(widget.say("voice.denied"))).to_be_visible()
    assert await violations(frame) == []
    assert await frame.evaluate("() => localStorage.length") == 0


@pytest.mark.parametrize(
    ("more", "site", "script"),
    [("", "site_silent", DOUBLE), ("data-voice", "site_silent", DOUBLE), ("", SITE, NO_SPEECH)],
)
async def test_where_nobody_may_speak_there_is_no_button_and_no_microphone(
    surfer: Surfer, shop: Shop, more: str, site: str, script: str
) -> None:
    widget, _ = await surfer.visit(shop.page("/silent", more, site), script)
    await widget.begin(memory=False)
    await widget.page.wait_for_timeout(300)
    await expect(widget.root.get_by_role("button", name=widget.say("voice.start"))).to_have_count(0)
    assert not await (await widget.frame()).evaluate(ALLOWED)


async def drop(page: Page, x: float, y: float, **data: object) -> None:
    """Let go of something over the page, as the browser itself is told of it."""
    session = await page.context.new_cdp_session(page)
    given = {"items": [], "files": [], "dragOperationsMask": 1, **data}
    for kind in ("dragEnter", "dragOver", "drop"):
        await session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": given})
    await session.detach()


async def test_a_dropped_file_is_refused_in_words_and_opens_nothing(
    surfer: Surfer, shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "bill.txt"
    file.write_text("What I paid", encoding="utf-8")
    page, _ = await surfer.page(shop.product.chat, bypass_csp=True)
    widget = Widget(page, framed=False)
    await widget.choose(memory=False)
    refused = page.get_by_text(widget.say("files.refused"))
    for target in (widget.field, page.locator(".log")):
        box = await target.bounding_box()
        assert box is not None
        await drop(page, box["x"] + 20, box["y"] + 10, files=[str(file)])
        await expect(refused).to_be_visible()
        assert page.url == shop.product.chat
        await picture(page, "files")
        assert await violations(page) == []
        await page.get_by_role("button", name=widget.say("notice.dismiss")).click()
        await expect(refused).to_have_count(0)
    await expect(widget.field).to_have_value("")
    box = await widget.field.bounding_box()
    assert box is not None
    text = {"mimeType": "text/plain", "data": "Which lamps?"}
    await drop(page, box["x"] + 20, box["y"] + 10, items=[text])
    await expect(widget.field).to_have_value("Which lamps?")


COPY_PICTURE = """async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 9, height: 9 });
  canvas.getContext("2d").fillRect(0, 0, 9, 9);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve));
  await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
}"""


async def test_a_pasted_picture_is_refused_and_pasted_text_is_not(
    surfer: Surfer, shop: Shop
) -> None:
    page, _ = await surfer.page(shop.product.chat)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    widget = Widget(page, framed=False)
    await widget.choose(memory=False)
    await page.evaluate(COPY_PICTURE)
    await widget.field.focus()
    await page.keyboard.press("Control+v")
    refused = page.get_by_text(widget.say("files.refused"))
    await expect(refused).to_be_visible()
    await expect(refused.locator("xpath=ancestor::*[@role='status']")).to_have_count(1)
    await page.evaluate("() => navigator.clipboard.writeText('Which lamps?')")
    await page.keyboard.press("Control+v")
    await expect(widget.field).to_have_value(re.compile("Which lamps"))
