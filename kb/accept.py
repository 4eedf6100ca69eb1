"""Accepted ways to ask, put into their entries, and the entries as lines of JSON.

Decides what an accepted line must hold, and that a text which the knowledge base already has is
left out. Refuses, by its place, a line for an entry that is not there. Where an entry was imported
from is kept, so that `fanlight kb import` knows it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kb.entry import Entry, Problem
from kb.features import text_key
from kb.json_rows import entry_fields, json_object, text_field
from kb.readers.json_lines import read_json_lines
from kb.readers.row import entry_of
from kb.trial import phrasings

type Key = tuple[str, str]
"""An entry's id and locale."""
MOST_CHARACTERS: Final = 300
"""A way to ask is no longer; what is longer is no question but a story."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted way to ask an entry."""

    entry_id: str
    locale: str
    text: str


@dataclass(frozen=True, slots=True)
class Merged:
    """Entries with what was accepted; `added` texts are new, `known` ones were there already."""

    entries: tuple[Entry, ...]
    added: tuple[Accepted, ...]
    known: tuple[Accepted, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an imported entry came from, and what it said then; see `kb.reconcile`."""

    origin: str
    source_hash: str


def read_accepted(
    lines: Iterable[str], source: str, entries: Sequence[Entry]
) -> tuple[Accepted, ...]:
    """Read JSON Lines of `{entry_id, locale, text}`; other fields and blank lines are passed over.

    Raises `ValueError` that names line and remedy.
    """
    keys = {(entry.id, entry.locale) for entry in entries}
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{source}:{number}"
        row = json_object(line, place)
        one = Accepted(*(text_field(row, name, place) for name in ("entry_id", "locale", "text")))
        if (one.entry_id, one.locale) not in keys:
            raise ValueError(
                f"{place}: there is no entry {one.entry_id!r} in {one.locale!r}: mend entry_id or "
                "locale, or delete the line"
            )
        if not text_key(one.text) or len(one.text) > MOST_CHARACTERS:
            raise ValueError(
                f"{place}: text must hold a word, and {MOST_CHARACTERS} characters at most"
            )
        found.append(replace(one, text=" ".join(one.text.split())))
    return tuple(found)


def merge(entries: Sequence[Entry], accepted: Iterable[Accepted]) -> Merged:
    """Put each text behind its entry's variants; what an entry has in its locale is known."""
    known = {(entry.locale, text_key(text)) for entry in entries for text in phrasings(entry)}
    added: dict[Key, list[str]] = {}
    new, old = list[Accepted](), list[Accepted]()
    for one in accepted:
        key = (one.locale, text_key(one.text))
        if key in known:
            old.append(one)
        else:
            known.add(key)
            new.append(one)
            added.setdefault((one.entry_id, one.locale), []).append(one.text)
    merged = tuple(
        replace(entry, variants=(*entry.variants, *added.get((entry.id, entry.locale), ())))
        for entry in entries
    )
    return Merged(merged, tuple(new), tuple(old))


def provenance(lines: Iterable[str], source: str, locale: str | None) -> dict[Key, Provenance]:
    """Give where the rows of a JSON Lines file were imported from, as far as they say."""
    found: dict[Key, Provenance] = {}
    for row in read_json_lines(iter(lines), source, locale):
        entry = row if isinstance(row, Problem) else entry_of(row)
        if isinstance(entry, Entry) and not isinstance(row, Problem) and row.origin:
            found.setdefault((entry.id, entry.locale), Provenance(row.origin, row.source_hash))
    return found


def entry_line(entry: Entry, came_from: Provenance | None = None) -> str:
    """Give an entry as one line of JSON, as `kb.readers` reads it; what is empty is left out."""
    value: Mapping[str, Any] = {
        **entry_fields(entry),
        "origin": came_from.origin if came_from else "",
        "source_hash": came_from.source_hash if came_from else "",
    }
    kept = {name: given for name, given in value.items() if given}
    return json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace").decode()
