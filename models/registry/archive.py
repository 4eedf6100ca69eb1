"""Several files of a model as one: an archive, checked block by block like any other file.

Decides its form: ustar, uncompressed, the same bytes for the same files. Refuses a name that
ustar's short form cannot hold.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from models.errors import ModelError

_NAME: Final = 99


def require_short(names: Iterable[str]) -> None:
    """Raise `ModelError` for a name that does not fit."""
    long = [name for name in names if len(name.encode()) > _NAME]
    if long:
        raise ModelError(f"The name {long[0]} is too long.")


def archived(files: Mapping[str, Path | bytes], target: Path) -> None:
    """Write `files` by their names, which are short, into `target`, in their order."""
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            if isinstance(content, bytes):
                archive.addfile(_entry(name, len(content)), io.BytesIO(content))
                continue
            with content.open("rb") as file:
                archive.addfile(_entry(name, content.stat().st_size), file)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry
