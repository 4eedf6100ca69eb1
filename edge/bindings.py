"""What a Worker is given by its environment: settings, the signing key, the knowledge base.

It refuses to start on a store that keeps nothing unless that is said in so many words, because an
escalation is acknowledged only when it is kept. Every flaw names its variable and the remedy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import Unavailable
from gateway.settings import LimitSettings, Secret, Settings, SiteSettings

TRIAL = "memory-for-trial"


@dataclass(frozen=True, slots=True)
class Bindings:
    """The environment, checked."""

    settings: Settings
    signing_jwk: Mapping[str, str]


def _variable(env: Any, name: str, remedy: str) -> str:
    value = getattr(env, name, None)
    if not isinstance(value, str) or not value:
        raise Unavailable(f"{name} is not set: {remedy}")
    return value


def _object(env: Any, name: str, remedy: str) -> dict[str, Any]:
    try:
        value = json.loads(_variable(env, name, remedy))
    except ValueError as exc:
        raise Unavailable(f"{name} is not JSON: {remedy}") from exc
    if not isinstance(value, dict):
        raise Unavailable(f"{name} is no JSON object: {remedy}")
    return value


def read_bindings(env: Any) -> Bindings:
    """Read the Worker's environment; raises `Unavailable` naming the variable and the remedy."""
    truth = _variable(env, "FANLIGHT_TRUTH", f"only {TRIAL!r} can be had here yet")
    if truth != TRIAL:
        raise Unavailable(f"FANLIGHT_TRUTH is {truth!r}: only {TRIAL!r} can be had here yet")
    public_url = _variable(env, "FANLIGHT_PUBLIC_URL", "give the gateway's own origin")
    console_url = _variable(env, "FANLIGHT_CONSOLE_URL", "give the console's own origin")
    operator_token = _variable(env, "FANLIGHT_OPERATOR_TOKEN", "set it as a secret")
    settings = Settings(
        public_url=public_url,
        console_url=console_url,
        data_dir=Path(),
        database_url="",
        web_dir=Path(),
        sites=_sites(_object(env, "FANLIGHT_SITES", "map each site key to its name and origins")),
        operator_token=Secret(operator_token),
        limits=LimitSettings(),
    )
    return Bindings(settings, _object(env, "FANLIGHT_SIGNING_JWK", "set a private P-256 JWK"))


def _sites(described: Mapping[str, Any]) -> tuple[SiteSettings, ...]:
    try:
        return tuple(
            SiteSettings(key, str(site["name"]), tuple(map(str, site["origins"])), kb=())
            for key, site in described.items()
        )
    except (TypeError, LookupError) as exc:
        raise Unavailable("FANLIGHT_SITES: each site needs a name and a list of origins") from exc


async def read_knowledge(env: Any, site_key: str) -> bytes:
    """The site's packed index from the KV binding `KB`; raises `Unavailable` when it is missing."""
    binding = getattr(env, "KB", None)
    if binding is None:
        raise Unavailable("the KV binding KB is missing: bind the namespace that holds the indexes")
    found = await binding.get(f"{site_key}.idx", "arrayBuffer")
    if not found:
        raise Unavailable(f"KB holds no {site_key}.idx: put the output of `fanlight kb build` there")
    return bytes(found.to_bytes())
