"""What every pair of signer and verifier must do, on CPython and in Pyodide alike: one suite.

It imports `core` only, so that Pyodide can run this very file.
"""

import json
from collections.abc import Mapping

from core.encoding import b64url_encode
from core.jose import public_jwk
from core.ports import Signer, Verifier

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256 (SEC 2, section 2.4.2)."""

MESSAGES = {"empty": b"", "short": b"a", "hebrew": "שלום".encode(), "long": b"x" * 70_000}
HALF = 32

VALID = {"as signed", "the other half of s", "with members that say no more"}
"""ECDSA holds for s and for its negative. What stops a replay is the nonce, not the signature."""


def _altered(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _der(signature: bytes) -> bytes:
    parts = b""
    for half in (signature[:HALF], signature[HALF:]):
        integer = half.lstrip(b"\0")
        integer = b"\0" * (integer[:1] >= b"\x80") + integer
        parts += bytes([2, len(integer)]) + integer
    return bytes([0x30, len(parts)]) + parts


def signatures(signature: bytes) -> dict[str, bytes]:
    """Forms of one signature, by what was done to it."""
    r, s = signature[:HALF], signature[HALF:]
    zero = bytes(HALF)
    negative = (ORDER - int.from_bytes(s, "big")).to_bytes(HALF, "big")
    return {
        "as signed": signature,
        "the other half of s": r + negative,
        "r altered": _altered(signature, 5),
        "s altered": _altered(signature, 40),
        "r is zero": zero + s,
        "s is zero": r + zero,
        "all zero": zero + zero,
        "s is the order": r + ORDER.to_bytes(HALF, "big"),
        "halves exchanged": s + r,
        "cut short": signature[:-1],
        "too long": signature + b"\0",
        "empty": b"",
        "as DER": _der(signature),
    }


def keys(jwk: Mapping[str, str], other: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Forms of one public key, by what was done to it."""
    zero = b64url_encode(bytes(HALF))
    return {
        "with members that say no more": {**jwk, "kid": "1", "alg": "ES256", "use": "sig"},
        "another key": dict(other),
        "a point off the curve": {**jwk, "y": other["y"]},
        "the zero point": {**jwk, "x": zero, "y": zero},
        "x over the field": {**jwk, "x": b64url_encode(b"\xff" * HALF)},
    }


async def verdicts(
    verifier: Verifier,
    jwk: Mapping[str, str],
    other: Mapping[str, str],
    data: bytes,
    signature: bytes,
) -> dict[str, bool]:
    """What the verifier says to each case; `signature` is that of `jwk`'s key over `data`."""
    found = {
        name: await verifier.verify(jwk, data, form) for name, form in signatures(signature).items()
    }
    for name, key in keys(jwk, other).items():
        found[name] = await verifier.verify(key, data, signature)
    found["other data"] = await verifier.verify(jwk, data + b".", signature)
    found["no data"] = await verifier.verify(jwk, b"", signature)
    return found


async def outcomes(
    signer: Signer, verifier: Verifier, other: Mapping[str, str], foreign: Mapping[str, str]
) -> dict[str, object]:
    """All outcomes of one pair, as JSON can hold them.

    `other` is a public key that signed nothing here, `foreign` the hex of signatures that another
    implementation made with the same key, by the names of `MESSAGES`.
    """
    signed = {name: await signer.sign(data) for name, data in MESSAGES.items()}
    own = await verdicts(verifier, signer.jwk, other, MESSAGES["short"], signed["short"])
    return {
        "jwk": public_jwk(signer.jwk),
        "signed": {name: made.hex() for name, made in signed.items()},
        "lengths": sorted({len(made) for made in signed.values()}),
        "verdicts": own,
        "own held": [
            name
            for name, made in signed.items()
            if await verifier.verify(signer.jwk, MESSAGES[name], made)
        ],
        "foreign held": [
            name
            for name, made in foreign.items()
            if await verifier.verify(signer.jwk, MESSAGES[name], bytes.fromhex(made))
        ],
    }


async def outcomes_json(signer: Signer, verifier: Verifier, told: str) -> str:
    """The same for a caller in JavaScript."""
    given = json.loads(told)
    return json.dumps(await outcomes(signer, verifier, given["other"], given["foreign"]))
