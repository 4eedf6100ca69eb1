"""JWK thumbprints and compact JWS, ES256 only, with the signature itself left to a port.

It decides what a token's bytes are and refuses every algorithm but ES256, every key that is
not a bare P-256 point, and every header that it does not know. No cryptography happens here:
`core.ports.Signer` and `core.ports.Verifier` do that, since Pyodide has no `cryptography`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from core.encoding import b64url_decode, b64url_encode, canonical_json

JWK_MEMBERS = ("crv", "kty", "x", "y")


def public_jwk(jwk: Mapping[str, object]) -> dict[str, str]:
    """The required members of a P-256 public key, checked; raises `ValueError` naming the flaw."""
    if set(jwk) != set(JWK_MEMBERS):
        raise ValueError("jwk must have exactly kty, crv, x and y")
    if jwk["kty"] != "EC" or jwk["crv"] != "P-256":
        raise ValueError("jwk must be an EC key on P-256")
    for name in ("x", "y"):
        value = jwk[name]
        if not isinstance(value, str) or len(b64url_decode(value)) != 32:
            raise ValueError(f"jwk.{name} must be 32 bytes of base64url")
    return {name: str(jwk[name]) for name in JWK_MEMBERS}


def thumbprint(jwk: Mapping[str, str]) -> str:
    """RFC 7638 thumbprint, SHA-256, base64url."""
    required = {name: jwk[name] for name in JWK_MEMBERS}
    return b64url_encode(hashlib.sha256(canonical_json(required)).digest())


def signing_input(payload: Mapping[str, object], kid: str, typ: str) -> bytes:
    """What an ES256 compact JWS signs: `base64url(header).base64url(payload)`."""
    header = {"alg": "ES256", "kid": kid, "typ": typ}
    return (
        f"{b64url_encode(canonical_json(header))}.{b64url_encode(canonical_json(payload))}".encode()
    )


def join(signed: bytes, signature: bytes) -> str:
    """The compact serialisation from its signing input and raw r||s signature."""
    return f"{signed.decode('ascii')}.{b64url_encode(signature)}"


@dataclass(frozen=True, slots=True)
class CompactJws:
    """A compact JWS taken apart, not yet verified."""

    kid: str
    typ: str
    payload: dict[str, object]
    signed: bytes
    signature: bytes


def split(token: str) -> CompactJws:
    """Take a compact JWS apart; raises `ValueError` unless it is ES256 with kid and typ alone."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("a compact JWS has three parts")
    try:
        header = json.loads(b64url_decode(parts[0]))
        payload = json.loads(b64url_decode(parts[1]))
    except RecursionError as exc:
        raise ValueError("the token is nested too deeply") from exc
    signature = b64url_decode(parts[2])
    if not isinstance(header, dict) or set(header) != {"alg", "kid", "typ"}:
        raise ValueError("the header must have exactly alg, kid and typ")
    if header["alg"] != "ES256" or len(signature) != 64:
        raise ValueError("only ES256 is accepted")
    if not isinstance(payload, dict):
        raise ValueError("the payload must be an object")
    kid, typ = header["kid"], header["typ"]
    if not isinstance(kid, str) or not isinstance(typ, str):
        raise ValueError("kid and typ must be strings")
    return CompactJws(kid, typ, payload, f"{parts[0]}.{parts[1]}".encode(), signature)
