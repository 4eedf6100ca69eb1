"""What each of the three levels may have where the settings say nothing.

Decides the built-in defaults, after the table of seed S4, section 5a. That table names tiers of its
own (`free`, `standard`, `elite`); a project without tiers of those names gives its cheapest one to
whoever is unknown, its middle one to whoever is known, and its dearest one to its operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.model_routing.permissions import Permissions

ZERO_TRUST: Final = 0
USER: Final = 1
ADMIN: Final = 2

LEVELS: Final = ("zero_trust", "user", "admin")
"""The names of the levels in the settings, by number."""

EVERY: Final = "*"
SAFE_TOOLS: Final = ("kb.search",)
"""What somebody known may have called: tools that only read what the site publishes anyway."""

_DEFAULTS: Final = (
    Permissions(),
    Permissions(
        level=USER,
        max_tier="standard",
        tool_access=SAFE_TOOLS,
        max_context_tokens=16_384,
        max_output_tokens=4_096,
        rate_limit=60,
        escalation_allowed=True,
        escalation_threshold=0.6,
        cost_budget_daily_usd=5.0,
        cost_budget_monthly_usd=100.0,
    ),
    Permissions(
        level=ADMIN,
        max_tier="elite",
        tool_access=(EVERY,),
        max_context_tokens=0,
        max_output_tokens=0,
        rate_limit=0,
        escalation_allowed=True,
        escalation_threshold=0.0,
        model_override=True,
        cost_budget_daily_usd=0.0,
        cost_budget_monthly_usd=0.0,
    ),
)


def defaults(level: int, tiers: Sequence[str] = ()) -> Permissions:
    """What a level may have by itself; `tiers` are the tiers' names, the cheapest first.

    A number below 0 is 0, and one above 2 is 2.
    """
    held = _DEFAULTS[max(ZERO_TRUST, min(ADMIN, level))]
    if not tiers or held.max_tier in tiers:
        return held
    last = len(tiers) - 1
    return replace(held, max_tier=tiers[(0, last // 2, last)[held.level]])
