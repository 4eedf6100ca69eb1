"""What a knowledge base is made of.

Decides the shape of an entry, and which tags are reserved for the site's own texts and for slots.
Refuses nothing by itself: readers turn bad rows into problems before an entry exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

type SystemText = Literal["greeting", "fallback", "offline", "clarify", "out_of_hours"]

SYSTEM_TEXTS: Final[tuple[SystemText, ...]] = (
    *("greeting", "fallback", "offline", "clarify"),
    "out_of_hours",
)
SYSTEM_PREFIX: Final = "system:"
SLOT_PREFIX: Final = "slot:"
SYNONYMS: Final = "system:synonyms"
"""Tags an entry whose answer names the site's own words (see `kb.wording`)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A titled address shown under an answer: `http`, `https` or `mailto` only."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One question with its answer in one language; translations share the `id`.

    `answer` is Markdown. `variants` are other ways to ask. `escalate` means that a person is
    told whenever this answer is shown. `valid_from` and `valid_until` are the first and the last
    day on which it holds (ISO 8601), or empty.
    """

    id: str
    locale: str
    question: str
    answer: str
    variants: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    tags: tuple[str, ...] = ()
    escalate: bool = False
    valid_from: str = ""
    valid_until: str = ""


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
    """Give the kind of site text that this entry is, or None."""
    for kind in SYSTEM_TEXTS:
        if SYSTEM_PREFIX + kind in entry.tags:
            return kind
    return None


def slot_name(entry: Entry) -> str | None:
    """Give the name of the slot that this entry is a text of, or None (see `kb.slots`)."""
    for tag in entry.tags:
        if tag.startswith(SLOT_PREFIX):
            return tag.removeprefix(SLOT_PREFIX)
    return None


def is_searchable(entry: Entry) -> bool:
    """Say whether visitors can ask for this entry: it is no site text, slot or list of synonyms."""
    own = system_text(entry) is not None or slot_name(entry) is not None
    return not own and SYNONYMS not in entry.tags
