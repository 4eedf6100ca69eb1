"""Whose word a site takes for who its visitors are: the issuer, and its public keys in files.

Decides what a file of keys may be: a JWK or a JWK set of P-256 keys, each under its `kid`, else its
thumbprint. Refuses private keys, which the gateway has no use for, and two keys of one `kid`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from core.jose import JWK_MEMBERS, public_jwk, thumbprint
from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import Values
from gateway.settings import IdentitySettings, Settings, SiteSettings

MAX_ISSUER: Final = 200
_FORM: Final = "Write a JWK, or a JWK set, of public P-256 keys."


def declared(values: Values, where: str, base: Path, flaws: list[Flaw]) -> IdentitySettings | None:
    """What the settings declare; the keys are still to be `loaded` from their files."""
    issuer, files = values["identity_issuer"] or "", values["identity_keys"]
    if not issuer and not files:
        return None
    if not issuer:
        remedy = "Set it to what the site's server writes as iss, such as its own address."
        flaws.append(Flaw(f"{where}.identity_issuer", "There are keys, but no issuer.", remedy))
    if not files:
        remedy = "Name a file with the public key of the site's server."
        flaws.append(Flaw(f"{where}.identity_keys", "There is an issuer, but no key.", remedy))
    # The subject is "user:<issuer>|<sub>": a stroke in the issuer could make two read alike.
    if len(issuer) > MAX_ISSUER or not issuer.isprintable() or "|" in issuer:
        remedy = f"Use at most {MAX_ISSUER} printable characters, and no |."
        flaws.append(Flaw(f"{where}.identity_issuer", f"{issuer[:60]!r} cannot be used.", remedy))
    return IdentitySettings(issuer, tuple((base / name).absolute() for name in files))


def loaded(settings: Settings) -> tuple[Settings, list[Flaw]]:
    """The settings with the keys of all sites read from their files."""
    flaws: list[Flaw] = []
    sites = tuple(_site(site, flaws) for site in settings.sites)
    return replace(settings, sites=sites), flaws


def _site(site: SiteSettings, flaws: list[Flaw]) -> SiteSettings:
    if site.identity is None:
        return site
    keys: dict[str, Mapping[str, str]] = {}
    where = f"sites[{site.key}].identity_keys"
    for path in site.identity.files:
        try:
            found = read_keys(path.read_bytes())
        except OSError as error:
            reason = error.strerror or "It cannot be read"
            flaws.append(Flaw(where, f"{path}: {reason}.", "Correct the path."))
        except (ValueError, TypeError, AttributeError) as error:
            flaws.append(Flaw(where, f"{path} is no file of keys: {error}.", _FORM))
        else:
            twice = keys.keys() & found.keys()
            if twice:
                detail = f"The kid {min(twice)!r} is there twice."
                flaws.append(Flaw(where, detail, "Give each key a kid of its own."))
            keys |= found
    return replace(site, identity=replace(site.identity, keys=keys))


def read_keys(raw: bytes) -> dict[str, Mapping[str, str]]:
    """The public keys of a JWK or JWK set by their ids; raises `ValueError` for anything else."""
    document = json.loads(raw)
    if not isinstance(document, dict):
        raise ValueError("it holds no JSON object")
    listed = document.get("keys", [document])
    keys: dict[str, Mapping[str, str]] = {}
    for jwk in listed:
        kid, key = _key(jwk)
        if kid in keys:
            raise ValueError(f"the kid {kid!r} is there twice")
        keys[kid] = key
    if not keys:
        raise ValueError("it holds no key")
    return keys


def _key(jwk: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    if "d" in jwk:
        raise ValueError("it holds a private key; keep that on the site's server alone")
    key = public_jwk({name: jwk[name] for name in JWK_MEMBERS if name in jwk})
    kid = jwk.get("kid", thumbprint(key))
    if not isinstance(kid, str):
        raise ValueError("a kid must be a text")
    return kid, key
