"""What this installation builds and loads indexes with: its embedding, and a trainer if it has one.

Decides where both come from: the embedding from `kb`'s own data, the trainer from the entry point
`head` of the group `fanlight.trainers`, so that nothing here imports `models`. Without either an
index is built all the same. Refuses an embedding that this version cannot read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

import kb
from gateway.cli.output import Output, Report
from gateway.context import PackedEmbedding
from kb import Entry, IndexFormatError, build_index
from kb.bundled import bundled_embedding, load_bundled
from kb.embed import Embedding
from kb.head import Trainer
from kb.vectors import MakeVectors, Vectors

TRAINERS: Final = "fanlight.trainers"
TRAINER: Final = "head"
UNTRAINED: Final = (
    'Entries with several phrasings would be known better with `pip install "fanlight[models]"`.'
)


@dataclass(frozen=True, slots=True)
class Tools:
    """An embedding or None, a trainer to be had or none, and a mark of the trainer's code.

    The trainer is looked for only where something is built: what it imports is large, and a gateway
    that serves kept indexes has no use for it.
    """

    embedding: PackedEmbedding | None
    trainer_code: bytes
    find_trainer: Callable[[], Trainer | None]

    @property
    def table(self) -> Embedding | None:
        """The embedding, ready to use."""
        return self.embedding.table if self.embedding else None

    def build(
        self,
        entries: Sequence[Entry],
        *,
        seed: int = 0,
        out_of_scope: float = 0.25,
        earlier: bytes | None = None,
        progress: Report | None = None,
    ) -> bytes:
        """Build an index with all that is here; raises what `kb.build_index` does."""
        trainer = self.find_trainer()
        code = hashlib.sha256(code_of_kb() + (self.trainer_code if trainer else b""))
        return build_index(
            entries,
            seed=seed,
            out_of_scope=out_of_scope,
            embedding=self.table,
            trainer=trainer,
            earlier=earlier,
            code=code.hexdigest(),
            progress=progress,
        )

    def notice(self, entries: Iterable[Entry]) -> str:
        """What an owner of such entries should know of a build; empty when there is nothing."""
        gains = any(entry.variants for entry in entries)
        return UNTRAINED if gains and self.find_trainer() is None else ""


@cache
def installed_tools() -> Tools:
    """What is installed here, looked up once. Raises `click.ClickException`."""
    points = tuple(entry_points(group=TRAINERS, name=TRAINER))
    return Tools(_bundled(), code_of(points), cache(partial(load_trainer, points)))


def meaning() -> Embedding | None:
    """The embedding that is installed; None without one. Raises `click.ClickException`."""
    return installed_tools().table


def build(
    entries: Sequence[Entry],
    *,
    seed: int = 0,
    out_of_scope: float = 0.25,
    earlier: bytes | None = None,
) -> bytes:
    """Build an index with all that is installed, telling on stderr how far it is.

    `earlier` is one of the same entries as they were (see `kb.build_index`). Raises what that
    does, and `click.ClickException`.
    """
    tools, output = installed_tools(), Output()
    with output.progress("building the index") as report:
        data = tools.build(
            entries, seed=seed, out_of_scope=out_of_scope, earlier=earlier, progress=report
        )
    notice = tools.notice(entries)
    if notice:
        output.tell(notice, "dim")
    return data


@cache
def code_of_kb() -> bytes:
    """A hash over the code that reads and builds, so that a new version builds anew."""
    folder = Path(kb.__file__).parent
    digest = hashlib.sha256()
    for path in sorted((*folder.rglob("*.py"), *folder.glob("*.txt"))):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.digest()


def _bundled() -> PackedEmbedding | None:
    try:
        packed, table = bundled_embedding(), load_bundled()
    except IndexFormatError as error:
        raise click.ClickException(
            f"The embedding of this installation cannot be read ({error}). Install fanlight again."
        ) from error
    if packed is None or table is None:
        return None
    return PackedEmbedding(table, packed, vectors_here())


def vectors_here() -> MakeVectors:
    """What searches meanings soonest on this machine: with numpy where that is installed."""
    if find_spec("numpy") is None:
        return Vectors
    return import_module("gateway.adapters.matrix_vectors").MatrixVectors  # type: ignore[no-any-return]


def load_trainer(points: Iterable[EntryPoint]) -> Trainer | None:
    """The first trainer that can be imported; None where what they import is not installed."""
    for point in points:
        try:
            make: Callable[[], Trainer] = point.load()
        except ImportError:
            continue
        return make()
    return None


def code_of(points: Iterable[EntryPoint]) -> bytes:
    """A hash over the trainers' code, found without importing it."""
    digest = hashlib.sha256()
    for point in points:
        try:
            spec = find_spec(point.module)
        except ModuleNotFoundError:
            continue
        if spec is not None and spec.origin is not None:
            for path in sorted(Path(spec.origin).parent.glob("*.py")):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()
