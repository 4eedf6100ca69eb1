"""Reads a catalogue of models, and says everything that is wrong with it at once.

A catalogue is data (`models/catalog.toml`): adding a model takes no code. A field that is missing,
unknown, of another type or out of its range is a problem, named by its place; so are names that
come twice, files made from none, and sources that cannot be read.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from models.errors import BadCatalog
from models.registry.model import (
    KINDS,
    MAKERS,
    Embedding,
    Model,
    ModelFile,
    Recipe,
    Source,
    parse_source,
)
from models.registry.signing import Entry, entry_of, read_signatures

CATALOG: Final = Path(__file__).resolve().parents[1] / "catalog.toml"
LARGEST_FILE: Final = 1 << 40
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

_MODEL_FIELDS: Final = (
    *("id", "version", "name", "kind", "architecture", "parameters", "licence"),
    *("context", "memory", "loads", "files", "embedding"),
)
_EMBEDDING_FIELDS: Final = (
    *("tokenizer", "dimensions", "query", "passage"),
    *("languages", "search"),
)
_SEARCH_FIELDS: Final = ("kb", "near")
_FILE_FIELDS: Final = ("name", "size", "sha256", "sources", "made", "transfer")


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models that are known, in the order in which they are written.

    `entries` are the same as they are signed, by id and version with a space between.
    """

    path: Path
    models: tuple[Model, ...]
    entries: Mapping[str, Entry]


def read_catalog(path: Path = CATALOG) -> Catalog:
    """Read and check a catalogue. Raises `BadCatalog` with every problem."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadCatalog(path, [f"it cannot be read: {error.strerror}"]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadCatalog(path, [f"it is not TOML: {error}"]) from error
    reader = _Reader(path.parent)
    models = reader.models(document)
    if reader.problems:
        raise BadCatalog(path, reader.problems)
    try:
        signatures = read_signatures(path)
    except ValueError as error:
        raise BadCatalog(path, [str(error)]) from error
    entries = [entry_of(row, signatures) for row in document["models"]]
    names = [f"{each.id} {each.version}" for each in models]
    return Catalog(path, models, dict(zip(names, entries, strict=True)))


@dataclass(slots=True)
class _Reader:
    """Reads on after a problem: what it gives then is not used."""

    folder: Path
    problems: list[str] = field(default_factory=list)

    def models(self, document: Mapping[str, Any]) -> tuple[Model, ...]:
        self._unknown("", document, ("models",))
        rows = self._tables("models", document.get("models"))
        models = tuple(self._model(f"models[{at}]", row) for at, row in enumerate(rows))
        for (name, version), count in Counter((each.id, each.version) for each in models).items():
            if count > 1:
                self.problems.append(f"{name} {version} is listed {count} times")
        return models

    def _model(self, place: str, row: Mapping[str, Any]) -> Model:
        place = f"models[{row['id']}]" if isinstance(row.get("id"), str) else place
        self._unknown(place, row, _MODEL_FIELDS)
        files = tuple(
            self._file(f"{place}.files[{at}]", each)
            for at, each in enumerate(self._tables(f"{place}.files", row.get("files")))
        )
        self._check_files(place, files, row.get("loads"))
        return Model(
            id=self._text(place, row, "id", _matches(_ID)),
            version=self._text(place, row, "version", _matches(_ID)),
            name=self._text(place, row, "name"),
            kind=self._text(place, row, "kind", _one_of(KINDS)),
            architecture=self._text(place, row, "architecture"),
            parameters=self._number(place, row, "parameters"),
            licence=self._text(place, row, "licence"),
            context=self._number(place, row, "context"),
            memory=self._number(place, row, "memory"),
            loads=self._text(place, row, "loads"),
            files=files,
            embedding=self._embedding(place, row, files),
        )

    def _embedding(
        self, place: str, row: Mapping[str, Any], files: tuple[ModelFile, ...]
    ) -> Embedding | None:
        """How an encoder is asked; no other kind of model says it."""
        table = row.get("embedding")
        if (table is not None) != (row.get("kind") == "embed"):
            self.problems.append(f"{place}.embedding: a model that embeds says it, and no other")
        if table is None:
            return None
        place = f"{place}.embedding"
        if not isinstance(table, dict):
            self.problems.append(f"{place}: it is no table")
            return None
        self._unknown(place, table, _EMBEDDING_FIELDS)
        tokenizer = self._text(place, table, "tokenizer")
        if tokenizer not in {each.name for each in files}:
            self.problems.append(f"{place}.tokenizer: there is no file {tokenizer!r}")
        prefixes = {name: self._prefix(place, table, name) for name in ("query", "passage")}
        return Embedding(
            tokenizer,
            self._number(place, table, "dimensions"),
            **prefixes,
            languages=self._languages(place, table),
            search=self._search(place, table),
        )

    def _languages(self, place: str, table: Mapping[str, Any]) -> tuple[str, ...]:
        value = table.get("languages", [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.problems.append(f"{place}.languages: it is no list of languages, such as en")
            return ()
        return tuple(value)

    def _search(self, place: str, table: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        """How cosines are weighed beside a knowledge base: both weights, or none."""
        value = table.get("search", {})
        sound = isinstance(value, dict) and (not value or set(value) == set(_SEARCH_FIELDS))
        if not sound or not all(type(one) in {int, float} for one in value.values()):
            self.problems.append(f"{place}.search: it has not kb and near, as numbers")
            return ()
        return tuple((name, float(value[name])) for name in _SEARCH_FIELDS if value)

    def _prefix(self, place: str, table: Mapping[str, Any], name: str) -> str:
        """A text that may be empty, and may end with a space."""
        value = table.get(name, "")
        if not isinstance(value, str):
            self.problems.append(f"{place}.{name}: it is no text")
            return ""
        return value

    def _file(self, place: str, row: Mapping[str, Any]) -> ModelFile:
        place = f"{place[: place.rindex('[')]}[{row['name']}]" if _named(row) else place
        self._unknown(place, row, _FILE_FIELDS)
        sources, recipe = self._sources(place, row), self._recipe(place, row)
        if bool(sources) == bool(recipe):
            self.problems.append(f"{place}: give either sources, or what it is made from")
        return ModelFile(
            name=self._text(place, row, "name", _matches(_FILE_NAME)),
            size=self._number(place, row, "size") if "size" in row else None,
            sha256=self._text(place, row, "sha256", _matches(_SHA256)) if "sha256" in row else None,
            sources=sources,
            recipe=recipe,
            transfer=self._number(place, row, "transfer") if "transfer" in row else None,
        )

    def _sources(self, place: str, row: Mapping[str, Any]) -> tuple[Source, ...]:
        texts = row.get("sources", [])
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            self.problems.append(f"{place}.sources: it is no list of texts")
            return ()
        sources = []
        for text in cast("list[str]", texts):
            try:
                sources.append(parse_source(text, self.folder))
            except ValueError as error:
                self.problems.append(f"{place}.sources: {text!r}: {error}")
        return tuple(sources)

    def _recipe(self, place: str, row: Mapping[str, Any]) -> Recipe | None:
        if "made" not in row:
            return None
        made = row["made"]
        if not isinstance(made, dict):
            self.problems.append(f"{place}.made: it is no table")
            return None
        self._unknown(f"{place}.made", made, ("by", "from"))
        maker = self._text(f"{place}.made", made, "by", _one_of(MAKERS))
        return Recipe(maker, self._text(f"{place}.made", made, "from"))

    def _check_files(self, place: str, files: tuple[ModelFile, ...], loads: object) -> None:
        names = [each.name for each in files]
        for name, count in Counter(names).items():
            if count > 1:
                self.problems.append(f"{place}.files: {name} is listed {count} times")
        if isinstance(loads, str) and loads not in names:
            self.problems.append(f"{place}.loads: there is no file {loads!r}")
        bought = {each.name for each in files if each.sources}
        for each in files:
            if each.recipe and each.recipe.ingredient not in bought:
                self.problems.append(
                    f"{place}.files[{each.name}].made.from: "
                    f"there is no file {each.recipe.ingredient!r} with sources"
                )

    def _unknown(self, place: str, row: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for name in sorted(set(row) - set(known)):
            where = f"{place}.{name}" if place else name
            self.problems.append(f"{where}: unknown; known are {', '.join(known)}")

    def _tables(self, place: str, value: object) -> list[Mapping[str, Any]]:
        if not isinstance(value, list) or not value:
            self.problems.append(f"{place}: at least one is needed")
            return []
        rows = [each for each in value if isinstance(each, dict)]
        if len(rows) != len(value):
            self.problems.append(f"{place}: not all of them are tables")
        return cast("list[Mapping[str, Any]]", rows)

    def _text(
        self,
        place: str,
        row: Mapping[str, Any],
        name: str,
        flaw: Callable[[str], str] = lambda _text: "",
    ) -> str:
        value = row.get(name)
        if not isinstance(value, str) or not value.strip():
            self.problems.append(f"{place}.{name}: a text is needed")
            return ""
        if wrong := flaw(value):
            self.problems.append(f"{place}.{name}: {value!r} {wrong}")
        return value

    def _number(self, place: str, row: Mapping[str, Any], name: str) -> int:
        value = row.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LARGEST_FILE:
            self.problems.append(f"{place}.{name}: a whole number from 1 to 2^40 is needed")
            return 1
        return value


def _named(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("name"), str)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], str]:
    return lambda text: "" if pattern.fullmatch(text) else f"does not match {pattern.pattern}"


def _one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    return lambda text: "" if text in known else f"is none of {', '.join(known)}"
