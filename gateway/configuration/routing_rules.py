"""What cannot stand in the settings of routing: every flaw, each with its key and its remedy.

Refuses tiers and permissions that contradict themselves or one another, and a site that would give
more than the gateway does. What only looks like a slip is a warning: `routing_hints`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from core.model_routing.globs import covers, is_glob
from core.model_routing.levels import EVERY, LEVELS
from core.model_routing.merge import exceeding
from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import hint
from gateway.configuration.routing_layers import Told, site_tables, tables, tier_names
from gateway.settings import Settings

type Rule = Callable[[Settings], Iterator[Flaw]]

_DAY, _MONTH = "cost_budget_daily_usd", "cost_budget_monthly_usd"


def routing_flaws(settings: Settings) -> list[Flaw]:
    """Everything that is wrong with how models are chosen and what callers may have."""
    return [flaw for rule in ERRORS for flaw in rule(settings)]


def _repeated_tiers(settings: Settings) -> Iterator[Flaw]:
    named = tier_names(settings)
    for name in sorted({name for name in named if name and named.count(name) > 1}):
        detail = f"The tier {name!r} is there twice."
        yield Flaw(f"tiers[{name}].name", detail, "Rename one, or join the two.")


def _ranges(settings: Settings) -> Iterator[Flaw]:
    for tier in settings.routing.tiers:
        if tier.low >= tier.high:
            detail = f"The range from {tier.low:g} to {tier.high:g} holds no complexity."
            yield Flaw(f"tiers[{tier.name}].low", detail, "Put low below high.")


def _unknown_models(settings: Settings) -> Iterator[Flaw]:
    known = [model.name for model in settings.models]
    for tier in settings.routing.tiers:
        for name in tier.models:
            if name not in known:
                yield _no_model(name, f"tiers[{tier.name}].models", known)


def _unknown_fallback(settings: Settings) -> Iterator[Flaw]:
    known, name = [model.name for model in settings.models], settings.routing.fallback_model
    if name and name not in known:
        yield _no_model(name, "routing.fallback_model", known)


def _no_model(name: str, key: str, known: list[str]) -> Flaw:
    listed = f"Known: {', '.join(known)}." if known else "Define it as one of the [[models]] first."
    return Flaw(key, f"There is no model {name!r}.", hint(name, known, listed))


def _repeated_models(settings: Settings) -> Iterator[Flaw]:
    for tier in settings.routing.tiers:
        for name in sorted({name for name in tier.models if tier.models.count(name) > 1}):
            detail = f"The model {name!r} is there twice."
            yield Flaw(f"tiers[{tier.name}].models", detail, "Name it once.")


def _no_tiers(settings: Settings) -> Iterator[Flaw]:
    routing = settings.routing
    if routing.mode in ("tiered", "learned") and not routing.tiers:
        detail = f"The mode {routing.mode} chooses among tiers, and there is none."
        yield Flaw("routing.mode", detail, "Add [[tiers]] tables, or write preference.")


def _alerts(settings: Settings) -> Iterator[Flaw]:
    for share in settings.routing.alerts:
        if not 0 < share <= 1:
            remedy = "Write shares of a budget above 0 and up to 1, such as 0.8."
            yield Flaw("routing.alerts", f"{share:g} is out of range.", remedy)


def _unknown_tiers(settings: Settings) -> Iterator[Flaw]:
    known = tier_names(settings)
    for told in tables(settings):
        name = told.layer.get("max_tier")
        if known and name is not None and name not in known:
            remedy = hint(name, known, f"Known: {', '.join(known)}.")
            yield Flaw(told.key("max_tier"), f"There is no tier {name!r}.", remedy)


def _tool_globs(settings: Settings) -> Iterator[Flaw]:
    for told, dimension, name in _listed(settings, "tool_access", "tool_denylist"):
        if name != EVERY and is_glob(name):
            detail = f"{name!r} looks like a pattern, and tools are named exactly."
            yield Flaw(told.key(dimension), detail, 'Name each tool, or write ["*"] for all.')


def _model_patterns(settings: Settings) -> Iterator[Flaw]:
    for told, dimension, name in _listed(settings, "model_access", "model_denylist"):
        if "[" in name or not name.strip():
            detail = f"{name!r} is no pattern: only * and ? are wild."
            yield Flaw(told.key(dimension), detail, 'Write a model\'s name, or such as "openai/*".')


def _listed(settings: Settings, *dimensions: str) -> Iterator[tuple[Told, str, str]]:
    for told in tables(settings):
        for dimension in dimensions:
            for name in told.layer.get(dimension, ()):
                yield told, dimension, name


def _cancelled(settings: Settings) -> Iterator[Flaw]:
    """Lists of which one takes away all that the other gives."""
    for told in tables(settings):
        made = told.made
        if _names_one(told, "model") and _all_denied(made.model_access, made.model_denylist):
            detail = "The denylist takes away every model that the list before it gives."
            yield Flaw(told.key("model_denylist"), detail, "Take out of one what the other names.")
        tools, denied = made.tool_access, made.tool_denylist
        if _names_one(told, "tool") and tools and (EVERY in denied or set(tools) <= set(denied)):
            detail = "The denylist takes away every tool that the list before it gives."
            yield Flaw(told.key("tool_denylist"), detail, "Take out of one what the other names.")


def _names_one(told: Told, what: str) -> bool:
    return f"{what}_access" in told.layer or f"{what}_denylist" in told.layer


def _all_denied(access: tuple[str, ...], denied: tuple[str, ...]) -> bool:
    return bool(access) and all(any(covers(no, yes) for no in denied) for yes in access)


def _above_ceiling(settings: Settings) -> Iterator[Flaw]:
    for told in site_tables(settings):
        for dimension in exceeding(told.layer, told.base, tier_names(settings)):
            asked, most = told.layer[dimension], getattr(told.base, dimension)
            detail = f"A site cannot give {_shown(asked)}: the gateway gives {_shown(most)}."
            above = f"permissions.{told.where.rpartition('.')[2]}.{dimension}"
            remedy = f"Stay below that, or raise {above}."
            yield Flaw(told.key(dimension), detail, remedy)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _ungrantable(settings: Settings) -> Iterator[Flaw]:
    most = settings.routing.permissions.grantable
    for told in site_tables(settings):
        own = LEVELS.index(told.where.rpartition(".")[2])
        level = told.layer.get("level", own)
        if level > max(own, most):
            detail = f"A site cannot give level {level}: {most} is the highest."
            remedy = "Give less, or raise routing.max_grantable_level."
            yield Flaw(told.key("level"), detail, remedy)


def _level_of_level(settings: Settings) -> Iterator[Flaw]:
    for name, layer in settings.routing.permissions.levels.items():
        if "level" in layer:
            detail = "This table is a level's own."
            remedy = "Set level for a user, a channel or a site, and take it out here."
            yield Flaw(f"permissions.{name}.level", detail, remedy)


def _budgets(settings: Settings) -> Iterator[Flaw]:
    for site in settings.sites:
        if 0 < site.monthly_usd < site.daily_usd:
            yield _day_above_month(f"sites[{site.key}].daily_usd", site.daily_usd, site.monthly_usd)
    for told in tables(settings):
        made = told.made
        month = made.cost_budget_monthly_usd
        if {_DAY, _MONTH} & told.layer.keys() and 0 < month < made.cost_budget_daily_usd:
            yield _day_above_month(told.key(_DAY), made.cost_budget_daily_usd, month)


def _day_above_month(key: str, day: float, month: float) -> Flaw:
    detail = f"A day may cost {day:g} dollars, and a month only {month:g}."
    return Flaw(key, detail, "Put the day's budget below the month's, or set that too.")


def _user_names(settings: Settings) -> Iterator[Flaw]:
    for name in settings.routing.permissions.users:
        issuer, stroke, sub = name.partition("|")
        if not (issuer and stroke and sub):
            detail = f"{name!r} is nobody whom a site's server can name."
            remedy = 'Write "<identity_issuer>|<sub>", in quotation marks.'
            yield Flaw(f"permissions.users.{name}", detail, remedy)


def _no_model_left(settings: Settings) -> Iterator[Flaw]:
    for told in tables(settings):
        if told.layer.get("model_access", told) == ():
            detail = "An empty list leaves no model."
            yield Flaw(told.key("model_access"), detail, 'Write ["*"], or name the models.')


ERRORS: Final[tuple[Rule, ...]] = (
    _repeated_tiers,
    _ranges,
    _unknown_models,
    _repeated_models,
    _unknown_fallback,
    _no_tiers,
    _alerts,
    _unknown_tiers,
    _tool_globs,
    _model_patterns,
    _cancelled,
    _above_ceiling,
    _ungrantable,
    _level_of_level,
    _budgets,
    _user_names,
    _no_model_left,
)
