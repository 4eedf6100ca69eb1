"""The answer to "does the knowledge base know?": entries for a question, each with a confidence.

Decides which language an answer is shown in, how much an exact match is worth, and what reasons
are given. Refuses nothing: any string is a question, and one that matches nothing has no hits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from kb.calibrate import Calibration, Evidence
from kb.entry import SYSTEM_TEXTS, Entry, SystemText, system_text
from kb.features import STOP_STEMS, text_digest
from kb.language import detect_language
from kb.normalise import stem, words
from kb.rank import Candidate, Query, Ranker
from kb.texts import DEFAULT_TEXTS

EXACT: Final = 0.97
"""Confidence in an entry that has the question word for word; shared by all that have it."""
_MOST_WORD_REASONS: Final = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry for a question.

    `score` in [0, 1] orders the hits; `confidence` is the probability that showing this answer is
    right. `reasons` are stable codes: `exact`, `question` or `variant:N` (which phrasing was
    nearest), `word:W` (a word of the question that it has), `chars` (a word matched by its
    letters), `other_locale`.
    """

    entry: Entry
    score: float
    confidence: float
    reasons: tuple[str, ...]


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


class Index:
    """A loaded knowledge base. Immutable, without I/O, and safe to share."""

    def __init__(
        self,
        *,
        entries: Sequence[Entry],
        ranker: Ranker,
        calibration: Calibration,
        exact: ExactKeys,
        release: str,
    ) -> None:
        self.release: Final = release
        self.locales: Final = tuple(dict.fromkeys(entry.locale for entry in entries))
        self.calibration: Final = calibration
        self._ranker = ranker
        self._exact = exact
        self._units = tuple(entry for entry in entries if system_text(entry) is None)
        self._by_id: dict[str, dict[str, Entry]] = {}
        self._texts: dict[tuple[SystemText, str], str] = {}
        for entry in entries:
            self._by_id.setdefault(entry.id, {})[entry.locale] = entry
            kind = system_text(entry)
            if kind:
                self._texts.setdefault((kind, entry.locale), entry.answer)

    def __len__(self) -> int:
        return len(self._units)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every searchable entry, in the order in which they were given."""
        return self._units

    def get(self, entry_id: str, locale: str) -> Entry | None:
        """Give the entry with this id in this very locale, site texts included."""
        return self._by_id.get(entry_id, {}).get(locale)

    def text(self, kind: SystemText, locale: str) -> str:
        """Give a site text: the site's own in this locale, else the default, else its first."""
        if kind not in SYSTEM_TEXTS:
            raise ValueError(f"kind must be one of {', '.join(SYSTEM_TEXTS)}, not {kind!r}")
        own = {at: text for (found, at), text in self._texts.items() if found == kind}
        base = locale.split("-", 1)[0]
        defaults = DEFAULT_TEXTS[kind]
        for text in (own.get(locale), own.get(base), defaults.get(base)):
            if text:
                return text
        return next(iter(own.values()), defaults["en"])

    def search(
        self, question: str, *, locale: str | None = None, limit: int = 5
    ) -> tuple[Hit, ...]:
        """Give the best entries for a question, best first; at most `limit`, one an entry id."""
        query = self._ranker.query(question)
        candidates = self._ranker.rank(query)
        exact = self._exact.find(question)
        found = self._by_entry(_exact_first(candidates, exact, self._ranker))
        wanted = detect_language(question) or locale or next(iter(self.locales), "en")
        hits: list[Hit] = []
        rivals = [candidate.score for candidate in found[:2]]
        sharing = len({self._units[self._ranker.unit_of(number)].id for number in exact})
        own = _own_words(question)
        for at, candidate in enumerate(found[: max(0, limit)]):
            entry = self._shown(candidate.unit, wanted, locale)
            rival = rivals[1] if at == 0 and len(rivals) > 1 else rivals[0] if at else 0.0
            is_exact = candidate.phrasing in exact
            lead = candidate.score - rival
            confidence = self.calibration.confidence(Evidence(candidate.score, lead, query.known))
            if is_exact:
                confidence = max(confidence, EXACT) / sharing
            elif hits:
                confidence = min(confidence, 1 - hits[0].confidence, hits[-1].confidence)
            reasons = self._reasons(own, query, candidate, is_exact)
            if entry.locale.split("-", 1)[0] != wanted.split("-", 1)[0]:
                reasons = (*reasons, "other_locale")
            hits.append(Hit(entry, candidate.score, confidence, reasons))
        return tuple(hits)

    def _by_entry(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Keep the best candidate of each entry id: translations are one answer."""
        best: dict[str, Candidate] = {}
        for candidate in candidates:
            best.setdefault(self._units[candidate.unit].id, candidate)
        return list(best.values())

    def _shown(self, unit: int, wanted: str, locale: str | None) -> Entry:
        """Choose the translation to show: the wanted locale, the page's, then what matched."""
        matched = self._units[unit]
        translations = self._by_id[matched.id]
        for choice in (wanted, wanted.split("-", 1)[0], locale, (locale or "").split("-", 1)[0]):
            if choice in translations:
                return translations[choice]
        return matched

    def _reasons(
        self, own: dict[str, str], query: Query, candidate: Candidate, is_exact: bool
    ) -> tuple[str, ...]:
        reasons = ["exact"] if is_exact else []
        at = self._ranker.place(candidate)
        reasons.append(f"variant:{at}" if at else "question")
        matched = self._ranker.matched(query, candidate)
        shared = [own[name] for name in matched if name in own and name not in STOP_STEMS]
        reasons += [f"word:{word}" for word in shared[:_MOST_WORD_REASONS]]
        if any(name not in own for name in matched):
            reasons.append("chars")
        return tuple(reasons)


def _own_words(question: str) -> dict[str, str]:
    """Give the question's words by their stems, as the visitor wrote them first."""
    own: dict[str, str] = {}
    for word in words(question):
        own.setdefault(stem(word), word)
    return own


def _exact_first(
    candidates: list[Candidate], exact: Sequence[int], ranker: Ranker
) -> list[Candidate]:
    """Put the units that have the very question before all others, whatever their scores."""
    if not exact:
        return candidates
    number_of = {ranker.unit_of(number): number for number in reversed(exact)}
    first = [
        replace(candidate, score=1.0, cosine=1.0, phrasing=number_of.pop(candidate.unit))
        for candidate in candidates
        if candidate.unit in number_of
    ]
    # Text made of common words only may have been left out of the candidates.
    first += [Candidate(unit, 1.0, number, 1.0) for unit, number in number_of.items()]
    units = {candidate.unit for candidate in first}
    return first + [candidate for candidate in candidates if candidate.unit not in units]
