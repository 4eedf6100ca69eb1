"""Every environment variable: the one list that reading and docs share.

Decides their names, and which of them are secrets: those have no key in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

TURNSTILE_SECRET: Final = "FANLIGHT_TURNSTILE_<SITE>_SECRET"  # noqa: S105 - a variable's name
MODEL_KEY: Final = "FANLIGHT_MODEL_<NAME>_KEY"
TARGET_SECRET: Final = "FANLIGHT_TARGET_<NAME>_SECRET"  # noqa: S105 - a variable's name
TARGET_TOKEN: Final = "FANLIGHT_TARGET_<NAME>_TOKEN"  # noqa: S105 - a variable's name


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable; `secret` ones have no key in the file."""

    name: str
    text: str
    secret: bool = field(default=False)


VARIABLES: Final = (
    Variable("FANLIGHT_CONFIG", "The path of `fanlight.toml`, where no `--config` is given."),
    Variable("FANLIGHT_DATA_DIR", "Instead of `gateway.data_dir`."),
    Variable("FANLIGHT_DATABASE_URL", "Instead of `gateway.database_url`.", secret=True),
    Variable(
        "FANLIGHT_REDIS_URL",
        "The Redis server that several processes or machines share, as "
        "`redis://<user>:<password>@<host>:6379/0`; `rediss://` for TLS. Without it one process "
        "keeps its short-lived state in memory.",
        secret=True,
    ),
    Variable(
        "FANLIGHT_OPERATOR_TOKEN",
        "What operators sign in to the console with: 20 characters or more.",
        secret=True,
    ),
    Variable("FANLIGHT_LLM_URL", "Instead of `model.url`."),
    Variable("FANLIGHT_LLM_MODEL", "Instead of `model.model`."),
    Variable("FANLIGHT_LLM_KEY", "The model server's key, where it wants one.", secret=True),
    Variable(
        MODEL_KEY,
        "The key of one of the `[[models]]`. `<NAME>` is its name in capitals, with `_` for `-`.",
        secret=True,
    ),
    Variable(
        "FANLIGHT_METRICS_TOKEN",
        "What Prometheus sends as its bearer token to read `/metrics`: 20 characters or more. "
        "Without it there is no `/metrics`.",
        secret=True,
    ),
    Variable(
        TARGET_SECRET,
        "A webhook's signing secret, `whsec_` and base64; the signing secret of a Slack app. "
        "`<NAME>` is the target's name in capitals, with `_` for `-`.",
        secret=True,
    ),
    Variable(
        TARGET_TOKEN,
        "A Slack app's bot token (`xoxb-…`); PagerDuty's integration key.",
        secret=True,
    ),
    Variable(
        TURNSTILE_SECRET,
        "The secret of a site's Turnstile widget. `<SITE>` is the site key in capitals.",
        secret=True,
    ),
)
