"""The settings: one frozen object, read once at start and passed in.

`fanlight.toml` holds what may be shown; secrets come from the environment alone and hide their
text. Reading, defaults and the messages about flaws are `gateway.configuration`'s work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


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
class SiteSettings:
    """A tenant: who may embed it, what it knows, how it looks, whom it wakes."""

    key: str
    name: str
    origins: tuple[str, ...]
    kb: tuple[Path, ...]
    locales: tuple[str, ...] = ("en", "es", "he")
    default_locale: str = "en"
    accent: str = "#1f5fbf"
    confidence_threshold: float = 0.55
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """Somewhere that wakes a person; `kind` is `webhook` (Standard Webhooks)."""

    name: str
    kind: str
    url: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """An OpenAI-compatible server: `url` is its base, ending in `/v1`."""

    url: str
    model: str
    key: Secret


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What one caller may do.

    Sizes in bytes, times in seconds; quotas are calls a minute by session and by address prefix.
    """

    body_bytes: int = 65_536
    session_per_minute: int = 60
    address_per_minute: int = 240
    sessions_per_address_per_minute: int = 30
    login_tries_per_minute: int = 5
    pow_difficulty: int = 12
    first_token_s: float = 4.0
    between_tokens_s: float = 5.0
    turn_s: float = 60.0
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a gateway is told."""

    public_url: str
    console_url: str
    data_dir: Path
    database_url: str
    web_dir: Path
    sites: tuple[SiteSettings, ...]
    operator_token: Secret
    host: str = "127.0.0.1"
    port: int = 8000
    targets: tuple[TargetSettings, ...] = ()
    model: ModelSettings | None = None
    private_endpoints: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    limits: LimitSettings = field(default_factory=LimitSettings)

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
