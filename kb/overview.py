"""All that a report tells an owner about a knowledge base, worked out and not yet drawn.

Decides which questions stand for the visitors: the owner's own where there are some, else simulated
ones. Refuses to simulate for an index with a trained head where its trainer is not there: the parts
of it could not be built alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from kb.bench import make_bench
from kb.build import heard_entries
from kb.calibrate import fit_marks
from kb.check import Report, check
from kb.curves import (
    Bin,
    Point,
    Shown,
    at_threshold,
    boldest_for,
    calibration_error,
    reliability,
    risk_coverage,
)
from kb.evaluate import Labelled, marked
from kb.head import Trainer
from kb.rehearsal import (
    Confusion,
    Ended,
    Fate,
    Shares,
    ask,
    confusions,
    fates,
    rehearse,
    strangers_answered,
    what_becomes,
)
from kb.search import Index
from kb.trial import phrasings

FEW_WRONG: Final = 0.05
"""Share of wrong answers among those shown under which the advice about the threshold keeps."""
THRESHOLDS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
NOT_SIMULATED: Final = (
    "No visitors could be simulated: the index was built with a trainer that is not here. Install "
    'it with `pip install "fanlight[models]"`, or give questions of your own with --queries.'
)

type Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Asking:
    """Where the questions come from: `own`, or else simulated, of which `out_of_scope` have no
    answer. `marks` of the own ones correct the confidence and are not counted; `strange` name an
    entry that is not there."""

    own: bool
    count: int
    out_of_scope: float
    marks: int = 0
    strange: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """A knowledge base in figures. Shares are in [0, 1]; what is listed has the worst first.

    `languages` counts entries and ways to ask by locale. `advice` answers most with few wrong.
    """

    release: str
    entries: int
    languages: tuple[tuple[str, int, int], ...]
    threshold: float
    asking: Asking
    shares: Shares
    at: Point
    steps: tuple[Point, ...]
    curve: tuple[Point, ...]
    advice: Point | None
    bins: tuple[Bin, ...]
    ece: float
    confusions: tuple[Confusion, ...]
    fates: tuple[Fate, ...]
    strangers: tuple[Ended, ...]
    report: Report
    notes: tuple[str, ...]


def look_over(
    index: Index,
    *,
    threshold: float,
    trainer: Trainer | None = None,
    queries: Sequence[Labelled] = (),
    marks: int = 0,
    out_of_scope: float = 0.25,
    seed: int = 0,
    today: str | None = None,
    progress: Progress = lambda _step, _share: None,
) -> Overview:
    """Ask the questions, check the entries, and work out every figure of a report.

    `today` (ISO 8601) is the day that entries are checked for.
    `marks` of the `queries` are taken as marked by the owner: they correct the confidence first.
    Raises `ValueError` when no query would be left. The same input gives the same overview.
    """
    if queries:
        index, ended, asking = _own(index, queries, marks, seed, progress)
    else:
        ended = _simulated(index, trainer, seed, out_of_scope, progress)
        asking = Asking(own=False, count=len(ended), out_of_scope=out_of_scope)
    report = check(
        index, threshold=threshold, today=today, trainer=trainer, seed=seed, progress=progress
    )
    shown: list[Shown] = [one.shown for one in ended]
    locales = Counter(entry.locale for entry in index.entries)
    ways: Counter[str] = Counter()
    for entry in index.entries:
        ways[entry.locale] += len(phrasings(entry))
    return Overview(
        release=index.release,
        entries=len(index),
        languages=tuple((locale, count, ways[locale]) for locale, count in locales.items()),
        threshold=threshold,
        asking=asking,
        shares=what_becomes(ended, threshold),
        at=at_threshold(shown, threshold),
        steps=tuple(at_threshold(shown, one) for one in sorted({*THRESHOLDS, threshold})),
        curve=risk_coverage(shown),
        advice=_advice(shown),
        bins=reliability(shown),
        ece=calibration_error(shown),
        confusions=confusions(ended, threshold),
        fates=fates(ended, threshold),
        strangers=strangers_answered(ended, threshold),
        report=report,
        notes=report.notes if ended else (NOT_SIMULATED, *report.notes),
    )


def _advice(shown: Sequence[Shown]) -> Point | None:
    """Give the threshold, in hundredths, that answers most with few wrong answers."""
    boldest = boldest_for(shown, FEW_WRONG)
    return at_threshold(shown, ceil(100 * boldest.threshold) / 100) if boldest else None


def _own(
    index: Index, queries: Sequence[Labelled], marks: int, seed: int, progress: Progress
) -> tuple[Index, tuple[Ended, ...], Asking]:
    """Ask an owner's questions, after those that were marked have corrected the confidence."""
    if marks >= len(queries):
        raise ValueError(f"there are only {len(queries)} questions, and {marks} are marked")
    drawn, others = marked(queries, marks, seed)
    if drawn:
        pairs = [(one.confidence, one.right) for one in ask(index, drawn)]
        index = index.corrected(fit_marks(pairs))
    ended = ask(index, others, lambda share: progress("asking your questions", share))
    ids = {entry.id for entry in index.entries}
    strange = sum(one.answerable and one.label not in ids for one in others)
    outside = sum(one.expected is None for one in ended) / len(ended)
    return index, ended, Asking(True, len(ended), outside, marks, strange)


def _simulated(
    index: Index, trainer: Trainer | None, seed: int, out_of_scope: float, progress: Progress
) -> tuple[Ended, ...]:
    trained, meaning = index.finder.judgement is not None, index.finder.meaning
    if not index.entries or (trained and trainer is None):
        return ()
    bench = make_bench(
        *heard_entries(index.entries, index.wording),
        meaning.embedding if meaning else None,
        trainer if trained else None,
    )
    return rehearse(
        index,
        bench,
        seed=seed,
        out_of_scope=out_of_scope,
        progress=lambda share: progress("asking simulated visitors", share),
    )
