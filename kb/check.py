"""What an owner should mend in a knowledge base, worst first, and the risk of every entry.

Decides what is looked at, and in which order it is told. Refuses to guess: what needs an embedding
or a trainer that is not there is left out, and said. Only an owner's machine imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from kb.bench import make_bench
from kb.build import heard_entries
from kb.dated import dated
from kb.finding import Finding, worst_first
from kb.head import Trainer
from kb.likeness import duplicates, near_duplicates
from kb.odd_texts import idle_synonyms, locale_gaps, texts_to_mend
from kb.outcome import Risk, risks, shadowed, vague
from kb.search import Index
from kb.trial import ask_copies, ask_held_out

NO_MEANING: Final = "Near duplicates were not looked for: that needs the embedding of the index."
UNTRAINED: Final = (
    "Vague entries were not looked for: the index was built with a trainer that is not here. "
    'Install it with `pip install "fanlight[models]"`.'
)

type Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Report:
    """Findings worst first, risks riskiest first, and what could not be looked at."""

    findings: tuple[Finding, ...]
    risks: tuple[Risk, ...]
    notes: tuple[str, ...]


def check(
    index: Index,
    *,
    threshold: float,
    today: str | None = None,
    trainer: Trainer | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Look at all entries of an index, and ask it what visitors will.

    `threshold` is the confidence in [0, 1] from which the site answers, `today` the day (ISO 8601)
    that entries are to hold on, if that is to be looked at. `trainer` is what the
    index was built with, if it was with one. The same seed gives the same report.
    """
    report = progress or (lambda _step, _share: None)
    entries = index.entries
    meaning, is_trained = index.finder.meaning, index.finder.judgement is not None
    asked_as, everyday = heard_entries(entries, index.wording)
    report("reading", 0.0)
    bench = make_bench(
        asked_as,
        everyday,
        meaning.embedding if meaning else None,
        trainer if is_trained else None,
        lambda share: report("reading", share),
    )
    twice = duplicates(entries)
    near = near_duplicates(entries, bench, _pairs(twice))
    asked = ask_copies(index, seed, lambda share: report("asking", share))
    findings = [
        *(one for entry in entries for one in texts_to_mend(entry)),
        *idle_synonyms(index.wording),
        *(dated(entries, index.slots, today) if today else ()),
        *locale_gaps(entries, index.locales),
        *twice,
        *near,
        *shadowed(entries, asked, _pairs([*twice, *near]), threshold),
    ]
    notes = [UNTRAINED] if is_trained and trainer is None else []
    if not notes:
        strangers = bench.strangers(everyday)
        held = ask_held_out(
            index, bench, strangers, seed, lambda share: report("holding out", share)
        )
        findings += vague(entries, held, threshold)
        asked += held
    if meaning is None:
        notes.append(NO_MEANING)
    return Report(worst_first(findings), risks(entries, asked, threshold), tuple(notes))


def _pairs(findings: Iterable[Finding]) -> set[frozenset[str]]:
    """Give the pairs of ids that were found to be the same."""
    return {
        frozenset(pair) for one in findings for pair in combinations((one.entry_id, *one.others), 2)
    }
