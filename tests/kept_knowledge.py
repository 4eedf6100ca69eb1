"""Indexes that a test run has already built: many tests start the product, and one build is enough.

An index's name holds a hash over all it is made from, code included, so that a stale one is never
taken for a new one; `fanlight run` builds what is not there.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from gateway.cli.knowledge import prepare
from gateway.cli.output import Output
from gateway.configuration import demo_settings
from kb import Index

KEPT = Path(__file__).resolve().parents[1] / "build" / "test-knowledge"


def bring(data: Path) -> None:
    """Put what was built before into a data folder."""
    if KEPT.is_dir():
        shutil.copytree(KEPT, data / "kb", dirs_exist_ok=True)


def keep(data: Path) -> None:
    """Keep what a data folder holds now."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for path in (data / "kb").glob("*.idx"):
        if not (KEPT / path.name).exists():
            copy = KEPT / f"{path.name}.part"
            shutil.copyfile(path, copy)
            copy.replace(KEPT / path.name)


def with_demo(data: Path) -> Index:
    """Put the demo's index into a data folder, built now if it never was; gives it loaded."""
    bring(data)
    settings = demo_settings(data, {"FANLIGHT_DATA_DIR": str(data)})
    index = prepare(settings.sites[0], data, Output().progress).knowledge.index
    keep(data)
    return index
