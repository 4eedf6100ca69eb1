"""Laying permissions over one another, and keeping them below a ceiling.

A layer overrides what it names and nothing else. What stands below a ceiling is in no dimension
more than the ceiling: of limits and budgets 0 is unlimited, and so the largest. Refuses a dimension
that there is not, and a value of another type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from core.model_routing.globs import common
from core.model_routing.levels import EVERY
from core.model_routing.permissions import Permissions

Layer = Mapping[str, Any]
"""What one layer of the settings names: dimensions with their values."""

DIMENSIONS: Final = tuple(each.name for each in fields(Permissions))

LIMITS: Final = (
    "max_context_tokens",
    "max_output_tokens",
    "rate_limit",
    "cost_budget_daily_usd",
    "cost_budget_monthly_usd",
)
"""Of these 0 is unlimited."""

GRANTS: Final = ("streaming_allowed", "escalation_allowed", "model_override")
DENIALS: Final = ("model_denylist", "tool_denylist")
_PLAIN: Final = Permissions()


def merge(base: Permissions, layer: Layer) -> Permissions:
    """`base` with what the layer names; raises `ValueError`.

    Of `custom` only the names that the layer has are overridden.
    """
    changed: dict[str, Any] = {}
    for name, value in layer.items():
        if name not in DIMENSIONS:
            raise ValueError(f"there is no dimension {name!r}")
        changed[name] = _taken(name, value)
    if "custom" in changed:
        changed["custom"] = {**base.custom, **changed["custom"]}
    return replace(base, **changed)


def _taken(name: str, value: Any) -> Any:
    kind = type(getattr(_PLAIN, name))
    if kind is tuple and isinstance(value, list | tuple):
        return tuple(map(str, value))
    if kind is dict and isinstance(value, Mapping):
        return dict(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(value) is kind:
        return value
    raise ValueError(f"{name} is a {kind.__name__}, not {value!r}")


def bounded(wanted: Permissions, ceiling: Permissions, tiers: Sequence[str] = ()) -> Permissions:
    """What of `wanted` is not above `ceiling`; `tiers` are named from the cheapest.

    A tier that there is not is as cheap as the cheapest. Of `custom` the ceiling's own values
    stand, and what it does not name is free.
    """
    limits: dict[str, Any] = {
        name: _lower(getattr(wanted, name), getattr(ceiling, name)) for name in LIMITS
    }
    grants: dict[str, Any] = {
        name: getattr(wanted, name) and getattr(ceiling, name) for name in GRANTS
    }
    denials: dict[str, Any] = {
        name: tuple(dict.fromkeys((*getattr(ceiling, name), *getattr(wanted, name))))
        for name in DENIALS
    }
    return replace(
        wanted,
        level=min(wanted.level, ceiling.level),
        max_tier=_cheaper(wanted.max_tier, ceiling.max_tier, tiers),
        model_access=common(wanted.model_access, ceiling.model_access),
        tool_access=_fewer(wanted.tool_access, ceiling.tool_access),
        escalation_threshold=max(wanted.escalation_threshold, ceiling.escalation_threshold),
        custom={**wanted.custom, **ceiling.custom},
        **limits,
        **grants,
        **denials,
    )


def exceeding(layer: Layer, ceiling: Permissions, tiers: Sequence[str] = ()) -> tuple[str, ...]:
    """Which dimensions of a layer are above the ceiling, in the layer's order; not its level."""
    wanted = merge(ceiling, layer)
    held = bounded(wanted, ceiling, tiers)
    return tuple(
        name
        for name in layer
        if name != "level" and name not in DENIALS and getattr(held, name) != getattr(wanted, name)
    )


def _lower(wanted: float, ceiling: float) -> float:
    """The smaller limit, of which 0 is the largest."""
    if not ceiling:
        return wanted
    return min(wanted, ceiling) if wanted else ceiling


def _cheaper(wanted: str, ceiling: str, tiers: Sequence[str]) -> str:
    """Of two tiers the cheaper one."""
    return min(ceiling, wanted, key=lambda name: place(name, tiers))


def place(tier: str, tiers: Sequence[str]) -> int:
    """A tier's place from the cheapest; one that there is not stands at the cheapest."""
    return tiers.index(tier) if tier in tiers else 0


def _fewer(wanted: tuple[str, ...], ceiling: tuple[str, ...]) -> tuple[str, ...]:
    """The tools in both; names are exact, and `*` alone is every one."""
    if EVERY in ceiling:
        return wanted
    if EVERY in wanted:
        return ceiling
    return tuple(name for name in wanted if name in ceiling)
