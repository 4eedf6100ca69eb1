"""Whether a prompt may be asked, and of whom: what that may cost is held before it is asked.

Decides that a call is held with what the turn has cost until then, at the price of the dearest
model that may be asked, for the longest reply; where that is refused the dearest are left out, one
price after the other. What costs nothing needs no money, and money that cannot be counted is not
spent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import Unavailable
from core.model_routing.spend import TopUps
from core.ports import Prompt
from gateway.pipeline.models import Model, tokens_of
from gateway.pipeline.route import UNLIMITED
from gateway.pipeline.state import TurnState


@dataclass(frozen=True, slots=True)
class Afforded:
    """The models that may be asked, in the order that they were given; `reason` where none may."""

    models: tuple[Model, ...]
    reason: str | None = None


async def affordable(
    purse: TopUps | None, state: TurnState, prompt: Prompt, models: Sequence[Model]
) -> Afforded:
    """Who of the models may be asked this prompt now; what it may cost is then held."""
    caller = state.caller
    if purse is None or caller is None or not models:
        return Afforded(tuple(models))
    costs = {model.name: cost(prompt, model) for model in models}
    allowed = state.allowed or UNLIMITED
    reason = "budget_spent"
    for most in sorted(set(costs.values()), reverse=True):
        try:
            granted = (
                not most
                or (
                    await purse.top_up(
                        caller, allowed, state.request.turn_id, state.bill.micros + most
                    )
                ).granted
            )
        except Unavailable:
            reason, granted = "budget_unavailable", False
        if granted:
            return Afforded(tuple(model for model in models if costs[model.name] <= most))
    return Afforded((), reason)


def cost(prompt: Prompt, model: Model) -> int:
    """What a model takes for a prompt and its longest reply, in millionths of a US dollar."""
    read = math.ceil(tokens_of(prompt) * model.measure.ratio)
    return model.price.micros(read, prompt.max_tokens)
