"""What a catalogue says of a model, and where its files can be had.

Decides the forms of names and sources, so that neither can leave the folder of models, and refuses
a source that is fetched without encryption.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal
from urllib.parse import urlsplit

from models.errors import UnknownModel

KINDS: Final = ("chat", "embed", "rerank", "safety", "commands")
MAKERS: Final = ("gguf-f16", "bert-int8")
"""Ways to make a file from another: GGUF with its matrices in F16; an encoder as ONNX, in eight
bits."""

_PACKAGE: Final = re.compile(
    r"package:(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)"
    r"#(?P<path>[^#?\\]+)"
)


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a file can be had; `text` is as the catalogue writes it.

    `place` is an address (https), a path inside a wheel (package) or on this machine (file).
    """

    kind: Literal["https", "package", "file"]
    text: str
    place: str
    package: str = ""
    package_version: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a file is made here: by which maker, from which file of the same model."""

    maker: str
    ingredient: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file. `transfer` is what must come over the network for it, where that is known."""

    name: str
    size: int | None
    sha256: str | None
    sources: tuple[Source, ...]
    recipe: Recipe | None
    transfer: int | None

    @property
    def room(self) -> int:
        """Bytes that fetching or making it takes on the disk, as far as they are known."""
        return (self.transfer or 0) + (self.size or 0)


@dataclass(frozen=True, slots=True)
class Embedding:
    """How an encoder is asked: the file that cuts text into tokens, and what its vectors are.

    `query` and `passage` are put before what is looked for and before what is found, as the model
    was trained. `languages` are those it knows, empty for many. `search` are the weights of
    `kb.refine.Near` by name, of an encoder that was measured beside a knowledge base.
    """

    tokenizer: str
    dimensions: int
    query: str = ""
    passage: str = ""
    languages: tuple[str, ...] = ()
    search: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """One version of a model. `memory` is about what it takes to run, in bytes."""

    id: str
    version: str
    name: str
    kind: str
    architecture: str
    parameters: int
    licence: str
    context: int
    memory: int
    loads: str
    files: tuple[ModelFile, ...]
    embedding: Embedding | None = None

    def file(self, name: str) -> ModelFile:
        """A file by its name. Raises `UnknownModel`."""
        for each in self.files:
            if each.name == name:
                return each
        raise UnknownModel(f"{self.id} {self.version} has no file {name}.")

    @property
    def needed(self) -> tuple[ModelFile, ...]:
        """The files that running it takes: those that are no mere ingredient of another."""
        ingredients = {each.recipe.ingredient for each in self.files if each.recipe}
        return tuple(each for each in self.files if each.name not in ingredients)


def parse_source(text: str, folder: Path) -> Source:
    """Read a source; paths are relative to `folder`. Raises `ValueError` with what is wrong."""
    scheme, _, rest = text.partition(":")
    if scheme == "package":
        found = _PACKAGE.fullmatch(text)
        if found is None:
            raise ValueError("it is not package:NAME==VERSION#path/inside")
        path = PurePosixPath(found["path"])
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("its path leaves the package")
        return Source("package", text, str(path), found["name"], found["version"])
    if scheme == "https":
        parts = urlsplit(text)
        if not parts.hostname or parts.username is not None or parts.fragment:
            raise ValueError("it is not https://host/path")
        return Source("https", text, text)
    if scheme == "file" and rest:
        return Source("file", text, str(folder / rest.removeprefix("//")))
    raise ValueError("it begins with none of https://, package: and file:")


def pick(models: Sequence[Model], model_id: str, version: str | None) -> Model:
    """The model of this id, and version; the newest, which stands last, by default.

    Raises `UnknownModel` with what there is.
    """
    of_id = [each for each in models if each.id == model_id]
    if not of_id:
        known = ", ".join(sorted({each.id for each in models}))
        raise UnknownModel(f"There is no model {model_id}. Known: {known or 'none'}.")
    if version is None:
        return of_id[-1]
    for each in of_id:
        if each.version == version:
            return each
    known = ", ".join(each.version for each in of_id)
    raise UnknownModel(f"{model_id} has no version {version}. Known: {known}.")
