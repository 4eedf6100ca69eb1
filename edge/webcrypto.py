"""ES256 by WebCrypto, for where `cryptography` cannot be had: Pyodide and Python Workers.

Imports `js`, which only Pyodide has, when it is first used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.errors import Unavailable
from core.jose import public_jwk

_ES256 = {"name": "ECDSA", "namedCurve": "P-256", "hash": "SHA-256"}


def _subtle() -> Any:
    from js import crypto

    return crypto.subtle


def _to_js(value: object) -> Any:
    from js import JSON

    return JSON.parse(json.dumps(value))


def _bytes(data: bytes) -> Any:
    from pyodide.ffi import to_js

    return to_js(data)


class WebCryptoSigner:
    """The gateway's key in WebCrypto; make it with `load`."""

    def __init__(self, key: Any, jwk: Mapping[str, str]) -> None:
        self._key = key
        self._jwk = dict(jwk)

    @classmethod
    async def load(cls, private_jwk: Mapping[str, str]) -> WebCryptoSigner:
        """The signer of a private P-256 JWK; raises `Unavailable` when it is none."""
        from pyodide.ffi import JsException

        known = {name: private_jwk.get(name, "") for name in ("crv", "d", "kty", "x", "y")}
        try:
            public = public_jwk({name: known[name] for name in ("crv", "kty", "x", "y")})
            key = await _subtle().importKey("jwk", _to_js(known), _to_js(_ES256), False, _to_js(["sign"]))
        except (JsException, ValueError) as exc:
            raise Unavailable("FANLIGHT_SIGNING_JWK is no private P-256 JWK") from exc
        return cls(key, public)

    @property
    def jwk(self) -> Mapping[str, str]:
        """The public key."""
        return self._jwk

    async def sign(self, data: bytes) -> bytes:
        """Raw r||s over `data`."""
        signature = await _subtle().sign(_to_js(_ES256), self._key, _bytes(data))
        return bytes(signature.to_py())


class WebCryptoVerifier:
    """ES256 verification by WebCrypto."""

    async def verify(self, jwk: Mapping[str, str], data: bytes, signature: bytes) -> bool:
        """Whether the raw r||s signature is this key's over `data`; False on a bad point too."""
        from pyodide.ffi import JsException

        known = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
        subtle, es256 = _subtle(), _to_js(_ES256)
        try:
            key = await subtle.importKey("jwk", _to_js(known), es256, False, _to_js(["verify"]))
            held = await subtle.verify(es256, key, _bytes(signature), _bytes(data))
        except JsException:
            return False
        return bool(held)
