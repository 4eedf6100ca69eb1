"""docs/security.md: every test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([a-z0-9_/]+\.py)(?:::(test_[a-z0-9_]+))?`", PAGE)


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_exists(path: str, name: str) -> None:
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert not name or re.search(rf"^ *(async )?def {name}\(", text, re.MULTILINE)


def test_every_threat_names_a_control_and_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
    threats = [row.strip("| ").split(" | ") for row in rows if not row.startswith("| threat")]
    assert len(threats) > 25
    assert all(len(cells) == 3 and all(cells) and ".py" in cells[2] for cells in threats)
