"""What in the settings of routing looks like a slip, and yet is served: the warnings.

`fanlight check` tells them; none keeps the gateway from starting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from core.model_routing.decision import Price, Tier
from core.model_routing.globs import matches_any
from core.model_routing.levels import EVERY, LEVELS
from core.model_routing.merge import place
from core.model_routing.permissions import Permissions
from gateway.configuration.flaws import Flaw
from gateway.configuration.routing_layers import may_use, names, resolver, tables, tier_names
from gateway.settings import Settings

type Hint = Callable[[Settings], Iterator[Flaw]]

SMALLEST_PROMPT: Final = 256
"""Tokens: the shortest instructions and a question hardly fit below it."""

_BY_TIERS: Final = (
    "max_tier",
    "model_access",
    "model_denylist",
    "rate_limit",
    "escalation_allowed",
    "escalation_threshold",
    "model_override",
)


def routing_warnings(settings: Settings) -> list[Flaw]:
    """Everything that may not be what was meant."""
    return [flaw for hint in HINTS for flaw in hint(settings)]


def _by_range(settings: Settings) -> list[Tier]:
    return sorted(settings.routing.tiers, key=lambda tier: (tier.low, tier.high))


def _overlaps(settings: Settings) -> Iterator[Flaw]:
    for one, other in pairwise(_by_range(settings)):
        if other.low < one.high:
            detail = f"From {other.low:g} to {min(one.high, other.high):g} is {one.name}'s too."
            remedy = "The dearest of them that the caller may use answers; part them otherwise."
            yield Flaw(f"tiers[{other.name}].low", detail, remedy)


def _gaps(settings: Settings) -> Iterator[Flaw]:
    reached = 0.0
    tiers = _by_range(settings)
    for tier in tiers:
        if tier.low > reached:
            yield _gap(f"tiers[{tier.name}].low", reached, tier.low)
        reached = max(reached, tier.high)
    if tiers and reached < 1.0:
        yield _gap(f"tiers[{tiers[-1].name}].high", reached, 1.0)


def _gap(key: str, low: float, high: float) -> Flaw:
    detail = f"No tier is meant for complexities from {low:g} to {high:g}."
    return Flaw(key, detail, "Widen a range; until then the nearest tier answers.")


def _unused_tiers(settings: Settings) -> Iterator[Flaw]:
    tiers, most = tier_names(settings), _farthest(settings)
    for number, name in enumerate(tiers):
        if number > most:
            detail = "Nobody may use this tier."
            remedy = f'Let someone: max_tier = "{name}" in a table of [permissions].'
            yield Flaw(f"tiers[{name}]", detail, remedy)


def _farthest(settings: Settings) -> int:
    """The place of the dearest tier that somebody reaches."""
    tiers, made = tier_names(settings), resolver(settings)
    held = [made.ceiling(number) for number in range(len(LEVELS))]
    held += [told.made for told in tables(settings)]
    return max((_reach(each, tiers, settings) for each in held), default=0)


def _reach(held: Permissions, tiers: tuple[str, ...], settings: Settings) -> int:
    raised = settings.routing.escalation and held.escalation_allowed
    return place(held.max_tier, tiers) + raised


def _idle_tiers(settings: Settings) -> Iterator[Flaw]:
    if settings.routing.mode == "preference" and settings.routing.tiers:
        detail = "The mode preference asks models in their order, whatever tiers there are."
        yield Flaw("routing.mode", detail, 'Write mode = "tiered", or take the tiers out.')


def _idle_dimensions(settings: Settings) -> Iterator[Flaw]:
    if settings.routing.mode != "preference":
        return
    for told in tables(settings):
        for dimension in _BY_TIERS:
            if dimension in told.layer:
                detail = "This holds only where models are chosen by tiers."
                yield Flaw(told.key(dimension), detail, 'Write routing.mode = "tiered".')


def _max_tier_without_tiers(settings: Settings) -> Iterator[Flaw]:
    for told in tables(settings):
        if "max_tier" in told.layer and not settings.routing.tiers:
            yield Flaw(told.key("max_tier"), "There are no tiers.", "Add [[tiers]] tables.")


def _models_outside(settings: Settings) -> Iterator[Flaw]:
    routing = settings.routing
    within = {name for tier in routing.tiers for name in tier.models} | {routing.fallback_model}
    for model in settings.models:
        if routing.mode != "preference" and routing.tiers and model.name not in within:
            remedy = "Name it in one of the [[tiers]], or take it out."
            yield Flaw(f"models[{model.name}]", "No tier has this model: it is not asked.", remedy)


def _dearer_before(settings: Settings) -> Iterator[Flaw]:
    costs = {model.name: _cost(model.price) for model in settings.models}
    for one, other in pairwise(settings.routing.tiers):
        ours = [costs[name] for name in one.models if name in costs]
        theirs = [costs[name] for name in other.models if name in costs]
        if ours and theirs and min(ours) > max(theirs):
            detail = f"Each of its models costs less than those of {one.name}, which is before it."
            yield Flaw(f"tiers[{other.name}]", detail, "Put the cheapest tier first.")


def _cost(price: Price) -> float:
    return price.read_usd + price.written_usd


def _dear_fallback(settings: Settings) -> Iterator[Flaw]:
    costs = {model.name: _cost(model.price) for model in settings.models}
    fallback = settings.routing.fallback_model
    cheapest = [costs[n] for tier in settings.routing.tiers[:1] for n in tier.models if n in costs]
    if fallback in costs and cheapest and costs[fallback] > max(cheapest):
        detail = "Who has spent the budget would be answered by a dearer model."
        remedy = "Name one that costs no more than the cheapest tier."
        yield Flaw("routing.fallback_model", detail, remedy)


def _free_budgets(settings: Settings) -> Iterator[Flaw]:
    if not settings.models or any(_cost(model.price) for model in settings.models):
        return
    keys = [f"sites[{s.key}].daily_usd" for s in settings.sites if s.daily_usd]
    keys += [f"sites[{s.key}].monthly_usd" for s in settings.sites if s.monthly_usd]
    for told in tables(settings):
        budgets = ("cost_budget_daily_usd", "cost_budget_monthly_usd")
        keys += [told.key(name) for name in budgets if told.layer.get(name)]
    for key in keys:
        detail = "No model has a price, so that nothing is ever spent."
        yield Flaw(key, detail, "Set read_usd and written_usd of the models.")


def _useless_patterns(settings: Settings) -> Iterator[Flaw]:
    for told in tables(settings):
        for dimension in ("model_access", "model_denylist"):
            for pattern in told.layer.get(dimension, ()):
                if settings.models and not any(
                    matches_any((pattern,), names(model)) for model in settings.models
                ):
                    remedy = "Correct it: a name is the settings' or dialect/model."
                    yield Flaw(told.key(dimension), f"{pattern!r} is no model here.", remedy)


def _no_model_for_level(settings: Settings) -> Iterator[Flaw]:
    for told in tables(settings):
        made = told.made
        named = {"model_access", "model_denylist"} & told.layer.keys()
        if named and settings.models and not any(may_use(made, m) for m in settings.models):
            detail = "The lists leave none of the models: a person gets every question."
            yield Flaw(told.key(min(named)), detail, "Give one of the models.")


def _redundant_tools(settings: Settings) -> Iterator[Flaw]:
    for told in tables(settings):
        tools = told.layer.get("tool_access", ())
        if EVERY in tools and len(tools) > 1:
            yield Flaw(told.key("tool_access"), '"*" is every tool.', "Leave the others out.")


def _idle_escalation(settings: Settings) -> Iterator[Flaw]:
    if settings.routing.escalation or settings.routing.mode == "preference":
        return
    for told in tables(settings):
        if told.layer.get("escalation_allowed"):
            remedy = "Write routing.escalation = true, or take this out."
            yield Flaw(told.key("escalation_allowed"), "routing.escalation is off.", remedy)


def _long_replies(settings: Settings) -> Iterator[Flaw]:
    most = settings.limits.max_tokens
    for told in tables(settings):
        if told.layer.get("max_output_tokens", 0) > most:
            detail = f"limits.max_tokens is {most}, which no reply passes."
            yield Flaw(told.key("max_output_tokens"), detail, "Raise that, or lower this.")


def _short_prompts(settings: Settings) -> Iterator[Flaw]:
    for told in tables(settings):
        if 0 < told.layer.get("max_context_tokens", 0) < SMALLEST_PROMPT:
            detail = "So few tokens hardly hold the instructions and a question."
            remedy = f"Give {SMALLEST_PROMPT} at least; a person gets what does not fit."
            yield Flaw(told.key("max_context_tokens"), detail, remedy)


def _unknown_issuers(settings: Settings) -> Iterator[Flaw]:
    issuers = {site.identity.issuer for site in settings.sites if site.identity}
    for name in settings.routing.permissions.users:
        issuer, stroke, _ = name.partition("|")
        if stroke and issuer not in issuers:
            detail = f"No site has the identity_issuer {issuer!r}."
            yield Flaw(f"permissions.users.{name}", detail, "Correct the name, or take it out.")


def _alert_order(settings: Settings) -> Iterator[Flaw]:
    alerts = settings.routing.alerts
    if list(alerts) != sorted(set(alerts)):
        detail = "The shares are not in their order, each once."
        yield Flaw("routing.alerts", detail, "Write them from the lowest to the highest.")


HINTS: Final[tuple[Hint, ...]] = (
    _overlaps,
    _gaps,
    _unused_tiers,
    _idle_tiers,
    _idle_dimensions,
    _max_tier_without_tiers,
    _models_outside,
    _dearer_before,
    _dear_fallback,
    _free_budgets,
    _useless_patterns,
    _no_model_for_level,
    _redundant_tools,
    _idle_escalation,
    _long_replies,
    _short_prompts,
    _unknown_issuers,
    _alert_order,
)
