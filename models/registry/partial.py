"""A file that is still coming: what has come of it, from where, and how it becomes whole.

Decides when what has come may be gone on with: from the same source, and where that named a mark of
its version (ETag), under the same one. A file that is whole replaces its target in one step, after
it has reached the disk; both are readable by their owner alone.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from models.errors import NoRoom
from models.registry.model import Source

MARGIN: Final = 64 << 20
"""So much of a disk is left free."""

PRIVATE: Final = 0o600
_CHUNK: Final = 1 << 20


def make_private(folder: Path) -> Path:
    """Make a folder for its owner alone, and those above it; gives it."""
    if not folder.exists():
        make_private(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def free_bytes(folder: Path) -> int:
    """What the folder's disk has free."""
    return shutil.disk_usage(folder).free


class Partial:
    """The coming file at `path`, with what is known of it in a small file beside it."""

    def __init__(self, path: Path, free: Callable[[Path], int] = free_bytes) -> None:
        self.path = path
        self._note = path.with_name(f"{path.name}.json")
        self._free = free
        make_private(path.parent)

    def require(self, size: int | None) -> None:
        """Raise `NoRoom` where `size` bytes more do not fit on the disk."""
        free = self._free(self.path.parent)
        if size is not None and free < size + MARGIN:
            raise NoRoom(self.path.parent, size + MARGIN, free)

    def begun(self, source: Source) -> tuple[int, str]:
        """Bytes that have come from this source, and its mark of their version; 0 and "" if none.

        Without a mark nothing says that the source still holds the same file, save the hash at the
        end: that is enough, because what does not match it is never used.
        """
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if isinstance(note, dict) and note.get("source") == source.text:
                return self.path.stat().st_size, str(note.get("mark") or "")
        except (OSError, ValueError):
            pass
        return 0, ""

    def open(self, source: Source | None, *, mark: str = "", after: int = 0) -> BinaryIO:
        """Open it for writing after so many bytes; what was behind them is dropped.

        Written down is where it comes from; with None, that it cannot be gone on with.
        """
        text = json.dumps({"source": source.text if source else None, "mark": mark})
        with open_private(self._note, "wb") as note:
            note.write(text.encode())
        file = open_private(self.path, "ab")
        file.truncate(after)
        return file

    def write(self, file: BinaryIO, data: bytes, rest: int | None) -> None:
        """Write on. Raises `NoRoom`, and keeps what has come, where the disk is full."""
        try:
            file.write(data)
            file.flush()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            free = self._free(self.path.parent)
            raise NoRoom(self.path.parent, rest or len(data), free) from error

    def drop(self) -> None:
        """Forget what has come."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def move(self, target: Path) -> None:
        """Put the whole file in its place, in one step."""
        make_private(target.parent)
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
        _sync_folder(target.parent)


def open_private(path: Path, mode: str) -> BinaryIO:
    """Open a file for writing that only its owner can read."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, PRIVATE))  # type: ignore[return-value]


def sha256_of(path: Path, told: Callable[[int, int], None] = lambda _done, _size: None) -> str:
    """The SHA-256 of a file; `told` hears bytes done, and of how many."""
    digest = hashlib.sha256()
    done, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            digest.update(data)
            done += len(data)
            told(done, size)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
