"""The workshop: the port behind which the heavy work on a knowledge base is done.

Building, checking and importing take seconds to minutes. They never run in the event loop that
answers visitors; what does them, and in which process, is an adapter's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.errors import Unavailable
from core.knowledge import Key, entry_row, row_entry
from kb import Entry
from kb.calibrate import Correction
from kb.choice import Choice
from kb.evidence import Hearing
from kb.finding import Finding

Report = Callable[[str, float], None]
"""Told the step of long work and its share done, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an index is made from beside the owner's files: edits (None: removed), prior, marks."""

    edits: Mapping[Key, Entry | None]
    out_of_scope: float
    marks: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """An index as it was written whole, its release, and the entries of the files beneath it."""

    packed: bytes
    release: str
    files: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How another index weighs what it sees, and with which senses; `answers` None: as usual."""

    choices: Mapping[Hearing, Choice]
    answers: Choice | None
    correction: Correction
    has_head: bool
    has_meaning: bool


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported: the page at an address, or the content of a file of this name."""

    name: str
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """An entry with where an import found it, and the hash of what it found (`kb.reconcile`).

    Without a hash it was written by hand.
    """

    entry: Entry
    origin: str = ""
    source_hash: str = ""


@dataclass(frozen=True, slots=True)
class Brought:
    """What an import would change among the known entries, and what could not be read."""

    added: tuple[Known, ...]
    changed: tuple[Known, ...]
    removed: tuple[Entry, ...]
    unchanged: int
    problems: tuple[str, ...]


class WorkFailed(Unavailable):
    """Work that gave no result; the message says why, in words for the operator who asked."""


class Workshop(Protocol):
    """Where a site's index is made, away from the event loop.

    Every call has a deadline, and raises `WorkFailed` when its work failed or was ended. A call
    that is cancelled ends its work.
    """

    async def read(self, site: str) -> tuple[Entry, ...]:
        """The entries of the owner's files, as they are now."""

    async def build(self, site: str, recipe: Recipe, report: Report) -> Built:
        """A calibrated index, written whole to where the next start finds it."""

    async def preview(self, site: str, entries: Sequence[Entry], like: Calibration) -> bytes:
        """A quick index that is calibrated like another one."""

    async def check(
        self, site: str, recipe: Recipe, *, threshold: float, today: str
    ) -> tuple[Finding, ...]:
        """What should be mended in an index of this recipe, worst first.

        `today` is the day (ISO 8601) that its entries are to hold on.
        """

    async def gather(self, site: str, source: Source, known: Sequence[Known]) -> Brought:
        """What a source has that the known entries have not."""


def recipe_row(recipe: Recipe) -> dict[str, Any]:
    """Give a recipe as an object of JSON; equal recipes give equal ones."""
    edits = sorted(recipe.edits.items(), key=lambda item: item[0])
    return {
        "edits": [[*key, None if entry is None else entry_row(entry)] for key, entry in edits],
        "out_of_scope": recipe.out_of_scope,
        "marks": [list(pair) for pair in recipe.marks],
    }


def row_recipe(row: Mapping[str, Any]) -> Recipe:
    """Give the recipe of such an object."""
    return Recipe(
        {
            (entry_id, locale): None if entry is None else row_entry(entry)
            for entry_id, locale, entry in row["edits"]
        },
        row["out_of_scope"],
        tuple((question, entry_id) for question, entry_id in row["marks"]),
    )
