"""ES256 by WebCrypto, for where `cryptography` cannot be had: Pyodide and Python Workers.

It passes the same suite as the adapters on CPython. It refuses a private key whose public half is
another's, since nothing that it signed could be verified.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import js
from pyodide.ffi import JsException, to_js

from core.jose import JWK_MEMBERS, public_jwk

_ES256: Final = {"name": "ECDSA", "namedCurve": "P-256", "hash": "SHA-256"}
_PROBE: Final = b"fanlight"


def _object(value: object) -> Any:
    return js.JSON.parse(json.dumps(value))


async def _import_key(jwk: Mapping[str, str], members: tuple[str, ...], use: str) -> Any:
    known = {name: jwk[name] for name in members}
    return await js.crypto.subtle.importKey(
        "jwk", _object(known), _object(_ES256), False, _object([use])
    )


class WebCryptoVerifier:
    """ES256 verification by WebCrypto."""

    async def verify(self, jwk: Mapping[str, str], data: bytes, signature: bytes) -> bool:
        """Whether the raw r||s signature is this key's over `data`; False on a bad point too."""
        try:
            key = await _import_key(jwk, JWK_MEMBERS, "verify")
            held = await js.crypto.subtle.verify(
                _object(_ES256), key, to_js(signature), to_js(data)
            )
        except JsException:
            return False
        return bool(held)


class WebCryptoSigner:
    """The gateway's key in WebCrypto, not to be read back; make it with `load`."""

    def __init__(self, key: Any, jwk: Mapping[str, str]) -> None:
        self._key = key
        self._jwk = dict(jwk)

    @classmethod
    async def load(cls, private_jwk: Mapping[str, str]) -> WebCryptoSigner:
        """The signer of a private P-256 JWK; raises `ValueError` when it is none."""
        public = public_jwk({name: private_jwk[name] for name in JWK_MEMBERS})
        try:
            key = await _import_key(private_jwk, (*JWK_MEMBERS, "d"), "sign")
            signer = cls(key, public)
            made = await signer.sign(_PROBE)
        except JsException as exc:
            raise ValueError("WebCrypto does not take this key") from exc
        if not await WebCryptoVerifier().verify(public, _PROBE, made):
            raise ValueError("x and y are another key's than d")
        return signer

    @property
    def jwk(self) -> Mapping[str, str]:
        """The public key."""
        return self._jwk

    async def sign(self, data: bytes) -> bytes:
        """Raw r||s over `data`."""
        made = await js.crypto.subtle.sign(_object(_ES256), self._key, to_js(data))
        return bytes(made.to_bytes())
