"""The top of a concave function, where some of its values may not go below a floor.

Newton's method on a quadratic model that knows the floors (an active set: Nocedal and Wright,
Numerical Optimization, algorithm 16.3), each step halved until it rises. Refuses to clamp a plain
Newton step: that leaves the other values where they would be best beside one below its floor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sumprod
from typing import Final

_ROUNDS: Final = 100
_CLOSE: Final = 1e-9
"""What a step may still promise to gain when it is the last."""
_LEAST_GAIN: Final = 1e-4
"""Share of what its slope promises that a step must gain (Armijo, 1966)."""
_LEAST_SHARE: Final = 1e-12
"""Of a step: what is smaller moves nothing."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A function at a point: its value, its gradient, and its negated Hessian."""

    value: float
    gradient: Sequence[float]
    curvature: Sequence[Sequence[float]]


def maximise(
    look: Callable[[Sequence[float]], Slope], start: Sequence[float], floors: Sequence[float]
) -> list[float]:
    """Give where a strictly concave function is highest with no value below its floor.

    `look` gives the function at a point; `start` is at or above `floors` (-inf: none).
    """
    values, here = list(start), look(start)
    for _ in range(_ROUNDS):
        moves = _moves(here, [floor - value for floor, value in zip(floors, values, strict=True)])
        promised = sumprod(here.gradient, moves)
        share = 1.0
        while True:
            moved = [
                max(floor, value + share * move)
                for floor, value, move in zip(floors, values, moves, strict=True)
            ]
            there = look(moved)
            enough = here.value + _LEAST_GAIN * share * promised
            if promised < _CLOSE or there.value >= enough or share < _LEAST_SHARE:
                break
            share /= 2
        values, here = moved, there
        if promised < _CLOSE:
            break
    return values


def _moves(here: Slope, down: Sequence[float]) -> list[float]:
    """Give the best step of the quadratic model with no move below its `down` (0 or less)."""
    moves = [0.0] * len(down)
    held = {at for at, lowest in enumerate(down) if lowest >= 0}
    # Each turn holds one more value or lets go of one that gains: it ends, rounding aside.
    for _ in range(4 * len(down)):
        aim = _free_moves(here, moves, held)
        below = [at for at, move in enumerate(aim) if at not in held and move < down[at]]
        if below:
            first = min(below, key=lambda at: (down[at] - moves[at]) / (aim[at] - moves[at]))
            share = (down[first] - moves[first]) / (aim[first] - moves[first])
            moves = [move + share * (to - move) for move, to in zip(moves, aim, strict=True)]
            moves[first] = down[first]
            held.add(first)
            continue
        moves = aim
        rises = {at: here.gradient[at] - sumprod(here.curvature[at], moves) for at in sorted(held)}
        if not rises or max(rises.values()) <= _CLOSE:
            break
        held.remove(max(rises, key=rises.__getitem__))
    return moves


def _free_moves(here: Slope, moves: Sequence[float], held: set[int]) -> list[float]:
    """Give the best step with the held moves as they are."""
    free = [at for at in range(len(moves)) if at not in held]
    target = [here.gradient[i] - sum(here.curvature[i][j] * moves[j] for j in held) for i in free]
    found = solve([[here.curvature[i][j] for j in free] for i in free], target)
    aim = list(moves)
    for at, move in zip(free, found, strict=True):
        aim[at] = move
    return aim


def solve(matrix: Sequence[Sequence[float]], target: Sequence[float]) -> list[float]:
    """Solve a small positive definite system by elimination."""
    size = len(target)
    rows = [[*line, value] for line, value in zip(matrix, target, strict=True)]
    for i in range(size):
        for k in range(i + 1, size):
            factor = rows[k][i] / rows[i][i]
            for j in range(i, size + 1):
                rows[k][j] -= factor * rows[i][j]
    answer = [0.0] * size
    for i in reversed(range(size)):
        rest = sum(rows[i][j] * answer[j] for j in range(i + 1, size))
        answer[i] = (rows[i][size] - rest) / rows[i][i]
    return answer
