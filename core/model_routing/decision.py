"""Tiers of models, and why one of them was chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens read, and for a million written; 0 for a model of one's own.

    A dollar for a million tokens is a millionth of a dollar for one, which is what is counted in.
    """

    read_usd: float = 0.0
    written_usd: float = 0.0

    def micros(self, read: int, written: int) -> int:
        """What so many tokens cost in millionths of a dollar, rounded up."""
        return math.ceil(self.read_usd * read + self.written_usd * written)


@dataclass(frozen=True, slots=True)
class Tier:
    """Models of like cost and quality, by the names of the settings, the preferred one first.

    It is meant for complexities from `low` to `high` in [0, 1]; ranges of tiers may overlap.
    """

    name: str
    models: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to a decision: `what` was looked at, and what came of it."""

    what: str
    result: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Which models may be asked, the preferred one first, and why.

    `reason` is one word for figures, such as `complexity`; `steps` tell the whole of it. `tier` is
    None where the settings have no tiers. `estimated_micros` is the preferred model's cost in
    millionths of a dollar, for the prompt and the longest reply.
    """

    models: tuple[str, ...]
    reason: str
    tier: str | None = None
    estimated_micros: int = 0
    steps: tuple[Step, ...] = ()
