"""What an owner should mend: the kinds of findings, and which of them comes first.

Decides what is a problem (a visitor gets a wrong answer, or none) and what only a hint. Refuses
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

type Kind = Literal[
    "empty_answer",
    "empty_slot",
    "duplicate",
    "near_duplicate",
    "shadowed",
    "vague",
    "locale_gap",
    "insecure_link",
    "long_answer",
    "unknown_slot",
    "idle_synonyms",
    "ended",
    "ending",
    "outranked",
    "few_phrasings",
    "single_phrasing",
    "short_answer",
]
type Severity = Literal["problem", "hint"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind.__value__)
"""Worst first."""
HINTS: Final[frozenset[Kind]] = frozenset(
    {
        "unknown_slot",
        "idle_synonyms",
        "ended",
        "ending",
        "outranked",
        "few_phrasings",
        "single_phrasing",
        "short_answer",
    }
)
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: at which entry, why, and how, in plain words.

    `others` are ids of the entries that it is about too. `weight` orders findings of one kind.
    """

    kind: Kind
    entry_id: str
    locale: str
    why: str
    remedy: str
    others: tuple[str, ...] = ()
    weight: float = 0.0

    @property
    def severity(self) -> Severity:
        """Whether a visitor suffers from it, or only might."""
        return "hint" if self.kind in HINTS else "problem"


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order findings by kind, then by weight, then by entry."""
    return tuple(
        sorted(
            findings, key=lambda one: (KINDS.index(one.kind), -one.weight, one.entry_id, one.locale)
        )
    )


def quoted(text: str) -> str:
    """Give a text in quotes, on one line, cut where it is long."""
    plain = " ".join(text.split())
    return f'"{plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"}"'
