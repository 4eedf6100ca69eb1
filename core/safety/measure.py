"""How much of what is unsafe a head finds, and how often it errs on what is not.

Decides the figures: by kind and source the share that is kept from models, and the share that is
flagged as each kind. Refuses rows without a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from core.safety.head import Head, Judgement
from core.safety.kinds import KINDS, Kind


@dataclass(frozen=True, slots=True)
class Share:
    """What became of the texts of one name: shares in [0, 1] of `count`."""

    name: str
    count: int
    unsafe: float
    flagged: Mapping[Kind, float]

    def document(self) -> dict[str, object]:
        """The same as JSON."""
        flagged = {kind: round(share, 4) for kind, share in self.flagged.items()}
        return {"count": self.count, "unsafe": round(self.unsafe, 4), "flagged": flagged}


def texts_of(row: Mapping[str, Any]) -> list[str]:
    """The texts of a row: its `text`, its `question`, or those of its `turns`; empty without."""
    turns = row.get("turns")
    if isinstance(turns, list):
        return [text for turn in turns if (text := turn.get("text"))]
    return [text for field in ("text", "question") if isinstance(text := row.get(field), str)][:1]


def measure(
    head: Head, named: Iterable[tuple[str, Sequence[str]]], clock: Callable[[], float]
) -> tuple[list[Share], tuple[float, float]]:
    """The shares of each name's texts, every text once; half and 99 of 100 took so many seconds."""
    found, took = [], []
    for name, texts in named:
        judged = []
        for text in dict.fromkeys(texts):
            began = clock()
            judged.append(head.judge(text))
            took.append(clock() - began)
        found.append(_share(name, judged))
    cuts = quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
    return found, (cuts[49], cuts[98])


def _share(name: str, judged: Sequence[Judgement]) -> Share:
    count = max(1, len(judged))
    flagged = {kind: sum(kind in each.flagged for each in judged) / count for kind in KINDS}
    return Share(name, len(judged), sum(each.unsafe for each in judged) / count, flagged)
