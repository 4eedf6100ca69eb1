"""Questions put to a knowledge base, and how each ended: an owner's own, or simulated ones.

Decides what counts as right, how simulated questions are weighed (as when the index was calibrated,
though they are others), which entries are taken for which, and which are at most risk. Refuses to
count a question about an entry that is not there as answerable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from kb.bench import Bench
from kb.build import background
from kb.close import CHOICES, choices
from kb.curves import Shown
from kb.evaluate import Labelled
from kb.search import ExactKeys, Hit, Index
from kb.simulate import round_count, rounds, shares
from kb.trial import language

_TOLD_EVERY: Final = 50
_EXAMPLES: Final = 3

type Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """One question and how it ended.

    `expected` is the entry id that would be right, None when none is; `first` what came first.
    `weight` is what the question counts; all weights sum to 1. `nearest` are the hits that a
    visitor might be asked to choose from, best first.
    """

    text: str
    expected: str | None
    first: str | None
    confidence: float
    weight: float
    nearest: tuple[Hit, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the first answer, shown or not, is right."""
        return self.expected is not None and self.first == self.expected

    @property
    def shown(self) -> Shown:
        """What the curves are drawn from."""
        return self.confidence, self.right, self.weight


@dataclass(frozen=True, slots=True)
class Shares:
    """What becomes of all questions, in shares that sum to 1.

    `right`, `wrong`: an answer is shown. `stranger`: one is shown though none is right. `offered`:
    the visitor is asked which of two or three is meant, and one is; `vain`: none of them is.
    `helped`: a person is asked, and the right answer came first though not surely; `asked`: a
    person is asked.
    """

    right: float
    wrong: float
    stranger: float
    offered: float
    vain: float
    helped: float
    asked: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Questions about `expected` for which `first` came first: how many, and how many shown."""

    expected: str
    first: str
    count: int
    shown: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """How one entry's questions ended: of `asked`, `right` were answered rightly.

    `wrong`: another entry's answer was shown. `unsure`: a person was asked.
    """

    entry_id: str
    asked: int
    right: int
    wrong: int
    unsure: int

    @property
    def risk(self) -> float:
        """The share that was not answered rightly, in [0, 1]."""
        return 1 - self.right / self.asked if self.asked else 0.0


def rehearse(
    index: Index,
    bench: Bench,
    *,
    seed: int,
    out_of_scope: float,
    progress: Progress = lambda _: None,
) -> tuple[Ended, ...]:
    """Ask simulated questions of the index's own entries, some of which are hidden each round.

    `bench` holds the entries of the index. `out_of_scope` is the share of questions without an
    answer, in [0, 1). The same seed asks the same: not what the
    index was calibrated on, but drawn from the same ways to ask and everyday questions.
    """
    everyday = bench.strangers(background({language(one.locale) for one in index.entries}))
    every, kinds, found = round_count(bench), list[str](), list[Ended]()
    for number, one in enumerate(rounds(bench, everyday, f"rehearsal:{seed}")):
        partial = Index(
            entries=index.entries,
            finder=one.finder,
            # The answer of an entry that is hidden would still be found by its text.
            answers=None,
            choices=index.choices,
            exact=ExactKeys((), ()),
            release=index.release,
            embedding=index.embedding,
            correction=index.correction,
        )
        for at, case in enumerate(one.cases):
            if at % _TOLD_EVERY == 0:
                progress((number + at / len(one.cases)) / every)
            found.append(_ended(partial, case.text, case.expected, 1.0))
            kinds.append(case.kind)
    share = shares(set(kinds), out_of_scope)
    weight = {kind: share[kind] / sum(share.values()) / kinds.count(kind) for kind in share}
    return tuple(replace(one, weight=weight[kind]) for one, kind in zip(found, kinds, strict=True))


def ask(
    index: Index, queries: Sequence[Labelled], progress: Progress = lambda _: None
) -> tuple[Ended, ...]:
    """Ask an owner's questions; a label that is no entry's id means that none is right."""
    ids = {entry.id for entry in index.entries}
    found = []
    for at, query in enumerate(queries):
        if at % _TOLD_EVERY == 0:
            progress(at / len(queries))
        expected = query.label if query.answerable and query.label in ids else None
        found.append(_ended(index, query.text, expected, 1 / len(queries)))
    return tuple(found)


def _ended(index: Index, text: str, expected: str | None, weight: float) -> Ended:
    hits = index.search(text, limit=CHOICES)
    first, sure = (hits[0].entry.id, hits[0].confidence) if hits else (None, 0.0)
    return Ended(text, expected, first, sure, weight, hits)


def what_becomes(ended: Iterable[Ended], threshold: float) -> Shares:
    """Add up what becomes of all questions at a threshold."""
    sums = dict.fromkeys((field.name for field in fields(Shares)), 0.0)
    for one in ended:
        sums[_fate(one, threshold)] += one.weight
    return Shares(**sums)


def _fate(one: Ended, threshold: float) -> str:
    if one.confidence >= threshold:
        return "right" if one.right else "wrong" if one.expected else "stranger"
    offered = choices(one.nearest, threshold)
    if offered:
        return "offered" if one.expected in {hit.entry.id for hit in offered} else "vain"
    return "helped" if one.right else "asked"


def confusions(ended: Iterable[Ended], threshold: float) -> tuple[Confusion, ...]:
    """Give which entries are taken for which, those with most wrong answers shown first."""
    pairs: dict[tuple[str, str], list[Ended]] = {}
    for one in ended:
        if one.expected and one.first and not one.right:
            pairs.setdefault((one.expected, one.first), []).append(one)
    found = []
    for (expected, first), own in pairs.items():
        own.sort(key=lambda one: (-one.confidence, one.text))
        shown = sum(one.confidence >= threshold for one in own)
        examples = tuple(dict.fromkeys(one.text for one in own))[:_EXAMPLES]
        found.append(Confusion(expected, first, len(own), shown, examples))
    return tuple(sorted(found, key=lambda one: (-one.shown, -one.count, one.expected, one.first)))


def fates(ended: Iterable[Ended], threshold: float) -> tuple[Fate, ...]:
    """Give how each asked entry's questions ended, the riskiest first, wrong answers before."""
    counts: dict[str, dict[str, int]] = {}
    for one in ended:
        if one.expected is None:
            continue
        shown = one.confidence >= threshold
        name = "unsure" if not shown else "right" if one.right else "wrong"
        own = counts.setdefault(one.expected, {"right": 0, "wrong": 0, "unsure": 0})
        own[name] += 1
    found = (Fate(name, sum(own.values()), **own) for name, own in counts.items())
    return tuple(sorted(found, key=lambda one: (-one.risk, -one.wrong, -one.asked, one.entry_id)))


def strangers_answered(ended: Iterable[Ended], threshold: float) -> tuple[Ended, ...]:
    """Give the questions without an answer that got one, the surest first, each text once."""
    found: dict[str, Ended] = {}
    for one in sorted(ended, key=lambda one: (-one.confidence, one.text)):
        if one.expected is None and one.first and one.confidence >= threshold:
            found.setdefault(one.text, one)
    return tuple(found.values())
