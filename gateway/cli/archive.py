"""The archive of a backup: a tar with a manifest before its parts.

It decides the form: `manifest.json` says the form's version, the revision of the tables, and each
part's size and SHA-256. It refuses an archive of a newer form, a part that is missing, too many,
changed or cut short, and names it; and any name that is not one of a backup's own. Files are made
for their owner alone, and stand under their name only when they are whole and on disk.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

from core.errors import FanlightError

FORM: Final = 1
MANIFEST: Final = "manifest.json"
MANIFEST_BYTES: Final = 16 * 1024 * 1024
_PART: Final = re.compile(r"database|operator-token|(keys|kb)/[A-Za-z0-9_][A-Za-z0-9_.-]*")
_CHUNK: Final = 1024 * 1024
_UNREADABLE: Final = (
    *(tarfile.TarError, zlib.error, EOFError, OSError),
    *(ValueError, KeyError, TypeError, AttributeError),
)
"""What reading a file raises that is no archive, or no manifest of ours."""


class BadArchive(FanlightError):
    """A file that is no whole backup; the message names what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; `database` is `sqlite` or `postgresql`."""

    form: int
    fanlight: str
    made_at: str
    database: str
    revision: str
    parts: tuple[Part, ...]


def pack(path: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write the archive to a new file; raises `BadArchive` when there is one."""
    with _new_file(path) as out, tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        text = json.dumps(asdict(manifest), indent=1).encode()
        _add(tar, MANIFEST, len(text), BytesIO(text))
        for part in manifest.parts:
            with files[part.name].open("rb") as data:
                _add(tar, part.name, part.size, data)


def describe(name: str, path: Path) -> Part:
    """A file as a part."""
    with path.open("rb") as data:
        return Part(name, path.stat().st_size, hashlib.file_digest(data, "sha256").hexdigest())


def unpack(path: Path, folder: Path) -> Manifest:
    """Write the parts below `folder`, each checked; raises `BadArchive`."""
    try:
        with tarfile.open(path, mode="r:gz") as tar:
            manifest = _manifest(tar)
            waiting = {part.name: part for part in manifest.parts}
            while (member := tar.next()) is not None:
                part = waiting.pop(member.name, None)
                if part is None or not member.isreg():
                    raise BadArchive(f"{path}: {member.name!r} does not belong there")
                _take(tar, member, part, folder)
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno:
            raise BadArchive(f"{path}: {error.strerror}") from error
        raise BadArchive(f"{path} is damaged, or no backup: {error}") from error
    if waiting:
        raise BadArchive(f"{path} is cut short: {', '.join(waiting)} is missing")
    return manifest


def _manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    if first is None or first.name != MANIFEST or first.size > MANIFEST_BYTES:
        raise BadArchive("this is no backup of Fanlight: it has no manifest")
    values: dict[str, Any] = json.loads(_opened(tar, first).read())
    if values["form"] > FORM:
        raise BadArchive("a newer Fanlight made this backup: update Fanlight, then restore it")
    parts = tuple(Part(**part) for part in values.pop("parts"))
    for part in parts:
        if not _PART.fullmatch(part.name) or ".." in part.name:
            raise BadArchive(f"{part.name!r} is no part of a backup")
    return Manifest(**values, parts=parts)


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, part: Part, folder: Path) -> None:
    to = folder / part.name
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = hashlib.sha256()
    with _new_file(to) as out:
        source = _opened(tar, member)
        try:
            while chunk := source.read(_CHUNK):
                seen.update(chunk)
                out.write(chunk)
        except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
            raise BadArchive(f"{part.name} is damaged, or cut short") from error
    if (member.size, seen.hexdigest()) != (part.size, part.sha256):
        raise BadArchive(f"{part.name} is damaged: it is not what was backed up")


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    found = tar.extractfile(member)
    if found is None:
        raise BadArchive(f"{member.name!r} is no file")
    return found


def _add(tar: tarfile.TarFile, name: str, size: int, data: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    tar.addfile(info, data)


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    if path.exists():
        raise BadArchive(f"{path} is there already; nothing is overwritten")
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
