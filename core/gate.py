"""The gate: may this answer be shown, must the visitor be asked back, or a person be asked?

A pure rule over the knowledge base's hits. It refuses to answer below the site's threshold, and
never overrules an entry that its owner marked `escalate: always`. Where no entry is likely enough
by itself and a few together are, it asks back rather than guess. The same lines run in the browser
and on the server; the server never believes the browser's verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb import Hit
from kb.close import choices, together

DEFAULT_THRESHOLD = 0.55


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided over the best hit.

    `hit` is the best hit or None; `answers` whether its answer is shown; `escalate` whether a
    person is asked; `reasons` the stable codes that say why; `choices` the hits of which the
    visitor is asked to choose one, best first, or none.
    """

    hit: Hit | None
    answers: bool
    escalate: bool
    reasons: tuple[str, ...]
    choices: tuple[Hit, ...] = ()

    @property
    def confidence(self) -> float:
        """The estimated probability that what is shown is right: the answer, or one choice."""
        if self.choices:
            return together(self.choices)
        return self.hit.confidence if self.hit else 0.0


def judge(
    hits: Sequence[Hit], threshold: float = DEFAULT_THRESHOLD, *, may_clarify: bool = True
) -> Verdict:
    """Judge the hits, best first, one an entry, against the site's threshold in [0, 1].

    `may_clarify` is False once the visitor has said that none of the choices is meant.
    """
    if not hits:
        return Verdict(None, answers=False, escalate=True, reasons=("no_match",))
    best = hits[0]
    if best.confidence < threshold:
        close = choices(hits, threshold) if may_clarify else ()
        if close:
            return Verdict(best, answers=False, escalate=False, reasons=("clarify",), choices=close)
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
