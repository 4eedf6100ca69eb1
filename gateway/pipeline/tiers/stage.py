"""`route.tiered`: the model by tiers, permissions, rate and money.

What is chosen is decided in `core.model_routing.select`; here the rate is counted, breakers are
looked at, and money is held. A turn for which there is no model ends without a reply, and so a
person is asked. Budgets that cannot be asked let only what costs nothing be used.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.errors import Unavailable
from core.model_routing.caller import WIDGET, Caller
from core.model_routing.decision import Decision
from core.model_routing.permissions import Permissions
from core.model_routing.rates import Rates
from core.model_routing.select import Ask, Plan, Rules, decide, select
from core.model_routing.spend import Holds, Reservation
from core.model_routing.tiers import Offer
from core.model_routing.windows import Limited
from core.telemetry import ROUTED, SILENT, Telemetry
from gateway.pipeline.models import Model
from gateway.pipeline.state import TurnState
from gateway.pipeline.tiers.size import prompt_tokens, reply_tokens
from gateway.pipeline.turns import unanswered


def nobody_known(caller: Caller) -> Permissions:
    """The least that anybody has."""
    return Permissions()


NO_TIERS: Final = Rules(())


@dataclass(frozen=True, slots=True)
class Routing:
    """What the stage goes by.

    `rates` is None where nobody counts how often is asked. `allowed` gives a caller's permissions
    where no stage before has. `holds` is None where nobody counts money; `looks` answers in its
    place where nothing is to be held. `predict` says the tier that experience has for a question,
    None where it has none.
    """

    rules: Rules = NO_TIERS
    rates: Rates | None = None
    allowed: Callable[[Caller], Permissions] = nobody_known
    holds: Holds | None = None
    looks: Holds | None = None
    predict: Callable[[TurnState], str | None] = lambda _: None
    draw: Callable[[], float] = random.random


class Tiered:
    """Chooses among models by a routing."""

    def __init__(
        self, models: Sequence[Model], routing: Routing, telemetry: Telemetry = SILENT
    ) -> None:
        self._models = {model.name: model for model in models}
        self._routing = routing
        self._telemetry = telemetry
        self._turns = 0

    async def run(self, state: TurnState) -> TurnState:
        """Add the candidates and the decision, or the turn that has no reply."""
        if not self._models:
            return replace(state, turn=unanswered(state, "no_model"))
        caller, allowed = self._who(state)
        rates = self._routing.rates
        limited = (
            await rates.take(_whose(caller), allowed.rate_limit) if rates is not None else None
        )
        plan = self._plan(state, limited, self._routing.draw())
        self._turns += 1
        with self._telemetry.span("hold"):
            held = await _held(plan, self._routing.holds, caller, allowed, state.request.turn_id)
        decision = decide(plan, held)
        self._telemetry.count(ROUTED, tier=decision.tier or "none", reason=decision.reason)
        state = replace(state, caller=caller, allowed=allowed, decision=decision)
        if not decision.models:
            return replace(state, turn=unanswered(state, decision.reason))
        return replace(state, candidates=tuple(self._models[name] for name in decision.models))

    async def explain(self, state: TurnState) -> Decision:
        """The decision as it would be now: no rate is counted and no money held."""
        caller, allowed = self._who(state)
        rates = self._routing.rates
        limited = (
            await rates.look(_whose(caller), allowed.rate_limit) if rates is not None else None
        )
        plan = self._plan(state, limited, 0.0)
        held = await _held(plan, self._routing.looks, caller, allowed, state.request.turn_id)
        return decide(plan, held)

    def _who(self, state: TurnState) -> tuple[Caller, Permissions]:
        """Nobody whom the state names is somebody unknown on the site's pages."""
        caller = state.caller or Caller(state.site.key, "", WIDGET)
        return caller, state.allowed or self._routing.allowed(caller)

    def _plan(self, state: TurnState, limited: Limited | None, draw: float) -> Plan:
        caller, allowed = self._who(state)
        models, profile = tuple(self._models.values()), state.profile
        ask = Ask(
            caller=caller,
            allowed=allowed,
            complexity=profile.complexity if profile else None,
            unsure=profile.unsure if profile else False,
            limited=limited,
            read=prompt_tokens(state, allowed, models),
            written=reply_tokens(state, allowed),
            wanted=state.request.model,
            predicted=self._routing.predict(state),
            turn=self._turns,
            draw=draw,
        )
        return select(ask, self._routing.rules, {each.name: _offer(each) for each in models})


def _offer(model: Model) -> Offer:
    full = f"{model.provider}/{model.transport.model}"
    return Offer(model.name, full, model.price, model.breaker.state == "open")


def _whose(caller: Caller) -> str:
    """A site's own server has no subject: its channel stands for it, as in the budgets."""
    return f"{caller.site}\x00{caller.subject or caller.channel}"


async def _held(
    plan: Plan, holds: Holds | None, caller: Caller, allowed: Permissions, key: str
) -> list[Reservation | None] | None:
    """What was held for one attempt after another, up to the first that is granted."""
    if holds is None:
        return None
    answers: list[Reservation | None] = []
    for attempt in plan.attempts:
        answer: Reservation | None = Reservation(key, 0)
        if attempt.micros:
            try:
                answer = await holds.hold(caller, allowed, key, attempt.micros)
            except Unavailable:
                answer = None
        answers.append(answer)
        if answer is not None and answer.granted:
            break
    return answers
