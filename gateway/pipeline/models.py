"""The models that a pipeline may ask, each with the breaker that leaves it alone when it fails."""

from __future__ import annotations

from dataclasses import dataclass

from core.breaker import Breaker
from core.ports import Transport

CONTEXT_TOKENS = 8_192
"""What a model can read and write together, where nobody says."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model by the name that the settings give it; `context_tokens` is what it can read."""

    name: str
    transport: Transport
    breaker: Breaker
    context_tokens: int = CONTEXT_TOKENS
