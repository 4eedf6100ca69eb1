"""The settings of a site: who may embed its chat, what it knows, how it looks and speaks."""

from __future__ import annotations

from typing import Final

from gateway.configuration.routing_table import SITE_ROUTING
from gateway.configuration.setting import Setting
from gateway.configuration.variables import TURNSTILE_SECRET

LOCALES: Final = ("en", "es", "he")


def _counted(name: str, default: int, low: int, high: int, text: str) -> Setting:
    return Setting("sites.greetings", name, "integer", text, default, low=low, high=high)


SITE_SETTINGS: Final = (
    Setting(
        "sites",
        "key",
        "string",
        "The site's public name in the embed snippet: `site_` and up to 56 letters, digits or `_`.",
        required=True,
    ),
    Setting(
        "sites",
        "name",
        "string",
        "The name that visitors read, at most 60 characters.",
        required=True,
    ),
    Setting(
        "sites",
        "origins",
        "list of strings",
        "The origins of the pages that may embed the widget: scheme, host and port, no path.",
        required=True,
    ),
    Setting(
        "sites",
        "kb",
        "list of strings",
        "The knowledge base: files (`.md`, `.csv`, `.jsonl`, each also `.gz`), folders of them, "
        "or one `.idx` file made by `fanlight kb build`.",
        required=True,
    ),
    Setting(
        "sites",
        "locales",
        "list of strings",
        "The panel's languages, of `en`, `es`, `he`.",
        LOCALES,
    ),
    Setting(
        "sites",
        "default_locale",
        "string",
        "The language where neither visitor nor page says. Default: the first of `locales`.",
    ),
    Setting(
        "sites",
        "time_zone",
        "string",
        "Whose day it is that entries and slots hold on, such as `Europe/Madrid`.",
        "UTC",
    ),
    Setting("sites", "accent", "string", "The accent colour, as `#rrggbb`.", "#1f5fbf"),
    Setting(
        *("sites", "theme", "string"),
        "How the panel looks until a visitor chooses otherwise: `light`, `dark`, `contrast` "
        "(high), or `auto`, as the visitor's device says.",
        "auto",
    ),
    Setting(
        "sites",
        "confidence_threshold",
        "number",
        "Below this estimated probability of being right an answer is not shown as one: "
        "the visitor gets the fallback, and a person the question.",
        0.55,
        low=0.0,
        high=1.0,
    ),
    Setting(
        "sites", "targets", "list of strings", "The `targets` that this site wakes, by name.", ()
    ),
    Setting(
        "sites",
        "turnstile_site_key",
        "string",
        "The public key of a Cloudflare Turnstile widget, in place of the proof of work; its "
        f"secret is in `{TURNSTILE_SECRET}`.",
    ),
    Setting(
        "sites",
        "identity_issuer",
        "string",
        "The `iss` of the JWTs by which the site's own server names signed-in visitors.",
    ),
    Setting(
        "sites",
        "identity_keys",
        "list of strings",
        "Files with the public keys of those JWTs, each a JWK or a JWK set (P-256). Several hold "
        "at once, so that keys can be changed.",
        (),
    ),
    Setting(
        "sites",
        "hours",
        "string",
        "When somebody is there, in `time_zone`: `Mon-Fri 09:00-17:00, Sat 10:00-14:00`. Outside "
        "them visitors read another text, and targets with `hours_only` wait. Default: always.",
        "",
    ),
    Setting(
        "sites",
        "severity",
        "list of strings",
        "How serious an escalation is to PagerDuty; the first rule that fits decides: "
        "`always = critical` by the reason, `about refund = error` by a word of the question, "
        "`* = info` for the rest. Default: `warning`.",
        (),
    ),
    Setting(
        *("sites", "greetings", "list of tables"),
        "What is said beside the launcher, each a `[[sites.greetings]]` below the site.",
        (),
    ),
    Setting(
        *("sites", "voice", "true or false"),
        "Whether visitors may speak their question; their browser may send the sound to its maker.",
        default=False,
    ),
    Setting(
        *("sites", "personality", "string"),
        "How the model of this site speaks, such as `professional`: see personality.md.",
    ),
    Setting(
        *("sites", "local_models", "list of strings"),
        "Models for visitors' devices, by id; the first is offered: see local-models.md.",
        (),
    ),
    Setting(
        *("sites", "encoder", "string"),
        "An encoder for visitors' devices, by id, which searches by meaning: see local-models.md.",
    ),
    Setting(
        *("sites", "risk_topics", "list of tables"),
        "What is high-stakes here beside medicine, law, money, safety and security, each a "
        "`[[sites.risk_topics]]` below the site: no model on a visitor's device answers on it.",
        (),
    ),
    *SITE_ROUTING,
    Setting(
        *("sites", "tools", "list of strings"),
        "What the site's models may use while they answer, such as `kb.search`: see tools.md.",
        (),
    ),
    Setting(
        *("sites", "api_origins", "list of strings"),
        "The exact origins of pages that may use the site's API key in a browser, where everyone "
        "can read it: see api.md. Default: none.",
        (),
    ),
    Setting(
        *("sites.risk_topics", "name", "string"),
        "Small letters, digits, `_` or `-`. `medical`, `legal`, `financial`, `safety` and "
        "`security` add words to those that Fanlight has.",
        required=True,
    ),
    Setting(
        *("sites.risk_topics", "words", "list of strings"),
        "Words and phrases that show it, in any language of the site; each form of a word counts.",
        required=True,
    ),
    Setting(
        *("sites.risk_topics", "text", "table of strings"),
        "What is said beside a model's reply on it, by language, 300 characters at most. "
        "Default: what Fanlight says on a topic of that name, else nothing.",
    ),
    Setting(
        *("sites.greetings", "name", "string"),
        "Under which a browser keeps that it was shown: small letters, digits, `_` or `-`.",
        required=True,
    ),
    Setting(
        *("sites.greetings", "text", "table of strings"),
        'What is said, by language: `{ en = "…", es = "…" }`, 160 characters at most. Whose '
        "language is not there is not greeted.",
        required=True,
    ),
    Setting(
        *("sites.greetings", "pages", "list of strings"),
        "On which pages: paths such as `/pricing` or `/docs/*`, where `*` is any text, also after "
        "an origin; `!/checkout/*` leaves pages out. Default: all.",
        (),
    ),
    _counted("after_s", 10, 1, 3_600, "Seconds that the page has been looked at."),
    _counted("scroll", 0, 0, 100, "How much of the page has been seen, in per cent from its top."),
    Setting(
        *("sites.greetings", "once", "string"),
        "How often at the most: once a `visit`, `day`, `week`, or `ever`.",
        "week",
    ),
)
