"""What the answers themselves say: an entry found by a sentence of its text.

Where no way to ask comes near a question, the text of an answer may. Decides how an answer is cut
into passages, how likely a passage is what was meant, and how that is learned from the entries'
own questions. Refuses to compete with a phrasing: it shares only what the phrasings left open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from kb.choice import Choice, Prior, Situation, fit_choice
from kb.embed import Embedding
from kb.entry import Entry
from kb.normalise import words
from kb.passages import Passages, PassageTables, Span, make_passages, sentences
from kb.vectors import MakeVectors, Vectors
from kb.wording import Wording

LONGEST: Final = 80
"""Words of a passage, as far as whole sentences allow."""
RIVALS: Final = 8
USUAL: Final = Prior(Choice((18.0,), 9.0), (6.0, 3.0))
"""A passage is as likely as none of them at half a point; a tenth of a point is worth 6 to 1."""
SIMULATED: Final = 300
"""Questions of a kind that are asked at most."""
_SHARES: Final = {"asked": 0.45, "hidden": 0.25, "strange": 0.3}
"""What is asked when the phrasings found nothing: more than half of it has no answer here."""


@dataclass(frozen=True, slots=True)
class Told:
    """A unit whose answer has a passage for the question: its share of what the phrasings left
    open, in [0, 1], and where the nearest sentence stands in the answer, if vectors tell."""

    unit: int
    share: float
    sentence: Span | None


@dataclass(frozen=True, slots=True)
class AnswerTables:
    """The passages of all answers: `units[p]` has passage p, `spans` place the sentences."""

    passages: PassageTables
    units: Sequence[int]
    spans: Sequence[Span]


class Answers:
    """The answers of a knowledge base as something to search. Immutable, and safe to share."""

    def __init__(
        self,
        tables: AnswerTables,
        embedding: Embedding | None,
        unit_ids: Sequence[str],
        choice: Choice = USUAL.choice,
        vectors: MakeVectors = Vectors,
    ) -> None:
        self.tables: Final = tables
        self.choice: Final = choice
        self._passages = Passages(tables.passages, embedding, vectors)
        self._unit_ids = unit_ids

    def look(self, question: str, *, across: bool) -> list[Told]:
        """Give the units with a passage for the question, likeliest first, one an entry id.

        `across`: the question may be in another language than the answers.
        """
        found = self._first(question, across=across)
        shares = self.choice.probabilities([(score,) for score, _, _ in found])
        return [
            Told(unit, share, self._span(sentence))
            for (_, unit, sentence), share in zip(found, shares, strict=True)
        ]

    def within(self, question: str, entry_id: str, *, across: bool) -> Told | None:
        """Give the passage of one entry for the question, as likely as against none of it."""
        units = self.tables.units
        own = [at for at, unit in enumerate(units) if self._unit_ids[unit] == entry_id]
        found = self._passages.best_of(question, own, across=across)
        if found is None:
            return None
        (share,) = self.choice.probabilities([(found.score,)])
        return Told(units[found.passage], share, self._span(found.sentence))

    def _span(self, sentence: int | None) -> Span | None:
        return None if sentence is None else self.tables.spans[sentence]

    def situation(self, question: str, right: str | None, hidden: str | None = None) -> Situation:
        """Give what is seen of a question whose entry is known; `hidden` is not there to be found.

        Raises nothing: an entry that is not among the first counts as none.
        """
        found = [
            (score, self._unit_ids[unit])
            for score, unit, _ in self._first(question, across=False, without=hidden)
        ]
        ids = [entry for _, entry in found]
        at = ids.index(right) if right in ids else None
        return Situation([(score,) for score, _ in found], at, 1.0)

    def _first(
        self, question: str, *, across: bool, without: str | None = None
    ) -> list[tuple[float, int, int | None]]:
        """Give (score, unit, sentence) of the best entries."""
        best: dict[str, tuple[float, int, int | None]] = {}
        # An entry may take several places, with each of its passages and translations.
        for one in self._passages.search(question, 4 * RIVALS, across=across):
            unit = self.tables.units[one.passage]
            entry = self._unit_ids[unit]
            if entry != without:
                best.setdefault(entry, (one.score, unit, one.sentence))
        return list(best.values())[:RIVALS]


def make_answers(
    entries: Sequence[Entry], embedding: Embedding | None, wording: Wording
) -> AnswerTables:
    """Cut the answers of searchable entries into passages; one without a word has none."""
    units: list[int] = []
    spans: list[Span] = []
    texts: list[list[str]] = []
    for unit, entry in enumerate(entries):
        for passage in _passages(entry.answer):
            units.append(unit)
            spans += passage
            texts.append([wording.heard(entry.answer[start:end]) for start, end in passage])
    return AnswerTables(make_passages(texts, embedding), units, spans)


def _passages(answer: str) -> list[list[Span]]:
    """Join sentences into passages of some eighty words."""
    passages: list[list[Span]] = []
    size = LONGEST
    for start, end in sentences(answer):
        count = len(words(answer[start:end]))
        if not count:
            continue
        if size + count > LONGEST:
            passages.append([])
            size = 0
        passages[-1].append((start, end))
        size += count
    return passages


def fit_answers(
    answers: Answers,
    entries: Sequence[Entry],
    background: Sequence[str],
    *,
    seed: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Choice:
    """Learn how likely a passage is right from questions whose own phrasings are not looked at.

    Each entry's question is asked with its answer there and with it hidden; background questions
    have no answer. Without a passage the usual choice stands.
    """
    if not answers.tables.units:
        return USUAL.choice
    rng = Random(f"{seed}:answers")  # noqa: S311 (repeatable, nothing secret)
    told = [entries[unit] for unit in dict.fromkeys(answers.tables.units)]
    own = told if len(told) <= SIMULATED else rng.sample(told, SIMULATED)
    strange = rng.sample(background, min(SIMULATED, len(background)))
    seen: dict[str, list[Situation]] = {kind: [] for kind in _SHARES}
    for at, entry in enumerate(own):
        if at % 50 == 0:
            progress(at / len(own))
        seen["asked"].append(answers.situation(entry.question, entry.id))
        seen["hidden"].append(answers.situation(entry.question, None, hidden=entry.id))
    seen["strange"] = [answers.situation(text, None) for text in strange]
    return fit_choice(list(_weighed(seen, len(own))), USUAL)


def _weighed(seen: Mapping[str, Sequence[Situation]], total: int) -> Iterable[Situation]:
    for kind, share in _SHARES.items():
        for one in seen[kind]:
            yield Situation(one.candidates, one.right, total * share / len(seen[kind]))
