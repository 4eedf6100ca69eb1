"""The gate: may this answer be shown, or must a person be asked?

A pure rule over the knowledge base's hits. It refuses to answer below the site's threshold, and
never overrules an entry that its owner marked `escalate: always`. The same lines run in the
browser and on the server; the server never believes the browser's verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb import Hit

DEFAULT_THRESHOLD = 0.55


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided over the best hit.

    `hit` is the best hit or None; `answers` whether its answer is shown; `escalate` whether a
    person is asked; `reasons` the stable codes that say why.
    """

    hit: Hit | None
    answers: bool
    escalate: bool
    reasons: tuple[str, ...]

    @property
    def confidence(self) -> float:
        """The estimated probability that the shown answer is right."""
        return self.hit.confidence if self.hit else 0.0


def judge(hits: Sequence[Hit], threshold: float = DEFAULT_THRESHOLD) -> Verdict:
    """Judge the hits, best first, against the site's threshold in [0, 1]."""
    if not hits:
        return Verdict(None, answers=False, escalate=True, reasons=("no_match",))
    best = hits[0]
    if best.confidence < threshold:
        return Verdict(best, answers=False, escalate=True, reasons=("low_confidence",))
    if best.entry.escalate:
        return Verdict(best, answers=True, escalate=True, reasons=("always",))
    return Verdict(best, answers=True, escalate=False, reasons=())


def must_escalate(reply: str, confidence: float, threshold: float) -> tuple[str, ...]:
    """The reasons for which a finished reply is not to be trusted; empty when it is."""
    if not reply.strip():
        return ("empty",)
    if confidence < threshold:
        return ("low_confidence",)
    return ()
