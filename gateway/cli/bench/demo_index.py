"""The index of Fanlight's own FAQ for the benchmarks: as the demo has kept it here, or a new one.

Decides that the demo's data folder in the working folder is looked into, and never written. An
index's name holds a hash over all it is made from, so that a stale one is never taken.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import kb
from gateway.cli.knowledge import prepare
from gateway.cli.output import Output
from gateway.configuration import DEMO_SITE
from gateway.settings import SiteSettings

KEPT: Final = Path(".fanlight") / "kb"


def bring_kept(data_dir: Path) -> None:
    """Put the indexes that the demo has kept in the working folder into a data folder."""
    if KEPT.is_dir():
        shutil.copytree(KEPT, data_dir / "kb", dirs_exist_ok=True)


def demo_index(data_dir: Path) -> bytes:
    """The index of the demo's knowledge base; what is built is kept in `data_dir`."""
    faq = Path(kb.__file__).parent / "data"
    site = SiteSettings(key=DEMO_SITE, name="Fanlight", origins=(), kb=(faq,))
    bring_kept(data_dir)
    return prepare(site, data_dir, Output().progress).knowledge.packed
