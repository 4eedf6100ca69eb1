"""The eight steps: each rule by a table, and what no order of rules can get around."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies

from core.model_routing.caller import API, CONSOLE, WIDGET, Caller
from core.model_routing.decision import Decision, Tier
from core.model_routing.permissions import Permissions
from core.model_routing.select import REASONS, REFUSALS, Ask, Plan, Rules, decide, offered, select
from core.model_routing.spend import Account, Reservation
from core.model_routing.strategies import STRATEGIES
from tests.core.model_routing.select_rows import (
    ALL,
    OFFERS,
    ROWS,
    SIZE,
    TIERS,
    TOO_OFTEN,
    VISITOR,
    Row,
    hard,
)


def refused(key: str, micros: int) -> Reservation:
    return Reservation(key, micros, Account("site_demo", "anon:1", "day", 0.0, 100))


def paid(plan: Plan, money: int | None) -> list[Reservation | None] | None:
    """What budgets with so much left answer."""
    if money is None:
        return None
    answers: list[Reservation | None] = []
    for attempt in plan.attempts:
        enough = attempt.micros <= money
        answers.append(Reservation("t", attempt.micros) if enough else refused("t", attempt.micros))
        if enough:
            break
    return answers


def chosen(row: Row) -> Decision:
    offers = {name: replace(offer, resting=name in row.resting) for name, offer in OFFERS.items()}
    told: dict[str, Any] = {"complexity": 0.1, **SIZE, **row.ask}
    caller = told.pop("caller", VISITOR)
    ask = Ask(caller, replace(ALL, **row.allowed), **told)
    plan = select(ask, Rules(TIERS, **row.rules), offers)
    return decide(plan, paid(plan, row.money))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_rule_chooses_as_it_says(row: Row) -> None:
    decision = chosen(row)
    assert (decision.models[:1] or (None,))[0] == row.first
    assert decision.reason == row.reason
    if row.rest is not None:
        assert decision.models[1:] == row.rest


def test_there_are_rows_enough_and_every_reason_is_among_them() -> None:
    assert len(ROWS) >= 60
    # That budgets cannot be asked is no row: it follows from what was held, and is tested below.
    assert {row.reason for row in ROWS} == set(REASONS) - {"budget_unavailable"}


def test_what_is_held_is_never_less_than_what_any_candidate_costs() -> None:
    for row in ROWS:
        offers = offered(list(OFFERS.values()))
        told: dict[str, Any] = {"complexity": 0.1, **SIZE, **row.ask}
        plan = select(Ask(VISITOR, replace(ALL, **row.allowed), **told), Rules(TIERS), offers)
        for attempt in plan.attempts:
            costs = [OFFERS[name].price.micros(1_000, 1_000) for name in attempt.models]
            assert attempt.micros == max(costs)
            assert attempt.estimated == costs[0]
        held = [attempt.micros for attempt in plan.attempts]
        assert held == sorted(set(held), reverse=True)


def test_budgets_that_cannot_be_asked_leave_what_costs_nothing() -> None:
    plan = select(Ask(VISITOR, ALL, 0.4, **SIZE), Rules(TIERS), OFFERS)
    count = len(plan.attempts)
    assert plan.attempts[-1].models == ("f1",)
    free = decide(plan, [*[None] * (count - 1), Reservation("t", 0)])
    assert (free.models, free.reason) == (("f1",), "budget")
    nothing = decide(plan, [None] * count)
    assert (nothing.models, nothing.reason) == ((), "budget_unavailable")


def test_the_steps_read_like_sentences() -> None:
    decision = chosen(
        Row(
            "",
            None,
            "",
            {"max_tier": "standard", "cost_budget_daily_usd": 0.1},
            hard(0.5),
            money=600,
        )
    )
    told = {step.what: step.result for step in decision.steps}
    assert told["caller"] == "a visitor whom nobody knows, on the channel widget: level 2"
    assert told["permissions"] == "tiers up to standard; models *; $0.10 a day; no limit a month"
    assert told["rate limit"] == "not reached (no limit)"
    assert told["tiers"] == (
        "free (f1, f2); standard (s1, s2); not premium, which is above standard; "
        "not elite, which is above standard"
    )
    assert told["complexity"] == "0.50: standard, which is meant for 0.20 to 0.70"
    assert told["escalation"] == "none: the caller's permissions do not allow it"
    assert told["budget"] == (
        "$0.005 for standard: more than is left of the caller's $0.0001 a day; "
        "$0.0005 for free: there is enough"
    )
    assert told["model"] == (
        "f1 of the tier free (the first in the order of the settings), because a dearer tier is "
        "more than may be spent; then f2"
    )
    assert told["cost"] == "$0.00 at most; $0.0005 is held for its dearest stand-in"


@pytest.mark.parametrize(
    ("caller", "said"),
    [
        (VISITOR, "a visitor whom nobody knows"),
        (Caller("s", "user:i|7", WIDGET, "i|7"), "a visitor whom the site knows"),
        (Caller("s", "", API), "the site's own server"),
        (Caller("s", "", CONSOLE), "an operator"),
    ],
)
def test_who_asks_is_told_without_a_name(caller: Caller, said: str) -> None:
    steps = chosen(Row("", None, "", ask={"caller": caller})).steps
    assert steps[0].result.startswith(said)
    assert not any("anon:1" in step.result or "i|7" in step.result for step in steps)


NAMES = tuple(OFFERS)
GLOBS = ("*", "?1", "openai/*", "anthropic/*", "local/*", *NAMES)
permissions = strategies.builds(
    Permissions,
    max_tier=strategies.sampled_from([*(tier.name for tier in TIERS), "gold"]),
    model_access=strategies.lists(strategies.sampled_from(GLOBS), max_size=3).map(tuple),
    model_denylist=strategies.lists(strategies.sampled_from(GLOBS), max_size=2).map(tuple),
    escalation_allowed=strategies.booleans(),
    escalation_threshold=strategies.floats(0, 1),
    model_override=strategies.booleans(),
)
asks = strategies.builds(
    Ask,
    caller=strategies.just(VISITOR),
    allowed=permissions,
    complexity=strategies.none() | strategies.floats(0, 1),
    unsure=strategies.booleans(),
    limited=strategies.none() | strategies.just(TOO_OFTEN),
    read=strategies.integers(0, 10_000),
    written=strategies.integers(0, 4_000),
    wanted=strategies.none() | strategies.sampled_from([*NAMES, "zz"]),
    predicted=strategies.none() | strategies.sampled_from(["free", "elite", "gold"]),
    turn=strategies.integers(0, 9),
    draw=strategies.floats(0, 1, exclude_max=True),
)
ranges = strategies.tuples(strategies.floats(0, 1), strategies.floats(0, 1)).map(sorted)


@strategies.composite
def rules(draw: strategies.DrawFn) -> Rules:
    """Tiers of any models in any order, with any ranges."""
    some = strategies.lists(strategies.sampled_from(NAMES), min_size=1, max_size=3).map(tuple)
    tiers = tuple(
        Tier(name, draw(some), *draw(ranges))
        for name in draw(strategies.permutations([tier.name for tier in TIERS]))
    )
    return Rules(
        tiers[: draw(strategies.integers(1, 4))],
        draw(strategies.sampled_from(STRATEGIES)),
        draw(strategies.booleans()),
        draw(strategies.none() | strategies.sampled_from(NAMES)),
    )


def matched(patterns: tuple[str, ...], name: str) -> bool:
    """What the patterns above mean, without the code under test."""
    full = OFFERS[name].full
    return any(
        pattern in ("*", name)
        or (pattern == "?1" and name[1] == "1")
        or (pattern.endswith("/*") and full.startswith(pattern[:-1]))
        for pattern in patterns
    )


@given(
    ask=asks,
    told=rules(),
    resting=strategies.sets(strategies.sampled_from(NAMES)),
    money=strategies.none() | strategies.integers(0, 100_000),
)
def test_nothing_outside_the_permissions_is_ever_chosen(
    ask: Ask, told: Rules, resting: set[str], money: int | None
) -> None:
    offers = {name: replace(each, resting=name in resting) for name, each in OFFERS.items()}
    plan = select(ask, told, offers)
    decision = decide(plan, paid(plan, money))
    names = [tier.name for tier in told.tiers]
    last = names.index(ask.allowed.max_tier) if ask.allowed.max_tier in names else -1
    escalates = (
        ask.allowed.escalation_allowed
        and told.escalation
        and ask.hard > ask.allowed.escalation_threshold
    )
    most = last + 1 if last >= 0 and escalates else last
    for name in decision.models:
        assert matched(ask.allowed.model_access, name)
        assert not matched(ask.allowed.model_denylist, name)
        assert name not in resting
        places = [place for place, tier in enumerate(told.tiers) if name in tier.models]
        assert not places or min(places) <= most
        cost = offers[name].price.micros(ask.read, ask.written)
        assert money is None or cost <= money
    if decision.tier is not None:
        assert names.index(decision.tier) <= most
    if ask.limited is not None:
        assert decision.reason in ("fallback", "rate_limited")


@given(ask=asks, told=rules(), money=strategies.none() | strategies.integers(0, 100_000))
def test_a_decision_always_says_why(ask: Ask, told: Rules, money: int | None) -> None:
    plan = select(ask, told, OFFERS)
    decision = decide(plan, paid(plan, money))
    assert decision.reason in REASONS
    assert (decision.reason in REFUSALS) == (not decision.models)
    said = [step.what for step in decision.steps]
    assert said[:3] == ["caller", "permissions", "rate limit"]
    assert said[-1] == ("cost" if decision.models else "model")
    assert len(set(said)) == len(said)
    assert all(step.result for step in decision.steps)
    if decision.models:
        assert decision.estimated_micros == OFFERS[decision.models[0]].price.micros(
            ask.read, ask.written
        )


@given(ask=asks, told=rules())
def test_the_same_question_is_decided_the_same(ask: Ask, told: Rules) -> None:
    assert select(ask, told, OFFERS) == select(ask, told, dict(reversed(OFFERS.items())))
