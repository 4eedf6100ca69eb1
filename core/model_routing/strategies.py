"""In which order the models of one tier are asked.

Decides nothing about who may be asked. Chance and the number of the turn are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

Strategy = Literal["preference_order", "round_robin", "lowest_cost", "random"]

STRATEGIES: Final[tuple[Strategy, ...]] = (
    "preference_order", "round_robin", "lowest_cost", "random",
)  # fmt: skip

IN_WORDS: Final = {
    "preference_order": "the first in the order of the settings",
    "round_robin": "each in its turn",
    "lowest_cost": "the cheapest for this question",
    "random": "one at random",
}


def ordered(
    models: Sequence[str],
    strategy: Strategy,
    cost: Callable[[str], int],
    turn: int = 0,
    draw: float = 0.0,
) -> tuple[str, ...]:
    """The models, the one to be asked first at the front; the others follow as its stand-ins.

    `cost` gives what one would cost for this question; `turn` counts turns, `draw` is in [0, 1).
    """
    if strategy == "lowest_cost":
        return tuple(sorted(models, key=cost))
    at = 0
    if models and strategy == "round_robin":
        at = turn % len(models)
    if models and strategy == "random":
        at = min(int(draw * len(models)), len(models) - 1)
    return (*models[at:], *models[:at])
