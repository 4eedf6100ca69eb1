"""How good an index is: accuracy, and whether its confidence can be believed.

Decides what each figure means (see `Figures`) and how labelled rows become entries. Refuses a row
without `text` or `label`. Opens nothing and reads no clock: callers give the streams and the
clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from random import Random
from typing import Final

from kb.calibrate import UNCORRECTED, Correction, fit_marks
from kb.close import choices
from kb.entry import Entry
from kb.json_rows import json_object, text_field
from kb.search import Index

BINS: Final = 10
THRESHOLD: Final = 0.55


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled text: of a knowledge base, where the label is an entry, or of a query."""

    text: str
    label: str
    locale: str = "en"
    answerable: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """One query as answered; `right` and `in_top3` are whatever the confidence.

    `offered` says whether the right entry is among those that the visitor is asked to choose from;
    None where nobody is asked back.
    """

    answerable: bool
    right: bool
    in_top3: bool
    confidence: float
    seconds: float
    offered: bool | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What an evaluation says; a share whose whole is empty is None.

    `top1`, `top3`: the label is first, or among three, over queries in scope. `auroc`: in scope or
    not, told by confidence. `e2e`: right and answered when in scope, refused when out, over all.
    `coverage`: right and answered over in scope. `risk`: wrong over answered. `ece`: expected
    calibration error, ten bins of equal count, event "the answer shown is right", over all.
    `answered_in`, `answered_out`: answered over in scope and over out of scope. `asked_back`: the
    visitor is asked which of a few is meant, over all; in the figures above that is no answer.
    `asked_right`: the right one is among them, over those asked back. `e2e_settled`: `e2e` over
    those not asked back. `p50_ms`, `p95_ms`: milliseconds a query. `n`: queries.
    """

    top1: float | None
    top3: float | None
    auroc: float | None
    e2e: float | None
    coverage: float | None
    risk: float | None
    ece: float | None
    answered_in: float | None
    answered_out: float | None
    asked_back: float | None
    asked_right: float | None
    e2e_settled: float | None
    p50_ms: float | None
    p95_ms: float | None
    n: int


def read_labelled(
    lines: Iterable[str],
    source: str,
    *,
    where: Mapping[str, str] | None = None,
    near_oos: str | None = None,
) -> Iterator[Labelled]:
    """Read labelled rows of JSON Lines.

    `where` keeps the rows whose fields have these values. A row whose `near_oos` field is true is
    marked as not answerable. Raises `ValueError` with source and line for a row that is not one.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = json_object(line, f"{source}:{number}")
        if where and any(str(row.get(field)) != value for field, value in where.items()):
            continue
        near = bool(row.get(near_oos)) if near_oos else False
        yield Labelled(
            text_field(row, "text", f"{source}:{number}"),
            text_field(row, "label", f"{source}:{number}"),
            str(row.get("lang", "en")),
            row.get("answerable", True) is not False and not near,
        )


def entries_of(rows: Iterable[Labelled]) -> list[Entry]:
    """Make one entry of each label and locale, its first text the question; skip the rest.

    The answers are empty: a label's name is no text that a visitor could be answered with.
    """
    texts: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.answerable:
            texts.setdefault((row.label, row.locale), []).append(row.text)
    return [
        Entry(label, locale, every[0], "", tuple(every[1:]))
        for (label, locale), every in texts.items()
    ]


def sample_variants(rows: Iterable[Labelled], most: int, seed: int) -> list[Labelled]:
    """Keep at most `most` texts of each label and locale, drawn by the seed."""
    rng = Random(seed)  # noqa: S311 (repeatable, nothing secret)
    by_label: dict[tuple[str, str], list[Labelled]] = {}
    for row in rows:
        by_label.setdefault((row.label, row.locale), []).append(row)
    return [
        row
        for _, own in sorted(by_label.items())
        for row in (rng.sample(own, most) if len(own) > most else own)
    ]


def marked(
    queries: Sequence[Labelled], count: int, seed: int
) -> tuple[list[Labelled], list[Labelled]]:
    """Draw the queries that an owner marked; give them, and the others in their order."""
    rng = Random(seed)  # noqa: S311 (repeatable, nothing secret)
    chosen = set(rng.sample(range(len(queries)), count))
    own = [query for at, query in enumerate(queries) if at in chosen]
    return own, [query for at, query in enumerate(queries) if at not in chosen]


def judge(
    index: Index,
    queries: Iterable[Labelled],
    clock: Callable[[], float],
    threshold: float = THRESHOLD,
) -> list[Judged]:
    """Ask every query; `clock` gives seconds. Below the threshold a visitor may be asked back."""
    judged: list[Judged] = []
    for query in queries:
        start = clock()
        hits = index.search(query.text, limit=3)
        seconds = clock() - start
        ids = [hit.entry.id for hit in hits]
        close = [hit.entry.id for hit in choices(hits, threshold)]
        judged.append(
            Judged(
                query.answerable,
                query.answerable and ids[:1] == [query.label],
                query.answerable and query.label in ids,
                hits[0].confidence if hits else 0.0,
                seconds,
                query.answerable and query.label in close if close else None,
            )
        )
    return judged


def correction_of(index: Index, marks: Iterable[tuple[str, str | None]]) -> Correction:
    """Fit what an owner's marks say of an index: questions, each with its entry's id or None.

    Another correction that the index has is left aside.
    """
    plain = index.corrected(UNCORRECTED)
    shown = []
    for question, entry_id in marks:
        hits = plain.search(question, limit=1)
        right = bool(hits) and hits[0].entry.id == entry_id
        shown.append((hits[0].confidence if hits else 0.0, right))
    return fit_marks(shown)


def figures(judged: Sequence[Judged], threshold: float) -> Figures:
    """Count the figures at a threshold: an answer is shown when its confidence is at least that."""
    inside = [one for one in judged if one.answerable]
    outside = [one for one in judged if not one.answerable]
    answered = [one for one in judged if one.confidence >= threshold]
    good = sum(one.right for one in answered)
    refused = sum(one.confidence < threshold for one in outside)
    seconds = sorted(one.seconds for one in judged)
    asked = [one for one in judged if one.offered is not None]
    quiet = sum(one.offered is None for one in outside if one.confidence < threshold)
    return Figures(
        top1=_share(sum(one.right for one in inside), len(inside)),
        top3=_share(sum(one.in_top3 for one in inside), len(inside)),
        auroc=auroc([o.confidence for o in inside], [o.confidence for o in outside]),
        e2e=_share(good + refused, len(judged)),
        coverage=_share(good, len(inside)),
        risk=_share(len(answered) - good, len(answered)),
        ece=expected_calibration_error([(one.confidence, one.right) for one in judged]),
        answered_in=_share(sum(one.answerable for one in answered), len(inside)),
        answered_out=_share(sum(not one.answerable for one in answered), len(outside)),
        asked_back=_share(len(asked), len(judged)),
        asked_right=_share(sum(bool(one.offered) for one in asked), len(asked)),
        e2e_settled=_share(good + quiet, len(judged) - len(asked)),
        p50_ms=_quantile_ms(seconds, 0.50),
        p95_ms=_quantile_ms(seconds, 0.95),
        n=len(judged),
    )


def auroc(inside: Sequence[float], outside: Sequence[float]) -> float | None:
    """Give the chance that a query in scope is surer than one out of scope (Mann-Whitney)."""
    if not inside or not outside:
        return None
    ranked = sorted([(value, True) for value in inside] + [(value, False) for value in outside])
    total, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        total += sum(is_in for _, is_in in ranked[at:end]) * (at + 1 + end) / 2
        at = end
    count = len(inside)
    return (total - count * (count + 1) / 2) / (count * len(outside))


def expected_calibration_error(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """Give the mean gap between confidence and share of right answers, over bins of equal count."""
    if not pairs:
        return None
    ranked = sorted(pairs, key=itemgetter(0))
    gap = 0.0
    for number in range(BINS):
        part = ranked[number * len(ranked) // BINS : (number + 1) * len(ranked) // BINS]
        gap += abs(sum(confidence - right for confidence, right in part))
    return gap / len(ranked)


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _quantile_ms(seconds: Sequence[float], share: float) -> float | None:
    return 1000 * seconds[min(len(seconds) - 1, int(share * len(seconds)))] if seconds else None
