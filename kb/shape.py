"""Whether the parts of an index fit one another.

A checksum says that bytes are as they were written, not that they were written in good faith. Every
number that is used as a place is compared with what it is a place in, once, when the index is
loaded, so that no question can fail on a crafted one. Raises `ValueError` naming the part.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from math import inf, isfinite
from operator import gt
from typing import Any, Final

from kb.choice import SIGNALS
from kb.codec import BLOCKS, Section
from kb.evidence import HEARINGS

type Sections = Mapping[str, Section]

_LISTS: Final = (
    ("gram_starts", ("gram_words",), "gram_names"),
    ("near_starts", ("near_words", "near_weights"), None),
    ("words_starts", ("words_phrasings",), "words_idf"),
    ("pairs_starts", ("pairs_phrasings",), "pairs_idf"),
    ("unit_starts", ("unit_of",), "unit_norms"),
)
"""Starts, the lists that they cut, and what has as many as there are cuts."""
_PLACES: Final = (
    ("gram_words", "word_names"),
    ("near_words", "word_names"),
    ("words_phrasings", "unit_of"),
    ("pairs_phrasings", "unit_of"),
    ("unit_of", "unit_norms"),
    ("key_phrasings", "unit_of"),
    ("vector_phrasings", "unit_of"),
    ("told_units", "unit_norms"),
    ("told_passages", "told_lengths"),
)
"""Numbers, and what they are places in."""
_ALIKE: Final = (
    ("key_digests", "key_phrasings"),
    ("word_names", "words_idf", "gram_counts"),
    ("pair_keys", "pairs_idf"),
    ("unit_of", "words_scales", "pairs_scales"),
    ("told_forms", "told_form_counts"),
    ("told_passages", "told_counts"),
    ("told_units", "told_lengths", "told_sentences"),
    ("told_starts", "told_ends"),
)
"""Parts of one length."""
_SUMS: Final = (("told_form_counts", "told_passages"), ("told_sentences", "told_starts"))
_LEVELS: Final = (("told_whole_levels", "told_units"), ("told_sentence_levels", "told_starts"))


def check_shape(sections: Sections, meta: Mapping[str, Any], units: int) -> None:
    """Check the sections of an index of so many searchable entries; raises `ValueError`."""
    for flaw in _flaws(sections, meta, units):
        raise ValueError(flaw)


def _flaws(sections: Sections, meta: Mapping[str, Any], units: int) -> Iterator[str]:
    if _size(sections, "unit_norms") != units:
        yield "its entries and its units differ in number"
    yield from _numbers(meta)
    yield from _lengths(sections, meta["dimensions"])
    for starts, lists, rows in _LISTS:
        yield from _cuts(sections, starts, lists, rows)
    for name, of in _PLACES:
        numbers = _values(sections, name) if name in sections else ()
        if isinstance(numbers, array) and numbers.typecode in "fd":
            yield f"{name} has fractions"
        elif numbers and (_has_negative(numbers) or max(numbers) >= _size(sections, of)):
            yield f"{name} has a place that is not in {of}"
    yield from _divisors(sections)


def _has_negative(numbers: Sequence[int]) -> bool:
    """Say whether one is below 0; only those that have a sign are looked at one by one."""
    unsigned = isinstance(numbers, array) and numbers.typecode.isupper()
    return not unsigned and min(numbers) < 0


def _lengths(sections: Sections, dimensions: int) -> Iterator[str]:
    for names in _ALIKE:
        if len({_size(sections, name) for name in names}) > 1:
            yield f"{', '.join(names)} differ in length"
    if min(_values(sections, "told_sentences"), default=1) < 1:
        yield "told_sentences has a passage without a sentence"
    for name, of in _SUMS:
        if sum(_values(sections, name)) != _size(sections, of):
            yield f"{name} does not count {of}"
    for name, of in _LEVELS:
        if 4 * _size(sections, name) != _size(sections, of) * dimensions:
            yield f"{name} is not of the size of {of}"


def _numbers(meta: Mapping[str, Any]) -> Iterator[str]:
    """The few numbers that a confidence is made of."""
    wanted = [(meta["choices"][hearing], len(SIGNALS) + 1) for hearing in HEARINGS]
    wanted += [(meta["answers"], 2), (meta["correction"], 2)]
    for values, size in wanted:
        if len(values) != size or not all(map(isfinite, values)):
            yield "its weights are not so many finite numbers"


def _divisors(sections: Sections) -> Iterator[str]:
    """What is divided by, and the words that have neighbours."""
    norms, unit_of = _values(sections, "unit_norms"), _values(sections, "unit_of")
    lists = (_values(sections, f"{block}_phrasings") for block in BLOCKS)
    # A unit whose phrasings have no word has a norm of 0, and is never ranked.
    ranked = {unit_of[number] for number in set().union(*lists)}
    if not all(0 < norms[unit] < inf for unit in ranked):
        yield "unit_norms are not positive"
    if not all(_size(sections, name) for name in ("words_unseen", "pairs_unseen")):
        yield "the weight of what is unseen is missing"
    starts = _values(sections, "words_starts")
    last = next(
        (word for word in range(len(starts) - 1, 0, -1) if starts[word - 1] < starts[word]), 0
    )
    if last and last >= _size(sections, "near_starts"):
        yield "near_starts does not cut as many lists as there are words of entries"


def _cuts(sections: Sections, name: str, lists: Sequence[str], rows: str | None) -> Iterator[str]:
    starts = _values(sections, name)
    if isinstance(starts, array) and starts.typecode in "fd":
        yield f"{name} has fractions"
    if rows is not None and len(starts) != _size(sections, rows) + 1:
        yield f"{name} does not cut as many lists as there are {rows}"
    if not len(starts) or any(map(gt, starts, starts[1:])):
        yield f"{name} does not ascend"
    elif any(starts[-1] > _size(sections, each) for each in lists):
        yield f"{name} goes past the end of {', '.join(lists)}"


def _values(sections: Sections, name: str) -> Sequence[int]:
    values = sections[name]
    if isinstance(values, str):
        raise ValueError(f"{name} is a text")
    return values  # type: ignore[return-value]


def _size(sections: Sections, name: str) -> int:
    section = sections[name]
    if isinstance(section, str):
        return section.count("\n") + 1 if section else 0
    return len(section)
