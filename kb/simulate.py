"""Who will ask: users simulated from the knowledge base, since nobody has labelled real ones.

Decides which phrasings are kept back, which entries are hidden so that their questions have no
answer, how a text is spoiled by typing and rewording, and how much each kind weighs. Refuses to
run long: each kind is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from kb.calibrate import Evidence, Sample
from kb.features import STOP_STEMS, text_key
from kb.normalise import stem
from kb.rank import Candidate, Ranker
from kb.tables import Phrasing, Terms, build_tables
from kb.vocabulary import Vocabulary

HIDDEN: Final = 0.2
HELD_OUT: Final = 0.2
FEW: Final = 5
"""Phrasings under which a unit's are reworded too: holding out one of three asks too much."""
KEPT: Final = 0.45
"""Share of a question's words that a reworded one has too."""
_MANY: Final = 3_000
"""Phrasings from which two rounds are enough."""
_ROUNDS: Final = (5, 2)
_MOST_OF_A_KIND: Final = 700
_EVIDENCE: Final = (2.0, 0.5)
"""Weight of all samples, a unit and a phrasing: copies of a question are not independent."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The searchable texts: phrasings in order of unit, each unit's entry id, everyday texts."""

    phrasings: Sequence[Phrasing]
    texts: Sequence[str]
    unit_ids: Sequence[str]
    terms: Terms
    common: Sequence[Phrasing]
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True)
class _Case:
    kind: str
    text: str
    expected: str | None


def simulate(
    corpus: Corpus,
    background: Sequence[str],
    *,
    seed: int,
    out_of_scope: float,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Sample]:
    """Ask the simulated questions, and give what ranking saw with whether it was right."""
    rounds = _ROUNDS[len(corpus.phrasings) > _MANY]
    known = {text_key(text) for text in corpus.texts}
    strangers = [text for text in background if text_key(text) not in known]
    seen: dict[str, list[tuple[Evidence, bool]]] = {}
    for number in range(rounds):
        rng = Random(f"{seed}:{number}")  # noqa: S311 (repeatable, nothing secret)
        ranker, cases = _round(corpus, strangers, rng)
        for at, case in enumerate(cases):
            if at % 100 == 0:
                progress((number + at / len(cases)) / rounds)
            candidates = ranker.rank(query := ranker.query(case.text))
            if candidates:
                first = corpus.unit_ids[candidates[0].unit]
                evidence = evidence_of(candidates, 0, query.known, corpus.unit_ids)
                seen.setdefault(case.kind, []).append((evidence, first == case.expected))
    total = _EVIDENCE[0] * len(corpus.unit_ids) + _EVIDENCE[1] * len(corpus.texts)
    return _weigh(seen, total, out_of_scope)


def evidence_of(
    candidates: Sequence[Candidate], at: int, known: float, unit_ids: Sequence[str]
) -> Evidence:
    """Give the evidence for one candidate; its lead is over the best one of another entry."""
    own = unit_ids[candidates[at].unit]
    rival = next((c.score for c in candidates if unit_ids[c.unit] != own), 0.0)
    return Evidence(candidates[at].score, candidates[at].score - rival, known)


def _weigh(
    seen: dict[str, list[tuple[Evidence, bool]]], total: float, out_of_scope: float
) -> list[Sample]:
    """Give in-scope and out-of-scope samples their declared shares, each kind half of its side."""
    samples: list[Sample] = []
    for kinds, share in (
        (("clean", "noised", "reworded"), 1 - out_of_scope),
        (("hidden", "background"), out_of_scope),
    ):
        present = [kind for kind in kinds if seen.get(kind)]
        for kind in present:
            weight = total * share / len(present) / len(seen[kind])
            samples.extend(Sample(evidence, right, weight) for evidence, right in seen[kind])
    return samples


def _round(corpus: Corpus, background: Sequence[str], rng: Random) -> tuple[Ranker, list[_Case]]:
    """Hide some entries, keep back some phrasings; give a ranker of the rest, and questions."""
    ids = sorted(set(corpus.unit_ids))
    hidden = set(rng.sample(ids, max(1, round(HIDDEN * len(ids))) if len(ids) > 1 else 0))
    kept: list[Phrasing] = []
    cases: dict[str, list[_Case]] = {
        "clean": [],
        "noised": [],
        "reworded": [],
        "hidden": [],
        "background": [],
    }
    of_unit: dict[int, list[int]] = {}
    for number, phrasing in enumerate(corpus.phrasings):
        of_unit.setdefault(phrasing.unit, []).append(number)
    for unit, numbers in of_unit.items():
        own = corpus.unit_ids[unit]
        if own in hidden:
            cases["hidden"] += [_Case("hidden", corpus.texts[n], None) for n in numbers]
            continue
        held = {n for n in numbers if rng.random() < HELD_OUT} if len(numbers) > 1 else set()
        held = held if len(held) < len(numbers) else set(numbers[1:])
        kept += [corpus.phrasings[n] for n in numbers if n not in held]
        cases["clean"] += [_Case("clean", corpus.texts[n], own) for n in sorted(held)]
        cases["noised"] += [_Case("noised", corpus.texts[n], own) for n in sorted(held)]
        if len(numbers) < FEW:
            source = rng.choice([n for n in numbers if n not in held])
            cases["reworded"].append(_Case("reworded", corpus.texts[source], own))
    cases["background"] = [_Case("background", text, None) for text in background]
    tables = build_tables(kept, len(corpus.unit_ids), corpus.terms, corpus.common)
    ranker = Ranker(tables, corpus.vocabulary, corpus.terms.pairs)
    return ranker, _sampled(cases, background, rng)


def _sampled(cases: dict[str, list[_Case]], background: Sequence[str], rng: Random) -> list[_Case]:
    fillers = [word for text in background for word in text.split()] or ["something"]
    change = {"noised": spoil, "reworded": reword}
    chosen: list[_Case] = []
    for kind, every in cases.items():
        some = every if len(every) <= _MOST_OF_A_KIND else rng.sample(every, _MOST_OF_A_KIND)
        for case in some:
            text = change[kind](case.text, rng, fillers) if kind in change else case.text
            chosen.append(_Case(kind, text, case.expected))
    return chosen


def reword(text: str, rng: Random, fillers: Sequence[str]) -> str:
    """Give the text as another visitor might ask the same: about half of its words, among others.

    It stands in for the variants that an entry with nothing but its question lacks.
    """
    parts = text.split()
    content = [at for at, word in enumerate(parts) if stem(word.lower()) not in STOP_STEMS]
    kept = rng.choice(content) if content else 0
    said: list[str] = []
    for at, word in enumerate(parts):
        chance = rng.random()
        if at == kept or chance < KEPT:
            said.append(word)
        elif chance < (1 + KEPT) / 2:
            said.append(rng.choice(fillers))
    return " ".join(said)


def spoil(text: str, rng: Random, fillers: Sequence[str]) -> str:
    """Give the text as a hurried user might write it: a word dropped, reworded or misspelt."""
    parts = text.split()
    content = [at for at, word in enumerate(parts) if stem(word.lower()) not in STOP_STEMS]
    if not content:
        return text
    at = rng.choice(content)
    change = rng.random()
    if change < 1 / 3 and len(parts) > 2:
        del parts[at]
    elif change < 2 / 3 and len(content) > 1:
        parts[at] = rng.choice(fillers)
    else:
        parts[at] = misspell(parts[at], rng)
    return " ".join(parts)


def misspell(word: str, rng: Random) -> str:
    """Swap two letters, drop one or double one; a word of under four letters stays."""
    if len(word) < 4:
        return word
    at = rng.randrange(1, len(word) - 1)
    match rng.randrange(3):
        case 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            return word[:at] + word[at + 1 :]
        case _:
            return word[:at] + word[at] + word[at:]
