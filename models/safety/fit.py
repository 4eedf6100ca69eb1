"""Fits the safety head: four logistic regressions that share their inputs.

Decides which features are kept (the best few thousand of a first fit), what a text of several
windows teaches (an unsafe one by those windows that look it, a harmless one by all), and which
kinds say nothing about which others (a jailbreak mostly asks for something harmful too). The
probabilities are calibrated on texts of groups that a fit has not seen, for a declared share of
unsafe texts. Same input, same weights on the same machine.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from core.safety.features import MARKS, Window, marks, windows
from core.safety.head import FORM, Weights, read_weights, scales
from core.safety.kinds import KINDS
from kb.embed import Embedding
from models.safety.sources import Text

type Floats = NDArray[np.float32]
type Ints = NDArray[np.int64]

FEATURES: Final = 3_000
LEAST_GROUPS: Final = 3
"""Groups of texts in which a feature occurs, or it is not learnt."""
PENALTY: Final = 1e-4
PLANE_PENALTY: Final = 3e-4
SHARE: Final = 0.2
"""How much unsafe texts of a kind weigh beside all others, together."""
STEPS: Final = 60
FOLDS: Final = 3
PRIOR: Final = 0.02
"""Of fifty texts that reach a model one is unsafe: what the probabilities are calibrated for."""
THRESHOLDS: Final = (0.35, 0.3, 0.35, 0.3)
"""In the order of the kinds. A wrong flag costs a wait for a person, a missed one an odd reply; so
they are low, as far as harmless questions allow (docs/adr/0029)."""
SCALE: Final = 0.02
"""Weights of features are kept as whole fiftieths."""

SILENT: Final = frozenset(
    (
        ("injection", "jailbreak"),
        ("jailbreak", "injection"),
        ("jailbreak", "harmful_request"),
        ("jailbreak", "toxicity"),
        ("harmful_request", "jailbreak"),
        ("harmful_request", "toxicity"),
    )
)
"""Texts of the first say nothing about the second kind: they may well be both."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Windows as numbers: features and dimensions, the text that each is of, all texts' labels.

    `wanted` and `counts` are of (windows, kinds): 1 where it is of the kind; how much it teaches.
    """

    sparse: csr_matrix
    dense: Floats
    of: Ints
    wanted: Floats
    counts: Floats


def fit(
    texts: Sequence[Text], embedding: Embedding, say: Callable[[str], None] = lambda _line: None
) -> Weights:
    """The weights over all texts, calibrated."""
    seen = [list(windows(each.text)) for each in texts]
    names = _features(texts, seen)
    say(f"{len(texts):,} texts, {sum(map(len, seen)):,} windows, {len(names):,} features at first")
    everything = _inputs(texts, seen, names, embedding)
    first = _descend(everything, everything.counts)
    kept = _best(everything, first, len(names))
    names = [name for name, keep in zip(names, kept, strict=True) if keep]
    inputs = _inputs(texts, seen, names, embedding)
    found = _descend(inputs, inputs.counts)
    say(f"{len(names):,} features kept")
    slopes, offsets = _calibrated(texts, inputs, say)
    size = len(names)
    raw = Weights(
        rows={name: _row(found[at]) for at, name in enumerate(names)},
        planes=tuple(_row(plane) for plane in found[size:-1].T),
        bias=_row(found[-1]),
        slopes=_row(slopes),
        offsets=_row(offsets),
        thresholds=THRESHOLDS,
        prior=PRIOR,
        embedding=embedding.release,
    )
    return read_weights(written(raw))  # with the very numbers that are kept


def written(weights: Weights) -> str:
    """The weights as a text that `read_weights` reads."""
    planes = np.array(weights.planes)
    plane_scales = np.abs(planes).max(1) / 127
    packed = [
        base64.b64encode((np.rint(plane / scale) + 128).astype(np.uint8).tobytes()).decode()
        for plane, scale in zip(planes, plane_scales, strict=True)
    ]
    told: dict[str, Any] = {
        "form": FORM,
        "kinds": list(KINDS),
        "embedding": weights.embedding,
        "prior": weights.prior,
        "thresholds": list(weights.thresholds),
        "slopes": [round(slope, 4) for slope in weights.slopes],
        "offsets": [round(offset, 4) for offset in weights.offsets],
        "bias": [round(number, 4) for number in weights.bias],
        "plane_scales": [float(f"{scale:.6g}") for scale in plane_scales],
        "planes": packed,
        "scale": SCALE,
    }
    rows = ",\n".join(
        f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(whole, separators=(',', ':'))}"
        for name, row in sorted(weights.rows.items())
        if any(whole := [round(number / SCALE) for number in row])
    )
    start = json.dumps(told, indent=1)
    return f'{start[:-2]},\n "features": {{\n{rows}\n}}\n}}\n'


def _features(texts: Sequence[Text], seen: Sequence[Sequence[Window]]) -> list[str]:
    groups: dict[str, set[str]] = defaultdict(set)
    for each, own in zip(texts, seen, strict=True):
        for window in own:
            for name in window.names:
                if len(groups[name]) < LEAST_GROUPS:
                    groups[name].add(each.group)
    return [*sorted(name for name, of in groups.items() if len(of) >= LEAST_GROUPS), *MARKS]


def _inputs(
    texts: Sequence[Text],
    seen: Sequence[Sequence[Window]],
    names: Sequence[str],
    embedding: Embedding,
) -> Inputs:
    place = {name: at for at, name in enumerate(names)}
    vectors: dict[int, Floats] = {}
    places: list[int] = []
    values: list[float] = []
    ends, dense, of = [0], [], []
    for number, (each, own) in enumerate(zip(texts, seen, strict=True)):
        signs = [place[name] for name in marks(each.text) if name in place]
        for window in own:
            tokens = [token for word in window.words for token in embedding.split(word)]
            by_words, by_tokens = scales(len(window.words), len(tokens))
            known = [place[name] for name in window.names if name in place]
            places += [*known, *signs]
            values += [*([by_words] * len(known)), *([1.0] * len(signs))]
            ends.append(len(places))
            dense.append(by_tokens * _summed(tokens, embedding, vectors))
            of.append(number)
    sparse = csr_matrix((values, places, ends), (len(of), len(names)), np.float32)
    sparse.sum_duplicates()
    owners = np.array(of)
    wanted, counts = _lessons(texts, owners)
    return Inputs(sparse, np.array(dense, np.float32), owners, wanted, counts)


def _summed(tokens: Sequence[int], embedding: Embedding, known: dict[int, Floats]) -> Floats:
    total = np.zeros(embedding.dimensions, np.float32)
    for token in tokens:
        if token not in known:
            known[token] = np.array(embedding.token(token), np.float32)
        total += known[token]
    return total


def _lessons(texts: Sequence[Text], owners: Ints) -> tuple[Floats, Floats]:
    labels = np.array([each.label for each in texts])[owners]
    wanted = np.stack([labels == kind for kind in KINDS], axis=1).astype(np.float32)
    # An unsafe text teaches once, however long it is; of a harmless one every window is harmless.
    share = 1.0 / np.bincount(owners)[owners]
    counts = np.where(wanted > 0, share[:, None], 1.0)
    for at, kind in enumerate(KINDS):
        counts[np.isin(labels, [one for one, two in SILENT if two == kind]), at] = 0.0
    return wanted, counts.astype(np.float32)


def _descend(inputs: Inputs, counts: Floats) -> Floats:
    """L-BFGS on the penalised cross-entropy, twice: then without windows that do not look unsafe.

    The last row is the bias, those before it the dimensions, those before them the features.
    """
    found = _minimised(inputs, counts)
    scores = _scores(inputs, found)
    tops = np.full((inputs.of[-1] + 1, len(KINDS)), -np.inf, np.float32)
    np.maximum.at(tops, inputs.of, scores)
    dull = (inputs.wanted > 0) & (scores < 0) & (scores < tops[inputs.of] - 2.0)
    return _minimised(inputs, np.where(dull, 0.0, counts).astype(np.float32), found)


def _minimised(inputs: Inputs, counts: Floats, start: Floats | None = None) -> Floats:
    sparse, dense, wanted = inputs.sparse, inputs.dense, inputs.wanted
    turned = sparse.T.tocsr()
    unsafe = (counts * wanted).sum(0)
    others = (counts * (1 - wanted)).sum(0)
    weights = counts * np.where(wanted > 0, SHARE / unsafe, (1 - SHARE) / others)
    size = sparse.shape[1]
    penalties = np.full((size + dense.shape[1] + 1, 1), PENALTY, np.float32)
    penalties[size:] = PLANE_PENALTY
    penalties[-1] = 0.0

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        own = flat.reshape(-1, len(KINDS)).astype(np.float32)
        scores = _scores(inputs, own)
        error = weights * (1.0 / (1.0 + np.exp(-np.clip(scores, -60, 60))) - wanted)
        slope = np.concatenate([turned @ error, dense.T @ error, error.sum(0, keepdims=True)])
        value = (weights * np.logaddexp(0.0, np.where(wanted > 0, -scores, scores))).sum()
        value += 0.5 * (penalties * own**2).sum()
        return float(value), (slope + penalties * own).astype(np.float64).ravel()

    shape = (size + dense.shape[1] + 1, len(KINDS))
    first = np.zeros(shape) if start is None else start
    done = minimize(
        loss, first.astype(np.float64).ravel(), jac=True, method="L-BFGS-B",
        options={"maxiter": STEPS},
    )  # fmt: skip
    return done.x.reshape(shape).astype(np.float32)  # type: ignore[no-any-return]


def _scores(inputs: Inputs, found: Floats) -> Floats:
    size = inputs.sparse.shape[1]
    return inputs.sparse @ found[:size] + inputs.dense @ found[size:-1] + found[-1]  # type: ignore[no-any-return]


def _best(inputs: Inputs, found: Floats, size: int) -> NDArray[np.bool_]:
    """The features that move scores most, all marks among them."""
    often = np.sqrt(np.bincount(inputs.sparse.indices, minlength=size))
    worth = np.abs(found[:size]).max(1) * often
    worth[-len(MARKS) :] = np.inf
    kept = np.zeros(size, bool)
    kept[np.argsort(-worth, kind="stable")[:FEATURES]] = True
    return kept


def _calibrated(
    texts: Sequence[Text], inputs: Inputs, say: Callable[[str], None]
) -> tuple[list[float], list[float]]:
    """Slope and offset of each kind's score (Platt, 1999), on texts of unseen groups."""
    folds = np.array([_fold(each.group) for each in texts])
    unseen = np.zeros((len(texts), len(KINDS)), np.float32)
    for fold in range(FOLDS):
        away = folds[inputs.of] == fold
        found = _descend(inputs, np.where(away[:, None], 0.0, inputs.counts).astype(np.float32))
        tops = np.full((len(texts), len(KINDS)), -np.inf, np.float32)
        np.maximum.at(tops, inputs.of, _scores(inputs, found))
        unseen[folds == fold] = tops[folds == fold]
    labels = np.array([each.label for each in texts])
    slopes, offsets = [], []
    for at, kind in enumerate(KINDS):
        heard = ~np.isin(labels, [one for one, two in SILENT if two == kind])
        slope, offset = _platt(unseen[heard, at], labels[heard] == kind)
        flagged = 1.0 / (1.0 + np.exp(-(slope * unseen[:, at] + offset))) >= THRESHOLDS[at]
        own, plain = labels == kind, labels == "harmless"
        say(
            f"{kind}: of unseen groups {flagged[own].mean():.3f} found, "
            f"{flagged[plain].mean():.4f} of harmless texts flagged"
        )
        slopes.append(slope)
        offsets.append(offset)
    return slopes, offsets


def _platt(scores: Floats, right: NDArray[np.bool_]) -> tuple[float, float]:
    weights = np.where(right, PRIOR / right.sum(), (1 - PRIOR) / (~right).sum())

    def loss(two: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        told = np.clip(two[0] * scores + two[1], -60, 60)
        error = weights * (1.0 / (1.0 + np.exp(-told)) - right)
        value = (weights * np.logaddexp(0.0, np.where(right, -told, told))).sum()
        return float(value), np.array([(error * scores).sum(), error.sum()])

    done = minimize(loss, np.array([1.0, -3.0]), jac=True)
    return float(done.x[0]), float(done.x[1])


def _fold(group: str) -> int:
    return hashlib.sha256(group.encode()).digest()[0] % FOLDS


def _row(numbers: Iterable[Any]) -> tuple[float, ...]:
    return tuple(map(float, numbers))
