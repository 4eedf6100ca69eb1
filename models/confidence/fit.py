"""Fits the weights of the confidence on the labelled turns, and says how good they are.

Decides the model (logistic regression over standardised signals, with an L2 penalty and signs
that are told beforehand) and what is
reported: figures on turns whose site the weights were not fitted on, in ten seeded folds of whole
sites. Same turns, same weights. `python -m models.confidence.fit` writes the weights;
`--check` only reports.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

import core.confidence
from core.confidence import Closeness, Fitted, Scorer
from core.confidence.measure import Figures, figures
from core.confidence.turns import LabelledTurn, read_turns
from kb.bundled import load_bundled

TURNS: Final = "turns.jsonl"
PENALTY: Final = 10.0
SIGNS: Final = {
    **dict.fromkeys(("copied", "exact", "close", "aligned", "verdict", "beyond"), 1),
    **dict.fromkeys(("new_number", "new_name", "new_link", "asked_gap", "rival"), -1),
    **dict.fromkeys(("passage_gap", "affirmed", "denied", "missing_number"), -1),
    **dict.fromkeys(("wrong_kind", "hedged", "refused"), -1),
    "across": 0,
}
"""The signals that are weighed, and which way each may count; 0 is either way. One that would
count the other way has learnt a habit of these turns, and is held at 0."""
FOLDS: Final = 10
SEED: Final = 0
HEAD: Final = '''\
"""The weights of the confidence. Written by `python -m models.confidence.fit`: do not edit."""

from typing import Final

from core.confidence.estimate import Fitted

FITTED: Final = Fitted(
    bias={bias!r},
    weights={{
{rows}
    }},
)
'''

type Floats = NDArray[np.float64]


def committed_turns() -> list[LabelledTurn]:
    """The labelled turns that come along."""
    text = (files("models.confidence") / TURNS).read_text(encoding="utf-8")
    return read_turns(text.splitlines(), TURNS)


def fit(signals: Sequence[dict[str, float]], rights: Sequence[bool]) -> Fitted:
    """The weights over some signals and whether each reply was right."""
    names = list(SIGNS)
    inputs = np.array([[each[name] for name in names] for each in signals])
    means, spreads = inputs.mean(axis=0), inputs.std(axis=0)
    spreads[spreads < 1e-9] = 1.0
    found = _descend((inputs - means) / spreads, np.array(rights, float))
    weights = found[:-1] / spreads
    bias = float(found[-1] - weights @ means)
    return Fitted(
        round(bias, 4),
        {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)},
    )


def unseen(turns: Sequence[LabelledTurn], signals: Sequence[dict[str, float]]) -> list[float]:
    """Each turn's confidence by weights that were fitted without its site."""
    sites = sorted({turn.site for turn in turns})
    random.Random(SEED).shuffle(sites)  # noqa: S311 - folds, not secrets
    fold = {site: number % FOLDS for number, site in enumerate(sites)}
    found = [0.0] * len(turns)
    for held in range(FOLDS):
        kept = [at for at, turn in enumerate(turns) if fold[turn.site] != held]
        fitted = fit([signals[at] for at in kept], [turns[at].right for at in kept])
        for at, turn in enumerate(turns):
            if fold[turn.site] == held:
                found[at] = fitted.probability(signals[at])
    return found


def written(fitted: Fitted) -> str:
    """The weights as a module."""
    rows = "\n".join(f'        "{name}": {weight!r},' for name, weight in fitted.weights.items())
    return HEAD.format(bias=fitted.bias, rows=rows)


def report(turns: Sequence[LabelledTurn], confidences: Sequence[float]) -> dict[str, Any]:
    """Figures over all turns, by language and by style."""

    def of(kept: Sequence[int]) -> Figures:
        return figures([(confidences[at], turns[at].right) for at in kept])

    every = range(len(turns))
    locales = sorted({turn.locale for turn in turns})
    styles = sorted({(turn.right, turn.style) for turn in turns})
    return {
        **of(every).document(),
        "by_locale": {
            name: of([at for at in every if turns[at].locale == name]).document()
            for name in locales
        },
        "mean_by_style": {
            f"{'right' if right else 'wrong'} {style}": round(
                float(
                    np.mean(
                        [
                            confidences[at]
                            for at in every
                            if (turns[at].right, turns[at].style) == (right, style)
                        ]
                    )
                ),
                3,
            )
            for right, style in styles
        },
    }


def _descend(inputs: Floats, wanted: Floats) -> Floats:
    """The minimum of the penalised cross-entropy; the last value is the bias."""

    def look(values: Floats) -> tuple[float, Floats]:
        sums = inputs @ values[:-1] + values[-1]
        loss = np.logaddexp(0, sums) - wanted * sums
        rest = 1 / (1 + np.exp(-sums)) - wanted
        slope = np.append(inputs.T @ rest + PENALTY * values[:-1], rest.sum())
        return float(loss.sum() + PENALTY / 2 * (values[:-1] ** 2).sum()), slope

    start = np.zeros(inputs.shape[1] + 1)
    ways = {1: (0, None), -1: (None, 0), 0: (None, None)}
    bounds = [*(ways[sign] for sign in SIGNS.values()), (None, None)]
    return np.asarray(minimize(look, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def main(arguments: Sequence[str]) -> None:
    """Report, and write the weights unless `--check` is given."""
    turns = committed_turns()
    scorer = Scorer(Closeness(load_bundled()), Fitted(0.0, {}))
    signals = [scorer.signals(turn.question, turn.passages, turn.reply) for turn in turns]
    told = report(turns, unseen(turns, signals))
    sys.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    if "--check" not in arguments:
        target = Path(str(files(core.confidence) / "fitted.py"))
        target.write_text(written(fit(signals, [turn.right for turn in turns])), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
