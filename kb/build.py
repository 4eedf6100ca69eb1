"""From entries to the bytes of an index.

Decides what is searchable (every entry that is not a site text, a slot's or a list of synonyms) and
what is stored.
Refuses two entries with the same id and locale; an empty knowledge base is fine, and answers
nothing.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import pairwise
from typing import Any

from kb.answers import USUAL, Answers, fit_answers, make_answers
from kb.bench import Bench, make_bench
from kb.calibrate import UNCORRECTED, Correction
from kb.choice import Choice
from kb.codec import BLOCKS, VOCABULARY, Section, decode, encode
from kb.embed import Embedding
from kb.entry import Entry, is_searchable
from kb.evidence import Hearing, fit_hearings
from kb.features import text_digest
from kb.find import Finder
from kb.head import Trainer
from kb.reuse import Learned, Terms, learned_from, lesson_of
from kb.simulate import simulate
from kb.wording import Wording

type Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class _Made:
    """What an index holds besides its entries; an empty `lesson` is nothing to go on from."""

    learned: Learned
    answers: Answers
    correction: Correction
    embedding: Embedding | None
    lesson: str = ""


def build_index(
    entries: Iterable[Entry],
    *,
    seed: int = 0,
    out_of_scope: float = 0.25,
    embedding: Embedding | None = None,
    trainer: Trainer | None = None,
    correction: Correction = UNCORRECTED,
    earlier: bytes | None = None,
    code: str = "",
    progress: Progress | None = None,
) -> bytes:
    """Build an index, calibrated from the entries themselves; the same input gives the same bytes.

    `out_of_scope` is the share of questions that the site expects to have no answer here, in [0,
    1). With an `embedding` the index knows meanings, and serves best beside that very embedding;
    with a `trainer` it learns from entries that have several phrasings. `correction` is what the
    owner's marks say (`kb.calibrate`). An `earlier` index spares the learning where no phrasing has
    changed since, and gives the same bytes; `code` names all the code that takes part in a build,
    and without it nothing is spared. `progress` is told the step and how far it is, in [0, 1].
    Raises `ValueError` for a duplicate.
    """
    if not 0 <= out_of_scope < 1:
        raise ValueError(f"out_of_scope must be at least 0 and under 1, not {out_of_scope}")
    report = progress or (lambda _step, _share: None)
    every = tuple(entries)
    _refuse_duplicates(every)
    report("reading", 0.0)
    searchable, wording = [entry for entry in every if is_searchable(entry)], Wording(every)
    asked, everyday = heard_entries(searchable, wording)
    bench = make_bench(asked, everyday, embedding, trainer, lambda share: report("reading", share))
    strangers = bench.strangers(everyday)
    release = embedding.release if embedding else None
    terms = Terms(code, seed, out_of_scope, release, is_trained=trainer is not None)
    lesson = lesson_of(asked, everyday, terms) if code else ""
    learned = learned_from(earlier, lesson) if code else None
    if learned is None:
        learned = _learn(bench, strangers, terms, report)
    tables = make_answers(searchable, embedding, wording)
    answers = Answers(tables, embedding, bench.unit_ids)
    fitted = fit_answers(answers, asked, strangers, seed=seed)
    answers = Answers(tables, embedding, bench.unit_ids, fitted)
    report("writing", 0.0)
    data = encode(_pack(every, _Made(learned, answers, correction, embedding, lesson)))
    report("writing", 1.0)
    return data


def _learn(bench: Bench, strangers: Sequence[str], terms: Terms, report: Progress) -> Learned:
    situations = simulate(
        bench,
        strangers,
        seed=terms.seed,
        out_of_scope=terms.out_of_scope,
        progress=lambda share: report("calibrating", share),
    )
    choices = fit_hearings(situations)
    report("learning", 0.0)
    finder = bench.finder(range(len(bench.texts)), strangers)
    return Learned(_searched(bench, finder), choices)


def preview_index(
    entries: Iterable[Entry],
    *,
    choices: Mapping[Hearing, Choice],
    answers: Choice = USUAL.choice,
    correction: Correction = UNCORRECTED,
    embedding: Embedding | None = None,
    trainer: Trainer | None = None,
) -> bytes:
    """Build an index that weighs what it sees as another one does, without simulating anyone.

    `choices` and `answers` are the other one's. It takes a fifth of the time. Where the other one
    has a head, give its `trainer`: the weights were fitted beside a head, and mean little without.
    Raises `ValueError` for a duplicate.
    """
    every = tuple(entries)
    _refuse_duplicates(every)
    searchable, wording = [entry for entry in every if is_searchable(entry)], Wording(every)
    asked, everyday = heard_entries(searchable, wording)
    bench = make_bench(asked, everyday, embedding, trainer)
    finder = bench.finder(range(len(bench.texts)), bench.strangers(everyday) if trainer else ())
    tables = make_answers(searchable, embedding, wording)
    told = Answers(tables, embedding, bench.unit_ids, answers)
    learned = Learned(_searched(bench, finder), choices)
    return encode(_pack(every, _Made(learned, told, correction, embedding)))


def with_correction(data: bytes, correction: Correction) -> bytes:
    """Give the index that `build_index` would have made with this correction.

    Raises `IndexFormatError` for bytes that are no index.
    """
    sections, _ = decode(data)
    meta = json.loads(str(sections["meta"]))
    meta["correction"] = [correction.shift, correction.slope]
    return encode({**sections, "meta": json.dumps(meta)})


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


def heard_entries(entries: Sequence[Entry], wording: Wording) -> tuple[list[Entry], list[str]]:
    """Give searchable entries with their ways to ask in the site's own words, and everyday
    questions in their languages in the same."""
    asked = [
        replace(
            entry,
            question=wording.heard(entry.question),
            variants=tuple(map(wording.heard, entry.variants)),
        )
        for entry in entries
    ]
    everyday = background({entry.locale.split("-", 1)[0] for entry in entries})
    return asked, [wording.heard(question) for question in everyday]


def _refuse_duplicates(entries: Sequence[Entry]) -> None:
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        if (entry.id, entry.locale) in seen:
            raise ValueError(f"entry {entry.id!r} is there twice in locale {entry.locale!r}")
        seen.add((entry.id, entry.locale))


def _pack(entries: Sequence[Entry], made: _Made) -> dict[str, Section]:
    choices, answers, embedding = made.learned.choices, made.answers, made.embedding
    meta = {
        "choices": {hearing: [*own.weights, own.none] for hearing, own in choices.items()},
        "answers": [*answers.choice.weights, answers.choice.none],
        "correction": [made.correction.shift, made.correction.slope],
        "embedding": embedding.release if embedding else None,
        "dimensions": embedding.dimensions if embedding else 0,
        "lesson": made.lesson,
    }
    return {
        "meta": json.dumps(meta),
        "entries": json.dumps([_row(entry) for entry in entries], ensure_ascii=False),
        **made.learned.sections,
        **_told(answers),
    }


def _searched(bench: Bench, finder: Finder) -> dict[str, Section]:
    """How phrasings are searched."""
    digests = [(text_digest(text), number) for number, text in enumerate(bench.texts)]
    keys = sorted((digest, number) for digest, number in digests if digest is not None)
    return {
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


def _told(answers: Answers) -> dict[str, Section]:
    tables = answers.tables
    passages = tables.passages
    return {
        "told_forms": "\n".join(passages.forms),
        "told_form_counts": array("I", (b - a for a, b in pairwise(passages.starts))),
        "told_passages": array("I", passages.passages),
        "told_counts": array("I", passages.counts),
        "told_lengths": array("I", passages.lengths),
        "told_sentences": array("I", (b - a for a, b in pairwise(passages.sentence_starts))),
        "told_units": array("I", tables.units),
        "told_starts": array("I", (start for start, _ in tables.spans)),
        "told_ends": array("I", (end for _, end in tables.spans)),
        "told_whole_levels": array("B", passages.whole_levels),
        "told_sentence_levels": array("B", passages.sentence_levels),
    }


def _row(entry: Entry) -> list[Any]:
    links = [[link.title, link.url] for link in entry.links]
    return [
        entry.id, entry.locale, entry.question, entry.answer,
        entry.variants, links, entry.tags, int(entry.escalate),
        entry.valid_from, entry.valid_until,
    ]  # fmt: skip
