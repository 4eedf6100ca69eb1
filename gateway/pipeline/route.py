"""Stage 2: which models may be asked, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.errors import Unavailable
from core.model_routing.decision import Decision, Step
from core.model_routing.permissions import Permissions
from core.model_routing.spend import Holds
from gateway.pipeline.models import Model
from gateway.pipeline.state import TurnState
from gateway.pipeline.tiers.size import prompt_tokens, reply_tokens
from gateway.pipeline.turns import unanswered

UNLIMITED = Permissions(
    max_context_tokens=0,
    max_output_tokens=0,
    cost_budget_daily_usd=0.0,
    cost_budget_monthly_usd=0.0,
)
"""Where no permissions hold, the site's budget alone counts."""


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
        awake = self._awake()
        if not awake:
            return replace(state, turn=unanswered(state, "model_unavailable"))
        return await self._paid(state, awake)

    async def _paid(self, state: TurnState, models: tuple[Model, ...]) -> TurnState:
        allowed = state.allowed or UNLIMITED
        read, written = prompt_tokens(state, allowed, models), reply_tokens(state, allowed)
        dearest = max(model.price.micros(read, written) for model in models)
        if self._holds is None or state.caller is None or not dearest:
            return replace(state, candidates=models)
        free = tuple(one for one in models if not one.price.micros(1, 1))
        reason = "budget_spent"
        try:
            turn = state.request.turn_id
            held = await self._holds.hold(state.caller, allowed, turn, dearest)
            if held.granted:
                return replace(state, candidates=models)
        except Unavailable:
            # Money fails closed: what is not counted is not spent.
            reason = "budget_unavailable"
        if free:
            return replace(state, candidates=free)
        return replace(state, turn=unanswered(state, reason))

    async def explain(self, state: TurnState) -> Decision:
        """Which models would be asked."""
        awake = tuple(model.name for model in self._awake())
        resting = [model.name for model in self._models if model.name not in awake]
        steps = [Step("resting", f"left alone because they failed: {', '.join(resting)}")]
        if not awake:
            reason = "model_unavailable" if self._models else "no_model"
            told = "none: all of them rest" if self._models else "none: the settings name none"
            return Decision((), reason, steps=(*steps[: len(resting)], Step("model", told)))
        first = Step("model", f"{awake[0]}, the first in the order of the settings")
        return Decision(awake, "preference", steps=(*steps[: len(resting)], first))

    def _awake(self) -> tuple[Model, ...]:
        return tuple(model for model in self._models if model.breaker.state != "open")
