"""Which Chromium the benchmark drives: one that is installed, else Playwright's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS: Final = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> Path | None:
    """The browser's program; None leaves the choice to Playwright."""
    found = (shutil.which(name) for name in NAMES)
    return next((Path(program) for program in found if program), None)
