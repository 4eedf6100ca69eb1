"""From entries to the bytes of an index.

Decides what is searchable (every entry that is not a site text) and what is stored. Refuses two
entries with the same id and locale; an empty knowledge base is fine, and answers nothing.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from typing import Any

from kb.calibrate import Calibration, fit
from kb.codec import BLOCKS, VOCABULARY, Section, encode
from kb.entry import Entry, system_text
from kb.features import text_digest
from kb.simulate import Corpus, simulate
from kb.tables import Tables, Terms, build_tables
from kb.vocabulary import build_vocabulary

type Progress = Callable[[str, float], None]


def build_index(
    entries: Iterable[Entry],
    *,
    seed: int = 0,
    out_of_scope: float = 0.25,
    progress: Progress | None = None,
) -> bytes:
    """Build an index, calibrated from the entries themselves; the same input gives the same bytes.

    `out_of_scope` is the share of questions that the site expects to have no answer here, in [0,
    1). `progress` is told the step and how far it is, in [0, 1]. Raises `ValueError` for a
    duplicate.
    """
    if not 0 <= out_of_scope < 1:
        raise ValueError(f"out_of_scope must be at least 0 and under 1, not {out_of_scope}")
    report = progress or (lambda _step, _share: None)
    every = tuple(entries)
    _refuse_duplicates(every)
    searchable = [entry for entry in every if system_text(entry) is None]
    report("reading", 0.0)
    everyday = background({entry.locale.split("-", 1)[0] for entry in searchable})
    corpus = _corpus(searchable, everyday)
    report("weighing", 0.0)
    tables = build_tables(corpus.phrasings, len(searchable), corpus.terms, corpus.common)
    samples = simulate(
        corpus,
        everyday,
        seed=seed,
        out_of_scope=out_of_scope,
        progress=lambda share: report("calibrating", share),
    )
    calibration = fit(samples)
    report("writing", 0.0)
    data = encode(_pack(every, corpus, tables, calibration))
    report("writing", 1.0)
    return data


def background(locales: Iterable[str]) -> list[str]:
    """Give generic questions that hardly any site answers, in the given languages (else in all)."""
    text = resources.files("kb").joinpath("background.txt").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines():
        if line.startswith("# "):
            current = line[2:].strip()
        elif line.strip():
            found.setdefault(current, []).append(line.strip())
    wanted = [locale for locale in found if locale in set(locales)] or list(found)
    return [question for locale in wanted for question in found[locale]]


def _refuse_duplicates(entries: Sequence[Entry]) -> None:
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        if (entry.id, entry.locale) in seen:
            raise ValueError(f"entry {entry.id!r} is there twice in locale {entry.locale!r}")
        seen.add((entry.id, entry.locale))


def _corpus(entries: Sequence[Entry], everyday: Sequence[str]) -> Corpus:
    terms = Terms()
    texts = [(unit, text) for unit, entry in enumerate(entries) for text in _texts(entry)]
    phrasings = [terms.phrasing(unit, text) for unit, text in texts]
    own_words = len(terms.words)
    common = [terms.phrasing(-1, text) for text in everyday]
    vocabulary = build_vocabulary(terms.words, own_words)
    return Corpus(
        phrasings,
        [text for _, text in texts],
        [entry.id for entry in entries],
        terms,
        common,
        vocabulary,
    )


def _texts(entry: Entry) -> tuple[str, ...]:
    return (entry.question, *entry.variants)


def _pack(
    entries: Sequence[Entry], corpus: Corpus, tables: Tables, calibration: Calibration
) -> dict[str, Section]:
    vocabulary = corpus.vocabulary
    digests = [(text_digest(text), number) for number, text in enumerate(corpus.texts)]
    keys = sorted((digest, number) for digest, number in digests if digest is not None)
    sections: dict[str, Section] = {
        "meta": json.dumps({"coefficients": calibration.coefficients}),
        "entries": json.dumps([_row(entry) for entry in entries], ensure_ascii=False),
        "key_digests": array("Q", (digest for digest, _ in keys)),
        "key_phrasings": array("I", (number for _, number in keys)),
        "word_names": "\n".join(vocabulary.ids),
        "pair_keys": array("Q", corpus.terms.pairs),
        "gram_names": "\n".join(vocabulary.gram_ids),
    }
    for name in VOCABULARY:
        sections[name] = getattr(vocabulary, name)
    for name, block in zip(BLOCKS, (tables.words, tables.pairs), strict=True):
        sections[f"{name}_unseen"] = array("d", [block.unseen])
        for field in ("idf", "starts", "phrasings", "scales"):
            sections[f"{name}_{field}"] = getattr(block, field)
    for name in ("unit_of", "unit_starts", "unit_norms"):
        sections[name] = getattr(tables, name)
    return sections


def _row(entry: Entry) -> list[Any]:
    links = [[link.title, link.url] for link in entry.links]
    return [
        entry.id, entry.locale, entry.question, entry.answer,
        entry.variants, links, entry.tags, int(entry.escalate),
    ]  # fmt: skip
