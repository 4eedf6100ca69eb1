"""What is asked for the fit: phrasings of Fanlight's own entries, and what goes on from an entry.

Decides the sites: Fanlight's own questions and answers in three languages, and small made-up places
written for this (`models/local/knowledge`). Of the first a third of the entries is hidden and half
of the other phrasings held back, which are then asked; of both it is asked what a visitor asks who
has just read an entry, some of which the entry does not say. Refuses an ask of another form.
"""

from __future__ import annotations

import io
import random
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Final

from kb import Entry, read_entries
from models.local.labels import Facts, read_facts

SITE: Final = "Fanlight"
LOCALES: Final = ("en", "es", "he")
ASKED: Final = {"en": 4, "es": 2, "he": 1}
"""Phrasings that are asked of each entry: the model has little Spanish and no Hebrew."""
HIDDEN: Final = 3
"""Every so manieth entry is not in the index."""
KEPT: Final = 0.5
"""Share of an entry's other phrasings that the index has."""
SEED: Final = 7
FOLDER: Final = "knowledge"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the entry that answers it; a name of no entry where none does.

    `earlier` is the entry that was read before; `facts` what answers it where that is known, and
    `answerable` False where it is known that nothing does.
    """

    text: str
    entry_id: str
    locale: str
    earlier: Entry | None = None
    facts: Facts | None = None
    answerable: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A site: its name, its entries, and what is asked there."""

    name: str
    entries: tuple[Entry, ...]
    questions: tuple[Question, ...]


def own_entries() -> list[Entry]:
    """Fanlight's own questions and answers, in all its languages."""
    found: list[Entry] = []
    for locale in LOCALES:
        name = f"faq.{locale}.md"
        stream = io.StringIO((files("kb") / "data" / name).read_text(encoding="utf-8"))
        found += read_entries(stream, format="markdown", source=name, locale=locale).entries
    return found


def split(entries: Iterable[Entry]) -> tuple[list[Entry], list[Question]]:
    """The entries as the index gets them, and what is asked, in an order without a pattern."""
    draw = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    entries = list(entries)
    names = sorted({entry.id for entry in entries})
    draw.shuffle(names)
    hidden = set(names[::HIDDEN])
    kept, asked = [], []
    for entry in entries:
        variants = list(entry.variants)
        draw.shuffle(variants)
        count = int(KEPT * len(variants))
        asked += [
            Question(text, entry.id, entry.locale)
            for text in variants[count : count + ASKED[entry.locale]]
        ]
        if entry.id not in hidden:
            kept.append(replace(entry, variants=tuple(variants[:count])))
    draw.shuffle(asked)
    # Some stand in another language's entry too.
    known = {text for entry in kept for text in (entry.question, *entry.variants)}
    return kept, [question for question in asked if question.text not in known]


def places() -> Iterator[Place]:
    """Every site: what goes on from Fanlight's entries, the made-up places, phrasings."""
    entries = {(entry.locale, entry.id): entry for entry in own_entries()}
    goes_on = [
        question
        for locale, asks in _read("faq").items()
        for name, each in asks.items()
        for question in _questions(entries[locale, name], each)
    ]
    yield Place(SITE, tuple(own_entries()), tuple(goes_on))
    for locale in LOCALES:
        for key, told in _read(locale).items():
            yield _place(locale, key, told)
    kept, phrasings = split(own_entries())
    yield Place(SITE, tuple(kept), tuple(phrasings))


def _place(locale: str, key: str, told: dict[str, Any]) -> Place:
    entries: list[Entry] = []
    questions: list[Question] = []
    for row in told["entries"]:
        entry = Entry(f"{key}-{row['id']}", locale, row["question"], row["answer"])
        entries.append(entry)
        questions += _questions(entry, row["asks"])
    return Place(told["name"], tuple(entries), tuple(questions))


def _questions(entry: Entry, asks: Iterable[str]) -> Iterator[Question]:
    """What is asked after an entry, of `question => facts`; raises `ValueError`."""
    for ask in asks:
        text, arrow, told = ask.partition("=>")
        if not arrow or not text.strip():
            raise ValueError(f"{entry.id}: {ask!r} is no `question => facts`")
        facts = read_facts(told)
        yield Question(text.strip(), entry.id, entry.locale, entry, facts, facts is not None)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("models.local") / FOLDER / f"{name}.toml").read_text("utf-8"))
