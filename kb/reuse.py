"""What an earlier index of the same site has learned, where nothing that it learned from changed.

Most edits are to answers, links and dates, and what takes long in a build depends on none of them.
Decides what learning depends on. Refuses an index that other code has built, or that says nothing
of how it was built: the bytes must be those of a build from nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kb.choice import Choice
from kb.codec import IndexFormatError, Section, decode
from kb.entry import Entry
from kb.evidence import Hearing

_OWN: Final = ("meta", "entries")
_TOLD: Final = "told_"
"""Sections that are made anew: of what the entries say, not of how they are asked for."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What learning depends on besides the phrasings; `code` names all the code that takes part."""

    code: str
    seed: int
    out_of_scope: float
    embedding: str | None
    is_trained: bool


@dataclass(frozen=True, slots=True)
class Learned:
    """How phrasings are searched, as sections of an index, and how far that can be believed."""

    sections: Mapping[str, Section]
    choices: Mapping[Hearing, Choice]


def lesson_of(entries: Sequence[Entry], everyday: Sequence[str], terms: Terms) -> str:
    """Give a digest over all that an index of these searchable entries learns from."""
    phrasings = [[each.id, each.locale, each.question, *each.variants] for each in entries]
    told = [
        terms.code, terms.seed, terms.out_of_scope, terms.embedding, terms.is_trained, phrasings,
        everyday,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def learned_from(earlier: bytes | None, lesson: str) -> Learned | None:
    """Give what an earlier index learned from this very lesson; None where it did not."""
    if earlier is None:
        return None
    try:
        sections, _ = decode(earlier)
        meta = json.loads(str(sections["meta"]))
        if meta["lesson"] != lesson:
            return None
        choices: dict[Hearing, Choice] = {
            hearing: Choice(tuple(values[:-1]), values[-1])
            for hearing, values in meta["choices"].items()
        }
    except (IndexFormatError, KeyError, TypeError, ValueError):
        return None
    kept = {
        name: section
        for name, section in sections.items()
        if name not in _OWN and not name.startswith(_TOLD)
    }
    return Learned(kept, choices)
