"""Published keys: a JWK set read from a file, or fetched from the gateway that publishes it.

Refuses plain HTTP to anything but this machine, because whoever stands between could choose the
keys; redirects; and documents over 1 MiB.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx

from core.jose import JWK_MEMBERS, public_jwk, thumbprint
from core.ports import PublicKey

_TIMEOUT_S: Final = 10.0
_MAX_BYTES: Final = 1_048_576
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class NoKeys(ValueError):
    """Keys that cannot be had; the message says why."""


def load_keys(source: str) -> dict[str, PublicKey]:
    """The public keys by their ids, from a file's path or an address; raises `NoKeys`."""
    raw = _fetched(source) if "://" in source else _read(Path(source))
    try:
        listed = json.loads(raw)["keys"]
        keys = [_key(one) for one in listed]
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise NoKeys(f"{source} holds no set of P-256 keys: {exc}") from exc
    return {key.kid: key for key in keys}


def _key(document: Mapping[str, Any]) -> PublicKey:
    jwk = public_jwk({name: document.get(name) for name in JWK_MEMBERS})
    retired = document.get("retired_at")
    since = None if retired is None else datetime.fromisoformat(retired).timestamp()
    return PublicKey(thumbprint(jwk), jwk, since)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise NoKeys(f"{path} cannot be read: {exc.strerror}") from exc


def _fetched(url: str) -> bytes:
    try:
        address = httpx.URL(url)
        if address.scheme != "https" and (
            address.scheme != "http" or address.host.strip("[]") not in _LOCAL
        ):
            raise NoKeys(f"{url} is not https: others on the way could choose the keys")
        with (
            httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", address) as response,
        ):
            return _body(url, response)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise NoKeys(f"{url} does not answer: {exc}") from exc


def _body(url: str, response: httpx.Response) -> bytes:
    if response.status_code != httpx.codes.OK:
        raise NoKeys(f"{url} answered {response.status_code}")
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise NoKeys(f"{url} sends more than {_MAX_BYTES:,} bytes")
    return body
