"""What an import changes in a file of entries that an owner may have edited since.

Decides by the hash that each imported row keeps of its source's words: a row whose own words still
match it follows the source; one whose words do not is the owner's, and stays. Rows are found again
by id, by question, or by that hash. Refuses to delete: rows that left the source are only named,
unless the caller prunes; edited ones stay even then.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from kb.entry import Entry, Problem
from kb.json_rows import entry_fields
from kb.normalise import normalise
from kb.readers.json_lines import read_json_lines
from kb.readers.row import Row, entry_of
from kb.readers.web_page import is_address, page_of

type Kind = Literal["added", "updated", "unchanged", "kept", "vanished"]

EDITED: Final = "edited"
EDITED_SOURCE_CHANGED: Final = "edited, and its source changed"
EDITED_SOURCE_GONE: Final = "edited, and gone from its source"
OWN: Final = "written by hand"

_HASH_CHARS: Final = 16
_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Imported:
    """An entry as a source has it now, and where it stands there."""

    entry: Entry
    origin: str

    @property
    def hash(self) -> str:
        """The hash of what the source says."""
        return source_hash(self.entry.question, self.entry.answer)


@dataclass(frozen=True, slots=True)
class Kept:
    """A line of the file as it is, and what it holds."""

    text: str
    entry: Entry
    origin: str
    source_hash: str

    @property
    def is_edited(self) -> bool:
        """Whether the owner changed its words since they were imported."""
        return self.source_hash != source_hash(self.entry.question, self.entry.answer)


@dataclass(frozen=True, slots=True)
class Joined:
    """One question that stands in several places; `differ` when their answers do."""

    id: str
    locale: str
    origins: tuple[str, ...]
    differ: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one row; `note` says why an owner's row was kept."""

    kind: Kind
    id: str
    locale: str
    origin: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The lines of the new file, and what became of each row."""

    lines: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an import looked at: only there can a row have vanished.

    `read` are pages and files that had questions, `gone` those that are no more. Under a prefix in
    `whole` every page is known. What failed is known to be neither there nor gone.
    """

    read: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    whole: tuple[str, ...] = ()

    def covers(self, origin: str) -> bool:
        """Whether a row from this origin would have been found, were it still there."""
        page = page_of(origin)
        if page in self.failed:
            return False
        return page in self.read or page in self.gone or page.startswith(self.whole)


def source_hash(question: str, answer: str) -> str:
    """Give a short hash of the words, whatever the form of their accents and line ends."""
    digest = hashlib.sha256(f"{_plain(question)}\0{_plain(answer)}".encode("utf-8", "replace"))
    return digest.hexdigest()[:_HASH_CHARS]


def imported(row: Row) -> Imported | Problem:
    """Give the entry of a row with its origin, or what is wrong with it."""
    entry = entry_of(_without_surrogates(row))
    if isinstance(entry, Problem):
        return entry
    return Imported(entry, row.origin or _origin(row))


def join(found: Iterable[Imported]) -> tuple[list[Imported], list[Joined]]:
    """Make one of the rows that ask the same in one language; the first one's answer stands.

    Two questions that would get one id are told apart by a hash of the later one's words.
    """
    first: dict[tuple[str, str], Imported] = {}
    others: dict[tuple[str, str], list[Imported]] = {}
    taken: set[tuple[str, str]] = set()
    for one in found:
        key = (one.entry.locale, normalise(one.entry.question))
        if key in first:
            others.setdefault(key, []).append(one)
            continue
        if (one.entry.id, one.entry.locale) in taken:
            one = _told_apart(one)  # noqa: PLW2901
        taken.add((one.entry.id, one.entry.locale))
        first[key] = one
    return list(first.values()), [_joined(first[key], more) for key, more in others.items()]


def read_kept(lines: Sequence[str], source: str) -> list[Kept | Problem]:
    """Read the lines of a file that an earlier import wrote; blank lines are passed over."""
    return [
        row if isinstance(row, Problem) else _kept(row, lines[row.line - 1])
        for row in read_json_lines(iter(lines), source, None)
    ]


def _kept(row: Row, line: str) -> Kept | Problem:
    entry = entry_of(row)
    if isinstance(entry, Problem):
        return entry
    return Kept(line.rstrip("\r\n"), entry, row.origin, row.source_hash)


def reconcile(
    kept: Sequence[Kept], found: Sequence[Imported], scope: Scope, *, prune: bool
) -> Outcome:
    """Bring what was found into the rows that are there: theirs in order, then the new ones."""
    matches = _matches(kept, found)
    lines: list[str] = []
    changes: list[Change] = []
    for at, row in enumerate(kept):
        line, change = _renewed(row, matches.get(at), scope)
        if change:
            changes.append(change)
        if not (prune and change and change.kind == "vanished"):
            lines.append(line)
    matched = {id(one) for one in matches.values()}
    taken = {(row.entry.id, row.entry.locale) for row in kept}
    for one in found:
        if id(one) in matched:
            continue
        new = _told_apart(one) if (one.entry.id, one.entry.locale) in taken else one
        lines.append(_line(new))
        changes.append(_change("added", new.entry, new.origin))
    return Outcome(tuple(lines), tuple(changes))


def _matches(kept: Sequence[Kept], found: Sequence[Imported]) -> dict[int, Imported]:
    """Find each row again: first by what its source said, then by its question, then by its id.

    One pass each, so that a new question with the id of another takes no row from that one.
    """
    matches: dict[int, Imported] = {}
    left = list(found)
    for of_row, of_found in _KEYS:
        places: dict[tuple[str, str], int] = {}
        for at, row in enumerate(kept):
            if at not in matches:
                places.setdefault((row.entry.locale, of_row(row)), at)
        missed: list[Imported] = []
        for one in left:
            place = places.pop((one.entry.locale, of_found(one)), None)
            if place is None:
                missed.append(one)
            else:
                matches[place] = one
        left = missed
    return matches


_KEYS: Final[tuple[tuple[Callable[[Kept], str], Callable[[Imported], str]], ...]] = (
    (lambda row: row.source_hash, lambda one: one.hash),
    (lambda row: normalise(row.entry.question), lambda one: normalise(one.entry.question)),
    (lambda row: row.entry.id, lambda one: one.entry.id),
)


def _renewed(row: Kept, one: Imported | None, scope: Scope) -> tuple[str, Change | None]:
    """Give the new line of a row that is there, and what became of it."""
    if one is None:
        return row.text, _missing(row, scope)
    if not row.source_hash:
        return row.text, _change("kept", row.entry, one.origin, OWN)
    if row.is_edited:
        note = EDITED if one.hash == row.source_hash else EDITED_SOURCE_CHANGED
        return row.text, _change("kept", row.entry, one.origin, note)
    if one.hash != row.source_hash:
        return _updated(row, one), _change("updated", row.entry, one.origin)
    line = row.text if one.origin == row.origin else _updated(row, one)
    return line, _change("unchanged", row.entry, one.origin)


def _missing(row: Kept, scope: Scope) -> Change | None:
    if not (row.source_hash and row.origin and scope.covers(row.origin)):
        return None
    if row.is_edited:
        return _change("kept", row.entry, row.origin, EDITED_SOURCE_GONE)
    return _change("vanished", row.entry, row.origin)


def _updated(row: Kept, one: Imported) -> str:
    """Take the source's words, and leave what the owner added: variants, tags, links, the id."""
    value = json.loads(row.text)
    value["question"], value["answer"] = one.entry.question, one.entry.answer
    value["origin"], value["source_hash"] = one.origin, one.hash
    return _SURROGATES.sub("\ufffd", json.dumps(value, ensure_ascii=False))


def _line(one: Imported) -> str:
    value: dict[str, Any] = {
        **entry_fields(one.entry),
        "origin": one.origin,
        "source_hash": one.hash,
    }
    return json.dumps({name: given for name, given in value.items() if given}, ensure_ascii=False)


def _origin(row: Row) -> str:
    """Say where a row stands in a file; an address alone is enough, its lines are not shown."""
    if is_address(row.source):
        return row.source
    return f"{row.source}#{row.id.strip()}" if row.id.strip() else f"{row.source}:{row.line}"


def _told_apart(one: Imported) -> Imported:
    digest = hashlib.sha256(normalise(one.entry.question).encode("utf-8", "replace")).hexdigest()
    return replace(one, entry=replace(one.entry, id=f"{one.entry.id[:119]}-{digest[:8]}"))


def _joined(first: Imported, others: Sequence[Imported]) -> Joined:
    origins = dict.fromkeys((first.origin, *(one.origin for one in others)))
    differ = any(_plain(one.entry.answer) != _plain(first.entry.answer) for one in others)
    return Joined(first.entry.id, first.entry.locale, tuple(origins), differ)


def _change(kind: Kind, entry: Entry, origin: str, note: str = "") -> Change:
    return Change(kind, entry.id, entry.locale, origin, note)


def _plain(text: str) -> str:
    lines = unicodedata.normalize("NFC", text).strip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _without_surrogates(row: Row) -> Row:
    return replace(
        row,
        question=_SURROGATES.sub("\ufffd", row.question),
        answer=_SURROGATES.sub("\ufffd", row.answer),
        variants=tuple(_SURROGATES.sub("\ufffd", one) for one in row.variants),
        tags=tuple(_SURROGATES.sub("\ufffd", one) for one in row.tags),
        origin=_SURROGATES.sub("\ufffd", row.origin),
    )
