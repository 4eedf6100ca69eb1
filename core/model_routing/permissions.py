"""What somebody may have of the models: sixteen dimensions, each by itself.

The dimensions and the defaults of the three levels are those of seed S4, section 5a.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Permissions:
    """What one caller may have.

    `max_tier` names the dearest tier; globs in the lists match `name` and `provider/model`, and a
    denylist wins. Limits in tokens, `rate_limit` in turns a minute, budgets in US dollars: 0 is
    unlimited. `escalation_threshold` is the complexity in [0, 1] above which a turn may be answered
    one tier above `max_tier`, where `escalation_allowed`. `model_override` lets the caller name the
    model. `custom` is for stages of others.
    """

    level: int = 0
    max_tier: str = "free"
    model_access: tuple[str, ...] = ("*",)
    model_denylist: tuple[str, ...] = ()
    tool_access: tuple[str, ...] = ()
    tool_denylist: tuple[str, ...] = ()
    max_context_tokens: int = 4_096
    max_output_tokens: int = 1_024
    rate_limit: int = 10
    streaming_allowed: bool = True
    escalation_allowed: bool = False
    escalation_threshold: float = 1.0
    model_override: bool = False
    cost_budget_daily_usd: float = 0.10
    cost_budget_monthly_usd: float = 2.0
    custom: Mapping[str, Any] = field(default_factory=dict)
