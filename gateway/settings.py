"""The settings: one frozen object, read once at start and passed in.

`fanlight.toml` holds what may be shown; secrets come from the environment alone and hide their
text. Reading, defaults and the messages about flaws are `gateway.configuration`'s work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from core.model_routing.decision import Price, Tier
from core.model_routing.resolve import Layers
from gateway.escalation.hours import Hours
from gateway.escalation.severity import SeverityRule
from gateway.pipeline.models import CONTEXT_TOKENS
from gateway.pipeline.stages import Declared


class Secret:
    """Text that does not show itself in a repr, a log or a traceback."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('…')"

    def __bool__(self) -> bool:
        return bool(self._text)


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Whose word for signed-in visitors a site takes.

    `keys` are the public P-256 keys by their `kid`, as read from `files`.
    """

    issuer: str
    files: tuple[Path, ...] = ()
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TurnstileSettings:
    """A Turnstile widget: its public site key, and the secret that its tokens are verified with."""

    site_key: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class GreetingSettings:
    """What is said beside the launcher: `text` by language, on which pages, when and how often.

    `after_s` seconds on the page and `scroll` per cent of it seen must both have passed.
    """

    name: str
    text: Mapping[str, str]
    pages: tuple[str, ...] = ()
    after_s: int = 10
    scroll: int = 0
    once: str = "week"


@dataclass(frozen=True, slots=True)
class RiskTopic:
    """What a site calls high-stakes: words of any of its languages that show it.

    `text` is what is said beside a model's reply on it, by language.
    """

    name: str
    words: tuple[str, ...]
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """A tenant: who may embed it, what it knows, how it looks, whom it wakes and when.

    Without `hours` somebody is always there. `daily_usd` and `monthly_usd` are what its turns may
    cost in US dollars, 0 for no limit. `tools` are what its models may use, by name; `api_origins`
    whose pages may use its API key. `encoder` refines the search on visitors' devices.
    """

    key: str
    name: str
    origins: tuple[str, ...]
    kb: tuple[Path, ...]
    locales: tuple[str, ...] = ("en", "es", "he")
    default_locale: str = "en"
    time_zone: str = "UTC"
    accent: str = "#1f5fbf"
    theme: str = "auto"
    confidence_threshold: float = 0.55
    targets: tuple[str, ...] = ()
    identity: IdentitySettings | None = None
    turnstile: TurnstileSettings | None = None
    hours: Hours | None = None
    severity: tuple[SeverityRule, ...] = ()
    greetings: tuple[GreetingSettings, ...] = ()
    voice: bool = False
    api_key: Secret = field(default_factory=lambda: Secret(""), compare=False)
    local_models: tuple[str, ...] = ()
    encoder: str | None = None
    personality: str | None = None
    daily_usd: float = 0.0
    monthly_usd: float = 0.0
    tools: tuple[str, ...] = ()
    api_origins: tuple[str, ...] = ()
    risk_topics: tuple[RiskTopic, ...] = ()


def target_variable(name: str, what: str) -> str:
    """The environment variable of a target's `SECRET` or `TOKEN`."""
    return f"FANLIGHT_TARGET_{name.upper().replace('-', '_')}_{what}"


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """Somewhere that wakes a person; `kind` is `webhook` (Standard Webhooks), `slack`, `pagerduty`.

    `secret` signs: a webhook's body, or Slack's events. `token` lets the gateway in: Slack's bot
    token, PagerDuty's integration key. `hours_only` waits for the site's working hours.
    """

    name: str
    kind: str
    url: str
    secret: Secret
    token: Secret = field(default_factory=lambda: Secret(""))
    channel: str = ""
    allowed_users: tuple[str, ...] = ()
    hours_only: bool = False

    @property
    def token_variable(self) -> str:
        """The environment variable that has the token."""
        return target_variable(self.name, "TOKEN")


def model_variable(name: str) -> str:
    """The environment variable of the key of one of the `[[models]]`."""
    return f"FANLIGHT_MODEL_{name.upper().replace('-', '_')}_KEY"


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """A model on some server: `url` is the server's base, ending in `/v1`.

    `dialect` is what the server speaks, `openai` or `anthropic`; `context_tokens` how much the
    model can read and write together. `tools` and `logprobs` say whether the server is asked for
    tool calls and for the likelihood of its words; one that refuses either by name is not again.
    """

    url: str
    model: str
    key: Secret
    name: str = "model"
    dialect: str = "openai"
    context_tokens: int = CONTEXT_TOKENS
    price: Price = field(default_factory=Price)
    tools: bool = True
    logprobs: bool = False

    @property
    def key_variable(self) -> str:
        """The environment variable that has the key."""
        return model_variable(self.name)


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """A server of embeddings: `kind` is how it is asked; the prefixes go before each text.

    Of `dimensions` 0 is whatever its first answer has.
    """

    url: str
    model: str
    kind: str
    key: Secret
    dimensions: int = 0
    query_prefix: str = ""
    passage_prefix: str = ""


@dataclass(frozen=True, slots=True)
class RerankSettings:
    """A server that reranks passages: `kind` is how it is asked."""

    url: str
    model: str
    kind: str
    key: Secret


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What one caller may do.

    Sizes in bytes, times in seconds; quotas are calls a minute, by session, visitor, site and
    address prefix.
    """

    body_bytes: int = 65_536
    session_per_minute: int = 60
    subject_per_minute: int = 120
    site_per_minute: int = 12_000
    address_per_minute: int = 240
    sessions_per_address_per_minute: int = 30
    login_tries_per_minute: int = 5
    sessions_per_site_per_minute: int = 600
    pow_difficulty: int = 12
    pow_difficulty_most: int = 18
    connect_s: float = 1.5
    first_token_s: float = 4.0
    between_tokens_s: float = 4.0
    hedge_after_s: float = 0.0
    model_tries: int = 2
    tool_rounds: int = 4
    tool_s: float = 5.0
    turn_s: float = 60.0
    max_tokens: int = 1024
    turns_at_once: int = 256
    queue_s: float = 1.0
    streams_at_once: int = 2_000


@dataclass(frozen=True, slots=True)
class RoutingSettings:
    """How a model is chosen, and what callers may have.

    `mode` is `preference`, `tiered` or `learned`. `tiers` come with the cheapest first, and name
    models by the settings' names, as `fallback_model` does ("" is none). `rate_limit` is turns a
    minute of all callers together, 0 for no limit. `alerts` are shares of a budget in (0, 1].
    `budgets` is where what is spent is counted, `truth` or `redis`.
    """

    mode: str = "preference"
    tiers: tuple[Tier, ...] = ()
    strategy: str = "preference_order"
    escalation: bool = False
    fallback_model: str = ""
    rate_limit: int = 0
    reset_hour_utc: int = 0
    alerts: tuple[float, ...] = (0.5, 0.8, 0.95)
    budgets: str = "truth"
    permissions: Layers = field(default_factory=Layers)

    @property
    def limits_callers(self) -> bool:
        """Whether permissions hold: once a table says so, or tiers ask for them."""
        return self.mode != "preference" or self.permissions.told


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """For how many days what visitors left is kept, by kind; 0 keeps it until it is erased.

    `commands_days`: what operators said of commands, which is no visitor's; 0 keeps it for good.
    """

    turns_days: int = 90
    escalations_days: int = 365
    feedback_days: int = 365
    receipts_days: int = 365
    trajectories_days: int = 90
    commands_days: int = 0


@dataclass(frozen=True, slots=True)
class BankSettings:
    """Which answers are lent to models for other visitors: `off`, `people`'s or `all`.

    `days` is how long one is lent, `most` how many of a site, the newest of each kind.
    """

    answers: str = "off"
    days: int = 90
    most: int = 300


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Where figures and spans go: `collector` speaks OTLP over HTTP; without a token no figures."""

    collector: str = ""
    metrics_token: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a gateway is told."""

    public_url: str
    console_url: str
    data_dir: Path
    database_url: str = field(repr=False)  # it may hold a password
    web_dir: Path
    sites: tuple[SiteSettings, ...]
    operator_token: Secret
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    console_port: int = 8002
    redis_url: Secret = field(default_factory=lambda: Secret(""))
    models_dir: Path | None = None
    targets: tuple[TargetSettings, ...] = ()
    model: ModelSettings | None = None
    embeddings: EmbeddingSettings | None = None
    rerank: RerankSettings | None = None
    more_models: tuple[ModelSettings, ...] = ()
    private_endpoints: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    limits: LimitSettings = field(default_factory=LimitSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    workflows: tuple[Declared, ...] = ()
    prompts: Path | None = None
    personalities: Path | None = None
    canary: bool = False
    bank: BankSettings = field(default_factory=BankSettings)
    routing: RoutingSettings = field(default_factory=RoutingSettings)

    @property
    def models(self) -> tuple[ModelSettings, ...]:
        """Every model, the preferred one first."""
        return (*((self.model,) if self.model else ()), *self.more_models)

    @property
    def authority(self) -> str:
        """The `@authority` that signatures must cover: configured, never the request's."""
        return urlsplit(self.public_url).netloc.lower()

    @property
    def console_authority(self) -> str:
        """The console's host and port."""
        return urlsplit(self.console_url).netloc.lower()

    def site(self, key: str) -> SiteSettings | None:
        """The site of this key."""
        return next((site for site in self.sites if site.key == key), None)
