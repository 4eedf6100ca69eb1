"""Every setting: the one list that reading, help and docs share.

Decides keys, types, defaults and ranges. What spans several keys is decided in `rules`.
"""

from __future__ import annotations

from typing import Final

from core.pow import MAX_DIFFICULTY
from gateway.configuration.encoder_table import ENCODER_SETTINGS
from gateway.configuration.pipeline_table import PIPELINE_SETTINGS
from gateway.configuration.routing_table import ROUTING_SETTINGS
from gateway.configuration.setting import Kind, Setting
from gateway.configuration.site_table import SITE_SETTINGS
from gateway.configuration.variables import TARGET_SECRET, TARGET_TOKEN


def _limit(name: str, default: float, low: float, high: float, text: str) -> Setting:
    kind: Kind = "integer" if isinstance(default, int) else "number"
    return Setting("limits", name, kind, text, default, low=low, high=high)


def _days(name: str, default: int, text: str) -> Setting:
    return Setting("retention", name, "integer", text, default, low=0, high=36_500)


LENT: Final = ("off", "people", "all")
"""Whose answers the reasoning bank lends."""

BANK_SETTINGS: Final = (
    Setting(
        *("bank", "answers", "string"),
        "Which answers to one visitor are shown to models that answer another: `off`, `people` "
        "(what a person replied to a case that was then closed), `all` (also a model's answers "
        "that a visitor marked right). Read privacy.md first.",
        "off",
    ),
    Setting(
        *("bank", "days", "integer"),
        "For how many days an answer is lent; never longer than what it came from is kept.",
        90,
        low=1,
        high=3_650,
    ),
    Setting(
        *("bank", "most", "integer"),
        "How many of a site's answers are lent, the newest of people and of models each.",
        300,
        low=1,
        high=2_000,
    ),
)

SETTINGS: Final = (
    Setting(
        "gateway",
        "public_url",
        "string",
        "The address that visitors' browsers use, without a path. "
        "Default: `http://localhost:` and the port.",
    ),
    Setting(
        "gateway",
        "console_url",
        "string",
        "The operators' console: a host name of its own, served by the same process. "
        "Default: `console.` before the host of `public_url`.",
    ),
    Setting(
        "gateway",
        "host",
        "string",
        "The IP address to listen on. `127.0.0.1` adds `::1`.",
        "127.0.0.1",
    ),
    Setting("gateway", "port", "integer", "The port to listen on.", 8000, low=1, high=65535),
    Setting(
        "gateway",
        "data_dir",
        "string",
        "The folder of the database, the keys and the built indexes, "
        "relative to the file; made when missing.",
        ".fanlight",
    ),
    Setting(
        "gateway",
        "database_url",
        "string",
        "The database: `sqlite:///<path>` or `postgresql://<user>@<host>/<name>`; an address with "
        "a password stands in the environment. Default: `fanlight.db` in `data_dir`.",
    ),
    Setting(
        "gateway",
        "workers",
        "integer",
        "How many processes serve visitors; more than one need Redis (`FANLIGHT_REDIS_URL`), and "
        "one more then serves the console, on `console_port`.",
        1,
        low=1,
        high=64,
    ),
    Setting(
        "gateway",
        "console_port",
        "integer",
        "Where the console is served when there are several `workers`: one process keeps what its "
        "operators have under way.",
        8002,
        low=1,
        high=65535,
    ),
    Setting(
        "gateway",
        "web_dir",
        "string",
        "The built web assets. Default: the ones that came with the gateway.",
    ),
    Setting(
        *("gateway", "models_dir", "string"),
        "The folder that `fanlight models publish --to` wrote: see `sites.local_models`.",
    ),
    Setting(
        "gateway",
        "private_endpoints",
        "list of strings",
        "The exact `host:port` of each private or plain-http endpoint that the gateway may call: "
        "a model server, a webhook of your own. All else that is not public, or has another port "
        "than 443 or 8443, is refused.",
        (),
    ),
    Setting(
        "gateway",
        "trusted_proxies",
        "list of strings",
        "The addresses or networks (`10.0.0.0/8`) of the reverse proxies whose `X-Forwarded-For` "
        "is believed. Without it all visitors behind a proxy share one limit.",
        (),
    ),
    *SITE_SETTINGS,
    Setting(
        "targets",
        "name",
        "string",
        f"Small letters, digits, `_` or `-`; its secrets are in `{TARGET_SECRET}` and "
        f"`{TARGET_TOKEN}`.",
        required=True,
    ),
    Setting(
        "targets",
        "kind",
        "string",
        "What it speaks: `webhook` (Standard Webhooks), `slack` or `pagerduty`; see targets.md.",
        "webhook",
    ),
    Setting(
        "targets",
        "url",
        "string",
        "Where to deliver: https, or http when listed in `gateway.private_endpoints`. Slack and "
        "PagerDuty have their own; `https://events.eu.pagerduty.com` is PagerDuty's in Europe.",
        "",
    ),
    Setting(
        "targets", "channel", "string", "Slack: the id of the channel, such as `C0123ABCDEF`.", ""
    ),
    Setting(
        "targets",
        "allowed_users",
        "list of strings",
        "Slack: the ids of the members who may answer visitors. Default: all of the channel.",
        (),
    ),
    Setting(
        "targets",
        "hours_only",
        "true or false",
        "Whether escalations wait for the site's `hours` before they go here.",
        default=False,
    ),
    *PIPELINE_SETTINGS,
    *ROUTING_SETTINGS,
    *ENCODER_SETTINGS,
    *BANK_SETTINGS,
    Setting(
        "telemetry",
        "collector",
        "string",
        "An OpenTelemetry collector that takes OTLP over HTTP, such as `http://localhost:4318`. "
        "Without it no spans are made.",
    ),
    _days("turns_days", 90, "Questions with their answers."),
    _days(
        "escalations_days",
        365,
        "Questions that went to a person, with what was said before them, replies and deliveries.",
    ),
    _days("feedback_days", 365, "Visitors' marks on answers."),
    _days("receipts_days", 365, "The hash of each session's last receipt."),
    _days(
        "trajectories_days",
        90,
        "How turns were answered: figures, models, digests; what the learned router learns from.",
    ),
    _days("commands_days", 0, "What operators said of commands (`/v1/classify/feedback`)."),
    _limit("body_bytes", 65_536, 4_096, 1_048_576, "The largest request body, in bytes."),
    _limit("session_per_minute", 60, 1, 100_000, "Signed calls a minute by one session."),
    _limit(
        "subject_per_minute",
        120,
        1,
        1_000_000,
        "Signed calls a minute by one visitor, over all sessions.",
    ),
    _limit("site_per_minute", 12_000, 1, 10_000_000, "Signed calls a minute of one site."),
    _limit("address_per_minute", 240, 1, 1_000_000, "Calls a minute by one address prefix."),
    _limit(
        "sessions_per_address_per_minute", 30, 1, 100_000, "New sessions a minute by one prefix."
    ),
    _limit(
        "sessions_per_site_per_minute",
        600,
        1,
        1_000_000,
        "New sessions a minute of one site.",
    ),
    _limit("login_tries_per_minute", 5, 1, 1_000, "Console log-ins a minute by one prefix."),
    _limit("pow_difficulty", 12, 0, MAX_DIFFICULTY, "Leading zero bits of the proof of work."),
    _limit(
        "pow_difficulty_most",
        18,
        0,
        MAX_DIFFICULTY,
        "The same when many sessions are being opened: it rises by two bits with each doubling "
        "from an eighth of the limits on new sessions.",
    ),
    _limit("connect_s", 1.5, 0.1, 60.0, "Seconds to reach a model's server."),
    _limit(
        *("first_token_s", 4.0, 0.1, 60.0),
        "Seconds to a model's first words, however many are asked; or the fallback.",
    ),
    _limit("between_tokens_s", 4.0, 0.1, 60.0, "Seconds between a model's words."),
    _limit(
        *("hedge_after_s", 0.0, 0.0, 60.0),
        "After so many seconds without a word the next model is asked too, and whoever begins "
        "first answers; 0: never.",
    ),
    _limit("model_tries", 2, 1, 5, "How often a model is asked at most, before its first word."),
    _limit(
        *("tool_rounds", 4, 1, 16),
        "How often a model may call tools in one turn; then it is asked for its answer.",
    ),
    _limit("tool_s", 5.0, 0.1, 60.0, "Seconds for one call of a tool, within the turn's."),
    _limit("turn_s", 60.0, 1.0, 600.0, "Seconds for a whole turn."),
    _limit("max_tokens", 1024, 1, 32_768, "The longest reply asked of a model, in tokens."),
    _limit("turns_at_once", 256, 1, 100_000, "Turns under way at once in one process."),
    _limit("queue_s", 1.0, 0.1, 60.0, "Seconds several may wait for the processor; then 503."),
    _limit(
        "streams_at_once",
        2_000,
        1,
        1_000_000,
        "Browsers that listen for replies at once, in one process.",
    ),
)


def section(name: str) -> dict[str, Setting]:
    """The settings of one section, by name."""
    return {setting.name: setting for setting in SETTINGS if setting.section == name}
