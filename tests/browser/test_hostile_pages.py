"""The chat on host pages that are hostile, old or strict: it works, or stays away and says why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.conftest import FLAGS, OPERATOR_TOKEN, ROOT, Surfer
from tests.browser.host_site import HostSite
from tests.browser.hostile_pages import REFUSING, WORKING, HostPage
from tests.browser.product import SITE, Product, running
from tests.browser.test_embedding import SETTINGS, Town
from tests.browser.visit import Widget, answer, faq

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

NOTE_RETURN = """
addEventListener("pageshow", (event) => {
  if (event.persisted) document.documentElement.dataset.returned = "";
});
"""
ASK_AND_HEAR = """(question) => new Promise((resolve) => {
  fanlight.on("message", ({ from }) => from === "chat" && resolve(from));
  fanlight.ask(question);
})"""
KNOWN = "Does it work offline?"
# What hostile pages do to themselves: the tests' own watch, and their own policies.
OWN_DOING = r"Error: mine|CSP: |Content Security Policy|Permissions policy|document\.write|Parser"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder: Path = tmp_path_factory.mktemp("hostile-town")
    config = folder / "fanlight.toml"
    product = Product(folder, config, {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN})
    made = Town(product, HostSite(), HostSite())
    (folder / "help.en.md").write_text("## Who are you?\n\nThe help desk.\n", encoding="utf-8")
    config.write_text(
        SETTINGS.format(
            port=product.port,
            site=SITE,
            page=product.page,
            shop=made.shop.origin,
            help=made.help.origin,
            kb=ROOT / "kb" / "data",
        ),
        encoding="utf-8",
    )
    with made.shop.open(), made.help.open():
        async with running(product):
            yield made


def put(town: Town, page: HostPage, path: str = "/hostile") -> str:
    """The page with the site's tag in it; its address."""
    tag = town.tag()
    words = {
        "{gateway}": town.product.gateway,
        "{tag}": tag,
        "{sync_tag}": tag.replace(" async", ""),
        "{nonce_tag}": tag.replace("<script", "<script nonce=r4nd0m"),
        "{written_tag}": tag.replace("</script>", "<\\/script>"),
    }

    def filled(text: str) -> str:
        for token, word in words.items():
            text = text.replace(token, word)
        return text

    headers = {name: filled(value) for name, value in page.headers.items()}
    return town.shop.put(filled(page.document), path, headers)


async def answers(widget: Widget) -> None:
    """Open, ask, and see the answer."""
    await widget.begin(memory=False)
    await expect(answer(await widget.ask(KNOWN))).to_contain_text(faq("offline"))


async def in_view(widget: Widget) -> None:
    """The launcher is whole, in its corner, and is what a finger there would touch."""
    box, view = await widget.launcher.bounding_box(), widget.page.viewport_size
    await widget.launcher.click(trial=True)
    assert box is not None
    assert view is not None
    right, bottom = view["width"] - box["x"], view["height"] - box["y"]
    assert [round(n) for n in (box["width"], box["height"], right, bottom)] == [56, 56, 72, 72]


@pytest.mark.parametrize("name", WORKING)
async def test_the_chat_works_on_a_page_with(name: str, surfer: Surfer, town: Town) -> None:
    widget, watch = await surfer.visit(put(town, WORKING[name]))
    watch.expect(OWN_DOING)
    await in_view(widget)
    await answers(widget)
    await expect(widget.page.locator("html[data-went-on]")).to_be_attached()
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(1)


@pytest.mark.parametrize("name", REFUSING)
async def test_the_chat_stays_away_and_says_why_once_on_a_page_with(
    name: str, surfer: Surfer, town: Town
) -> None:
    page, watch = await surfer.page(put(town, REFUSING[name]))
    watch.expect("Fanlight:")
    await page.wait_for_load_state("networkidle")
    said = [line for line in watch.complaints if "Fanlight" in line]
    assert len(said) == 1, watch.complaints
    assert said[0].startswith("warning: ")
    await expect(page.locator("fanlight-launcher")).to_have_count(0)
    await expect(page.locator("html[data-went-on]")).to_be_attached()


FRAMED = (
    "<!doctype html><body style='margin:0'><iframe {sandbox} src='{url}' {size}></iframe></body>"
)
SIZE = "style='border:0;width:1000px;height:600px'"
PLAIN = WORKING["two tags"]


def framed(town: Town, url: str, path: str, sandbox: str = "") -> str:
    """A page of the shop around another of its pages."""
    return town.shop.put(FRAMED.format(sandbox=sandbox, url=url, size=SIZE), path)


@pytest.mark.parametrize("sandbox", ["", "sandbox='allow-scripts allow-same-origin'"])
async def test_the_chat_works_in_frames_within_frames(
    sandbox: str, surfer: Surfer, town: Town
) -> None:
    inner = framed(town, put(town, PLAIN), "/inner", sandbox)
    page, watch = await surfer.page(framed(town, inner, "/outer"))
    watch.expect("allow-scripts and allow-same-origin")
    deep = page.frame_locator("iframe").frame_locator("iframe")
    await deep.locator("fanlight-launcher button").click()
    panel = deep.frame_locator("fanlight-launcher iframe")
    await panel.get_by_role("button", name="Without memory").click()
    await panel.locator("textarea").fill(KNOWN)
    await panel.locator("textarea").press("Enter")
    await expect(panel.locator(".answer .prose")).to_contain_text(faq("offline"))


async def test_in_a_sandbox_without_an_origin_the_chat_says_that_it_cannot_be_reached(
    surfer: Surfer, town: Town
) -> None:
    page, watch = await surfer.page("about:blank")
    watch.expect("frame-ancestors|CSP: frame-src|violates the following Content Security Policy")
    watch.expect("does not match the recipient window's origin")
    await page.clock.install()
    url = framed(town, put(town, PLAIN), "/sandboxed", "sandbox='allow-scripts'")
    await page.goto(url)
    inside = page.frame_locator("iframe")
    await inside.locator("fanlight-launcher button").click()
    await page.clock.fast_forward(16_000)
    await expect(inside.get_by_role("status")).to_contain_text("The chat cannot be reached")
    await expect(inside.locator("html[data-went-on]")).to_be_attached()


async def test_a_page_that_takes_the_chat_away_is_left_alone_and_may_have_it_again(
    surfer: Surfer, town: Town
) -> None:
    widget, _ = await surfer.visit(put(town, PLAIN))
    await widget.begin(memory=False)
    await widget.page.evaluate("() => document.querySelector('fanlight-launcher').remove()")
    await widget.page.evaluate("() => { fanlight.open(); fanlight.ask('Who?'); fanlight.close(); }")
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(0)
    await widget.page.evaluate(
        """(url) => { const tag = document.createElement("script");
        tag.src = url; tag.dataset.site = "site_demo"; document.body.append(tag); }""",
        f"{town.product.gateway}/loader.js",
    )
    await answers(widget)


async def test_a_document_that_is_written_anew_takes_the_chat_along(
    surfer: Surfer, town: Town
) -> None:
    widget, _ = await surfer.visit(put(town, PLAIN))
    await expect(widget.launcher).to_be_visible()
    await widget.page.evaluate(
        "(html) => { document.open(); document.write(html); document.close(); }",
        f"<!doctype html><body><p>Anew</p>{town.tag()}</body>",
    )
    await answers(widget)
    await expect(widget.page.locator("fanlight-launcher")).to_have_count(1)


async def test_a_pages_own_modal_dialog_goes_before_the_chat(surfer: Surfer, town: Town) -> None:
    widget, _ = await surfer.visit(put(town, PLAIN))
    await widget.begin(memory=False)
    await widget.page.evaluate(
        """() => { const dialog = document.createElement("dialog");
        dialog.innerHTML = "<p>Cookies?</p><button autofocus>Yes</button>";
        dialog.firstElementChild.nextElementSibling.onclick = () => dialog.close();
        document.body.append(dialog); dialog.showModal(); }"""
    )
    button = widget.page.get_by_role("button", name="Yes")
    await expect(button).to_be_focused()
    await button.click()
    await expect(answer(await widget.ask(KNOWN))).to_contain_text(faq("offline"))


async def test_the_chat_is_not_printed(surfer: Surfer, town: Town) -> None:
    widget, _ = await surfer.visit(put(town, PLAIN))
    await widget.begin(memory=False)
    await widget.page.emulate_media(media="print")
    await expect(widget.launcher).to_be_hidden()
    await expect(widget.page.locator("fanlight-launcher iframe")).to_be_hidden()
    await widget.page.emulate_media(media="screen")
    await expect(widget.field).to_be_visible()


@pytest.mark.chromium_only
async def test_a_page_that_comes_back_from_the_back_forward_cache_has_its_chat(
    browser: Browser, chromium_path: Path, town: Town
) -> None:
    # Playwright switches the cache off, which visitors have on.
    own = await browser.browser_type.launch(
        executable_path=chromium_path,
        args=FLAGS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    surfer = Surfer(own)
    widget, watch = await surfer.visit(put(town, PLAIN), NOTE_RETURN)
    await answers(widget)
    await widget.page.goto(town.shop.show("<p>Elsewhere</p>", "/elsewhere"))
    await widget.page.go_back(wait_until="commit")
    await expect(widget.page.locator("html[data-returned]")).to_be_attached()
    await expect(widget.launcher).to_have_attribute("aria-expanded", "true")
    # Playwright loses sight of the frame then; the page does not.
    assert await widget.page.evaluate(ASK_AND_HEAR, "Which browsers are supported?") == "chat"
    assert watch.unexpected() == []
    await own.close()
