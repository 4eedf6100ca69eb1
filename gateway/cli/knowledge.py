"""A site's knowledge base on disk: its sources read, its index built once and kept.

Decides which files of a folder are sources, and when an index is stale: any byte of a source, or of
the code that builds, makes another name, and so does another embedding, and what operators
published over the sources. An index from a trainer is kept where the trainer has gone; one from
none is built again once there is one. A source that cannot be read is a problem like a bad row; the
rest still builds. Refuses nothing but a data folder that cannot be written, and a given index that
this version cannot read.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import kb
from core.encoding import canonical_json
from core.errors import FanlightError
from core.knowledge import DEFAULT_PRIOR
from core.workshop import Recipe, recipe_row
from gateway.cli.builders import Tools, code_of_kb, installed_tools
from gateway.cli.output import Report
from gateway.cli.whole_file import write_whole
from gateway.context import PackedEmbedding, SiteKnowledge, load_knowledge
from gateway.knowledge.draft import overlaid
from gateway.settings import SiteSettings
from kb import Entry, IndexFormatError, Problem, Reading, load_index, merge_readings
from kb.build import with_correction
from kb.evaluate import correction_of
from kb.load import stored_entries
from kb.readers import Format

FORMATS: Final[dict[str, Format]] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
INDEX: Final = ".idx"
MAX_SOURCE: Final = 256 * 1024 * 1024
FILES_ALONE: Final = Recipe({}, DEFAULT_PRIOR)
"""What an index is made from where nothing was published in the console."""

type Bar = Callable[[str], AbstractContextManager[Callable[[str, float], None]]]


class KnowledgeError(FanlightError):
    """A knowledge base that cannot be served; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A site's knowledge, ready to serve; `built` says whether the index is new.

    `notice` is what the owner should know of how it was built, `files` the entries of the sources.
    """

    knowledge: SiteKnowledge
    problems: tuple[Problem, ...]
    built: bool
    notice: str = ""
    files: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A file of entries, as it is on disk; `data` is None when it could not be opened."""

    path: Path
    data: bytes | None
    reason: str = ""


def prepare(
    site: SiteSettings,
    data_dir: Path,
    bar: Bar,
    tools: Tools | None = None,
    *,
    recipe: Recipe = FILES_ALONE,
    sources: Sequence[Source] | None = None,
    spare: int = 0,
) -> Prepared:
    """Read the site's sources and give its index, built anew only when something changed.

    `tools` are this installation's by default. `recipe` is what was published over the sources,
    which are read here unless they are given.
    `spare` older indexes of the site are left on disk. Raises `KnowledgeError`.
    """
    tools = tools or installed_tools()
    given = given_index(site)
    if given is not None and recipe == FILES_ALONE:
        knowledge = _load_given(given, tools.embedding)
        return Prepared(knowledge, (), built=False, files=stored_entries(knowledge.packed))
    sources = read_sources(site) if sources is None else sources
    reading = read_site(site, sources)
    path, kept = _find(site, data_dir, sources, recipe, tools)
    if kept is not None:
        with suppress(OSError):
            os.utime(path)  # what is served counts as new, and stays when the next one is built
        return Prepared(kept, reading.problems, built=False, files=reading.entries)
    entries = overlaid(reading.entries, recipe.edits)
    with bar(f"building the knowledge base of {site.name}") as report:
        data = built(entries, recipe, tools, report, _last(path, site))
    _write(path, data)
    _tidy(path, site, spare)
    knowledge = load_knowledge(data, tools.embedding)
    return Prepared(knowledge, reading.problems, True, tools.notice(entries), reading.entries)


def found_or_built(
    site: SiteSettings, data_dir: Path, recipe: Recipe, tools: Tools, report: Report
) -> SiteKnowledge:
    """The same index for who only looks at it: where it is built, it is not kept."""
    sources = read_sources(site)
    path, kept = _find(site, data_dir, sources, recipe, tools)
    if kept is not None:
        return kept
    entries = overlaid(read_site(site, sources).entries, recipe.edits)
    data = built(entries, recipe, tools, report, _last(path, site))
    return load_knowledge(data, tools.embedding)


def _find(
    site: SiteSettings, data_dir: Path, sources: Sequence[Source], recipe: Recipe, tools: Tools
) -> tuple[Path, SiteKnowledge | None]:
    """Where the index is kept, and the index if it is there."""

    def place(trainer_code: bytes) -> Path:
        mark = fingerprint(site, sources, tools.embedding, trainer_code, recipe)
        return data_dir / "kb" / f"{site.key}-{mark}{INDEX}"

    path = place(tools.trainer_code)
    kept = _load_kept(path, tools.embedding)
    if kept is None and tools.find_trainer() is None:
        path = place(b"")
        kept = _load_kept(path, tools.embedding)
    return path, kept


def built(
    entries: Sequence[Entry],
    recipe: Recipe,
    tools: Tools,
    report: Report,
    earlier: bytes | None = None,
) -> bytes:
    """Build an index of these entries with the prior and the marks of a recipe.

    `earlier` is the site's last index: what it learned is not learned again where nothing changed.
    """
    data = tools.build(entries, out_of_scope=recipe.out_of_scope, earlier=earlier, progress=report)
    if not recipe.marks:
        return data
    # The marks say how sure this very index is of what it should, and should not, know.
    return with_correction(data, correction_of(load_index(data, tools.table), recipe.marks))


def _others(path: Path, site: SiteSettings) -> list[Path]:
    """The site's other indexes, the newest first."""
    others = [each for each in path.parent.glob(f"{site.key}-*{INDEX}") if each != path]
    return sorted(others, key=lambda each: each.stat().st_mtime, reverse=True)


def _last(path: Path, site: SiteSettings) -> bytes | None:
    """The index that was built before the one that belongs at this path."""
    for other in _others(path, site):
        with suppress(OSError):
            return other.read_bytes()
    return None


def _tidy(path: Path, site: SiteSettings, spare: int) -> None:
    """Drop the site's other indexes but for the newest `spare`."""
    for stale in _others(path, site)[spare:]:
        stale.unlink(missing_ok=True)


def given_index(site: SiteSettings) -> Path | None:
    """The ready-made index that the site names instead of sources, if it does."""
    return site.kb[0] if len(site.kb) == 1 and site.kb[0].suffix == INDEX else None


def read_sources(site: SiteSettings) -> list[Source]:
    """Every file that the site's knowledge base names, folders spread out, in a stable order."""
    return [_open(path) for named in site.kb for path in _spread(named)]


def read_site(site: SiteSettings, sources: Sequence[Source]) -> Reading:
    """Every entry of the sources, and a problem for each bad row or unreadable file."""
    return merge_readings((shown(source.path), _read(source, site)) for source in sources)


def fingerprint(
    site: SiteSettings,
    sources: Sequence[Source],
    embedding: PackedEmbedding | None,
    trainer_code: bytes,
    recipe: Recipe = FILES_ALONE,
) -> str:
    """A short hash over all that an index is made from; `trainer_code` is empty without one."""
    release = embedding.table.release if embedding else "none"
    digest = hashlib.sha256(code_of_kb() + site.default_locale.encode())
    digest.update(hashlib.sha256(release.encode()).digest() + hashlib.sha256(trainer_code).digest())
    for source in sources:
        content = hashlib.sha256(source.data or b"").digest()
        # The name says how it is read; where it lies changes nothing.
        digest.update(hashlib.sha256(source.path.name.encode()).digest() + content)
    if recipe != FILES_ALONE:
        digest.update(canonical_json(recipe_row(recipe)))
    return digest.hexdigest()[:16]


def shown(path: Path) -> str:
    """A path as messages show it: from the working folder where it lies below that."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _spread(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from sorted(
        file for file in path.rglob("*") if _format(file) is not None and file.is_file()
    )


def _format(path: Path) -> Format | None:
    name = Path(path.stem) if path.suffix == ".gz" else path
    return FORMATS.get(name.suffix.lower())


def _open(path: Path) -> Source:
    try:
        data = path.read_bytes()
        return Source(path, _plain(data) if path.suffix == ".gz" else data)
    except OSError as error:
        return Source(path, None, f"{error.strerror or 'not a whole gzip file'}: check the file")
    except (EOFError, zlib.error, ValueError) as error:
        return Source(path, None, f"not a usable gzip file ({error}): compress it again")


def _plain(data: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        plain = file.read(MAX_SOURCE + 1)
    if len(plain) > MAX_SOURCE:
        raise ValueError(f"more than {MAX_SOURCE:,} bytes")
    return plain


def _read(source: Source, site: SiteSettings) -> Reading:
    name = shown(source.path)
    if source.data is None:
        return _problem(name, source.reason)
    if source.path == given_index(site):
        return _read_index(source.data, name)
    chosen = _format(source.path)
    if chosen is None:
        return _problem(name, f"the name must end in one of {', '.join(FORMATS)}, or also in .gz")
    try:
        stream = io.StringIO(source.data.decode("utf-8"), newline="")
    except UnicodeDecodeError as error:
        line = source.data.count(b"\n", 0, error.start) + 1
        return Reading((), (Problem(name, line, "not UTF-8: save the file as UTF-8"),))
    return kb.read_entries(stream, format=chosen, source=name, locale=site.default_locale)


def _read_index(data: bytes, name: str) -> Reading:
    try:
        return Reading(stored_entries(data), ())
    except IndexFormatError as error:
        return _problem(name, str(error))


def _problem(name: str, reason: str) -> Reading:
    return Reading((), (Problem(name, 1, reason),))


def _load_given(path: Path, embedding: PackedEmbedding | None) -> SiteKnowledge:
    try:
        return load_knowledge(path.read_bytes(), embedding)
    except OSError as error:
        raise KnowledgeError(f"{path}: {error.strerror}. Correct sites.kb.") from error
    except IndexFormatError as error:
        raise KnowledgeError(f"{path}: {error}") from error


def _load_kept(path: Path, embedding: PackedEmbedding | None) -> SiteKnowledge | None:
    """The kept index; None when there is none, or a damaged one, which is then built again."""
    try:
        return load_knowledge(path.read_bytes(), embedding)
    except (OSError, IndexFormatError):
        return None


def _write(path: Path, data: bytes) -> None:
    """Write whole or not at all."""
    try:
        write_whole(path, data)
    except OSError as error:
        remedy = "Make that folder writable, or set gateway.data_dir or FANLIGHT_DATA_DIR."
        raise KnowledgeError(f"{path.parent}: {error.strerror}. {remedy}") from error
