"""What docs/ops/deploy.md tells an operator to write, as the tests write it: to the letter."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ops" / "deploy.md").read_text(encoding="utf-8")


def block(after: str) -> str:
    """The first block of code after these words."""
    found = re.search(r"```[a-z]*\n(.*?)```", PAGE[PAGE.index(after) :], re.DOTALL)
    assert found, f"docs/ops/deploy.md has no code after {after!r}"
    return found[1]


def adapted(text: str, **changes: str) -> str:
    """The text with each of these words replaced; one that is not there is a fault of the page."""
    for word, now in changes.items():
        assert word in text, f"docs/ops/deploy.md does not say {word!r} there"
        text = text.replace(word, now)
    return text
