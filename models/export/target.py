"""What an export writes: a file or a folder that is there whole, or not at all.

Decides that nothing is replaced unasked, and that a folder is replaced only where it is an earlier
export or empty. The disk's free space is looked at first. What is coming lies beside the target,
and takes its place in one step when it has reached the disk.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from models.errors import ModelError, NoRoom, Occupied
from models.registry.partial import MARGIN, free_bytes

MARK: Final = "mlc-chat-config.json"
"""What every folder has that is written here."""

_ELSEWHERE: Final = "or name a target on another disk; nothing was written."

type Free = Callable[[Path], int]


def check_file(target: Path, *, force: bool) -> None:
    """Raise `Occupied` where a file may not be written there."""
    if target.is_dir():
        raise Occupied(f"{target} is a folder. Name a file.")
    if target.exists() and not force:
        raise Occupied(f"{target} is there already. Name another target, or give --force.")


def check_folder(target: Path, *, force: bool) -> None:
    """Raise `Occupied` where a folder may not be written there."""
    empty = target.is_dir() and not any(target.iterdir())
    if not target.exists() or empty:
        return
    if not force:
        raise Occupied(f"{target} is there already. Name another target, or give --force.")
    if not (target / MARK).is_file():
        raise Occupied(f"{target} is no earlier export (it has no {MARK}). Name another target.")


@contextmanager
def new_file(
    target: Path, size: int, *, force: bool, free: Free = free_bytes
) -> Iterator[BinaryIO]:
    """A file of so many bytes, written to where it is not yet seen.

    Raises `Occupied`, `NoRoom`, or `ModelError` where the disk says no.
    """
    check_file(target, force=force)
    target = target.resolve()
    coming = _beside(target, "part")
    with _said(target, size, free):
        try:
            with coming.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            coming.replace(target)
        finally:
            coming.unlink(missing_ok=True)


@contextmanager
def new_folder(target: Path, size: int, *, force: bool, free: Free = free_bytes) -> Iterator[Path]:
    """A folder that takes its place when it is whole. Raises as `new_file` does."""
    check_folder(target, force=force)
    target = target.resolve()
    coming, old = _beside(target, "part"), _beside(target, "old")
    with _said(target, size, free):
        try:
            coming.mkdir()
            yield coming
            for path in coming.iterdir():
                _sync(path)
            _put(coming, target, old)
        finally:
            shutil.rmtree(coming, ignore_errors=True)


def _put(coming: Path, target: Path, old: Path) -> None:
    """A folder that holds something cannot be replaced in one step: it is put aside first."""
    if target.exists():
        target.rename(old)
    try:
        coming.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _said(target: Path, size: int, free: Free) -> Iterator[None]:
    """What the disk says, with a remedy."""
    folder = target.parent
    if not folder.is_dir():
        raise ModelError(f"{folder} is no folder. Make it, or name another target.")
    if (found := free(folder)) < size + MARGIN:
        raise NoRoom(folder, size + MARGIN, found, _ELSEWHERE)
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(folder, size, free(folder), _ELSEWHERE) from error
        raise ModelError(f"{target} cannot be written: {error.strerror}.") from error


def _beside(target: Path, what: str) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.{what}")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
