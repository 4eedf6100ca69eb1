"""What a Worker is given by its environment: settings, the signing key, the knowledge bases.

Variables are checked by the same rules as `fanlight.toml`, and everything that is wrong is named at
once. It refuses to start on a store that keeps nothing unless that is said in so many words,
because an escalation is acknowledged only when it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.encoding import b64url_decode
from core.jose import JWK_MEMBERS, public_jwk
from gateway.configuration import ConfigurationError, Flaw, parse_settings
from gateway.context import PackedEmbedding, SiteKnowledge, load_knowledge
from gateway.settings import Settings
from kb import IndexFormatError
from kb.embed import load_embedding

TRIAL: Final = "memory-for-trial"
OPERATOR_TOKEN: Final = "FANLIGHT_OPERATOR_TOKEN"  # noqa: S105 - a variable's name
PUBLIC_URL: Final = "FANLIGHT_PUBLIC_URL"
CONSOLE_URL: Final = "FANLIGHT_CONSOLE_URL"
SITES: Final = "FANLIGHT_SITES"
SIGNING_JWK: Final = "FANLIGHT_SIGNING_JWK"
EMBEDDING: Final = "embedding.bin"
"""The embedding's name in KV; no site's index can have it."""
TRUTH: Final = "FANLIGHT_TRUTH"

_KB_ELSEWHERE: Final = ["from the KV binding"]
_SITES_REMEDY: Final = (
    'Set it to JSON: {"site_shop": {"name": "Shop", "origins": ["https://shop.example"]}}.'
)
_JWK_REMEDY: Final = "Set it as a secret: a private P-256 key as a JWK, with kty, crv, x, y and d."


@dataclass(frozen=True, slots=True)
class Bindings:
    """The environment, checked."""

    settings: Settings
    signing_jwk: Mapping[str, str]


def read_bindings(env: object) -> Bindings:
    """Read the Worker's variables; raises `ConfigurationError` with every flaw."""
    flaws: list[Flaw] = []
    _check_truth(_text(env, TRUTH, f"Set it to {TRIAL}.", flaws), flaws)
    jwk = _signing_jwk(env, flaws)
    document = {
        "gateway": {
            "public_url": _text(env, PUBLIC_URL, "Give the Worker's own origin.", flaws),
            "console_url": _text(env, CONSOLE_URL, "Give the console's own origin.", flaws),
        },
        "sites": _sites(env, flaws),
    }
    secrets = {OPERATOR_TOKEN: _text(env, OPERATOR_TOKEN, "Set it as a secret.", flaws)}
    settings, found = parse_settings(document, secrets, Path())
    known = {flaw.key for flaw in flaws}
    flaws.extend(flaw for flaw in map(_renamed, found) if flaw.key not in known)
    if flaws:
        raise ConfigurationError(flaws)
    return Bindings(settings, jwk)


def _text(env: object, name: str, remedy: str, flaws: list[Flaw]) -> str:
    value = getattr(env, name, None)
    if isinstance(value, str) and value:
        return value
    flaws.append(Flaw(name, "This variable is not set, or is no text.", remedy))
    return ""


def _object(env: object, name: str, remedy: str, flaws: list[Flaw]) -> dict[str, Any]:
    text = _text(env, name, remedy, flaws)
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and value:
        return value
    # Not the text itself: it may be a secret.
    flaws.append(Flaw(name, "This is no JSON object, or an empty one.", remedy))
    return {}


def _check_truth(chosen: str, flaws: list[Flaw]) -> None:
    if chosen and chosen != TRIAL:
        remedy = f"Only {TRIAL} can be had in a Worker yet: it forgets all when the Worker ends."
        flaws.append(Flaw(TRUTH, f"{chosen!r} is not supported.", remedy))


def _sites(env: object, flaws: list[Flaw]) -> list[dict[str, Any]]:
    found = []
    for key, site in _object(env, SITES, _SITES_REMEDY, flaws).items():
        where = f"{SITES}[{key}]"
        if not isinstance(site, dict):
            flaws.append(Flaw(where, "This is no JSON object.", _SITES_REMEDY))
        elif "kb" in site:
            remedy = f"Take it out, and put the index into the KV binding KB as {key}.idx."
            flaws.append(Flaw(f"{where}.kb", "A Worker has no files.", remedy))
        else:
            found.append({**site, "key": key, "kb": _KB_ELSEWHERE})
    return found


def _renamed(flaw: Flaw) -> Flaw:
    """The same flaw under the variable's name instead of the file's key."""
    variables = {"gateway.public_url": PUBLIC_URL, "gateway.console_url": CONSOLE_URL}
    if flaw.key in variables:
        return replace(flaw, key=variables[flaw.key])
    if flaw.key.startswith("sites"):
        return replace(flaw, key=SITES + flaw.key.removeprefix("sites"))
    return flaw


def _signing_jwk(env: object, flaws: list[Flaw]) -> dict[str, str]:
    given = _object(env, SIGNING_JWK, _JWK_REMEDY, flaws)
    if not given:
        return {}
    try:
        jwk = public_jwk({name: given[name] for name in JWK_MEMBERS if name in given})
        return {**jwk, "d": _private_scalar(given.get("d"))}
    except ValueError as exc:
        flaws.append(Flaw(SIGNING_JWK, f"This is no private key: {exc}.", _JWK_REMEDY))
        return {}


def _private_scalar(value: object) -> str:
    if not isinstance(value, str) or len(b64url_decode(value)) != 32:
        raise ValueError("jwk.d must be 32 bytes of base64url")
    return value


async def read_embedding(env: object) -> PackedEmbedding | None:
    """The embedding from the KV binding `KB`; None when it has none, and words alone count.

    It is no part of the deployment, whose size is limited. Raises `ConfigurationError` for one that
    cannot be read.
    """
    binding = getattr(env, "KB", None)
    packed = _bytes(await binding.get(EMBEDDING, "arrayBuffer")) if binding is not None else b""
    if not packed:
        return None
    try:
        return PackedEmbedding(load_embedding(packed), packed)
    except IndexFormatError as exc:
        remedy = f"Put kb/data/{EMBEDDING} of this very version there, or take it out."
        raise ConfigurationError([Flaw(f"KB[{EMBEDDING}]", f"{exc}.", remedy)]) from exc


async def read_knowledge(
    env: object, site_key: str, embedding: PackedEmbedding | None
) -> SiteKnowledge:
    """The site's index from the KV binding `KB`; raises `ConfigurationError` when it has none."""
    binding, name = getattr(env, "KB", None), f"{site_key}.idx"
    if binding is None:
        remedy = "Bind the KV namespace that holds the indexes."
        raise ConfigurationError([Flaw("KB", "This binding is missing.", remedy)])
    remedy = f"Put the output of `fanlight kb build` there as {name}."
    packed = _bytes(await binding.get(name, "arrayBuffer"))
    if not packed:
        raise ConfigurationError([Flaw(f"KB[{name}]", "There is no such value.", remedy)])
    try:
        return load_knowledge(packed, embedding)
    except IndexFormatError as exc:
        raise ConfigurationError([Flaw(f"KB[{name}]", f"{exc}.", remedy)]) from exc


def _bytes(found: Any) -> bytes:
    """The value as bytes; empty where KV has none.

    Newer runtimes convert an ArrayBuffer to a memoryview, older ones hand over the JavaScript
    object.
    """
    if not found:
        return b""
    return bytes(found.to_bytes() if hasattr(found, "to_bytes") else found)
