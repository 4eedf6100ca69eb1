"""What the settings say of routing, as the route by tiers goes by it; and questions about it.

Decides how a question that nobody asks, but somebody asks about, is put: for whom, and with the
longest reply that the settings let it have.
"""

from __future__ import annotations

from typing import Final, Literal, cast

from core.messages import ChatRequest
from core.model_routing.caller import API, CONSOLE, WIDGET, Caller
from core.model_routing.periods import SiteBudget
from core.model_routing.rates import ProcessRates, Rates
from core.model_routing.resolve import Resolver
from core.model_routing.select import Rules
from core.model_routing.spend import Budgets, Holds
from core.model_routing.strategies import Strategy
from core.model_routing.tiers import Offer, outside, reached
from core.ports import Clock
from gateway.pipeline.tiers.looking import Looking
from gateway.pipeline.tiers.stage import Routing
from gateway.settings import Settings

Channel = Literal["widget", "api", "console"]

NOBODY: Final = "0" * 32
"""In the place of the random part of an id: the question is no turn."""


def routing_of(
    settings: Settings,
    budgets: Budgets,
    clock: Clock,
    holds: Holds | None = None,
    rates: Rates | None = None,
) -> Routing:
    """The routing of the settings; without `holds` nobody counts money, and without `rates` this
    process counts by itself how often is asked."""
    told = settings.routing
    resolver = Resolver(told.permissions, [tier.name for tier in told.tiers])
    strategy = cast("Strategy", told.strategy)
    rules = Rules(told.tiers, strategy, told.escalation, told.fallback_model or None)

    def budget_of(site: str) -> SiteBudget:
        found = settings.site(site)
        return SiteBudget(found.daily_usd, found.monthly_usd) if found else SiteBudget()

    looks = Looking(budgets, budget_of, told.reset_hour_utc, clock)
    if rates is None:
        rates = ProcessRates(told.rate_limit, clock)
    return Routing(rules, rates, resolver.allowed, holds, looks)


def nameable(settings: Settings, resolver: Resolver | None, caller: Caller) -> tuple[str, ...]:
    """The models that this caller may name; none where the models are asked in one order for all.

    What may be named, and what of it is chosen, is one rule: `core.model_routing.tiers`.
    """
    if resolver is None or settings.routing.mode == "preference":
        return ()
    allowed = resolver.allowed(caller)
    offers = {
        each.name: Offer(each.name, f"{each.dialect}/{each.model}", each.price)
        for each in settings.models
    }
    tiers = settings.routing.tiers
    within = reached(tiers, offers, allowed)
    return tuple(
        name
        for name, offer in offers.items()
        if allowed.model_override and not outside(name, tiers, within, offer, allowed)
    )


def supposed(site: str, channel: Channel, user: str | None = None) -> Caller:
    """Whoever would ask so; `user` (`<issuer>|<sub>`) is known on the site's pages alone."""
    if channel == "console":
        return Caller(site, "", CONSOLE)
    if channel == "api":
        return Caller(site, "", API)
    return Caller(site, f"user:{user}" if user else "", WIDGET, user)


def question_about(question: str, locale: str, settings: Settings) -> ChatRequest:
    """The question, as a visitor would ask it first."""
    return ChatRequest(
        turn_id=f"t_{NOBODY}",
        conversation_id=f"c_{NOBODY}",
        question=question,
        locale=locale,
        question_locale=None,
        training_memory=(),
        gate=None,
        stream=False,
        max_tokens=settings.limits.max_tokens,
    )
