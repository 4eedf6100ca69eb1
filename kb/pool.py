"""Which of an entry's phrasings keep their vectors.

Decides by spread: each next one is the phrasing farthest from those already chosen (farthest-first
traversal; Gonzalez, 1985), so that a hundred ways to ask are stood for by the most different ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sumprod
from typing import Final

from kb.embed import Vector

LEAST: Final = 24
"""Vectors that one unit keeps at most, however many units there are."""
ALL: Final = 4_000
"""Vectors that all units together may keep, where that is more for each."""


def pooled(rows: Sequence[tuple[int, int, Vector | None]]) -> list[tuple[int, int]]:
    """Give (unit, number) of what is kept, from (unit, number, vector) in order of unit."""
    by_unit: dict[int, list[tuple[int, Vector]]] = {}
    for unit, number, vector in rows:
        if vector is not None:
            by_unit.setdefault(unit, []).append((number, vector))
    most = max(LEAST, ALL // max(1, len(by_unit)))
    return [(unit, number) for unit, own in by_unit.items() for number in _spread(own, most)]


def _spread(own: Sequence[tuple[int, Vector]], most: int) -> list[int]:
    if len(own) <= most:
        return [number for number, _ in own]
    centre = [sum(parts) for parts in zip(*(vector for _, vector in own), strict=True)]
    first = max(range(len(own)), key=lambda at: (sumprod(own[at][1], centre), -at))
    chosen = [first]
    near = [sumprod(vector, own[first][1]) for _, vector in own]
    while len(chosen) < most:
        at = min(range(len(own)), key=lambda i: (near[i], i))
        chosen.append(at)
        near = [max(a, sumprod(v, own[at][1])) for a, (_, v) in zip(near, own, strict=True)]
    return sorted(own[at][0] for at in chosen)
