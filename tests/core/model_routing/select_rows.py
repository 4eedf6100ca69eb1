"""Questions by name, and the model that each is to have: for the table of `test_select`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.model_routing.caller import WIDGET, Caller
from core.model_routing.decision import Price, Tier
from core.model_routing.permissions import Permissions
from core.model_routing.tiers import Offer
from core.model_routing.windows import Limited

TIERS = (
    Tier("free", ("f1", "f2"), 0.0, 0.3),
    Tier("standard", ("s1", "s2"), 0.2, 0.7),
    Tier("premium", ("p1", "p2"), 0.5, 0.9),
    Tier("elite", ("e1",), 0.7, 1.0),
)
OFFERS = {
    each.name: each
    for each in (
        Offer("f1", "local/tiny"),
        Offer("f2", "openai/mini", Price(0.1, 0.4)),
        Offer("s1", "openai/mid", Price(1, 4)),
        Offer("s2", "anthropic/mid", Price(0.8, 3)),
        Offer("p1", "openai/large", Price(3, 12)),
        Offer("p2", "anthropic/large", Price(5, 20)),
        Offer("e1", "anthropic/huge", Price(15, 75)),
        Offer("x1", "openai/spare", Price(0.05, 0.1)),
    )
}
VISITOR = Caller("site_demo", "anon:1", WIDGET)
ALL = Permissions(
    level=2, max_tier="elite", rate_limit=0, cost_budget_daily_usd=0, cost_budget_monthly_usd=0
)
SIZE: dict[str, Any] = {"read": 1_000, "written": 1_000}
COST = {"f1": 0, "f2": 500, "s1": 5_000, "s2": 3_800, "p1": 15_000, "p2": 25_000, "e1": 90_000}
TOO_OFTEN = Limited("subject", 10, 12.0)


@dataclass(frozen=True)
class Row:
    """A question and who asks it, and what is to come of it.

    `money` is what may be spent, in millionths of a dollar; None is a gateway that counts none.
    """

    name: str
    first: str | None
    reason: str
    allowed: Mapping[str, Any] = field(default_factory=dict)
    ask: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    resting: tuple[str, ...] = ()
    money: int | None = None
    rest: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def hard(value: float | None, **more: Any) -> dict[str, Any]:
    return {"complexity": value, **more}


UP = {"max_tier": "standard", "escalation_allowed": True, "escalation_threshold": 0.6}
LOW = {"max_tier": "free"}
MID = {"max_tier": "standard"}
ROWS = (
    # The tier by the complexity: the dearest that is meant for it.
    Row("an easy question is for the cheapest tier", "f1", "complexity"),
    Row("the lowest complexity", "f1", "complexity", ask=hard(0.0)),
    Row("of two that overlap the dearer", "s1", "complexity", ask=hard(0.25)),
    Row("the edge of a range belongs to it", "s1", "complexity", ask=hard(0.3)),
    Row("only one is meant for it", "s1", "complexity", ask=hard(0.4)),
    Row("a harder one", "p1", "complexity", ask=hard(0.6)),
    Row("the hardest", "e1", "complexity", ask=hard(1.0)),
    Row("the edge of the dearest", "e1", "complexity", ask=hard(0.7)),
    Row("what nothing classified is in the middle", "p1", "complexity", ask=hard(None)),
    # Unsure: one tier up, as far as the caller reaches.
    Row("unsure is a tier higher", "s1", "unsure", ask=hard(0.1, unsure=True)),
    Row("unsure in the middle", "p1", "unsure", ask=hard(0.4, unsure=True)),
    Row("unsure at the top stays", "e1", "complexity", ask=hard(0.9, unsure=True)),
    Row("unsure never leaves the reach", "f1", "complexity", LOW, hard(0.1, unsure=True)),
    Row("unsure up to max_tier", "s1", "unsure", MID, hard(0.1, unsure=True)),
    Row(
        "unsure skips a tier without a model",
        "p1",
        "unsure",
        {"model_denylist": ("s*",)},
        hard(0.1, unsure=True),
    ),
    # max_tier.
    Row("the reach ends at max_tier", "s1", "complexity", MID, hard(1.0)),
    Row("the cheapest tier alone", "f1", "complexity", LOW, hard(1.0)),
    Row("a max_tier that is none reaches nothing", None, "not_permitted", {"max_tier": "gold"}),
    # Lists of models: by name, by provider/model, and the denylist wins.
    Row("only what is on the list", "s2", "complexity", {"model_access": ("s2",)}, hard(0.4)),
    Row("by provider", "s2", "complexity", {"model_access": ("anthropic/*",)}, hard(0.4)),
    Row(
        "by provider and model", "p2", "complexity", {"model_access": ("anthropic/l*",)}, hard(0.4)
    ),
    Row("a question mark is one letter", "s1", "complexity", {"model_access": ("s?",)}, hard(0.9)),
    Row("denied by name", "s2", "complexity", {"model_denylist": ("s1",)}, hard(0.4)),
    Row("denied by provider", "s2", "complexity", {"model_denylist": ("openai/*",)}, hard(0.4)),
    Row(
        "denied wins over access",
        "s2",
        "complexity",
        {"model_access": ("s1", "s2"), "model_denylist": ("s1",)},
        hard(0.4),
    ),
    Row("no model at all", None, "not_permitted", {"model_access": ()}),
    Row("everything is denied", None, "not_permitted", {"model_denylist": ("*",)}),
    Row("nothing is named so", None, "not_permitted", {"model_access": ("gpt-*",)}),
    Row(
        "a tier without a model is left out",
        "f1",
        "complexity",
        {"model_access": ("f*",)},
        hard(1.0),
    ),
    Row(
        "the nearest tier that is left", "p1", "complexity", {"model_denylist": ("e*",)}, hard(1.0)
    ),
    # Escalation: three conditions, and the tier above is meant for it.
    Row("all three conditions hold", "p1", "escalated", UP, hard(0.8)),
    Row(
        "not allowed to the caller",
        "s1",
        "complexity",
        {**UP, "escalation_allowed": False},
        hard(0.8),
    ),
    Row("not allowed by the settings", "s1", "complexity", UP, hard(0.8), {"escalation": False}),
    Row(
        "not above the threshold",
        "s1",
        "complexity",
        {**UP, "escalation_threshold": 0.8},
        hard(0.8),
    ),
    Row(
        "just above the threshold",
        "p1",
        "escalated",
        {**UP, "escalation_threshold": 0.79},
        hard(0.8),
    ),
    Row("an easy one stays", "f1", "complexity", UP, hard(0.1)),
    Row("one tier and no more", "p1", "escalated", UP, hard(1.0)),
    Row("nothing is above the dearest", "e1", "complexity", {**UP, "max_tier": "elite"}, hard(1.0)),
    Row(
        "the tier above is not meant for it",
        "s1",
        "complexity",
        {**UP, "escalation_threshold": 0.1},
        hard(0.4),
    ),
    Row(
        "the lists hold above too", "s1", "complexity", {**UP, "model_denylist": ("p*",)}, hard(0.8)
    ),
    Row(
        "escalated within the lists",
        "p2",
        "escalated",
        {**UP, "model_denylist": ("p1",)},
        hard(0.8),
    ),
    Row("unsure and hard", "p1", "escalated", UP, hard(0.8, unsure=True)),
    # Money: down tier by tier, then the fallback, then nobody.
    Row("there is enough", "e1", "complexity", ask=hard(1.0), money=90_000),
    Row("one too few", "p1", "budget", ask=hard(1.0), money=89_999),
    Row("only the cheaper of a tier", "p1", "budget", ask=hard(1.0), money=15_000, rest=()),
    Row(
        "all of a tier where it suffices", "p1", "budget", ask=hard(1.0), money=25_000, rest=("p2",)
    ),
    Row("two tiers down", "s1", "budget", ask=hard(1.0), money=5_000),
    Row("down to what costs nothing", "f1", "budget", ask=hard(1.0), money=0, rest=()),
    Row(
        "the preferred one of a tier alone",
        "p1",
        "complexity",
        ask=hard(0.6),
        money=16_000,
        rest=(),
    ),
    Row(
        "no money and nothing free",
        None,
        "budget_spent",
        {"model_denylist": ("f1",)},
        hard(1.0),
        money=0,
    ),
    Row(
        "the fallback after the tiers",
        "x1",
        "fallback",
        {"model_denylist": ("f*",)},
        hard(0.4),
        {"fallback_model": "x1"},
        money=200,
    ),
    Row(
        "a fallback that is too dear",
        None,
        "budget_spent",
        {"model_denylist": ("f*",)},
        hard(0.4),
        {"fallback_model": "x1"},
        money=149,
    ),
    Row(
        "a fallback that is denied",
        None,
        "budget_spent",
        {"model_denylist": ("f*", "x1")},
        hard(0.4),
        {"fallback_model": "x1"},
        money=200,
    ),
    Row(
        "a fallback beyond max_tier",
        None,
        "budget_spent",
        {**MID, "model_denylist": ("f*",)},
        hard(0.4),
        {"fallback_model": "e1"},
        money=0,
    ),
    Row("escalated and too dear", "s1", "budget", UP, hard(0.8), money=5_000),
    Row("money is never a reason to go up", "f1", "complexity", money=0),
    # The rate: the fallback where there is one, else nobody.
    Row("too often", None, "rate_limited", ask={"limited": TOO_OFTEN}),
    Row("too often together", None, "rate_limited", ask={"limited": Limited("everybody", 9, 1.0)}),
    Row(
        "too often, and the fallback",
        "x1",
        "fallback",
        ask={"limited": TOO_OFTEN},
        rules={"fallback_model": "x1"},
    ),
    Row(
        "too often, and no money for it",
        None,
        "rate_limited",
        ask={"limited": TOO_OFTEN},
        rules={"fallback_model": "x1"},
        money=0,
    ),
    Row(
        "too often, and it rests",
        None,
        "rate_limited",
        ask={"limited": TOO_OFTEN},
        rules={"fallback_model": "x1"},
        resting=("x1",),
    ),
    Row(
        "too often, and it is beyond reach",
        None,
        "rate_limited",
        LOW,
        {"limited": TOO_OFTEN},
        {"fallback_model": "s1"},
    ),
    # Breakers: a model that rests is left out, a tier of such models too.
    Row("one rests", "s2", "complexity", ask=hard(0.4), resting=("s1",), rest=()),
    Row("a tier rests", "f1", "demoted", ask=hard(0.4), resting=("s1", "s2")),
    Row("two tiers rest", "f1", "demoted", ask=hard(0.6), resting=("s1", "s2", "p1", "p2")),
    Row("nothing cheaper is awake", "s1", "demoted", resting=("f1", "f2")),
    Row("up no further than the reach", None, "model_unavailable", LOW, resting=("f1", "f2")),
    Row("all rest", None, "model_unavailable", resting=tuple(COST)),
    Row(
        "all rest but the fallback",
        "x1",
        "fallback",
        rules={"fallback_model": "x1"},
        resting=tuple(COST),
    ),
    Row("escalated, and it rests", "s1", "demoted", UP, hard(0.8), resting=("p1", "p2")),
    # Strategies.
    Row("in order", "s1", "complexity", ask=hard(0.4), rest=("s2",)),
    Row(
        "the cheapest",
        "s2",
        "complexity",
        ask=hard(0.4),
        rules={"strategy": "lowest_cost"},
        rest=("s1",),
    ),
    Row(
        "in turn, the first",
        "s1",
        "complexity",
        ask=hard(0.4, turn=4),
        rules={"strategy": "round_robin"},
    ),
    Row(
        "in turn, the second",
        "s2",
        "complexity",
        ask=hard(0.4, turn=5),
        rules={"strategy": "round_robin"},
        rest=("s1",),
    ),
    Row(
        "at random, low", "s1", "complexity", ask=hard(0.4, draw=0.49), rules={"strategy": "random"}
    ),
    Row(
        "at random, high",
        "s2",
        "complexity",
        ask=hard(0.4, draw=0.99),
        rules={"strategy": "random"},
        rest=("s1",),
    ),
    Row(
        "in turn among those awake",
        "s2",
        "complexity",
        ask=hard(0.4, turn=0),
        rules={"strategy": "round_robin"},
        resting=("s1",),
    ),
    # A model that the caller names.
    Row("named", "p2", "named", {"model_override": True}, {"wanted": "p2"}, rest=("p1",)),
    Row("may not name", "f1", "complexity", ask={"wanted": "p2"}),
    Row("named, and there is none", "f1", "complexity", {"model_override": True}, {"wanted": "zz"}),
    Row(
        "named, and denied",
        "f1",
        "complexity",
        {"model_override": True, "model_denylist": ("p2",)},
        {"wanted": "p2"},
    ),
    Row(
        "named, and beyond max_tier",
        "f1",
        "complexity",
        {**MID, "model_override": True},
        {"wanted": "p2"},
    ),
    Row(
        "named, and in no tier", "x1", "named", {"model_override": True}, {"wanted": "x1"}, rest=()
    ),
    Row(
        "named, and too dear",
        "s1",
        "budget",
        {"model_override": True},
        {"wanted": "p2"},
        money=5_000,
    ),
    Row(
        "named, and it rests",
        "p1",
        "named",
        {"model_override": True},
        {"wanted": "p2"},
        resting=("p2",),
    ),
    Row(
        "named, in no tier, and it rests",
        "p1",
        "demoted",
        {"model_override": True, "model_denylist": ("e1",)},
        {"wanted": "x1"},
        resting=("x1",),
    ),
    # A tier that experience says.
    Row("predicted", "p1", "predicted", ask={"predicted": "premium"}),
    Row("predicted beyond the reach", "s1", "predicted", MID, {"predicted": "elite"}),
    Row(
        "predicted below all that is left",
        "s1",
        "predicted",
        {"model_denylist": ("f*",)},
        {"predicted": "free"},
    ),
    Row(
        "predicted, and unsure changes nothing",
        "f1",
        "predicted",
        ask={"predicted": "free", "unsure": True},
    ),
    Row("predicted, and too dear", "s1", "budget", ask={"predicted": "premium"}, money=5_000),
    Row("predicted, and no such tier", "e1", "predicted", ask={"predicted": "gold"}),
)
