"""Fits how far a reply of a model on the device is believed, and says how good that is.

Decides the model: logistic regression over the signals of `core.confidence.device`, its weights
drawn to a third of the scorer's own log-odds, once with log-probabilities and once without. Replies
by rule weigh as much as the real model's, all together; of log-probabilities they say nothing. What
is reported is measured on entries that the weights were not fitted on, in ten seeded folds. Same
turns, same weights.

`python -m models.local.fit` writes the weights; `--check` only reports; `--judge FILE` reports what
the committed weights make of other turns.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize

import core
from core.confidence import FITTED, Closeness, Fitted, Scorer
from core.confidence.device import FILE, FORM, SIGNALS, Written, read_weights, signals
from core.confidence.measure import figures
from core.confidence.refusal import only_refuses
from kb.bundled import load_bundled

TURNS: Final = ("turns.jsonl", "scripted.jsonl")
PENALTY: Final = 0.5
PRIOR: Final = {"scored": 1.0}
"""What the weights are drawn to: a third of the scorer's own log-odds. The turns are few."""
FOLDS: Final = 10
SEED: Final = 0
TOLD: Final = frozenset({"sure", "least_sure"})
"""What only an engine with log-probabilities tells."""

type Row = dict[str, Any]
type Signals = dict[str, float]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One turn with its signals, and how much it counts."""

    row: Row
    seen: Signals
    weight: float


def committed(name: str) -> list[Row]:
    """Turns that come along."""
    return read_rows((files("models.local") / name).read_text(encoding="utf-8").splitlines())


def read_rows(lines: Iterable[str]) -> list[Row]:
    """Turns as `models.local.turns` writes them."""
    return [json.loads(line) for line in lines if line.strip()]


def answers(row: Row) -> bool:
    """Whether a reply is one at all; a refusal is not weighed, it is known."""
    return bool(row["reply"].strip()) and not only_refuses(row["reply"])


def signals_of(scorer: Scorer, row: Row) -> Signals:
    """The signals of a turn."""
    logprobs = [value / 100 for value in row["logprobs"]]
    written = Written(row["reply"], logprobs, cut=row["finish"] == "length")
    return signals(scorer, row["question"], row["passages"], written, row["retrieval"])


def lessons(scorer: Scorer, rows: Sequence[Row]) -> list[Lesson]:
    """What is learnt from: replies of the real model, and those by rule with half of the weight."""
    found = [(row, signals_of(scorer, row)) for row in rows if answers(row)]
    real = [seen for row, seen in found if row["logprobs"]]
    usual = {name: sum(one[name] for one in real) / max(1, len(real)) for name in TOLD}
    share = len(real) / max(1, len(found) - len(real))
    return [
        Lesson(row, seen, 1.0) if row["logprobs"] else Lesson(row, {**seen, **usual}, share)
        for row, seen in found
    ]


def fit(learnt: Sequence[Lesson], names: Sequence[str]) -> Fitted:
    """The weights of some signals."""
    inputs = np.array([[each.seen[name] for name in names] for each in learnt])
    wanted = np.array([each.row["right"] for each in learnt], float)
    counts = np.array([each.weight for each in learnt])
    prior = np.array([PRIOR.get(name, 0.0) for name in names])

    def look(values: Any) -> tuple[float, Any]:
        sums = inputs @ values[:-1] + values[-1]
        loss = (counts * (np.logaddexp(0, sums) - wanted * sums)).sum()
        rest = counts * (1 / (1 + np.exp(-sums)) - wanted)
        slope = np.append(inputs.T @ rest + PENALTY * (values[:-1] - prior), rest.sum())
        return float(loss + PENALTY / 2 * ((values[:-1] - prior) ** 2).sum()), slope

    found = minimize(look, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x
    weights = {name: round(float(one), 3) for name, one in zip(names, found, strict=False)}
    return Fitted(round(float(found[-1]), 3), weights)


def unseen(learnt: Sequence[Lesson], names: Sequence[str]) -> list[float]:
    """Each turn's confidence by weights that were fitted without its entry."""
    groups = sorted({each.row["site"] for each in learnt})
    random.Random(SEED).shuffle(groups)  # noqa: S311 - folds, not secrets
    fold = {group: number % FOLDS for number, group in enumerate(groups)}
    found = [0.0] * len(learnt)
    for held in range(FOLDS):
        fitted = fit([each for each in learnt if fold[each.row["site"]] != held], names)
        for at, each in enumerate(learnt):
            if fold[each.row["site"]] == held:
                found[at] = fitted.probability(each.seen)
    return found


def report(rows: Sequence[Row], sure: Sequence[float]) -> Row:
    """The figures over some turns, refusals at 0: the real model's, and those by rule."""

    def of(wanted: Callable[[Row], bool]) -> Row:
        kept = [(one if answers(row) else 0.0, row) for one, row in zip(sure, rows, strict=True)]
        return dict(figures([(one, row["right"]) for one, row in kept if wanted(row)]).document())

    locales = sorted({row["locale"] for row in rows})
    return {
        "real": of(lambda row: bool(row["logprobs"])),
        "by_rule": of(lambda row: not row["logprobs"]),
        "real_by_locale": {
            name: of(lambda row, name=name: bool(row["logprobs"]) and row["locale"] == name)  # type: ignore[misc]
            for name in locales
        },
    }


def fitted_anew(rows: Sequence[Row], scorer: Scorer) -> tuple[Row, Row]:
    """The weights as they are kept, and what they are worth."""
    learnt = lessons(scorer, rows)
    some = [each.row for each in learnt]
    kept: Row = {"form": FORM, "turns": sum(bool(row["logprobs"]) for row in rows)}
    told: Row = {"refused": len(rows) - len(some)}
    for name, names in (("told", sorted(SIGNALS)), ("untold", sorted(SIGNALS - TOLD))):
        fitted = fit(learnt, names)
        kept[name] = {"bias": fitted.bias, "weights": dict(fitted.weights)}
        told[name] = report(some, unseen(learnt, names))
    scored = [scorer.look(row["question"], row["passages"], row["reply"]) for row in some]
    told["scorer_alone"] = report(some, [each.confidence for each in scored])
    return kept, told


def judged(rows: Sequence[Row], scorer: Scorer) -> Row:
    """What the committed weights make of other turns."""
    weights = read_weights((files(core) / FILE).read_text(encoding="utf-8"))
    seen = [signals_of(scorer, row) for row in rows]
    return {
        name: report(rows, [fitted.probability(each) for each in seen])
        for name, fitted in (("told", weights.told), ("untold", weights.untold))
    }


def main() -> None:
    """Report, and write the weights unless that is not wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only report")
    parser.add_argument("--judge", type=Path, help="report on these turns")
    asked = parser.parse_args()
    scorer = Scorer(Closeness(load_bundled()), FITTED)
    if asked.judge:
        told = judged(read_rows(asked.judge.read_text(encoding="utf-8").splitlines()), scorer)
    else:
        rows = [row for name in TURNS for row in committed(name)]
        kept, told = fitted_anew(rows, scorer)
        if not asked.check:
            text = json.dumps(kept, indent=1) + "\n"
            Path(str(files(core) / FILE)).write_text(text, encoding="utf-8")
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
