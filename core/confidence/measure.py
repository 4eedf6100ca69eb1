"""How good a confidence is: ranking, calibration, and what a threshold means.

Decides the figures: AUROC (the chance that a right reply has more of it than a wrong one), the
expected calibration error over ten bins of equal count, and at the threshold the share that is
shown (coverage) and how much of that is wrong (risk).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from core.gate import DEFAULT_THRESHOLD
from kb.curves import at_threshold, calibration_error

type Judged = tuple[float, bool]
"""A confidence, and whether the reply was right."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of `n` replies; `auroc` is None where all are right or all are wrong."""

    auroc: float | None
    ece: float
    risk: float
    coverage: float
    right: float
    n: int

    def document(self) -> dict[str, float | int | None]:
        """The same as JSON, rounded."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def figures(judged: Sequence[Judged], threshold: float = DEFAULT_THRESHOLD) -> Figures:
    """The figures of some replies."""
    shown = [(sure, right, 1.0) for sure, right in judged]
    point = at_threshold(shown, threshold)
    right = sum(is_right for _, is_right in judged)
    return Figures(
        auroc(judged),
        calibration_error(shown),
        point.wrong,
        point.answered,
        right / max(1, len(judged)),
        len(judged),
    )


def auroc(judged: Sequence[Judged]) -> float | None:
    """The area under the curve, by ranks; equal confidences share theirs."""
    right = sum(is_right for _, is_right in judged)
    wrong = len(judged) - right
    if not right or not wrong:
        return None
    ranks: dict[float, list[bool]] = {}
    for sure, is_right in judged:
        ranks.setdefault(sure, []).append(is_right)
    below = won = 0.0
    for _, those in sorted(ranks.items()):
        good = sum(those)
        bad = len(those) - good
        won += good * (below + bad / 2)
        below += bad
    return won / (right * wrong)
