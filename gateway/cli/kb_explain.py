"""The command `fanlight kb explain`: why a question finds what it finds.

Decides how the steps of a search are printed, and how the gate's verdict is put in words. What the
steps are is decided in `kb.explain`, the verdict in `core.gate`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from core.gate import DEFAULT_THRESHOLD, Verdict, judge
from gateway.cli.kb_files import load_file
from gateway.cli.output import Output, json_option
from kb.choice import SIGNALS
from kb.evidence import Hearing
from kb.explain import Candidate, Explanation, Word, explain

_HEARINGS: Final[dict[Hearing, str]] = {
    "all": "words and meaning",
    "words": "words alone: the embedding that the index was built with is not here",
    "meaning": "meaning alone: no entry is written in this language",
}
_SHOWN: Final = 12


@click.command("explain")
@click.option(
    "--index", "path", required=True, type=click.Path(path_type=Path),
    help="An index from `kb build`.",
)  # fmt: skip
@click.option("--locale", help="Language of the page, such as es.")
@click.option(
    "--threshold", default=DEFAULT_THRESHOLD, show_default=True, type=click.FloatRange(0, 1),
    help="Confidence from which the site answers.",
)  # fmt: skip
@json_option
@click.argument("question")
def explain_command(
    path: Path, locale: str | None, threshold: float, as_json: bool, question: str
) -> None:
    """Show why the entries for QUESTION rank as they do, and what the gate decides."""
    output = Output(as_json)
    today = datetime.now(tz=UTC).date().isoformat()
    found = explain(load_file(path), question, locale=locale, today=today)
    verdict = judge(found.hits, threshold)
    why = in_words(verdict, threshold)
    output.result(_as_dict(found) | {"gate": _gate(verdict, threshold, why)})
    _show(found, output)
    output.show(Text(why, "bold"))


def in_words(verdict: Verdict, threshold: float) -> str:
    """What the gate decided and why, in plain words."""
    if verdict.hit is None:
        return "Nothing was found: a person is asked."
    entry, sure = verdict.hit.entry.id, f"{verdict.confidence:.3f}"
    if verdict.choices:
        names = ", ".join(hit.entry.id for hit in verdict.choices)
        return f"{names} at {sure} together: the visitor is asked which of them is meant."
    if not verdict.answers:
        return f"{entry} at {sure} is below the threshold {threshold:g}: a person is asked."
    if verdict.escalate:
        return f"{entry} at {sure} is shown, and a person is told: the entry says escalate always."
    return f"{entry} at {sure} reaches the threshold {threshold:g}: its answer is shown."


def _gate(verdict: Verdict, threshold: float, why: str) -> dict[str, object]:
    return {
        "threshold": threshold,
        "answers": verdict.answers,
        "escalate": verdict.escalate,
        "reasons": list(verdict.reasons),
        "choices": [hit.entry.id for hit in verdict.choices],
        "entry_id": verdict.hit.entry.id if verdict.hit else None,
        "confidence": round(verdict.confidence, 6),
        "why": why,
    }


def _as_dict(found: Explanation) -> dict[str, object]:
    return {
        "question": found.question,
        "said": found.said,
        "release": found.release,
        "language": found.spoken,
        "hearing": found.hearing,
        "words": [_word(word) for word in found.words],
        "dropped": list(found.dropped),
        "candidates": [_candidate(candidate) for candidate in found.candidates],
        "none": {
            "utility": found.none_utility,
            "probability": round(found.none_probability, 6),
        },
        "correction": {"shift": found.shift, "slope": found.slope},
    }


def _word(word: Word) -> dict[str, object]:
    return {
        "word": word.text,
        "stem": word.stem,
        "known": word.known,
        "everyday": word.everyday,
        "stands_for": list(word.stands_for),
        "tokens": list(word.pieces),
    }


def _candidate(candidate: Candidate) -> dict[str, object]:
    hit = candidate.hit
    return {
        "entry_id": hit.entry.id,
        "locale": hit.entry.locale,
        "question": hit.entry.question,
        "matched_locale": candidate.matched.locale,
        "phrasing": candidate.phrasing,
        "shared": list(candidate.shared),
        "signals": {
            signal.name: {
                "value": round(signal.value, 6),
                "weight": signal.weight,
                "heard": signal.heard,
                "contribution": round(signal.contribution, 6),
            }
            for signal in candidate.signals
        },
        "utility": round(candidate.utility, 6),
        "probability": round(candidate.probability, 6),
        "by_its_answer": round(candidate.spoken, 6),
        "sentence": candidate.sentence or None,
        "corrected": round(hit.score, 6),
        "confidence": round(hit.confidence, 6),
        "exact": candidate.is_exact,
        "reasons": list(hit.reasons),
    }


def _show(found: Explanation, output: Output) -> None:
    output.show(
        f"language: {found.spoken or 'cannot be told'}; heard: {_HEARINGS[found.hearing]}",
        _words_table(found.words),
    )
    if found.said != found.question:
        output.show(Text(f"in the site's own words: {found.said}"))
    if found.dropped:
        more = " …" if len(found.dropped) > _SHOWN else ""
        output.show(f"not compared: {', '.join(found.dropped[:_SHOWN])}{more}")
    if not found.candidates:
        return
    output.show(_candidates_table(found), _signals_table(found))
    for one in found.candidates:
        if one.sentence:
            output.show(Text(f"{one.hit.entry.id} is found by its answer: {one.sentence}"))
    exact = [one.hit.entry.id for one in found.candidates if one.is_exact]
    if exact:
        shared = "; they share its confidence" if len(exact) > 1 else ""
        output.show(f"exact match, whatever the signals say: {', '.join(exact)}{shared}")


def _table(*columns: str) -> Table:
    return Table(*columns, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _words_table(words: tuple[Word, ...]) -> Table:
    table = _table("word", "stem", "known", "also stands for", "tokens")
    for word in words[:_SHOWN]:
        known = "yes" if word.known else "no"
        table.add_row(
            Text(word.text),
            Text(word.stem),
            f"{known}, everyday" if word.everyday else known,
            Text(", ".join(word.stands_for)),
            Text(" ".join(word.pieces)),
        )
    if len(words) > _SHOWN:
        table.add_row(f"and {len(words) - _SHOWN} more")
    return table


def _candidates_table(found: Explanation) -> Table:
    table = _table("", "entry", "nearest way to ask", "shares", "answer", "prob.", "corr.", "conf.")
    for number, one in enumerate(found.candidates, 1):
        table.add_row(
            str(number),
            Text(f"{one.hit.entry.id} ({one.hit.entry.locale})"),
            Text(one.phrasing),
            Text(", ".join(one.shared)),
            f"{one.spoken:.3f}",
            f"{one.probability:.3f}",
            f"{one.hit.score:.3f}",
            f"{one.hit.confidence:.3f}",
        )
    table.add_row("", "none of them", "", "", "", f"{found.none_probability:.3f}")
    return table


def _signals_table(found: Explanation) -> Table:
    """One row a signal: its weight, and each candidate's value with what it adds to the utility."""
    numbers = [str(number) for number in range(1, len(found.candidates) + 1)]
    table = _table("signal", "weight", *numbers)
    for at, name in enumerate(SIGNALS):
        own = [candidate.signals[at] for candidate in found.candidates]
        table.add_row(
            name.replace("_", " ") + ("" if own[0].heard else " (not heard)"),
            f"{own[0].weight:g}",
            *(f"{signal.value:.2f}→{signal.contribution:.1f}" for signal in own),
        )
    table.add_row("utility", "", *(f"{one.utility:.2f}" for one in found.candidates))
    table.add_row("none of them", "", f"{found.none_utility:.2f}")
    return table
