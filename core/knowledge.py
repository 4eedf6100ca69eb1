"""What an owner changes of a knowledge base in the console: edits, marks, what was published.

Edits lie over the owner's files and are only ever added, so that each can be taken back and none is
lost. It decides how an entry is written as a row of JSON; what edits amount to is decided in
`gateway.knowledge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kb import Entry, Link
from kb.json_rows import entry_fields

EditKind = Literal["set", "remove", "undo"]
Key = tuple[str, str]
"""An entry's id and its locale."""

DEFAULT_PRIOR = 0.25
"""The share of questions without an answer that is expected where none was declared."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one entry, by one person.

    `entry` is what a `set` wrote; `takes_back` the number of the edit that an `undo` undoes.
    `origin` and `source_hash` are those of an import (`kb.reconcile`). `number` orders the edits of
    a site; it is 0 until a store has given one. `at` is Unix seconds.
    """

    site: str
    entry_id: str
    locale: str
    kind: EditKind
    author: str
    at: float
    entry: Entry | None = None
    takes_back: int | None = None
    origin: str = ""
    source_hash: str = ""
    number: int = 0

    @property
    def key(self) -> Key:
        """Which entry it is about."""
        return self.entry_id, self.locale


@dataclass(frozen=True, slots=True)
class Mark:
    """A question with the entry that answers it; None: the site has no answer, and need not."""

    id: str
    site: str
    question: str
    entry_id: str | None
    author: str
    at: float


@dataclass(frozen=True, slots=True)
class Publication:
    """What went live: the edits up to a number, over the files, with a prior and marks.

    `marks` are pairs of a question and the id of its entry, or None.
    """

    site: str
    author: str
    at: float
    release: str
    edits: int
    out_of_scope: float
    marks: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """A visitor's question that was not answered, in the visitor's own words as stored."""

    question: str
    locale: str
    at: float
    escalation_id: str


def entry_row(entry: Entry) -> dict[str, Any]:
    """Give an entry as an object of JSON."""
    return entry_fields(entry)


def row_entry(row: Mapping[str, Any]) -> Entry:
    """Give the entry of such an object. Raises `KeyError` or `TypeError` for a damaged one."""
    return Entry(
        id=row["id"],
        locale=row["locale"],
        question=row["question"],
        answer=row["answer"],
        variants=tuple(row["variants"]),
        links=tuple(Link(link["title"], link["url"]) for link in row["links"]),
        tags=tuple(row["tags"]),
        escalate=row["escalate"],
        valid_from=row.get("valid_from", ""),
        valid_until=row.get("valid_until", ""),
    )
