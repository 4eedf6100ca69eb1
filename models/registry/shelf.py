"""The folder in which models are kept: where what lies, which version is chosen, which hashes hold.

    <id>/<version>/<file>     versions side by side
    <id>/chosen.json          the versions that were chosen, in order, and which of them is now
    models.lock               hashes that were pinned on this machine
    partial/ quarantine/ locks/

Every small file is replaced whole. What cannot be read is said, never guessed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.errors import ModelError, UnknownModel
from models.registry.model import Model
from models.registry.partial import make_private, open_private

PINS: Final = "models.lock"
_MOST_CHOICES: Final = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """Versions in the order in which they were chosen; `at` is the one that is used."""

    versions: tuple[str, ...] = ()
    at: int = -1

    @property
    def version(self) -> str | None:
        """The version that is used; None where none was ever chosen."""
        return self.versions[self.at] if self.versions else None

    def to(self, version: str) -> Choice:
        """Chosen anew: what could have been gone forward to is forgotten."""
        if version == self.version:
            return self
        versions = (*self.versions[: self.at + 1], version)[-_MOST_CHOICES:]
        return Choice(versions, len(versions) - 1)

    def step(self, by: int) -> Choice:
        """One step back or forward. Raises `UnknownModel` where there is none."""
        at = self.at + by
        if not 0 <= at < len(self.versions):
            way = "before" if by < 0 else "after"
            raise UnknownModel(f"No version was chosen {way} {self.version or 'any other'}.")
        return Choice(self.versions, at)


class Shelf:
    """One folder of models."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def version_folder(self, model: Model) -> Path:
        """Where the files of one version lie."""
        return self.folder / model.id / model.version

    def path(self, model: Model, name: str) -> Path:
        """Where a file lies, or will."""
        return self.version_folder(model) / name

    def partial_path(self, model: Model, name: str) -> Path:
        """Where a file comes together."""
        return self.folder / "partial" / f"{model.id}--{model.version}--{name}.part"

    def quarantine_path(self, model: Model, name: str, sha256: str) -> Path:
        """Where a file goes that is not what it should be."""
        return self.folder / "quarantine" / f"{model.id}--{model.version}--{sha256[:12]}--{name}"

    def pull_lock(self, model: Model) -> Path:
        """Held by whoever changes this version's files."""
        return self.folder / "locks" / f"{model.id}--{model.version}.pull"

    def use_lock(self, model: Model) -> Path:
        """Shared by whoever runs this version."""
        return self.folder / "locks" / f"{model.id}--{model.version}.use"

    def small_lock(self) -> Path:
        """Held while one of the small files is read and replaced."""
        return self.folder / "locks" / "small"

    def choice(self, model_id: str) -> Choice:
        """Which version is chosen."""
        path = self.folder / model_id / "chosen.json"
        note = _read(path)
        versions, at = note.get("versions", []), note.get("at", -1)
        texts = isinstance(versions, list) and all(isinstance(each, str) for each in versions)
        if not texts or not isinstance(at, int) or not -1 <= at < len(versions):
            raise ModelError(f"{path} is damaged. Remove it, then choose with `models use`.")
        return Choice(tuple(versions), at)

    def choose(self, model_id: str, choice: Choice) -> None:
        """Write the choice down."""
        path = self.folder / model_id / "chosen.json"
        _write(path, {"versions": list(choice.versions), "at": choice.at})

    def pinned(self, model: Model, name: str) -> str | None:
        """The hash that was pinned here for a file."""
        found = _read(self.folder / PINS).get(_pin_key(model), {}).get(name)
        return found if isinstance(found, str) else None

    def pin(self, model: Model, name: str, sha256: str) -> None:
        """Hold a file to this hash from now on."""
        path = self.folder / PINS
        pins = dict(_read(path))
        pins[_pin_key(model)] = {**pins.get(_pin_key(model), {}), name: sha256}
        _write(path, pins)

    def expected(self, model: Model, name: str) -> str | None:
        """The hash that a file must have: the catalogue's, else the pinned one."""
        return model.file(name).sha256 or self.pinned(model, name)


def _pin_key(model: Model) -> str:
    return f"{model.id} {model.version}"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}. Mend or remove it.") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path} is damaged. Mend or remove it.")
    return found


def _write(path: Path, value: Mapping[str, Any]) -> None:
    make_private(path.parent)
    part = path.with_name(f"{path.name}.part")
    with open_private(part, "wb") as file:
        file.write(json.dumps(value, indent=1, sort_keys=True).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
