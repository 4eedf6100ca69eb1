"""What a knowledge base is made of.

Decides the shape of an entry, and which tags are reserved
for the site's own texts. Refuses nothing by itself: readers turn bad rows into problems before an
entry exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

type SystemText = Literal["greeting", "fallback", "offline"]

SYSTEM_TEXTS: Final[tuple[SystemText, ...]] = ("greeting", "fallback", "offline")
SYSTEM_PREFIX: Final = "system:"


@dataclass(frozen=True, slots=True)
class Link:
    """A titled address shown under an answer: `http`, `https` or `mailto` only."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One question with its answer in one language; translations share the `id`.

    `answer` is Markdown. `variants` are other ways to ask. `escalate` means that a person is
    told whenever this answer is shown.
    """

    id: str
    locale: str
    question: str
    answer: str
    variants: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    tags: tuple[str, ...] = ()
    escalate: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that could not be read: where it is and what to do about it."""

    source: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found: the good entries in order, and one problem for each bad row."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]


def system_text(entry: Entry) -> SystemText | None:
    """Give the kind of site text that this entry is, or None for a searchable one."""
    for kind in SYSTEM_TEXTS:
        if SYSTEM_PREFIX + kind in entry.tags:
            return kind
    return None
