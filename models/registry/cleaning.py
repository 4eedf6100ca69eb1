"""Removes models, and what nothing uses any more.

Never what is chosen, nor what a process runs. Collecting also takes what fetching left behind:
files that were never finished, files in quarantine, and ingredients whose product is here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.errors import InUse, UnknownModel
from models.registry.locks import unheld
from models.registry.model import Model
from models.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Removed:
    """One thing that was removed, and the bytes that it took."""

    what: str
    bytes: int


def remove(registry: Registry, model: Model) -> Removed:
    """Remove a version's files; its choice is kept. Raises `InUse` or `UnknownModel`."""
    folder = registry.shelf.version_folder(model)
    if not folder.is_dir():
        raise UnknownModel(f"{model.id} {model.version} is not here.")
    with _unused(registry, model) as free:
        if not free:
            raise InUse(f"A process runs or pulls {model.id} {model.version}. Stop it first.")
        others = [
            each
            for each in registry.states()
            if each.model.id == model.id and each.model != model and each.ready
        ]
        if registry.state(model).used and others:
            named = others[-1].model.version
            raise InUse(
                f"{model.id} {model.version} is the one in use. Choose another first: "
                f"`fanlight models use {model.id} {named}`."
            )
        return _drop(folder, f"{model.id} {model.version}")


def collect(registry: Registry) -> list[Removed]:
    """Remove what nothing uses: old versions, spent ingredients, unfinished and bad files."""
    removed = []
    for state in registry.states():
        folder = registry.shelf.version_folder(state.model)
        with _unused(registry, state.model) as free:
            if not free:
                continue
            removed += _leftovers(registry, state.model)
            if state.used:
                removed += _ingredients(registry, state.model) if state.ready else []
            elif folder.is_dir():
                removed.append(_drop(folder, f"{state.model.id} {state.model.version}"))
    quarantine = registry.shelf.folder / "quarantine"
    if quarantine.is_dir():
        removed.append(_drop(quarantine, "quarantine"))
    return removed


@contextmanager
def _unused(registry: Registry, model: Model) -> Iterator[bool]:
    """Whether nobody runs or pulls it; where so, nobody can begin to meanwhile."""
    shelf = registry.shelf
    with unheld(shelf.pull_lock(model)) as idle, unheld(shelf.use_lock(model)) as free:
        yield idle and free


def _ingredients(registry: Registry, model: Model) -> list[Removed]:
    spent = [
        registry.shelf.path(model, each.name)
        for each in model.files
        if each not in model.needed and registry.shelf.path(model, each.name).is_file()
    ]
    return [_drop(path, f"{model.id} {model.version} {path.name}") for path in spent]


def _leftovers(registry: Registry, model: Model) -> list[Removed]:
    parts = (registry.shelf.partial_path(model, each.name) for each in model.files)
    return [
        _drop(path, f"unfinished {path.name}")
        for part in parts
        for path in sorted(part.parent.glob(f"{part.name}*"))
    ]


def _drop(path: Path, what: str) -> Removed:
    if path.is_file():
        size = path.stat().st_size
        path.unlink()
        return Removed(what, size)
    size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    shutil.rmtree(path)
    return Removed(what, size)
