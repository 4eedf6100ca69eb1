"""The settings of routing: how a model is chosen, what tiers there are, and who may have what."""

from __future__ import annotations

from typing import Final

from gateway.configuration.setting import Kind, Setting, Value

MODES: Final = ("preference", "tiered", "learned")
STORES: Final = ("truth", "redis")
STRATEGIES: Final = ("preference_order", "round_robin", "lowest_cost", "random")
DEAREST: Final = 1_000_000
"""US dollars: a budget, or a price of a million tokens, above it is a slip of the pen."""

MOST_TOKENS: Final = 10_000_000
MOST_A_MINUTE: Final = 1_000_000


def price(section: str) -> tuple[Setting, Setting]:
    """The two prices of a model."""
    return (
        _dollars(section, "read_usd", "US dollars for a million tokens that the model reads.", 0.0),
        _dollars(
            section, "written_usd", "US dollars for a million tokens that the model writes.", 0.0
        ),
    )


def _dollars(section: str, name: str, text: str, default: float | None) -> Setting:
    return Setting(section, name, "number", text, default, low=0, high=DEAREST)


def _counted(
    section: str, name: str, text: str, high: int, default: Value | None = None
) -> Setting:
    return Setting(section, name, "integer", text, default, low=0, high=high)


def _dimension(name: str, kind: Kind, text: str) -> Setting:
    return Setting("permissions", name, kind, text)


SITE_ROUTING: Final = (
    _dollars(
        "sites",
        "daily_usd",
        "What the site's turns may cost a day, in US dollars; 0: no limit.",
        0.0,
    ),
    _dollars("sites", "monthly_usd", "The same a month.", 0.0),
    Setting(
        *("sites", "permissions", "table"),
        "The site's own `zero_trust`, `user` and `admin` tables, below `[[sites]]` as "
        "`[sites.permissions.user]`; none may give more than `[permissions.user]` does.",
    ),
)

ROUTING_SETTINGS: Final = (
    Setting(
        *("routing", "mode", "string"),
        "How the model is chosen: `preference` (the models in their order), `tiered` (by what the "
        "question needs and what the caller may have) or `learned` (the same, and by what came of "
        "earlier choices).",
        "preference",
    ),
    Setting(
        *("routing", "strategy", "string"),
        "Which model of a tier is asked first: `preference_order`, `round_robin`, `lowest_cost` or "
        "`random`.",
        "preference_order",
    ),
    Setting(
        *("routing", "escalation", "true or false"),
        "Whether a question that is too hard for the caller's tiers may be answered one tier above "
        "them, where the caller's `escalation_allowed` says so too.",
        default=False,
    ),
    Setting(
        *("routing", "fallback_model", "string"),
        "The model, by its name, for who has spent the budget or asks too often.",
        "",
    ),
    _counted(
        "routing",
        "rate_limit",
        "Turns a minute of all callers together; 0: no limit.",
        MOST_A_MINUTE,
        0,
    ),
    _counted("routing", "reset_hour_utc", "The hour (UTC) at which budgets begin anew.", 23, 0),
    Setting(
        *("routing", "budgets", "string"),
        "Where it is counted what models cost: `truth`, the database, or `redis`, which is faster "
        "and forgets with Redis.",
        "truth",
    ),
    Setting(
        *("routing", "alerts", "list of numbers"),
        "The shares of a budget, above 0 and up to 1, that are told of once they are spent: in the "
        "log and the figures, and of a site's own budget in the console.",
        (0.5, 0.8, 0.95),
    ),
    Setting(
        *("routing", "max_grantable_level", "integer"),
        "The highest level that a site's own permissions may give: 0, 1 or 2.",
        1,
        low=0,
        high=2,
    ),
    Setting(
        *("tiers", "name", "string"),
        "The tier's name; the cheapest tier comes first.",
        required=True,
    ),
    Setting(
        *("tiers", "models", "list of strings"),
        "The models in it, by name, the preferred one first; `model` is that of `[model]`.",
        required=True,
    ),
    Setting(
        *("tiers", "low", "number"),
        "The complexity from which the tier is meant.",
        0.0,
        low=0,
        high=1,
    ),
    Setting(
        *("tiers", "high", "number"),
        "The complexity up to which it is meant; ranges may overlap.",
        1.0,
        low=0,
        high=1,
    ),
    Setting(
        *("permissions", "level", "integer"),
        "For a user, a channel or a site's own table: the level that the others of its values "
        "build on, 0 (`zero_trust`), 1 (`user`) or 2 (`admin`).",
        low=0,
        high=2,
    ),
    _dimension("max_tier", "string", "The dearest tier that may be used, by its name."),
    _dimension(
        "model_access",
        "list of strings",
        "The models that may be used; `*` and `?` are wild, and a name is the settings' or "
        "`dialect/model`.",
    ),
    _dimension("model_denylist", "list of strings", "Models that may not, whatever else says."),
    _dimension(
        "tool_access",
        "list of strings",
        'The tools that may be called, by their exact names; `["*"]` is all of them.',
    ),
    _dimension("tool_denylist", "list of strings", "Tools that may not, whatever else says."),
    _counted(
        "permissions",
        "max_context_tokens",
        "The longest prompt, in tokens; 0: what the model holds.",
        MOST_TOKENS,
    ),
    _counted(
        "permissions",
        "max_output_tokens",
        "The longest reply, in tokens; 0: `limits.max_tokens`.",
        MOST_TOKENS,
    ),
    _counted("permissions", "rate_limit", "Turns a minute; 0: no limit.", MOST_A_MINUTE),
    _dimension(
        "streaming_allowed",
        "true or false",
        "Whether words come as they are written; else they come once, at the end.",
    ),
    _dimension(
        "escalation_allowed",
        "true or false",
        "Whether a question may be answered one tier above `max_tier`.",
    ),
    Setting(
        *("permissions", "escalation_threshold", "number"),
        "The complexity above which that is so.",
        low=0,
        high=1,
    ),
    _dimension("model_override", "true or false", "Whether the caller may name the model."),
    _dollars(
        "permissions",
        "cost_budget_daily_usd",
        "What one caller's turns may cost a day, in US dollars; 0: no limit.",
        None,
    ),
    _dollars("permissions", "cost_budget_monthly_usd", "The same a month.", None),
    _dimension("custom", "table", "Whatever your own stages go by."),
)
