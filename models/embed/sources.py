"""Which packages the texts come from: `sources.toml`, checked.

Decides what a source must say before anything is fetched: a licence of the permissive list, the
file in the archive that grants it, and the archive's SHA-256. Refuses anything else with an error
that names the source and the field.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.embed.readers import FORMATS

LANGUAGES: Final = ("en", "es", "he")
KINDS: Final = frozenset({"interface", "sentence", "name", "word"})
REGISTRIES: Final = frozenset({"pypi", "npm"})
LICENCES: Final = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC-BY-2.0",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC0-1.0",
        "ISC",
        "LicenseRef-Public-Domain",
        "MIT",
        "PSF-2.0",
        "Unicode-3.0",
        "Unlicense",
    }
)


class SourceError(ValueError):
    """A source that cannot be used; the message names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Source:
    """One package, and where in it the texts are.

    `paths` has, for each language, patterns of members: `*` stands for a part of one folder or file
    name, `**` for any folders, `?` for one character; `#name` behind it takes the object that a
    JavaScript module assigns to that variable. The n-th patterns of the languages belong
    together, and files whose `*` and `**` stand for the same are translations of each other.
    """

    name: str
    registry: str
    package: str
    version: str
    file: str
    sha256: str
    licence: str
    licence_file: str
    what: str
    format: str
    kind: str
    paths: dict[str, tuple[str, ...]]


def load_sources(path: Path) -> list[Source]:
    """Read and check every source of the file, in its order."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("source", [])
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{path}: not TOML: {error}") from error
    sources = [_source_of(table, place) for place, table in enumerate(tables, 1)]
    names = [source.name for source in sources]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SourceError(f"{path}: the name {min(twice)!r} stands twice; give each source its own")
    return sources


def _source_of(table: dict[str, Any], place: int) -> Source:
    name = str(table.get("name", f"number {place}"))
    fields = set(Source.__dataclass_fields__)
    for field in sorted(fields - table.keys()):
        raise SourceError(f"source {name}: {field} is missing; add it")
    for field in sorted(table.keys() - fields):
        raise SourceError(f"source {name}: {field} is no field; remove it")
    for field, allowed in (
        ("licence", LICENCES),
        ("kind", KINDS),
        ("registry", REGISTRIES),
        ("format", FORMATS.keys()),
    ):
        if table[field] not in allowed:
            raise SourceError(
                f"source {name}: {field} must be one of {', '.join(sorted(allowed))}, "
                f"not {table[field]!r}"
            )
    if not re.fullmatch(r"[0-9a-f]{64}", table["sha256"]):
        raise SourceError(f"source {name}: sha256 must be 64 hexadecimal digits")
    paths = {
        language: (value,) if isinstance(value, str) else tuple(value)
        for language, value in table["paths"].items()
    }
    for language in sorted(paths.keys() - set(LANGUAGES)):
        raise SourceError(f"source {name}: paths.{language} is no language; use en, es or he")
    return Source(**{**table, "paths": paths})
