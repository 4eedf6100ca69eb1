"""Other ways to ask, proposed for the entries that have few: for their owner to accept or refuse.

Decides where proposals come from (what visitors asked, other forms of the same request, words that
say the same) and which are worth an owner's time: those that the index gives to the right entry,
though not yet surely. Refuses to change anything, and what another entry is as near to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sumprod
from typing import Final, Literal, get_args

from kb.embed import Embedding, Vector
from kb.entry import Entry
from kb.features import text_key
from kb.json_rows import json_object, text_field
from kb.normalise import words
from kb.search import Index
from kb.synonyms import exchanges
from kb.templates import other_forms
from kb.trial import language, phrasings

type Source = Literal["question", "form", "synonym"]
type Progress = Callable[[float], None]

SOURCES: Final[tuple[Source, ...]] = get_args(Source.__value__)
FEW: Final = 10
"""Phrasings under which an entry gets proposals."""
MOST: Final = 5
CERTAIN: Final = 0.9
"""Confidence from which a phrasing teaches the index nothing."""
NEAR_ENOUGH: Final = 0.2
"""Confidence from which a visitor's question is offered to the entry that comes first."""
LEAST_GAIN: Final = 0.05
LONGEST: Final = 300
"""Characters of a visitor's question; a longer one is a story."""
_SAME: Final = 0.9
"""How likely another form, or another word, still asks the same."""
_TRIED: Final = 60
"""Texts of one source that are asked for one entry."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another way to ask one entry.

    `why` is for people. `confidence` is what the index gives its entry for it now. `gain` is how
    many visitors would be served better, were it asked as often as it was (or once): the chance
    that it asks the same, times what the confidence lacks to 1.
    """

    entry_id: str
    locale: str
    text: str
    source: Source
    why: str
    confidence: float
    gain: float


@dataclass(frozen=True, slots=True)
class _Proposal:
    text: str
    source: Source
    why: str
    chance: float
    asked: int = 1


def suggest(
    index: Index,
    questions: Iterable[str] = (),
    *,
    few: int = FEW,
    most: int = MOST,
    sources: Collection[Source] = SOURCES,
    progress: Progress = lambda _: None,
) -> tuple[Suggestion, ...]:
    """Propose at most `most` ways to ask for each entry that has fewer than `few`.

    `questions` are what visitors asked. Entries come in their order; within one the best is first,
    then each time what adds most to it. The same input gives the same proposals.
    """
    meaning = index.finder.meaning
    embedding = meaning.embedding if meaning else None
    known = {text_key(text) for entry in index.entries for text in phrasings(entry)}
    asked = _offered(index, questions)
    found: list[Suggestion] = []
    for number, entry in enumerate(index.entries):
        progress(number / len(index.entries))
        if len(phrasings(entry)) >= few:
            continue
        own = asked.get((entry.id, entry.locale), ())
        every = (*own, *_forms(entry), *_synonyms(entry))
        wanted = [one for one in every if one.source in sources]
        chosen = _varied(list(_helpful(index, entry, wanted, known)), embedding, most)
        known.update(text_key(one.text) for one in chosen)
        found += chosen
    return tuple(found)


def read_visitors(lines: Iterable[str], source: str) -> list[str]:
    """Read what visitors asked: a question a line, or JSON Lines with a field `question`.

    A line that begins with a brace is JSON. Raises `ValueError` that names line and field.
    """
    found = []
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("\ufeff")
        if text.startswith("{"):
            place = f"{source}:{number}"
            text = text_field(json_object(text, place), "question", place)
        if text:
            found.append(text)
    return found


def _offered(index: Index, questions: Iterable[str]) -> dict[tuple[str, str], list[_Proposal]]:
    """Give visitors' questions by the entry that each is near enough to."""
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for question in questions:
        key = text_key(question)
        if key and len(question) <= LONGEST:
            counts[key] += 1
            first.setdefault(key, " ".join(question.split()))
    found: dict[tuple[str, str], list[_Proposal]] = {}
    for key, text in sorted(first.items()):
        hits = index.search(text, limit=1)
        if not hits or hits[0].confidence < NEAR_ENOUGH or "other_locale" in hits[0].reasons:
            continue
        entry, sure, count = hits[0].entry, hits[0].confidence, counts[key]
        why = "a visitor asked it" if count == 1 else f"visitors asked it {count} times"
        own = _Proposal(text, "question", why, sure, count)
        found.setdefault((entry.id, entry.locale), []).append(own)
    # The surest are no news, and the least sure are hardly this entry's.
    for several in found.values():
        several.sort(key=lambda one: (-one.asked * one.chance * (1 - one.chance), one.text))
    return found


def _forms(entry: Entry) -> Iterator[_Proposal]:
    for text in phrasings(entry):
        for said in other_forms(text, language(entry.locale)):
            yield _Proposal(said, "form", f"another form of “{text}”", _SAME)


def _synonyms(entry: Entry) -> Iterator[_Proposal]:
    for text in phrasings(entry):
        for one in exchanges(text, language(entry.locale)):
            why = f"“{one.taken}” for “{one.left}” in “{text}”"
            yield _Proposal(one.text, "synonym", why, _SAME)


def _helpful(
    index: Index, entry: Entry, proposals: Iterable[_Proposal], known: Collection[str]
) -> Iterator[Suggestion]:
    """Keep what is new, is found as this very entry, and is not certain yet."""
    seen: set[str] = set()
    tried: Counter[str] = Counter()
    for one in proposals:
        key = text_key(one.text)
        if not key or key in known or key in seen or tried[one.source] >= _TRIED:
            continue
        seen.add(key)
        tried[one.source] += 1
        hits = index.search(one.text, locale=entry.locale, limit=1)
        if not hits or hits[0].entry.id != entry.id or hits[0].confidence >= CERTAIN:
            continue
        sure = hits[0].confidence
        gain = one.asked * one.chance * (1 - sure)
        if gain >= LEAST_GAIN:
            yield Suggestion(entry.id, entry.locale, one.text, one.source, one.why, sure, gain)


def _varied(
    helpful: Sequence[Suggestion], embedding: Embedding | None, most: int
) -> list[Suggestion]:
    """Take the best, then each time what gains most and is least like what was taken (maximal
    marginal relevance; Carbonell and Goldstein, 1998)."""
    vectors: dict[str, Vector | None] = {
        one.text: embedding.vector(words(one.text)) if embedding else None for one in helpful
    }
    near = dict.fromkeys(vectors, 0.0)
    left, chosen = list(helpful), list[Suggestion]()

    def worth(one: Suggestion) -> float:
        return one.gain * (1 - near[one.text])

    while left and len(chosen) < most:
        best = max(left, key=lambda one: (worth(one), one.text))
        if chosen and worth(best) < LEAST_GAIN:
            break
        chosen.append(best)
        left.remove(best)
        taken = vectors[best.text]
        for one in left:
            own = vectors[one.text]
            if own is not None and taken is not None:
                near[one.text] = max(near[one.text], sumprod(own, taken))
    return chosen
