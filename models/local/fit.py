"""Fits how far a reply of a model on the device is believed, and says how good that is.

Decides the model: logistic regression over the signals of `core.confidence.device`, its weights
drawn to a third of the scorer's own log-odds, once with log-probabilities and once without. A third
of the entries is held back, whole, by a hash of their names: the weights are fitted on the turns of
the others, and what is reported is measured on those. Same turns, same weights.

`python -m models.local.fit` writes the weights; `--check` only reports; `--judge FILE` reports what
the committed weights make of other turns.
"""

from __future__ import annotations

import argparse
import hashlib
import json
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
from core.confidence.device import (
    FILE,
    FORM,
    SIGNALS,
    DeviceWeights,
    Ground,
    Written,
    read_weights,
    signals,
)
from core.confidence.measure import figures
from core.confidence.refusal import only_refuses
from kb.bundled import load_bundled

TURNS: Final = "turns.jsonl"
PENALTY: Final = 0.5
PRIOR: Final = {"scored": 1.0}
"""What the weights are drawn to: a third of the scorer's own log-odds. The turns are few."""
HELD: Final = 3
"""Every so manieth entry, by its hash, is held back."""
TOLD: Final = frozenset({"sure", "least_sure"})
"""What only an engine with log-probabilities tells."""

type Row = dict[str, Any]
type Signals = dict[str, float]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One turn with its signals."""

    row: Row
    seen: Signals


def committed() -> list[Row]:
    """The turns that come along."""
    return read_rows((files("models.local") / TURNS).read_text(encoding="utf-8").splitlines())


def read_rows(lines: Iterable[str]) -> list[Row]:
    """Turns as `models.local.turns` writes them."""
    return [json.loads(line) for line in lines if line.strip()]


def held_back(row: Row) -> bool:
    """Whether a turn's entry is one that is not fitted on; all its languages go together."""
    return hashlib.sha256(row["site"].encode()).digest()[0] % HELD == 0


def answers(row: Row) -> bool:
    """Whether a reply is one at all; a refusal is not weighed, it is known."""
    return bool(row["reply"].strip()) and not only_refuses(row["reply"])


def signals_of(scorer: Scorer, row: Row) -> Signals:
    """The signals of a turn."""
    logprobs = [value / 100 for value in row["logprobs"]]
    written = Written(row["reply"], logprobs, cut=row["finish"] == "length")
    ground = Ground(row["passages"], row["retrieval"], row["speaks"], row["sentence"])
    return signals(scorer, row["question"], ground, written)


def lessons(scorer: Scorer, rows: Sequence[Row]) -> list[Lesson]:
    """The replies that are any, with their signals."""
    return [Lesson(row, signals_of(scorer, row)) for row in rows if answers(row)]


def fit(learnt: Sequence[Lesson], names: Sequence[str]) -> Fitted:
    """The weights of some signals."""
    inputs = np.array([[each.seen[name] for name in names] for each in learnt])
    wanted = np.array([each.row["right"] for each in learnt], float)
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


def fitted_anew(rows: Sequence[Row], scorer: Scorer) -> tuple[Row, DeviceWeights]:
    """The weights as they are kept, and the same to be used: of the entries that are not held."""
    learnt = lessons(scorer, [row for row in rows if not held_back(row)])
    told, untold = fit(learnt, sorted(SIGNALS)), fit(learnt, sorted(SIGNALS - TOLD))
    kept = {
        "form": FORM,
        "turns": len(learnt),
        **{
            name: {"bias": one.bias, "weights": dict(one.weights)}
            for name, one in (("told", told), ("untold", untold))
        },
    }
    return kept, DeviceWeights(told, untold)


def judged(rows: Sequence[Row], scorer: Scorer, weights: DeviceWeights) -> Row:
    """What some weights make of some turns, refusals at 0."""

    def report(sure: Callable[[Row], float]) -> Row:
        found = [(sure(row) if answers(row) else 0.0, row) for row in rows]
        return {
            name: dict(figures([(one, row["right"]) for one, row in found if of(row)]).document())
            for name, of in KINDS.items()
        }

    return {
        "told": report(lambda row: weights.told.probability(signals_of(scorer, row))),
        "untold": report(lambda row: weights.untold.probability(signals_of(scorer, row))),
        "scorer_alone": report(
            lambda row: scorer.look(row["question"], row["passages"], row["reply"]).confidence
        ),
        "answerable": sum(row["style"] == "answerable" for row in rows),
        "refused": sum(only_refuses(row["reply"]) for row in rows),
    }


KINDS: Final[dict[str, Callable[[Row], bool]]] = {
    "all": lambda _: True,
    "for_the_device": lambda row: row["route"] == "local",
    "goes_on": lambda row: bool(row["earlier"]),
    **{name: lambda row, name=name: row["locale"] == name for name in ("en", "es", "he")},  # type: ignore[misc]
}
"""Of which turns it is reported: those that the route gives to the device are what counts."""


def main() -> None:
    """Report, and write the weights unless that is not wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only report")
    parser.add_argument("--judge", type=Path, help="report on these turns")
    asked = parser.parse_args()
    scorer = Scorer(Closeness(load_bundled()), FITTED)
    if asked.judge:
        rows = read_rows(asked.judge.read_text(encoding="utf-8").splitlines())
        weights = read_weights((files(core) / FILE).read_text(encoding="utf-8"))
        told = judged(rows, scorer, weights)
    else:
        rows = committed()
        kept, weights = fitted_anew(rows, scorer)
        told = {
            "held_back": judged([row for row in rows if held_back(row)], scorer, weights),
            "fitted_on": judged([row for row in rows if not held_back(row)], scorer, weights),
        }
        if not asked.check:
            text = json.dumps(kept, indent=1) + "\n"
            Path(str(files(core) / FILE)).write_text(text, encoding="utf-8")
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
