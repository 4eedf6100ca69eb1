"""Twelve states as pictures, kept in docs/screens: what has moved or changed colour is seen.

`make screens` takes them anew. They are compared where they were taken: with the same Chromium and
the same fonts, which `taken.json` names; elsewhere the comparison is skipped, and says so.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.browser.conftest import ROOT, Surfer
from tests.browser.product import Product
from tests.browser.states import reach
from tests.browser.visit import Widget

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.chromium_only,
    pytest.mark.may_skip,
    pytest.mark.asyncio(loop_scope="session"),
]

FOLDER: Final = ROOT / "docs" / "screens"
TAKEN: Final = FOLDER / "taken.json"
LARGEST: Final = 200_000
TOLERANCE: Final = 0.0005
"""The share of pixels that may differ: the edge of a letter may, a moved line may not."""
DARK: Final = {"color_scheme": "dark"}
NARROW: Final = {"viewport": {"width": 320, "height": 640}}
SCREENS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "consent": ("consent", "en", {}),
    "welcome": ("welcome", "en", {}),
    "welcome-spanish": ("welcome", "es", {}),
    "answer": ("answered", "en", {}),
    "answer-dark": ("answered", "en", DARK),
    "answer-hebrew": ("answered", "he", {}),
    "answer-320px": ("answered", "en", NARROW),
    "person-dark": ("handed over", "en", DARK),
    "topics": ("topics", "en", {}),
    "kept": ("kept", "en", {}),
    "contrast": ("contrast", "en", {}),
    "offline": ("offline", "en", {}),
}

COMPARE: Final = """async ([one, other]) => {
  const read = async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  };
  const [a, b] = [await read(one), await read(other)];
  if (a.width !== b.width || a.height !== b.height) return 1;
  let differing = 0;
  for (let at = 0; at < a.data.length; at += 4) {
    const far = [0, 1, 2].some((n) => Math.abs(a.data[at + n] - b.data[at + n]) > 24);
    if (far) differing += 1;
  }
  return differing / (a.width * a.height);
}"""
"""The share of pixels whose red, green or blue differ by more than a tenth; 1 for other sizes."""
FONTS: Final = """() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  return ["system-ui", "monospace"].map((family) => {
    context.font = `100px ${family}`;
    return ["Hamburgefonstiv", "אבגדהוז", "¿Qué?"].map((text) =>
      Math.round(context.measureText(text).width));
  });
}"""
"""The width of words in the fonts that the panel names: other fonts, other widths."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def here(browser: Browser) -> dict[str, Any]:
    """What pictures taken here depend on."""
    page = await browser.new_page()
    fonts = await page.evaluate(FONTS)
    await page.close()
    return {"chromium": browser.version, "fonts": fonts}


async def difference(page: Page, one: bytes, other: bytes) -> float:
    """The share of pixels in which two pictures differ."""
    texts = [base64.b64encode(picture).decode() for picture in (one, other)]
    blank = await page.context.new_page()
    share: float = await blank.evaluate(COMPARE, texts)
    await blank.close()
    return share


def keep(name: str, drawn: bytes, here: dict[str, Any]) -> None:
    """Put a picture into the folder, and beside it what it depends on."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.png").write_bytes(drawn)
    TAKEN.write_text(json.dumps(here) + "\n", encoding="utf-8")


async def picture(widget: Widget) -> bytes:
    """The page as it stands, without what moves."""
    return await widget.page.screenshot(animations="disabled")


@pytest.mark.parametrize("name", SCREENS)
async def test_the_panel_looks_as_before(
    name: str, surfer: Surfer, demo: Product, here: dict[str, Any], retake: bool
) -> None:
    if not retake and json.loads(TAKEN.read_text(encoding="utf-8")) != here:
        pytest.skip("taken with another Chromium or other fonts; `make screens` takes them here")
    state, locale, options = SCREENS[name]
    widget = await reach(surfer, demo, state, locale, device_scale_factor=2, **options)
    drawn = await picture(widget)
    if retake:
        keep(name, drawn, here)
    kept = (FOLDER / f"{name}.png").read_bytes()
    assert len(kept) < LARGEST
    assert await difference(widget.page, kept, drawn) <= TOLERANCE


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("a line that moved by 8 px", ".welcome > p { transform: translateY(8px) }"),
        ("a button that grew", ".send { transform: scale(1.4) }"),
        ("another colour of the head", "header { filter: invert(1) }"),
        ("a part that is gone", ".suggestions { visibility: hidden }"),
    ],
)
async def test_a_picture_differs_by(what: str, change: str, surfer: Surfer, demo: Product) -> None:
    widget = await reach(surfer, demo, "welcome", device_scale_factor=2)
    before = await picture(widget)
    assert await difference(widget.page, before, await picture(widget)) <= TOLERANCE
    await widget.page.evaluate(
        """(rules) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(rules);
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]; }""",
        change,
    )
    assert await difference(widget.page, before, await picture(widget)) > TOLERANCE, what


async def test_the_folder_holds_these_pictures_and_no_other() -> None:
    wanted = {"taken.json", *(f"{name}.png" for name in SCREENS)}
    assert {path.name for path in FOLDER.iterdir()} == wanted
