"""Entries that are one to a visitor: the same question twice, or two that mean the same.

Decides from which closeness two phrasings ask the same. Refuses to compare what has no vector: near
duplicates need an embedding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import sumprod
from typing import Final

from kb.bench import Bench
from kb.entry import Entry
from kb.features import text_key
from kb.finding import Finding, quoted
from kb.search import EXACT
from kb.trial import phrasings
from kb.vectors import Vectors, pack_all

NEAR: Final = 0.9
"""Cosine of two phrasings from which they ask the same: of the pairs in `banking77` and `clinc150`
that are so near, 95 % and 97 % have one label; of those in .8 to .85 only 85 % and 93 %."""
_NEIGHBOURS: Final = 40
_PACKED_AWAY: Final = 0.15
"""What two bits a dimension may take off a cosine."""
_EXAMPLES: Final = 3


def duplicates(entries: Sequence[Entry]) -> list[Finding]:
    """Give the questions that two or more entries have, but for case and punctuation."""
    owners: dict[str, dict[str, tuple[Entry, str]]] = {}
    for entry in entries:
        for text in phrasings(entry):
            key = text_key(text)
            if key:
                owners.setdefault(key, {}).setdefault(entry.id, (entry, text))
    by_entries: dict[tuple[str, ...], list[tuple[Entry, str]]] = {}
    for own in owners.values():
        if len(own) > 1:
            by_entries.setdefault(tuple(own), []).append(next(iter(own.values())))
    return [_duplicate(ids, same) for ids, same in by_entries.items()]


def _duplicate(ids: tuple[str, ...], same: Sequence[tuple[Entry, str]]) -> Finding:
    entry = same[0][0]
    texts = ", ".join(quoted(text) for _, text in same[:_EXAMPLES])
    others = ", ".join(ids[1:])
    return Finding(
        "duplicate",
        entry.id,
        entry.locale,
        f"{texts} is also a way to ask {others}: each gets {EXACT / len(ids):.0%} at most.",
        f"Keep it in one of {', '.join(ids)}, or join them.",
        ids[1:],
        len(ids) + len(same) / 1_000,
    )


def near_duplicates(
    entries: Sequence[Entry], bench: Bench, known: Iterable[frozenset[str]] = ()
) -> list[Finding]:
    """Give pairs of entries of one locale whose nearest phrasings mean the same.

    Pairs of ids in `known` are left out.
    """
    known = set(known)
    best: dict[tuple[int, int], tuple[float, int, int]] = {}
    for cosine, one, other in _near_pairs(entries, bench):
        pair = (bench.unit_of[one], bench.unit_of[other])
        ids = frozenset(entries[unit].id for unit in pair)
        if len(ids) == 2 and ids not in known and cosine > best.get(pair, (0.0, 0, 0))[0]:
            best[pair] = (cosine, one, other)
    findings = []
    for (first, second), (cosine, one, other) in best.items():
        entry, rival = entries[first], entries[second]
        same = entry.answer.strip() == rival.answer.strip()
        remedy = (
            "Join them: their answers are the same."
            if same
            else "Join them, or say in every way to ask what tells one from the other."
        )
        findings.append(
            Finding(
                "near_duplicate",
                entry.id,
                entry.locale,
                f"{quoted(bench.texts[one])} means nearly the same as {quoted(bench.texts[other])} "
                f"of {rival.id} (cosine {cosine:.2f}): a visitor gets either.",
                remedy,
                (rival.id,),
                cosine,
            )
        )
    return findings


def _near_pairs(entries: Sequence[Entry], bench: Bench) -> Iterator[tuple[float, int, int]]:
    """Give (cosine, phrasing, later phrasing) of one locale's entries, from `NEAR` on."""
    if bench.embedding is None:
        return
    by_locale: dict[str, list[int]] = {}
    for number, unit in enumerate(bench.unit_of):
        if bench.vector(bench.texts[number]) is not None:
            by_locale.setdefault(entries[unit].locale, []).append(number)
    for numbers in by_locale.values():
        vectors = [bench.vector(bench.texts[number]) or [] for number in numbers]
        dimensions = bench.embedding.dimensions
        packed = Vectors(pack_all(vectors, dimensions), dimensions)
        # An entry's own phrasings are near too, and must not crowd out the others.
        most = _NEIGHBOURS + max(Counter(bench.unit_of[number] for number in numbers).values())
        for at, number in enumerate(numbers):
            for rough, other in packed.nearest(vectors[at], most):
                if other > at and rough >= NEAR - _PACKED_AWAY:
                    cosine = sumprod(vectors[at], vectors[other])
                    if cosine >= NEAR:
                        yield cosine, number, numbers[other]
