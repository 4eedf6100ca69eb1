"""Five layers of permissions: each overrides what it names, and no site exceeds the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model_routing.caller import API, CONSOLE, WIDGET, Caller, server, visitor
from core.model_routing.levels import LEVELS, defaults
from core.model_routing.merge import bounded, exceeding, merge
from core.model_routing.permissions import Permissions
from core.model_routing.resolve import Layers, Resolver
from core.scope import anonymous, signed_in
from tests.core.model_routing.layers import LAYERS, TIERS, WITH_LEVEL, more

STRANGER = visitor(anonymous("site_a", "thumb"))
BOB = visitor(signed_in("site_a", "https://a.example", "bob"))
SERVER = server("site_a")
OPERATOR = Caller("site_a", "", CONSOLE)
CALLERS = st.sampled_from([STRANGER, BOB, SERVER, OPERATOR])
LEVEL_TABLES = st.dictionaries(st.sampled_from(LEVELS), LAYERS)
SITE_TABLES = st.dictionaries(st.sampled_from(LEVELS), WITH_LEVEL)
Table = Mapping[str, Any]


def test_callers_have_the_level_of_who_they_are() -> None:
    assert [one.level for one in (STRANGER, BOB, SERVER, OPERATOR)] == [0, 1, 1, 2]
    assert (BOB.user, STRANGER.user, SERVER.channel) == ("https://a.example|bob", None, API)
    assert (BOB.channel, BOB.subject) == (WIDGET, "user:https://a.example|bob")


BUILT_IN = {
    0: ((), 10, 0.1, 2.0, 4_096, 1_024),
    1: (("kb.search",), 60, 5.0, 100.0, 16_384, 4_096),
    2: (("*",), 0, 0.0, 0.0, 0, 0),
}


@pytest.mark.parametrize("level", BUILT_IN)
def test_the_built_in_levels(level: int) -> None:
    held = defaults(level)
    assert held.level == level
    assert BUILT_IN[level] == (
        held.tool_access,
        held.rate_limit,
        held.cost_budget_daily_usd,
        held.cost_budget_monthly_usd,
        held.max_context_tokens,
        held.max_output_tokens,
    )


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ((), ("free", "standard", "elite")),
        (("only",), ("only", "only", "only")),
        (("a", "b"), ("a", "a", "b")),
        (("a", "b", "c"), ("a", "b", "c")),
        (("a", "free", "elite"), ("free", "free", "elite")),
    ],
)
def test_levels_without_their_tier_get_the_cheapest_the_middle_and_the_dearest(
    tiers: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert tuple(defaults(level, tiers).max_tier for level in range(3)) == expected


def test_layers_come_in_their_order() -> None:
    whole = Layers(
        levels={"user": {"rate_limit": 50}},
        sites={"site_a": {"user": {"rate_limit": 40}}},
        users={"https://a.example|bob": {"rate_limit": 70}},
        channels={WIDGET: {"rate_limit": 80}},
    )
    steps = [
        Layers(),
        Layers(levels=whole.levels),
        Layers(levels=whole.levels, sites=whole.sites),
        replace(whole, channels={}),
        whole,
    ]
    assert [Resolver(each).allowed(BOB).rate_limit for each in steps] == [60, 50, 40, 70, 80]


def test_a_user_who_is_raised_has_the_rest_of_the_higher_level() -> None:
    layers = Layers(users={"https://a.example|bob": {"level": 2, "rate_limit": 9}})
    held = Resolver(layers, TIERS).allowed(BOB)
    assert (held.level, held.max_tier, held.rate_limit) == (2, "dear", 9)


def test_a_channel_may_lower_too() -> None:
    held = Resolver(Layers(channels={API: {"level": 0}})).allowed(SERVER)
    assert held == defaults(0) or replace(held, escalation_allowed=False) == defaults(0)


@pytest.mark.parametrize(("wanted", "most", "level"), [(2, 1, 1), (2, 2, 2), (1, 0, 0), (0, 1, 0)])
def test_a_site_raises_no_higher_than_it_may(wanted: int, most: int, level: int) -> None:
    layers = Layers(sites={"site_a": {"zero_trust": {"level": wanted}}}, grantable=most)
    assert Resolver(layers).allowed(STRANGER).level == level


def test_where_escalation_is_off_nobody_has_it() -> None:
    layers = Layers(channels={CONSOLE: {"escalation_allowed": True}}, escalation=False)
    assert not Resolver(layers).allowed(OPERATOR).escalation_allowed


def test_another_site_has_nothing_of_it() -> None:
    layers = Layers(sites={"site_b": {"zero_trust": {"rate_limit": 1}}})
    assert Resolver(layers).allowed(STRANGER).rate_limit == 10


@pytest.mark.parametrize(
    "layer",
    [{"speed": 1}, {"rate_limit": "many"}, {"rate_limit": True}, {"streaming_allowed": 1},
     {"model_access": "*"}, {"max_tier": 3}, {"custom": []}, {"escalation_threshold": False}],
)  # fmt: skip
def test_what_is_no_permission_is_refused(layer: Table) -> None:
    with pytest.raises(ValueError, match=next(iter(layer))):
        merge(Permissions(), layer)


@given(LAYERS, LAYERS)
def test_a_layer_overrides_what_it_names_and_nothing_else(first: Table, second: Table) -> None:
    base = merge(Permissions(), first)
    held, before = asdict(merge(base, second)), asdict(base)
    assert all(held[name] == before[name] for name in held.keys() - second.keys())
    for name in second.keys() - {"custom"}:
        assert held[name] == second[name]
    assert held["custom"] == {**before["custom"], **second.get("custom", {})}


@given(LAYERS, st.lists(LAYERS, max_size=3))
def test_in_no_order_do_layers_below_a_ceiling_exceed_it(told: Table, layers: list[Table]) -> None:
    ceiling = merge(Permissions(), told)
    for order in permutations(layers):
        held = ceiling
        for layer in order:
            held = bounded(merge(held, layer), ceiling, TIERS)
            assert more(held, ceiling) == []


@given(LEVEL_TABLES, SITE_TABLES, CALLERS, st.integers(0, 2))
def test_no_site_gives_more_than_the_gateway_does(
    levels: dict[str, Table], site: dict[str, Table], caller: Caller, most: int
) -> None:
    resolver = Resolver(Layers(levels, {"site_a": site}, grantable=most), TIERS)
    held = resolver.allowed(caller)
    assert held.level <= max(caller.level, most)
    assert more(held, resolver.ceiling(held.level)) == []


@given(LEVEL_TABLES, SITE_TABLES, WITH_LEVEL, WITH_LEVEL)
def test_what_the_gateway_says_of_a_user_frees_the_site_of_no_other_ceiling(
    levels: dict[str, Table], site: dict[str, Table], user: Table, channel: Table
) -> None:
    layers = Layers(levels, {"site_a": site}, {"https://a.example|bob": user}, {WIDGET: channel}, 2)
    resolver = Resolver(layers, TIERS)
    held = resolver.allowed(BOB)
    freed = {**user, **channel}
    ceiling = merge(resolver.ceiling(held.level), {**freed, "level": held.level})
    within = replace(
        held,
        **{name: getattr(ceiling, name) for name in freed if name != "custom"},
        custom=ceiling.custom,
    )
    assert more(within, ceiling) == []


@given(LEVEL_TABLES, SITE_TABLES, WITH_LEVEL, CALLERS)
def test_the_same_layers_always_make_the_same(
    levels: dict[str, Table], site: dict[str, Table], channel: Table, caller: Caller
) -> None:
    layers = Layers(levels, {"site_a": site}, channels={WIDGET: channel})
    turned = Layers(
        dict(reversed(levels.items())),
        {"site_a": dict(reversed(site.items()))},
        channels={WIDGET: dict(reversed(list(channel.items())))},
    )
    assert Resolver(layers, TIERS).allowed(caller) == Resolver(turned, TIERS).allowed(caller)


@given(LAYERS, LAYERS)
def test_what_exceeds_is_named_and_what_does_not_is_kept(told: Table, layer: Table) -> None:
    ceiling = merge(Permissions(), told)
    if not exceeding(layer, ceiling, TIERS):
        wanted, held = merge(ceiling, layer), bounded(merge(ceiling, layer), ceiling, TIERS)
        assert more(wanted, ceiling) == [] or {"model_denylist", "tool_denylist"} & layer.keys()
        assert replace(held, model_denylist=(), tool_denylist=()) == replace(
            wanted, model_denylist=(), tool_denylist=()
        )
