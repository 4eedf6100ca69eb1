"""Made-up permissions: layers as the settings may have them, and what more means."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from core.model_routing.globs import matches_any
from core.model_routing.merge import GRANTS, LIMITS, place
from core.model_routing.permissions import Permissions

TIERS = ("cheap", "middle", "dear")
MODELS = ("cheap-1", "openai/gpt", "openai/o", "anthropic/claude")
TOOLS = ("kb.search", "kb.list", "web.get")

_LIMIT = st.sampled_from([0, 1, 7, 500])
_DOLLARS = st.sampled_from([0.0, 0.1, 3.0, 40.0])
_PATTERNS = st.lists(
    st.sampled_from(["*", "openai/*", "openai/g*", "*/claude", "cheap-?", "nobody"]),
    max_size=3,
    unique=True,
).map(tuple)
_TOOLS = st.lists(st.sampled_from([*TOOLS, "*"]), max_size=3, unique=True).map(tuple)

DIMENSIONS: dict[str, st.SearchStrategy[Any]] = {
    "max_tier": st.sampled_from([*TIERS, "no such tier"]),
    "model_access": _PATTERNS,
    "model_denylist": _PATTERNS,
    "tool_access": _TOOLS,
    "tool_denylist": _TOOLS,
    "max_context_tokens": _LIMIT,
    "max_output_tokens": _LIMIT,
    "rate_limit": _LIMIT,
    "streaming_allowed": st.booleans(),
    "escalation_allowed": st.booleans(),
    "escalation_threshold": st.sampled_from([0.0, 0.5, 1.0]),
    "model_override": st.booleans(),
    "cost_budget_daily_usd": _DOLLARS,
    "cost_budget_monthly_usd": _DOLLARS,
    "custom": st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 3)),
}

LAYERS = st.fixed_dictionaries({}, optional=DIMENSIONS)
WITH_LEVEL = st.fixed_dictionaries({}, optional={**DIMENSIONS, "level": st.integers(0, 2)})


def more(held: Permissions, ceiling: Permissions) -> list[str]:
    """The dimensions in which somebody with `held` may have more than with `ceiling`."""
    found = [name for name in LIMITS if _longer(getattr(held, name), getattr(ceiling, name))]
    found += [name for name in GRANTS if getattr(held, name) and not getattr(ceiling, name)]
    if place(held.max_tier, TIERS) > place(ceiling.max_tier, TIERS):
        found.append("max_tier")
    if held.escalation_threshold < ceiling.escalation_threshold:
        found.append("escalation_threshold")
    found += [f"model {name}" for name in MODELS if _model(held, name) > _model(ceiling, name)]
    found += [f"tool {name}" for name in TOOLS if _tool(held, name) > _tool(ceiling, name)]
    found += [name for name in ceiling.custom if held.custom.get(name) != ceiling.custom[name]]
    return found


def _longer(held: float, ceiling: float) -> bool:
    return ceiling > 0 and not 0 < held <= ceiling


def _model(held: Permissions, name: str) -> bool:
    return matches_any(held.model_access, [name]) and not matches_any(held.model_denylist, [name])


def _tool(held: Permissions, name: str) -> bool:
    denied = {name, "*"} & set(held.tool_denylist)
    return bool({name, "*"} & set(held.tool_access)) and not denied
