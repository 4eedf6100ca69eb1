"""The answer to "does the knowledge base know?": entries for a question, each with a confidence.

Decides which language an answer is shown in, how much an exact match is worth, and what reasons
are given. Refuses nothing: any string is a question, and one that matches nothing has no hits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

from kb.answers import Answers, Told
from kb.calibrate import UNCORRECTED, Correction
from kb.choice import Choice
from kb.entry import SYSTEM_TEXTS, Entry, SystemText, is_searchable, system_text
from kb.evidence import Hearing, Weighed, weigh, with_answers
from kb.features import STOP_STEMS, text_digest
from kb.find import Clue, Finder
from kb.language import detect_language
from kb.normalise import stem, words
from kb.passages import Span
from kb.rank import Query
from kb.slots import Slots
from kb.texts import DEFAULT_TEXTS
from kb.wording import Wording

EXACT: Final = 0.97
"""Confidence in an entry that has the question word for word; shared by all that have it."""
_MOST_WORD_REASONS: Final = 3
_OPEN: Final = 0.3
"""What the phrasings must leave open before the answers are looked at."""
_LOWEST: Final = 0.001
_HIGHEST: Final = 0.995


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry for a question.

    `score` in [0, 1] orders the hits; `confidence` is the probability that showing this answer is
    right, kept off 0 and 1. `reasons` are stable codes: `exact`, `question` or `variant:N` (which
    phrasing was nearest), `word:W` (a word of the question that it has), `chars` (a word matched by
    its letters), `meaning` (no word is shared), `passage` (a sentence of the answer says more than
    any phrasing), `follow_up` (read as going on from an earlier question), `encoder`
    (weighed anew by `kb.refine`), `other_locale`.
    `sentence` is where that sentence stands in the answer.
    """

    entry: Entry
    score: float
    confidence: float
    reasons: tuple[str, ...]
    sentence: Span | None = None


@dataclass(frozen=True, slots=True)
class ExactKeys:
    """Digests of every phrasing, sorted, with the phrasing of each."""

    digests: Sequence[int]
    phrasings: Sequence[int]

    def find(self, text: str) -> list[int]:
        """Give the phrasings that are this text, word for word."""
        digest = text_digest(text)
        if digest is None:
            return []
        first = last = bisect_left(self.digests, digest)
        while last < len(self.digests) and self.digests[last] == digest:
            last += 1
        return list(self.phrasings[first:last])


@dataclass(frozen=True, slots=True)
class Look:
    """What an index saw of one question, before it is decided in which language it answers.

    `said` is the question in the site's own words (`kb.wording`). `weighed` are the candidates as
    the senses weigh them; `ranked` are the same after the owner's correction, with exact matches
    first and told apart.
    """

    said: str
    query: Query
    spoken: str | None
    hearing: Hearing
    clues: Sequence[Clue]
    weighed: Sequence[Weighed]
    ranked: Sequence[tuple[Weighed, bool]]


class Index:
    """A loaded knowledge base. Immutable, without I/O, and safe to share."""

    def __init__(
        self,
        *,
        entries: Sequence[Entry],
        finder: Finder,
        answers: Answers | None,
        choices: Mapping[Hearing, Choice],
        exact: ExactKeys,
        release: str,
        embedding: str | None,
        correction: Correction = UNCORRECTED,
    ) -> None:
        self.release: Final = release
        self.embedding: Final = embedding
        self.locales: Final = tuple(dict.fromkeys(entry.locale for entry in entries))
        self.choices: Final = choices
        self.correction = correction
        self._finder = finder
        self.answers: Final = answers
        self.slots: Final = Slots(entries)
        self.wording: Final = Wording(entries)
        self._ranker = finder.ranker
        self._exact = exact
        self._units = tuple(entry for entry in entries if is_searchable(entry))
        self._ids = tuple(entry.id for entry in self._units)
        self._languages = frozenset(_language(entry.locale) for entry in self._units)
        self._by_id: dict[str, dict[str, Entry]] = {}
        self._texts: dict[SystemText, list[Entry]] = {}
        for entry in entries:
            self._by_id.setdefault(entry.id, {})[entry.locale] = entry
            kind = system_text(entry)
            if kind:
                self._texts.setdefault(kind, []).append(entry)
        always = {entry.id for entry in self._units if self.slots.is_always_shown(entry)}
        self._always = frozenset(at for at, entry_id in enumerate(self._ids) if entry_id in always)

    def __len__(self) -> int:
        return len(self._units)

    def corrected(self, correction: Correction) -> Index:
        """Give the same index with another correction of its confidence."""
        other = copy(self)
        other.correction = correction
        return other

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every searchable entry, in the order in which they were given."""
        return self._units

    @property
    def finder(self) -> Finder:
        """What looks at a question, with every sense that this index has."""
        return self._finder

    def get(self, entry_id: str, locale: str) -> Entry | None:
        """Give the entry with this id in this very locale, site texts included."""
        return self._by_id.get(entry_id, {}).get(locale)

    def text(self, kind: SystemText, locale: str, *, today: str | None = None) -> str:
        """Give a site text: the site's own in this locale, else the default, else its first.

        One that does not hold on the day (ISO 8601) is not there.
        """
        if kind not in SYSTEM_TEXTS:
            raise ValueError(f"kind must be one of {', '.join(SYSTEM_TEXTS)}, not {kind!r}")
        own = {
            entry.locale: self.slots.fill(entry.answer, entry.locale, today)
            for entry in self._texts.get(kind, ())
            if self.slots.is_shown(entry, today)
        }
        base = locale.split("-", 1)[0]
        defaults = DEFAULT_TEXTS[kind]
        for text in (own.get(locale), own.get(base), defaults.get(base)):
            if text:
                return text
        return next(iter(own.values()), defaults["en"])

    def search(
        self,
        question: str,
        *,
        locale: str | None = None,
        limit: int = 5,
        today: str | None = None,
    ) -> tuple[Hit, ...]:
        """Give the best entries for a question, best first; at most `limit`, one an entry id.

        `today` (ISO 8601) leaves out what does not hold on that day, and fills slots as on it.
        """
        look = self.look(question, today=today)
        wanted = look.spoken or locale or next(iter(self.locales), "en")
        own = _own_words(self.wording.heard(question))
        hits: list[Hit] = []
        for found, is_exact in look.ranked[: max(0, limit)]:
            kept = self._shown(found.clue.unit, wanted, locale, today)
            entry = self.slots.filled(kept, today)
            reasons = self._reasons(own, look.query, found, is_exact)
            if _language(entry.locale) != _language(wanted):
                reasons = (*reasons, "other_locale")
            sentence = self._sentence(found.told, kept, today)
            confidence = bounded(found.probability)
            hits.append(Hit(entry, found.probability, confidence, reasons, sentence))
        return tuple(hits)

    def again(self, hit: Hit, question: str, *, today: str | None = None) -> Hit | None:
        """Give an entry that was shown as what a sentence of its answer says to another question.

        None where no sentence speaks for it.
        """
        across = self._hearing(detect_language(question)) == "meaning"
        said = self.wording.heard(question)
        own = self.answers.within(said, hit.entry.id, across=across) if self.answers else None
        kept = self.get(hit.entry.id, hit.entry.locale)
        if own is None or kept is None:
            return None
        sentence = self._sentence(own, kept, today)
        return Hit(hit.entry, own.share, bounded(own.share), ("passage",), sentence)

    def look(self, question: str, *, today: str | None = None) -> Look:
        """Give all that is seen of a question; `search` shows the best of it.

        What is not shown on the day is no candidate, and takes nothing from those that are.
        """
        said = self.wording.heard(question)
        query, every = self._finder.find(said)
        clues = [clue for clue in every if self._is_shown(clue.unit, today)]
        spoken = detect_language(question)
        hearing = self._hearing(spoken)
        weighed = weigh(clues, self._ids, self.choices[hearing], hearing)
        weighed = self._with_answers(weighed, said, hearing, today)
        exact = {n: self._ranker.unit_of(n) for n in self._exact.find(said)}
        exact = {n: unit for n, unit in exact.items() if self._is_shown(unit, today)}
        ranked = _exact_first(_corrected(weighed, self.correction), exact, self._ids)
        return Look(said, query, spoken, hearing, clues, weighed, ranked)

    def _with_answers(
        self, weighed: list[Weighed], question: str, hearing: Hearing, today: str | None
    ) -> list[Weighed]:
        """Look at the answers too, where the phrasings leave it open which entry is meant."""
        if self.answers is None or 1 - sum(one.probability for one in weighed) < _OPEN:
            return weighed
        told = self.answers.look(question, across=hearing == "meaning")
        there = [one for one in told if self._is_shown(one.unit, today)]
        return with_answers(weighed, there, self._ranker, self._ids)

    def _hearing(self, spoken: str | None) -> Hearing:
        """Say which senses can be believed for a question in this language."""
        if self._finder.meaning is None:
            return "words"
        return "meaning" if spoken and spoken not in self._languages else "all"

    def _is_shown(self, unit: int, today: str | None) -> bool:
        """Say whether an entry has a translation that is shown on that day."""
        if unit in self._always:
            return True
        translations = self._by_id[self._ids[unit]].values()
        return any(self.slots.is_shown(entry, today) for entry in translations)

    def _shown(self, unit: int, wanted: str, locale: str | None, today: str | None) -> Entry:
        """Choose the translation to show: the wanted locale, the page's, what matched, any."""
        matched = self._units[unit]
        translations = self._by_id[matched.id]
        own = (wanted, wanted.split("-", 1)[0], locale, (locale or "").split("-", 1)[0])
        for choice in (*own, matched.locale, *translations):
            if choice in translations and self.slots.is_shown(translations[choice], today):
                return translations[choice]
        return matched

    def _sentence(self, told: Told | None, shown: Entry, today: str | None) -> Span | None:
        """Give where the sentence that speaks for an entry stands in its answer as it is shown."""
        if told is None or told.sentence is None or self._units[told.unit] is not shown:
            return None
        start, end = told.sentence
        before = self.slots.fill(shown.answer[:start], shown.locale, today)
        own = self.slots.fill(shown.answer[start:end], shown.locale, today)
        return len(before), len(before) + len(own)

    def _reasons(
        self, own: dict[str, str], query: Query, found: Weighed, is_exact: bool
    ) -> tuple[str, ...]:
        clue = found.clue
        if found.told is not None:
            return ("passage",)
        reasons = ["exact"] if is_exact else []
        at = self._ranker.place(clue.unit, clue.phrasing)
        reasons.append(f"variant:{at}" if at else "question")
        matched = self._ranker.matched(query, clue.phrasing)
        shared = [own[name] for name in matched if name in own and name not in STOP_STEMS]
        reasons += [f"word:{word}" for word in shared[:_MOST_WORD_REASONS]]
        if any(name not in own for name in matched):
            reasons.append("chars")
        if not shared and not is_exact and self._finder.meaning is not None:
            reasons.append("meaning")
        return tuple(reasons)


def _language(locale: str) -> str:
    return locale.split("-", 1)[0]


def bounded(probability: float) -> float:
    """Keep a probability off 0 and 1, which nothing here can know."""
    return min(max(probability, _LOWEST), _HIGHEST)


def _corrected(weighed: list[Weighed], correction: Correction) -> list[Weighed]:
    """Correct the first probability; the others share what is left as they did before."""
    if not weighed:
        return weighed
    first = correction.apply(weighed[0].probability)
    left = (1 - first) / max(1e-9, 1 - weighed[0].probability)
    rest = [one.with_probability(min(first, one.probability * left)) for one in weighed[1:]]
    return [weighed[0].with_probability(first), *rest]


def _own_words(question: str) -> dict[str, str]:
    """Give the question's words by their stems, as the visitor wrote them first."""
    own: dict[str, str] = {}
    for word in words(question):
        own.setdefault(stem(word), word)
    return own


def _exact_first(
    weighed: Sequence[Weighed],
    exact: Mapping[int, int],
    ids: Sequence[str],
) -> list[tuple[Weighed, bool]]:
    """Put the entries that have the very question first; they share what is left to doubt."""
    if not exact:
        return [(one, False) for one in weighed]
    first: dict[str, tuple[int, int]] = {}
    for phrasing, unit in exact.items():
        first.setdefault(ids[unit], (unit, phrasing))
    known = {one.clue.unit: one for one in weighed}
    share = EXACT / len(first)
    found: list[tuple[Weighed, bool]] = []
    for unit, phrasing in first.values():
        signals = known[unit].clue.signals if unit in known else ()
        found.append((Weighed(Clue(unit, signals, phrasing), share), True))
    others = [one for one in weighed if ids[one.clue.unit] not in first]
    left = min(1.0, (1 - EXACT) / max(1e-9, sum(one.probability for one in others)))
    return found + [(one.with_probability(one.probability * left), False) for one in others]
