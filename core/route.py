"""The route: who answers next, as a pure function of signals.

The knowledge base where the gate trusts it; the visitor where it asks back; else the gateway; with
no network, a person later.
A local model becomes one more target when there is one. It does no I/O and keeps no state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.gate import Verdict

Target = Literal["kb", "clarify", "cloud", "escalate"]


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers, with the stable codes that say why."""

    target: Target
    reasons: tuple[str, ...]


def route(verdict: Verdict, *, online: bool) -> Route:
    """Route a judged question; `online` is whether the gateway may be asked at all."""
    if verdict.answers:
        return Route("kb", ("kb_confident",))
    if verdict.choices:
        return Route("clarify", verdict.reasons)
    if online:
        return Route("cloud", verdict.reasons)
    return Route("escalate", (*verdict.reasons, "offline"))
