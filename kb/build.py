"""From entries to the bytes of an index.

Decides what is searchable (every entry that is not a site text) and what is stored. Refuses two
entries with the same id and locale; an empty knowledge base is fine, and answers nothing.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from itertools import pairwise
from typing import Any

from kb.bench import Bench, make_bench
from kb.calibrate import UNCORRECTED, Correction
from kb.choice import Choice
from kb.codec import BLOCKS, VOCABULARY, Section, encode
from kb.embed import Embedding
from kb.entry import Entry, system_text
from kb.evidence import Hearing, fit_hearings
from kb.features import text_digest
from kb.find import Finder
from kb.head import Trainer
from kb.simulate import simulate

type Progress = Callable[[str, float], None]


def build_index(
    entries: Iterable[Entry],
    *,
    seed: int = 0,
    out_of_scope: float = 0.25,
    embedding: Embedding | None = None,
    trainer: Trainer | None = None,
    correction: Correction = UNCORRECTED,
    progress: Progress | None = None,
) -> bytes:
    """Build an index, calibrated from the entries themselves; the same input gives the same bytes.

    `out_of_scope` is the share of questions that the site expects to have no answer here, in [0,
    1). With an `embedding` the index knows meanings, and serves best beside that very embedding;
    with a `trainer` it learns from entries that have several phrasings. `correction` is what the
    owner's marks say (`kb.calibrate`). `progress` is told the step and how far it is, in [0, 1].
    Raises `ValueError` for a duplicate.
    """
    if not 0 <= out_of_scope < 1:
        raise ValueError(f"out_of_scope must be at least 0 and under 1, not {out_of_scope}")
    report = progress or (lambda _step, _share: None)
    every = tuple(entries)
    _refuse_duplicates(every)
    searchable = [entry for entry in every if system_text(entry) is None]
    report("reading", 0.0)
    everyday = background({entry.locale.split("-", 1)[0] for entry in searchable})
    bench = make_bench(
        searchable, everyday, embedding, trainer, lambda share: report("reading", share)
    )
    strangers = bench.strangers(everyday)
    situations = simulate(
        bench,
        strangers,
        seed=seed,
        out_of_scope=out_of_scope,
        progress=lambda share: report("calibrating", share),
    )
    choices = fit_hearings(situations)
    report("learning", 0.0)
    finder = bench.finder(range(len(bench.texts)), strangers)
    report("writing", 0.0)
    data = encode(_pack(every, bench, finder, choices, correction))
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


def _pack(
    entries: Sequence[Entry],
    bench: Bench,
    finder: Finder,
    choices: dict[Hearing, Choice],
    correction: Correction,
) -> dict[str, Section]:
    digests = [(text_digest(text), number) for number, text in enumerate(bench.texts)]
    keys = sorted((digest, number) for digest, number in digests if digest is not None)
    meta = {
        "choices": {hearing: [*own.weights, own.none] for hearing, own in choices.items()},
        "correction": [correction.shift, correction.slope],
        "embedding": bench.embedding.release if bench.embedding else None,
        "dimensions": bench.embedding.dimensions if bench.embedding else 0,
    }
    return {
        "meta": json.dumps(meta),
        "entries": json.dumps([_row(entry) for entry in entries], ensure_ascii=False),
        "key_digests": array("Q", (digest for digest, _ in keys)),
        "key_phrasings": array("I", (number for _, number in keys)),
        **_words(bench, finder),
        **_vectors(finder),
        **_head(finder),
    }


def _words(bench: Bench, finder: Finder) -> dict[str, Section]:
    vocabulary, tables = bench.vocabulary, finder.ranker.tables
    sections: dict[str, Section] = {
        "word_names": "\n".join(vocabulary.ids),
        "pair_keys": array("Q", bench.terms.pairs),
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


def _vectors(finder: Finder) -> dict[str, Section]:
    if finder.meaning is None:
        return {}
    return {
        "vector_levels": array("B", finder.meaning.vectors.levels),
        "vector_phrasings": array("I", finder.meaning.phrasings),
    }


def _head(finder: Finder) -> dict[str, Section]:
    if finder.judgement is None:
        return {}
    space, weights = finder.judgement.head.space, finder.judgement.head.weights
    names = {f"head_names_{at}": "\n".join(block) for at, block in enumerate(space.names)}
    return {
        **names,
        "head_frequencies": array("I", space.frequencies),
        "head_counts": array("I", (b - a for a, b in pairwise(weights.starts))),
        "head_gaps": array("I", weights.gaps),
        "head_values": array("b", weights.values),
        "head_bias": array("f", weights.bias),
        "head_plane": array("b", weights.plane),
        "head_scales": array("d", [weights.scale, weights.plane_scale, space.size]),
    }


def _row(entry: Entry) -> list[Any]:
    links = [[link.title, link.url] for link in entry.links]
    return [
        entry.id, entry.locale, entry.question, entry.answer,
        entry.variants, links, entry.tags, int(entry.escalate),
    ]  # fmt: skip
