"""Fits how far a reply of a model on the device is believed, and says how good that is.

Decides the model: logistic regression over the signals of `core.confidence.device`, its weights
drawn to those that leave the scorer's own confidence as it is, once with log-probabilities and once
without. What is reported is measured on entries that the weights were not fitted on, in ten seeded
folds. Same turns, same weights.

`python -m models.local.fit` writes the weights; `--check` only reports; `--judge FILE` reports what
the committed weights make of other turns.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterable, Sequence
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

TURNS: Final = "turns.jsonl"
PENALTY: Final = 2.0
PRIOR: Final = {"scored": 3.0}
"""What the weights are drawn to: the confidence of any reply as it is. The turns are few."""
FOLDS: Final = 10
SEED: Final = 0
TOLD: Final = frozenset({"sure", "least_sure"})
"""What only an engine with log-probabilities tells."""

type Row = dict[str, Any]
type Signals = dict[str, float]


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


def fit(seen: Sequence[Signals], rights: Sequence[bool], names: Sequence[str]) -> Fitted:
    """The weights of some signals."""
    inputs = np.array([[each[name] for name in names] for each in seen])
    wanted = np.array(rights, float)
    prior = np.array([PRIOR.get(name, 0.0) for name in names])

    def look(values: Any) -> tuple[float, Any]:
        sums = inputs @ values[:-1] + values[-1]
        loss = (np.logaddexp(0, sums) - wanted * sums).sum()
        rest = 1 / (1 + np.exp(-sums)) - wanted
        slope = np.append(inputs.T @ rest + PENALTY * (values[:-1] - prior), rest.sum())
        return float(loss + PENALTY / 2 * ((values[:-1] - prior) ** 2).sum()), slope

    found = minimize(look, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x
    weights = {name: round(float(one), 3) for name, one in zip(names, found, strict=False)}
    return Fitted(round(float(found[-1]), 3), weights)


def unseen(rows: Sequence[Row], seen: Sequence[Signals], names: Sequence[str]) -> list[float]:
    """Each turn's confidence by weights that were fitted without its entry."""
    groups = sorted({row["site"] for row in rows})
    random.Random(SEED).shuffle(groups)  # noqa: S311 - folds, not secrets
    fold = {group: number % FOLDS for number, group in enumerate(groups)}
    found = [0.0] * len(rows)
    for held in range(FOLDS):
        kept = [at for at, row in enumerate(rows) if fold[row["site"]] != held]
        fitted = fit([seen[at] for at in kept], [rows[at]["right"] for at in kept], names)
        for at, row in enumerate(rows):
            if fold[row["site"]] == held:
                found[at] = fitted.probability(seen[at])
    return found


def report(rows: Sequence[Row], sure: Callable[[int], float]) -> Row:
    """The figures over all turns, refusals at 0, and by language."""

    def of(kept: Iterable[int]) -> Row:
        judged = [(sure(at) if answers(rows[at]) else 0.0, rows[at]["right"]) for at in kept]
        return dict(figures(judged).document())

    locales = sorted({row["locale"] for row in rows})
    return {
        **of(range(len(rows))),
        "by_locale": {
            name: of(at for at, row in enumerate(rows) if row["locale"] == name) for name in locales
        },
    }


def fitted_anew(rows: Sequence[Row], scorer: Scorer) -> tuple[Row, Row]:
    """The weights as they are kept, and what they are worth."""
    some = [row for row in rows if answers(row)]
    seen = [signals_of(scorer, row) for row in some]
    kept: Row = {"form": FORM, "turns": len(rows)}
    told: Row = {"refused": len(rows) - len(some)}
    for name, names in (("told", sorted(SIGNALS)), ("untold", sorted(SIGNALS - TOLD))):
        fitted = fit(seen, [row["right"] for row in some], names)
        kept[name] = {"bias": fitted.bias, "weights": dict(fitted.weights)}
        told[name] = report(some, unseen(some, seen, names).__getitem__)
    scored = [scorer.look(row["question"], row["passages"], row["reply"]) for row in some]
    told["cloud_scorer_alone"] = report(some, lambda at: scored[at].confidence)
    return kept, told


def judged(rows: Sequence[Row], scorer: Scorer) -> Row:
    """What the committed weights make of other turns."""
    weights = read_weights((files(core) / FILE).read_text(encoding="utf-8"))
    seen = [signals_of(scorer, row) for row in rows]
    return {
        name: report(rows, [fitted.probability(each) for each in seen].__getitem__)
        for name, fitted in (("told", weights.told), ("untold", weights.untold))
    }


def main() -> None:
    """Report, and write the weights unless that is not wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only report")
    parser.add_argument("--judge", type=Path, help="report on these turns")
    parser.add_argument("--turns", type=Path, help="fit on these instead of the committed ones")
    asked = parser.parse_args()
    scorer = Scorer(Closeness(load_bundled()), FITTED)
    if asked.judge:
        told = judged(read_rows(asked.judge.read_text(encoding="utf-8").splitlines()), scorer)
    else:
        source = asked.turns or files("models.local") / TURNS
        rows = read_rows(source.read_text(encoding="utf-8").splitlines())
        kept, told = fitted_anew(rows, scorer)
        if not asked.check:
            text = json.dumps(kept, indent=1) + "\n"
            Path(str(files(core) / FILE)).write_text(text, encoding="utf-8")
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
