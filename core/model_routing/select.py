"""Which model answers a question, in eight steps: the rules over values, without a store.

The steps are those of seed S4, section 5a: who asks, what they may have, how often they asked,
which tiers they reach, which of these the question is for, whether it is worth one tier more, what
money allows, and which model of the tier. `select` makes the plan: what to hold money for, one
attempt after another, each cheaper than the one before. `decide` makes the decision from the plan
and from what was held. Nothing outside the permissions is ever in a plan, the fallback model
included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.model_routing import words
from core.model_routing.caller import Caller
from core.model_routing.decision import Decision, Step, Tier
from core.model_routing.permissions import Permissions
from core.model_routing.spend import Reservation
from core.model_routing.strategies import Strategy, ordered
from core.model_routing.tiers import Attempt, Offer, Reached, above, fitting, outside, reached
from core.model_routing.windows import Limited

REFUSALS: Final = ("rate_limited", "budget_spent", "not_permitted", "model_unavailable")
"""Why a turn has no model: asked too often, no money, none permitted, or all of them rest."""

REASONS: Final = (
    "complexity", "unsure", "escalated", "predicted", "named", "demoted", "budget", "fallback",
    *REFUSALS,
)  # fmt: skip
"""Why a model was chosen: each value of `Decision.reason` that is made here."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say: the tiers, the cheapest first, and how to choose among them."""

    tiers: tuple[Tier, ...]
    strategy: Strategy = "preference_order"
    escalation: bool = True
    fallback_model: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, as far as choosing goes.

    `complexity` is in [0, 1], None where nothing classified it; `unsure` says that the classifier
    was. `read` and `written` are the tokens of its prompt and of the longest reply. `wanted` is the
    model that the caller named, `predicted` the tier that a learned router says. `turn` is the
    turn's number and `draw` a number in [0, 1), for the strategies that go by them.
    """

    caller: Caller
    allowed: Permissions
    complexity: float | None = None
    unsure: bool = False
    limited: Limited | None = None
    read: int = 0
    written: int = 0
    wanted: str | None = None
    predicted: str | None = None
    turn: int = 0
    draw: float = 0.0

    @property
    def hard(self) -> float:
        """The complexity; the middle where nobody knows it."""
        return words.MIDDLE if self.complexity is None else self.complexity


@dataclass(frozen=True, slots=True)
class Plan:
    """What to hold money for, in this order, and the steps that led there.

    `refusal` is the reason of the turn where no attempt is left.
    """

    attempts: tuple[Attempt, ...]
    steps: tuple[Step, ...]
    refusal: str
    strategy: Strategy = "preference_order"


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The tier that a question is for: which, for what reason, and what the caller reaches."""

    one: Reached | None
    reason: str
    within: tuple[Reached, ...]
    first: str | None = None
    """A model of it that the caller named."""
    untiered: str | None = None
    """A model that the caller named, and that stands in no tier."""


def select(ask: Ask, rules: Rules, offers: Mapping[str, Offer]) -> Plan:
    """The plan for a question over the models by their names; the same values give the same."""
    within = reached(rules.tiers, offers, ask.allowed)
    steps = [
        Step("caller", words.caller(ask.caller, ask.allowed)),
        Step("permissions", words.permissions(ask.allowed)),
        Step("rate limit", words.rate(ask.limited, ask.allowed)),
    ]
    if ask.limited is not None:
        attempts = tuple(_fallback(ask, rules, offers, within))
        return Plan(attempts, tuple(steps), "rate_limited", rules.strategy)
    steps.append(Step("tiers", words.tiers(rules.tiers, within, ask.allowed.max_tier)))
    chosen = _choose(ask, rules, offers, within, steps)
    attempts = _cheaper(
        [*_attempts(chosen, ask, rules, offers, steps), *_fallback(ask, rules, offers, within)]
    )
    permitted = bool(chosen.within) or chosen.untiered is not None
    refusal = "model_unavailable" if permitted else "not_permitted"
    return Plan(attempts, tuple(steps), refusal, rules.strategy)


def decide(plan: Plan, held: Sequence[Reservation | None] | None) -> Decision:
    """The decision, from what was held for the first so many attempts of the plan.

    All of `held` but the last were refused; None among them is an answer that the budgets could
    not give. `held` None is a gateway that counts no money.
    """
    if not plan.attempts:
        steps = (*plan.steps, Step("model", words.REFUSED[plan.refusal]))
        return Decision((), plan.refusal, steps=steps)
    tried = 1 if held is None else len(held)
    granted = held is None or (bool(held) and held[-1] is not None and held[-1].granted)
    steps = (*plan.steps, Step("budget", words.budget(plan.attempts, held)))
    if not granted:
        refusal = plan.refusal if plan.refusal == "rate_limited" else _unpaid(held)
        return Decision((), refusal, steps=(*steps, Step("model", words.REFUSED[refusal])))
    taken = plan.attempts[tried - 1]
    told = Step("model", words.model(taken.models, taken.tier, taken.reason, plan.strategy))
    cost = Step("cost", words.cost(taken.estimated, taken.micros))
    return Decision(taken.models, taken.reason, taken.tier, taken.estimated, (*steps, told, cost))


def _unpaid(held: Sequence[Reservation | None] | None) -> str:
    """Why no attempt was paid for: too little money, or nobody who could say so."""
    return "budget_spent" if any(held or ()) else "model_unavailable"


def _choose(
    ask: Ask,
    rules: Rules,
    offers: Mapping[str, Offer],
    within: tuple[Reached, ...],
    steps: list[Step],
) -> _Chosen:
    """Steps 5 and 6: the tier, by what the caller named, a prediction, or the complexity."""
    named = _named(ask, rules, offers, within, steps)
    if named is not None:
        return named
    if not within:
        return _Chosen(None, "not_permitted", within)
    if ask.predicted is not None:
        return _predicted(ask, rules, within, steps)
    one, reason = fitting(within, ask.hard), "complexity"
    told = words.complexity(ask.complexity, one.tier)
    if ask.unsure:
        one, reason, more = _surer(one, within)
        told = f"{told}; {more}"
    steps.append(Step("complexity", told))
    return _escalated(_Chosen(one, reason, within), ask, rules, offers, steps)


def _escalated(
    chosen: _Chosen,
    ask: Ask,
    rules: Rules,
    offers: Mapping[str, Offer],
    steps: list[Step],
) -> _Chosen:
    """Step 6: the tier above `max_tier` where all three conditions hold, and it is meant for it."""
    next_one = above(rules.tiers, offers, ask.allowed)
    among = [each for each in (chosen.one, next_one) if each is not None]
    threshold = ask.allowed.escalation_threshold
    conditions = (
        (ask.allowed.escalation_allowed, "the caller's permissions do not allow it"),
        (rules.escalation, "the settings do not allow it"),
        (ask.hard > threshold, f"the complexity is not above {threshold:.2f}"),
        (next_one is not None, "there is no tier above for this caller"),
        (fitting(among, ask.hard) is next_one, "the tier above is not meant for this complexity"),
    )
    missing = next((why for holds, why in conditions if not holds), None)
    if missing is None and next_one is not None:
        steps.append(Step("escalation", f"one tier above the caller's own: {next_one.tier.name}"))
        return _Chosen(next_one, "escalated", (*chosen.within, next_one))
    steps.append(Step("escalation", f"none: {missing}"))
    return chosen


def _surer(one: Reached, within: Sequence[Reached]) -> tuple[Reached, str, str]:
    """One tier up for a question whose kind is not sure, as far as the caller reaches."""
    dearer = next((each for each in within if each.place > one.place), None)
    if dearer is None:
        return one, "complexity", "the classifier was unsure, but there is no dearer tier to take"
    return dearer, "unsure", f"the classifier was unsure, so one tier more: {dearer.tier.name}"


def _predicted(ask: Ask, rules: Rules, within: tuple[Reached, ...], steps: list[Step]) -> _Chosen:
    """The tier that a learned router says, or the nearest below it that the caller reaches."""
    names = [tier.name for tier in rules.tiers]
    place = names.index(ask.predicted) if ask.predicted in names else len(names)
    below = [each for each in within if each.place <= place]
    one = below[-1] if below else within[0]
    steps.append(Step("complexity", f"experience says {ask.predicted}: {one.tier.name} is taken"))
    return _Chosen(one, "predicted", within)


def _named(
    ask: Ask,
    rules: Rules,
    offers: Mapping[str, Offer],
    within: tuple[Reached, ...],
    steps: list[Step],
) -> _Chosen | None:
    """The tier of the model that the caller named; None where that is not to be."""
    name = ask.wanted
    if name is None:
        return None
    offer = offers.get(name)
    if not ask.allowed.model_override:
        why = "this caller may not name a model"
    elif offer is None:
        why = "there is no such model"
    elif outside(name, rules.tiers, within, offer, ask.allowed):
        why = "it is beyond this caller's permissions"
    else:
        steps.append(Step("named model", f"{name}, which this caller may have"))
        own = next((each for each in within if name in each.models), None)
        if own is None:
            return _Chosen(None, "named", within, untiered=name)
        return _Chosen(own, "named", within, first=name)
    steps.append(Step("named model", f"{name} is left aside: {why}"))
    return None


def _attempts(
    chosen: _Chosen, ask: Ask, rules: Rules, offers: Mapping[str, Offer], steps: list[Step]
) -> list[Attempt]:
    """Attempts from the chosen tier downwards; where all of them rest, upwards within reach."""
    found: list[Attempt] = []
    if chosen.untiered is not None and not offers[chosen.untiered].resting:
        found += _priced((chosen.untiered,), chosen.reason, None, ask, offers)
    place = chosen.one.place if chosen.one else len(rules.tiers)
    down = [each for each in reversed(chosen.within) if each.place <= place]
    up = [each for each in chosen.within if each.place > place]
    resting: list[str] = []
    for each in (*down, *up):
        awake = [name for name in each.models if not offers[name].resting]
        resting += [name for name in each.models if offers[name].resting]
        if not awake or (each.place > place and found):
            continue
        own = chosen.one is not None and each.place == place
        reason = chosen.reason if own else "budget" if found else "demoted"
        models = _in_order(awake, chosen.first if own else None, ask, rules, offers)
        found += _priced(models, reason, each.tier.name, ask, offers)
    if resting:
        told = ", ".join(dict.fromkeys(resting))
        steps.append(Step("resting", f"left alone because they failed just now: {told}"))
    return found


def _in_order(
    models: Sequence[str],
    first: str | None,
    ask: Ask,
    rules: Rules,
    offers: Mapping[str, Offer],
) -> tuple[str, ...]:
    """A tier's models as the strategy has them; one that was named goes before."""

    def cost(name: str) -> int:
        return offers[name].price.micros(ask.read, ask.written)

    placed = ordered(models, rules.strategy, cost, ask.turn, ask.draw)
    return tuple(sorted(placed, key=lambda name: name != first)) if first else placed


def _priced(
    models: tuple[str, ...], reason: str, tier: str | None, ask: Ask, offers: Mapping[str, Offer]
) -> Iterator[Attempt]:
    """All of these models, then only those that are no dearer than the preferred one."""
    costs = {name: offers[name].price.micros(ask.read, ask.written) for name in models}
    first = costs[models[0]]
    yield Attempt(models, reason, tier, max(costs.values()), first)
    fewer = tuple(name for name in models if costs[name] <= first)
    if len(fewer) < len(models):
        yield Attempt(fewer, reason, tier, first, first)


def _fallback(
    ask: Ask, rules: Rules, offers: Mapping[str, Offer], within: Sequence[Reached]
) -> Iterator[Attempt]:
    """The fallback model, where the caller may have it and it does not rest."""
    name = rules.fallback_model
    offer = offers.get(name) if name is not None else None
    if name is None or offer is None or offer.resting:
        return
    if not outside(name, rules.tiers, within, offer, ask.allowed):
        tier = next((each.tier.name for each in within if name in each.models), None)
        yield from _priced((name,), "fallback", tier, ask, offers)


def _cheaper(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Each is asked for once the one before was refused: what costs no less would be refused too.

    The first stays whatever it costs.
    """
    found: list[Attempt] = []
    for each in attempts:
        if not found or each.micros < found[-1].micros:
            found.append(each)
    return tuple(found)


def offered(offers: Sequence[Offer]) -> dict[str, Offer]:
    """The models by their names, for `select`."""
    return {each.name: each for each in offers}
