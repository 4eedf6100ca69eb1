"""The trajectory of a turn: how it was answered, without a word of what was said.

Decides what is kept to learn from and to show in figures. Texts stand in the turn itself, which is
kept only with consent or for the person who answers; here are their digests. Of a visitor who did
not agree to memory only numbers are kept, under an id of their own and of a whole hour, so that the
row belongs to nobody and is joined to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from core.messages import Source

HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Trajectory:
    """How one turn was answered.

    `request_sha256` and `reply_sha256` are over the redacted texts. `task_type`, `complexity` in
    [0, 1] and `workflow` are None where no workflow ran; `tier` and `model` (by the settings' name)
    where no model was asked. Costs are in millionths of a US dollar, times in milliseconds.
    `scores` are the scorer's, each in [0, 1]. `outcome` comes later: what a visitor or an operator
    said of it, in [-1, 1]. One that belongs to nobody has neither conversation nor digests.
    """

    turn_id: str
    conversation_id: str
    at: float
    request_sha256: str
    reply_sha256: str
    source: Source
    confidence: float
    escalated: bool
    reasons: tuple[str, ...]
    channel: str
    locale: str
    total_ms: float
    task_type: str | None = None
    complexity: float | None = None
    workflow: str | None = None
    tier: str | None = None
    model: str | None = None
    reason: str | None = None
    estimated_micros: int = 0
    cost_micros: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token_ms: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    outcome: float | None = None
    outcome_at: float | None = None

    @property
    def owned(self) -> bool:
        """Whether it is a visitor's: then it goes with all else that is held of them."""
        return bool(self.conversation_id)

    def numbers(self, name: str) -> Trajectory:
        """The same as nobody's, under another name: its numbers and kinds, of a whole hour."""
        return replace(
            self,
            turn_id=name,
            conversation_id="",
            at=self.at - self.at % HOUR_S,
            request_sha256="",
            reply_sha256="",
        )
