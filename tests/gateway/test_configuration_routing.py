"""`[routing]`, `[[tiers]]`, `[permissions]`: what is read, refused, and warned of."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model_routing.decision import Price, Tier
from gateway.cli.inspection import inspect
from gateway.configuration import Flaw, parse_settings
from gateway.configuration.routing_hints import HINTS, routing_warnings
from gateway.configuration.routing_rules import ERRORS
from gateway.settings import RoutingSettings, Settings

ENVIRON = {"FANLIGHT_OPERATOR_TOKEN": "operator-token-for-tests-0123456789"}
CHEAP = {
    "name": "cheap", "url": "https://cheap.example/v1", "model": "small",
    "read_usd": 0.1, "written_usd": 0.4,
}  # fmt: skip
DEAR = {**CHEAP, "name": "dear", "model": "large", "read_usd": 3, "written_usd": 15}
DOCUMENT: dict[str, Any] = {
    "gateway": {"public_url": "https://a.example"},
    "sites": [
        {
            "key": "site_a",
            "name": "A",
            "origins": ["https://a.example"],
            "kb": ["kb"],
            "daily_usd": 5,
            "monthly_usd": 50,
            "permissions": {"user": {"rate_limit": 20}},
        }
    ],
    "models": [CHEAP, DEAR],
    "routing": {"mode": "tiered", "fallback_model": "cheap"},
    "tiers": [
        {"name": "low", "models": ["cheap"], "high": 0.5},
        {"name": "high", "models": ["dear"], "low": 0.5},
    ],
    "permissions": {
        "zero_trust": {"rate_limit": 5},
        "user": {"max_tier": "high", "model_access": ["dear", "openai/small"]},
        "channels": {"api": {"max_output_tokens": 500}},
    },
}


def changed(**changes: Any) -> dict[str, Any]:
    """The document with other values, each by its path: `sites__0__permissions__user__level`."""
    made = copy.deepcopy(DOCUMENT)
    for path, value in changes.items():
        at: Any = made
        *way, last = path.split("__")
        for part in way:
            at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
        at[last] = value
    return made


def read(document: dict[str, Any]) -> tuple[Settings, list[Flaw]]:
    return parse_settings(document, ENVIRON, Path("/srv"))


def warned(document: dict[str, Any]) -> list[Flaw]:
    settings, flaws = read(document)
    assert flaws == []
    return routing_warnings(settings)


def test_a_whole_document_has_neither_flaw_nor_warning() -> None:
    assert warned(DOCUMENT) == []
    routing = read(DOCUMENT)[0].routing
    assert routing.tiers == (
        Tier("low", ("cheap",), 0.0, 0.5),
        Tier("high", ("dear",), 0.5, 1.0),
    )
    assert (routing.mode, routing.fallback_model, routing.strategy) == (
        "tiered", "cheap", "preference_order",
    )  # fmt: skip
    assert routing.permissions.levels["zero_trust"] == {"rate_limit": 5}
    assert routing.permissions.sites == {"site_a": {"user": {"rate_limit": 20}}}
    assert routing.permissions.channels == {"api": {"max_output_tokens": 500}}


def test_models_have_prices_and_sites_budgets() -> None:
    settings, _ = read(DOCUMENT)
    assert [model.price for model in settings.models] == [Price(0.1, 0.4), Price(3, 15)]
    assert (settings.sites[0].daily_usd, settings.sites[0].monthly_usd) == (5, 50)


def test_without_a_word_of_it_nobody_is_limited() -> None:
    bare = {name: DOCUMENT[name] for name in ("gateway", "models")}
    site = {k: v for k, v in DOCUMENT["sites"][0].items() if k in ("key", "name", "origins", "kb")}
    settings, flaws = read({**bare, "sites": [site]})
    assert (flaws, settings.routing, settings.routing.limits_callers) == (
        [], RoutingSettings(permissions=settings.routing.permissions), False,
    )  # fmt: skip
    assert routing_warnings(settings) == []


@pytest.mark.parametrize(
    "document",
    [
        changed(),
        changed(routing={}, tiers=[]),
        {**changed(routing={}, tiers=[]), "permissions": {}},
    ],
    ids=["tiers", "tables", "a site's table"],
)
def test_with_a_table_or_tiers_callers_are_limited(document: dict[str, Any]) -> None:
    assert read(document)[0].routing.limits_callers


U, Z = "permissions__user__", "permissions__zero_trust__"
S = "sites__0__permissions__user__"
SITE_USER = "sites[site_a].permissions.user"
FLAWED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown mode": ({"routing__mode": "best"}, "routing.mode"),
    "an unknown strategy": ({"routing__strategy": "cheapest"}, "routing.strategy"),
    "an unknown setting": ({"routing__modes": 1}, "routing.modes"),
    "a tier twice": ({"tiers__1__name": "low", U + "max_tier": "low"}, "tiers[low].name"),
    "an inverted range": ({"tiers__0__low": 0.7}, "tiers[low].low"),
    "an empty range": ({"tiers__0__low": 0.5}, "tiers[low].low"),
    "a complexity above 1": ({"tiers__1__high": 1.5}, "tiers[high].high"),
    "a complexity below 0": ({"tiers__0__low": -0.1}, "tiers[low].low"),
    "a tier without models": ({"tiers__0__models": []}, "tiers[low].models"),
    "a tier without a name": ({"tiers__0__name": ""}, "tiers[#1].name"),
    "an unknown model in a tier": ({"tiers__0__models": ["cheep"]}, "tiers[low].models"),
    "a model twice in a tier": ({"tiers__0__models": ["cheap", "cheap"]}, "tiers[low].models"),
    "an unknown fallback": ({"routing__fallback_model": "none"}, "routing.fallback_model"),
    "tiered without tiers": ({"tiers": [], "permissions": {}}, "routing.mode"),
    "a negative price": ({"models__0__read_usd": -1}, "models[cheap].read_usd"),
    "a price that is no number": ({"models__0__written_usd": "1"}, "models[cheap].written_usd"),
    "an hour past 23": ({"routing__reset_hour_utc": 24}, "routing.reset_hour_utc"),
    "a negative rate": ({"routing__rate_limit": -1}, "routing.rate_limit"),
    "an alert above all": ({"routing__alerts": [0.5, 1.5]}, "routing.alerts"),
    "an alert at nothing": ({"routing__alerts": [0]}, "routing.alerts"),
    "an alert that is no number": ({"routing__alerts": ["half"]}, "routing.alerts"),
    "a level that there is not": (
        {"routing__max_grantable_level": 3},
        "routing.max_grantable_level",
    ),
    "an unknown tier": ({U + "max_tier": "highest"}, "permissions.user.max_tier"),
    "a threshold above 1": (
        {U + "escalation_threshold": 2},
        "permissions.user.escalation_threshold",
    ),
    "a negative budget": (
        {U + "cost_budget_daily_usd": -1},
        "permissions.user.cost_budget_daily_usd",
    ),
    "a negative limit": ({U + "max_context_tokens": -1}, "permissions.user.max_context_tokens"),
    "a glob among tools": ({U + "tool_access": ["kb.*"]}, "permissions.user.tool_access"),
    "a glob among refused tools": (
        {U + "tool_denylist": ["kb.?"]},
        "permissions.user.tool_denylist",
    ),
    "a class of letters": ({U + "model_access": ["gpt-[34]"]}, "permissions.user.model_access"),
    "an empty pattern": ({U + "model_denylist": [" "]}, "permissions.user.model_denylist"),
    "no model at all": ({U + "model_access": []}, "permissions.user.model_access"),
    "models given and taken": ({U + "model_denylist": ["*"]}, "permissions.user.model_denylist"),
    "tools given and taken": (
        {U + "tool_access": ["kb.search"], U + "tool_denylist": ["kb.search"]},
        "permissions.user.tool_denylist",
    ),
    "a day dearer than its month": (
        {U + "cost_budget_daily_usd": 9, U + "cost_budget_monthly_usd": 8},
        "permissions.user.cost_budget_daily_usd",
    ),
    "a site's day dearer than its month": ({"sites__0__daily_usd": 60}, "sites[site_a].daily_usd"),
    "a level's own level": ({U + "level": 2}, "permissions.user.level"),
    "a level that is none": (
        {"permissions__channels__api__level": 7},
        "permissions.channels.api.level",
    ),
    "a table that is none": ({"permissions__guests": {}}, "permissions.guests"),
    "a channel that is none": ({"permissions__channels__mail": {}}, "permissions.channels.mail"),
    "a user without an issuer": ({"permissions__users__bob": {}}, "permissions.users.bob"),
    "a dimension that is none": ({U + "speed": 1}, "permissions.user.speed"),
    "a dimension of another type": ({U + "model_access": "*"}, "permissions.user.model_access"),
    "a table that is a word": ({"permissions__user": "all"}, "permissions.user"),
    "a site's users": ({"sites__0__permissions__users": {}}, "sites[site_a].permissions.users"),
    "a site above the rate": ({S + "rate_limit": 61}, f"{SITE_USER}.rate_limit"),
    "a site without a limit": ({S + "rate_limit": 0}, f"{SITE_USER}.rate_limit"),
    "a site above the day's budget": (
        {S + "cost_budget_daily_usd": 6},
        f"{SITE_USER}.cost_budget_daily_usd",
    ),
    "a site above the month's budget": (
        {S + "cost_budget_monthly_usd": 0},
        f"{SITE_USER}.cost_budget_monthly_usd",
    ),
    "a site with every tool": ({S + "tool_access": ["*"]}, f"{SITE_USER}.tool_access"),
    "a site with every model": ({S + "model_access": ["*"]}, f"{SITE_USER}.model_access"),
    "a site above the tier": (
        {"permissions__user": {"max_tier": "low"}, S + "max_tier": "high"},
        f"{SITE_USER}.max_tier",
    ),
    "a site above the reply": ({S + "max_output_tokens": 5_000}, f"{SITE_USER}.max_output_tokens"),
    "a site above the prompt": ({S + "max_context_tokens": 0}, f"{SITE_USER}.max_context_tokens"),
    "a site that overrides": ({S + "model_override": True}, f"{SITE_USER}.model_override"),
    "a site that escalates": (
        {"permissions__user__escalation_allowed": False, S + "escalation_allowed": True},
        f"{SITE_USER}.escalation_allowed",
    ),
    "a site that escalates sooner": (
        {S + "escalation_threshold": 0.1},
        f"{SITE_USER}.escalation_threshold",
    ),
    "a site above the level": ({S + "level": 2}, f"{SITE_USER}.level"),
}


@pytest.mark.parametrize(("changes", "key"), FLAWED.values(), ids=FLAWED)
def test_a_flaw_is_named_once_with_its_key_and_its_remedy(
    changes: dict[str, Any], key: str
) -> None:
    flaws = read(changed(**changes))[1]
    assert [flaw.key for flaw in flaws] == [key]
    assert all(flaw.detail and flaw.remedy for flaw in flaws)


def test_every_flaw_is_named_at_once() -> None:
    document = changed(
        routing__mode="best",
        routing__reset_hour_utc=25,
        routing__fallback_model="none",
        tiers__0__low=0.9,
        permissions__user__tool_access=["kb.*"],
        sites__0__permissions__user__rate_limit=0,
    )
    assert {flaw.key for flaw in read(document)[1]} == {
        "routing.mode",
        "routing.reset_hour_utc",
        "routing.fallback_model",
        "tiers[low].low",
        "permissions.user.tool_access",
        f"{SITE_USER}.rate_limit",
    }


FREE = [{**each, "read_usd": 0, "written_usd": 0} for each in (CHEAP, DEAR)]
WARNED: dict[str, tuple[dict[str, Any], str]] = {
    "ranges that overlap": ({"tiers__1__low": 0.4}, "tiers[high].low"),
    "a gap between ranges": ({"tiers__1__low": 0.6}, "tiers[high].low"),
    "a gap below": ({"tiers__0__low": 0.1}, "tiers[low].low"),
    "a gap above": ({"tiers__1__high": 0.9}, "tiers[high].high"),
    "a tier for nobody": (
        {U + "max_tier": "low", "permissions__admin__max_tier": "low"},
        "tiers[high]",
    ),
    "a model in no tier": ({"models": [CHEAP, DEAR, {**DEAR, "name": "spare"}]}, "models[spare]"),
    "the dear tier first": (
        {"models__0__read_usd": 50, "models__0__written_usd": 50, "routing__fallback_model": ""},
        "tiers[high]",
    ),
    "a dear fallback": ({"routing__fallback_model": "dear"}, "routing.fallback_model"),
    "a budget of nothing": (
        {"models": FREE, "sites__0__monthly_usd": 0},
        "sites[site_a].daily_usd",
    ),
    "a pattern of nobody": (
        {Z + "model_denylist": ["gemini/*"]},
        "permissions.zero_trust.model_denylist",
    ),
    "every tool and one": (
        {"permissions__admin__tool_access": ["*", "kb.search"]},
        "permissions.admin.tool_access",
    ),
    "escalation that is off": (
        {U + "escalation_allowed": True},
        "permissions.user.escalation_allowed",
    ),
    "a reply that is too long": (
        {"permissions__channels__api__max_output_tokens": 2_000},
        "permissions.channels.api.max_output_tokens",
    ),
    "a prompt that is too short": (
        {U + "max_context_tokens": 20},
        "permissions.user.max_context_tokens",
    ),
    "an issuer of no site": (
        {"permissions__users": {"https://b.example|bob": {}}},
        "permissions.users.https://b.example|bob",
    ),
    "alerts in disorder": ({"routing__alerts": [0.9, 0.5]}, "routing.alerts"),
}


@pytest.mark.parametrize(("changes", "key"), WARNED.values(), ids=WARNED)
def test_a_slip_is_warned_of_with_its_key_and_its_remedy(changes: dict[str, Any], key: str) -> None:
    warnings = warned(changed(**changes))
    assert [warning.key for warning in warnings] == [key]
    assert all(warning.detail and warning.remedy for warning in warnings)


def test_lists_that_leave_no_model_are_warned_of() -> None:
    document = changed(permissions__zero_trust__model_access=["gemini/*"])
    key = "permissions.zero_trust.model_access"
    assert [warning.key for warning in warned(document)] == [key, key]


def test_tiers_and_limits_that_have_no_effect_are_warned_of() -> None:
    document = changed(routing={})
    assert [warning.key for warning in warned(document)] == [
        "routing.mode",
        "permissions.zero_trust.rate_limit",
        "permissions.user.max_tier",
        "permissions.user.model_access",
        f"{SITE_USER}.rate_limit",
    ]
    without = changed(routing={}, tiers=[], permissions={"user": {"max_tier": "high"}})
    assert [warning.key for warning in warned(without)].count("permissions.user.max_tier") == 2


def test_a_check_tells_warnings_apart_from_flaws() -> None:
    settings, flaws = read(changed(tiers__1__low=0.6))
    found = [each for each in inspect(settings, flaws, online=False) if each.name == "routing"]
    assert [(each.state, each.key) for each in found] == [("warned", "tiers[high].low")]


def test_there_are_rules_enough() -> None:
    assert len(ERRORS) >= 17
    assert len({*ERRORS, *HINTS}) == len(ERRORS) + len(HINTS)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats()
    | st.sampled_from(["*", "low", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "user",
                    "zero_trust",
                    "users",
                    "channels",
                    "level",
                    "max_tier",
                    "model_access",
                    "name",
                    "models",
                    "low",
                    "high",
                    "mode",
                    "alerts",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON, JSON, JSON)
def test_no_document_is_too_odd_to_be_told_what_is_wrong(
    routing: object, tiers: object, permissions: object, site: object
) -> None:
    document = changed(routing=routing, tiers=tiers, permissions=permissions)
    document["sites"][0]["permissions"] = site
    settings, flaws = read(document)
    assert all(flaw.key and flaw.remedy for flaw in flaws)
    if not flaws:
        routing_warnings(settings)
