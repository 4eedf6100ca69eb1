"""From the bytes of an index to something that can be searched.

Decides nothing that was not decided at build time. Refuses bytes that another version wrote, and
damaged ones, in one error; it imports no more than a browser needs.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import inf
from typing import Any, cast

from kb.answers import Answers, AnswerTables
from kb.calibrate import Correction
from kb.choice import Choice
from kb.codec import INDEX, VOCABULARY, IndexFormatError, Section, decode
from kb.embed import Embedding
from kb.entry import Entry, Link, is_searchable
from kb.find import Finder, Judgement, Meaning, starts_of
from kb.head import FeatureSpace, Head, HeadWeights
from kb.passages import PassageTables
from kb.rank import Ranker
from kb.search import ExactKeys, Index
from kb.shape import check_shape
from kb.tables import Postings, Tables
from kb.vectors import MakeVectors, Vectors
from kb.vocabulary import Vocabulary

type Sections = Mapping[str, Section]


def load_index(
    data: bytes, embedding: Embedding | None = None, vectors: MakeVectors = Vectors
) -> Index:
    """Read an index; with the embedding that it was built with it knows meanings too, by `vectors`.

    Raises `IndexFormatError` for bytes that this version did not write. Another embedding than the
    one it was built with is left aside: its vectors would mean something else.
    """
    sections, release = decode(data)
    try:
        return _unpack(sections, release, embedding, vectors)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise IndexFormatError(f"damaged index: {error!r}; {INDEX.remedy}") from error


def stored_entries(data: bytes) -> tuple[Entry, ...]:
    """Give every entry that an index was built from, site texts included, in order.

    Raises `IndexFormatError`.
    """
    sections, _ = decode(data)
    try:
        return tuple(_entry(row) for row in json.loads(_text(sections, "entries")))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise IndexFormatError(f"damaged index: {error!r}; {INDEX.remedy}") from error


def _unpack(
    sections: Sections, release: str, embedding: Embedding | None, vectors: MakeVectors
) -> Index:
    meta = json.loads(_text(sections, "meta"))
    entries = [_entry(row) for row in json.loads(_text(sections, "entries"))]
    ids = [entry.id for entry in entries if is_searchable(entry)]
    check_shape(sections, meta, len(ids))
    ranker = _ranker(sections)
    fits = embedding is not None and embedding.release == meta["embedding"]
    meaning = _meaning(sections, ranker.tables, embedding, vectors) if embedding and fits else None
    judgement = _judgement(sections, ids, meta["dimensions"])
    return Index(
        entries=entries,
        finder=Finder(ranker, meaning, judgement),
        answers=_answers(sections, ids, meta, embedding if fits else None, vectors),
        choices={
            hearing: Choice(tuple(values[:-1]), values[-1])
            for hearing, values in meta["choices"].items()
        },
        exact=ExactKeys(*_arrays(sections, "key_digests", "key_phrasings")),
        release=release,
        embedding=meta["embedding"],
        correction=Correction(*meta["correction"]),
    )


def _entry(row: list[Any]) -> Entry:
    links = tuple(Link(title, url) for title, url in row[5])
    variants, tags = tuple(row[4]), tuple(row[6])
    texts = (*row[:4], *variants, *tags, *(text for link in row[5] for text in link), *row[8:10])
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("an entry has something else than text")
    return Entry(
        row[0], row[1], row[2], row[3], variants, links, tags, bool(row[7]), row[8], row[9]
    )


def _text(sections: Sections, name: str) -> str:
    return cast(str, sections[name])


def _arrays(sections: Sections, *wanted: str) -> list[Any]:
    return [sections[name] for name in wanted]


def _names(sections: Sections, name: str) -> list[str]:
    text = _text(sections, name)
    return text.split("\n") if text else []


def _ranker(sections: Sections) -> Ranker:
    def numbered(section: str) -> dict[str, int]:
        names = _names(sections, section)
        return dict(zip(names, range(len(names)), strict=True))

    def block(name: str) -> Postings:
        fields = ("idf", "starts", "phrasings", "scales")
        idf, starts, phrasings, scales = _arrays(sections, *(f"{name}_{f}" for f in fields))
        return Postings(idf, starts, phrasings, scales, _arrays(sections, f"{name}_unseen")[0][0])

    vocabulary = Vocabulary(
        numbered("word_names"), numbered("gram_names"),
        *_arrays(sections, *VOCABULARY),
    )  # fmt: skip
    tables = Tables(
        block("words"), block("pairs"), *_arrays(sections, "unit_of", "unit_starts", "unit_norms")
    )
    pair_keys = cast("array[int]", sections["pair_keys"])
    return Ranker(tables, vocabulary, dict(zip(pair_keys, range(len(pair_keys)), strict=True)))


def _meaning(
    sections: Sections, tables: Tables, embedding: Embedding, make: MakeVectors
) -> Meaning:
    phrasings = cast("array[int]", sections["vector_phrasings"])
    levels = cast("array[int]", sections["vector_levels"]).tobytes()
    owners = [tables.unit_of[phrasing] for phrasing in phrasings]
    vectors = make(levels, embedding.dimensions)
    if len(vectors) != len(owners):
        raise ValueError("its vectors and their phrasings differ in number")
    return Meaning(embedding, vectors, owners, phrasings, starts_of(owners, len(tables.unit_norms)))


def _answers(
    sections: Sections,
    ids: Sequence[str],
    meta: Mapping[str, Any],
    embedding: Embedding | None,
    vectors: MakeVectors,
) -> Answers | None:
    """The answers as they were looked at; None where the embedding that they need is not here."""
    if meta["embedding"] is not None and embedding is None:
        return None
    form_counts, sentence_counts, starts, ends = _arrays(
        sections, "told_form_counts", "told_sentences", "told_starts", "told_ends"
    )
    numbers, counts, lengths = _arrays(sections, "told_passages", "told_counts", "told_lengths")
    wholes, parts = _arrays(sections, "told_whole_levels", "told_sentence_levels")
    passages = PassageTables(
        forms=_names(sections, "told_forms"),
        starts=list(accumulate(form_counts, initial=0)),
        passages=numbers,
        counts=counts,
        lengths=lengths,
        sentence_starts=list(accumulate(sentence_counts, initial=0)),
        whole_levels=wholes.tobytes(),
        sentence_levels=parts.tobytes(),
    )
    spans = list(zip(starts, ends, strict=True))
    choice = Choice(tuple(meta["answers"][:-1]), meta["answers"][-1])
    tables = AnswerTables(passages, _arrays(sections, "told_units")[0], spans)
    return Answers(tables, embedding, ids, choice, vectors)


def _judgement(sections: Sections, ids: Sequence[str], dimensions: int) -> Judgement | None:
    if "head_bias" not in sections:
        return None
    scale, plane_scale, size = cast("array[float]", sections["head_scales"])
    names = [_names(sections, f"head_names_{at}") for at in range(3)]
    frequencies = cast("array[int]", sections["head_frequencies"])
    counts = cast("array[int]", sections["head_counts"])
    gaps, values, bias, plane = _arrays(
        sections, "head_gaps", "head_values", "head_bias", "head_plane"
    )
    starts = list(accumulate(counts, initial=0))
    if (
        sum(map(len, names)) != len(frequencies)
        or not len(counts) == len(bias) == len(set(ids)) + 1
        or len(plane) != len(bias) * dimensions
        or not 0 <= scale < inf
        or not 0 <= plane_scale < inf
        or size < max(frequencies, default=0)
        or not starts[-1] == len(gaps) == len(values)
    ):
        raise ValueError("the parts of its head differ in number")
    weights = HeadWeights(starts, gaps, values, scale, bias, plane, plane_scale)
    number = {entry: at for at, entry in enumerate(dict.fromkeys(ids))}
    class_of = [number[entry] for entry in ids]
    head = Head(FeatureSpace(names, frequencies, int(size)), weights, dimensions)
    return Judgement(head, class_of)
