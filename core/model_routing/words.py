"""What the steps of a decision say, in words that a site's owner understands.

Decides no more than the wording. No text of a visitor is in it, and no subject's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.model_routing.caller import API, CONSOLE, Caller
from core.model_routing.decision import Tier
from core.model_routing.permissions import Permissions
from core.model_routing.spend import Reservation
from core.model_routing.strategies import IN_WORDS
from core.model_routing.tiers import Attempt, Reached
from core.model_routing.windows import Limited

MIDDLE: Final = 0.5
"""The complexity of what nothing has classified."""

REFUSED: Final = {
    "rate_limited": "none: there were too many turns in the last minute; a person is asked",
    "budget_spent": "none: what may be spent is spent; a person is asked",
    "not_permitted": "none: the caller may have no model that there is; a person is asked",
    "model_unavailable": "none: no model can be asked now; a person is asked",
}

WHY: Final = {
    "complexity": "it is of the tier for this complexity",
    "unsure": "the tier is one higher, because the classifier was unsure",
    "escalated": "the question is worth a tier above the caller's own",
    "predicted": "experience with such questions says so",
    "named": "the caller named it",
    "demoted": "the models of the tier that was meant rest",
    "budget": "a dearer tier is more than may be spent",
    "fallback": "it is the fallback model, and nothing else may be asked",
}


def dollars(micros: float) -> str:
    """An amount in millionths of a dollar: `$0.10`, and of small ones two digits that tell."""
    amount = micros / 1e6
    if amount == 0 or amount >= 0.01:
        return f"${amount:,.2f}"
    return f"${amount:.6f}".rstrip("0")


def caller(one: Caller, allowed: Permissions) -> str:
    """Who asks, and what level they have."""
    if one.channel == CONSOLE:
        who = "an operator"
    elif one.channel == API:
        who = "the site's own server"
    else:
        who = "a visitor whom the site knows" if one.user else "a visitor whom nobody knows"
    return f"{who}, on the channel {one.channel}: level {allowed.level}"


def permissions(allowed: Permissions) -> str:
    """What they may have."""
    parts = [f"tiers up to {allowed.max_tier}", f"models {', '.join(allowed.model_access) or '—'}"]
    if allowed.model_denylist:
        parts.append(f"without {', '.join(allowed.model_denylist)}")
    for limit, period in (
        (allowed.cost_budget_daily_usd, "day"), (allowed.cost_budget_monthly_usd, "month"),
    ):  # fmt: skip
        parts.append(f"{dollars(limit * 1e6)} a {period}" if limit else f"no limit a {period}")
    return "; ".join(parts)


def rate(limited: Limited | None, allowed: Permissions) -> str:
    """Whether they asked too often."""
    if limited is None:
        most = f"at most {allowed.rate_limit} turns a minute" if allowed.rate_limit else "no limit"
        return f"not reached ({most})"
    whose = "the caller's" if limited.whose == "subject" else "all callers'"
    return f"reached: {whose} {limited.limit} turns a minute; again in {limited.after_s:.0f} s"


def tiers(every: Sequence[Tier], within: Sequence[Reached], max_tier: str) -> str:
    """Which tiers are within reach, and why the others are not."""
    by_place = {each.place: each for each in within}
    if all(tier.name != max_tier for tier in every):
        return f"none: there is no tier {max_tier}"
    parts, past = [], False
    for place, tier in enumerate(every):
        if place in by_place:
            parts.append(f"{tier.name} ({', '.join(by_place[place].models)})")
        else:
            why = f"is above {max_tier}" if past else "has no model for this caller"
            parts.append(f"not {tier.name}, which {why}")
        past = past or tier.name == max_tier
    return "; ".join(parts)


def complexity(value: float | None, tier: Tier) -> str:
    """Which tier the complexity is for."""
    told = "not known, taken as 0.50" if value is None else f"{value:.2f}"
    fits = tier.low <= (MIDDLE if value is None else value) <= tier.high
    near = "which is meant for" if fits else "the nearest that is within reach, meant for"
    return f"{told}: {tier.name}, {near} {tier.low:.2f} to {tier.high:.2f}"


def budget(attempts: Sequence[Attempt], held: Sequence[Reservation | None] | None) -> str:
    """What money was held, and what was refused."""
    if held is None:
        return "nobody counts money here"
    parts = []
    for attempt, answer in zip(attempts, held, strict=False):
        what = f"{dollars(attempt.micros)} for {attempt.tier or attempt.models[0]}"
        if answer is None:
            parts.append(f"{what}: the budgets cannot be asked")
        elif answer.refused is None:
            parts.append(f"{what}: there is enough" if attempt.micros else f"{what}: costs nothing")
        else:
            whose = "the caller's" if answer.refused.subject else "the site's"
            limit = dollars(answer.refused.limit)
            parts.append(f"{what}: more than is left of {whose} {limit} a {answer.refused.period}")
    return "; ".join(parts)


def model(models: Sequence[str], tier: str | None, reason: str, strategy: str) -> str:
    """Which model is asked, and why."""
    of = f" of the tier {tier}" if tier else ""
    rest = f"; then {', '.join(models[1:])}" if models[1:] else ""
    by = f" ({IN_WORDS[strategy]})" if reason not in ("named", "fallback") else ""
    return f"{models[0]}{of}{by}, because {WHY[reason]}{rest}"


def cost(estimated: int, held: int) -> str:
    """What it is taken to cost."""
    if not held:
        return "nothing"
    more = f"; {dollars(held)} is held for its dearest stand-in" if held > estimated else ""
    return f"{dollars(estimated)} at most{more}"
