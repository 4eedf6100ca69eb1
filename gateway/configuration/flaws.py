"""What a configuration error is: every flaw at once, each with its key and its remedy.

It decides nothing. A flaw never repeats a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import FanlightError


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong: which key, what about it, and what to do."""

    key: str
    detail: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key}: {self.detail} {self.remedy}"


class ConfigurationError(FanlightError):
    """Settings that cannot be used; `flaws` holds everything that is wrong with them."""

    def __init__(self, flaws: Iterable[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("\n".join(map(str, self.flaws)))
