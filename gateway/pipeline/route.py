"""Stage 2: which models may be asked, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.errors import Unavailable
from core.model_routing.spend import Holds
from gateway.pipeline.models import Model
from gateway.pipeline.state import TurnState
from gateway.pipeline.turns import unanswered

PROMPT_TOKENS = 16_000
"""What Fanlight's own templates let a prompt be at most (`gateway/prompts/catalogue.toml`)."""


class Preference:
    """`route.preference`: the models as the settings have them, without those that rest.

    Without any model the turn says so; where all of them rest it ends at once, because a visitor
    does not wait for what has failed for everyone before. Where models cost something, the dearest
    one's longest turn is held: any of them may be the one that answers. Whoever has too little left
    is answered by those that cost nothing, or by a person.
    """

    def __init__(self, models: Sequence[Model], holds: Holds | None = None) -> None:
        self._models = tuple(models)
        self._holds = holds

    async def run(self, state: TurnState) -> TurnState:
        """Add the candidates, or the turn that has no reply."""
        if not self._models:
            return replace(state, turn=unanswered(state, "no_model"))
        awake = tuple(model for model in self._models if model.breaker.state != "open")
        if not awake:
            return replace(state, turn=unanswered(state, "model_unavailable"))
        return await self._paid(state, awake)

    async def _paid(self, state: TurnState, models: tuple[Model, ...]) -> TurnState:
        dearest = max(longest_turn(model, state.site.max_tokens) for model in models)
        if self._holds is None or state.caller is None or not dearest:
            return replace(state, candidates=models)
        free = tuple(one for one in models if not one.price.micros(1, 1))
        reason = "budget"
        try:
            turn = state.request.turn_id
            held = await self._holds.hold(state.caller, state.allowed, turn, dearest)
            if held.granted:
                return replace(state, candidates=models)
        except Unavailable:
            # Money fails closed: what is not counted is not spent.
            reason = "budget_unavailable"
        if free:
            return replace(state, candidates=free)
        return replace(state, turn=unanswered(state, reason))


def longest_turn(model: Model, max_tokens: int) -> int:
    """What a turn of a model costs at most, in millionths of a US dollar: prompt and reply long."""
    written = min(max_tokens, model.context_tokens // 2)
    return model.price.micros(min(PROMPT_TOKENS, model.context_tokens - written), written)
