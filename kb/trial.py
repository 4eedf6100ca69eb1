"""Every entry put to the trial: its own questions, asked otherwise or without its own wording.

Decides which questions are asked of a finished index: hurried copies of every phrasing, as
`kb.simulate` spoils them, and every phrasing as if its owner had not written it down. Refuses
neither a large knowledge base nor a small one: the larger, the fewer copies. The same seed asks the
same questions. Only an owner's machine imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from kb.bench import Bench
from kb.build import background
from kb.entry import Entry
from kb.search import ExactKeys, Index
from kb.simulate import spoil

FOLDS: Final = 5
"""A fifth of the phrasings is held out at a time, as when the index was calibrated."""
COPIES: Final = 8
LEAST_COPIES: Final = 4
"""Copies of one phrasing under which a loss could be chance."""
QUESTIONS: Final = 6_000
"""Copies in all, as far as each phrasing still gets the least."""
_TOLD_EVERY: Final = 50

type Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was asked of `unit`, and the entry id that came first, with how sure.

    `source` is the phrasing that it was made of; `held_out` says that this phrasing was not known.
    """

    unit: int
    source: str
    text: str
    held_out: bool
    first: str | None
    confidence: float


def phrasings(entry: Entry) -> tuple[str, ...]:
    """Give all ways to ask an entry, its question first."""
    return (entry.question, *entry.variants)


def language(locale: str) -> str:
    """Give the language of a locale."""
    return locale.split("-", 1)[0]


def ask_copies(index: Index, seed: int, progress: Progress = lambda _: None) -> list[Asked]:
    """Ask every phrasing several times as a hurried visitor would write it."""
    fillers = {
        locale: [word for text in background([language(locale)]) for word in text.split()]
        for locale in index.locales
    }
    located = [
        (unit, at, text)
        for unit, entry in enumerate(index.entries)
        for at, text in enumerate(phrasings(entry))
    ]
    copies = max(LEAST_COPIES, min(COPIES, QUESTIONS // max(1, len(located))))
    asked = []
    for number, (unit, at, text) in enumerate(located):
        if number % _TOLD_EVERY == 0:
            progress(number / len(located))
        entry = index.entries[unit]
        # Seeded by the phrasing, so that another entry's edit changes no question of this one.
        rng = Random(f"{seed}:{entry.id}:{entry.locale}:{at}")  # noqa: S311 (repeatable)
        for _ in range(copies):
            copy = spoil(text, rng, fillers[entry.locale])
            asked.append(Asked(unit, text, copy, False, *_first(index, copy, entry)))
    return asked


def ask_held_out(
    index: Index,
    bench: Bench,
    strangers: Sequence[str],
    seed: int,
    progress: Progress = lambda _: None,
) -> list[Asked]:
    """Ask every phrasing of an entry that has others, of an index that lacks it.

    `bench` holds the index's own entries, and `strangers` what nobody answers.
    """
    fold_of = dict(_folds(index.entries, seed))
    asked: list[Asked] = []
    for fold in range(FOLDS):
        held = [number for number in range(len(bench.texts)) if fold_of.get(number) == fold]
        if not held:
            continue
        lacking = set(held)
        kept = [number for number in range(len(bench.texts)) if number not in lacking]
        partial = Index(
            entries=index.entries,
            finder=bench.finder(kept, strangers),
            answers=index.answers,
            choices=index.choices,
            exact=ExactKeys((), ()),
            release=index.release,
            embedding=index.embedding,
            correction=index.correction,
        )
        for at, number in enumerate(held):
            if at % _TOLD_EVERY == 0:
                progress((fold + at / len(held)) / FOLDS)
            unit, text = bench.unit_of[number], bench.texts[number]
            found = _first(partial, text, index.entries[unit])
            asked.append(Asked(unit, text, text, True, *found))
    return asked


def _folds(entries: Sequence[Entry], seed: int) -> Iterator[tuple[int, int]]:
    """Give (number of a phrasing, its fold); an entry's only phrasing is in none."""
    start = 0
    for entry in entries:
        size = len(phrasings(entry))
        if size > 1:
            rng = Random(f"{seed}:{entry.id}:{entry.locale}")  # noqa: S311 (repeatable)
            for at, place in enumerate(rng.sample(range(size), size)):
                yield start + place, at % FOLDS
        start += size


def _first(index: Index, text: str, entry: Entry) -> tuple[str | None, float]:
    hits = index.search(text, locale=entry.locale, limit=1)
    return (hits[0].entry.id, hits[0].confidence) if hits else (None, 0.0)
