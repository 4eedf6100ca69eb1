"""Stage 2: which models may be asked, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.model_routing.decision import Decision, Step
from gateway.pipeline.models import Model
from gateway.pipeline.state import TurnState
from gateway.pipeline.turns import unanswered


class Preference:
    """`route.preference`: the models as the settings have them, without those that rest.

    Without any model the turn says so; where all of them rest it ends at once, because a visitor
    does not wait for what has failed for everyone before.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = tuple(models)

    async def run(self, state: TurnState) -> TurnState:
        """Add the candidates, or the turn that has no reply."""
        if not self._models:
            return replace(state, turn=unanswered(state, "no_model"))
        awake = self._awake()
        if not awake:
            return replace(state, turn=unanswered(state, "model_unavailable"))
        return replace(state, candidates=awake)

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
