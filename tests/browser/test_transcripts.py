"""What a screen reader is given of each main state: the accessibility tree, kept as text.

`pytest tests/browser/test_transcripts.py --retake` keeps it anew; the difference is for a person to
read, as a change of words is.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.browser.conftest import Surfer
from tests.browser.product import Product
from tests.browser.states import STATES, reach

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.chromium_only,
    pytest.mark.asyncio(loop_scope="session"),
]

# A look changes no words.
TOLD = [state for state in STATES if state != "contrast"]
FOLDER = Path(__file__).parent / "transcripts"


@pytest.mark.parametrize("locale", ["en", "he"])
@pytest.mark.parametrize("state", TOLD)
async def test_a_screen_reader_is_given_the_same_as_before(
    state: str, locale: str, surfer: Surfer, demo: Product, retake: bool
) -> None:
    widget = await reach(surfer, demo, state, locale)
    told = await widget.page.locator("body").aria_snapshot() + "\n"
    path = FOLDER / f"{state.replace(' ', '-')}.{locale}.yml"
    if retake:
        path.parent.mkdir(exist_ok=True)
        path.write_text(told, encoding="utf-8")
    kept = path.read_text(encoding="utf-8")
    changes = difflib.unified_diff(kept.splitlines(), told.splitlines(), "kept", "told", n=1)
    assert told == kept, "\n".join(changes)


async def test_no_transcript_is_left_of_a_state_that_is_gone() -> None:
    wanted = {f"{state.replace(' ', '-')}.{at}.yml" for state in TOLD for at in ("en", "he")}
    assert {path.name for path in FOLDER.iterdir()} == wanted
