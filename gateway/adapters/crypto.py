"""ES256 on CPython, by `cryptography`: the gateway's key in a file, and any key's verification."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from core.encoding import b64url_decode, b64url_encode
from core.errors import Unavailable

_ES256 = ec.ECDSA(SHA256())


class LocalSigner:
    """An ES256 key in this process."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        numbers = key.public_key().public_numbers()
        self._jwk = {
            "crv": "P-256",
            "kty": "EC",
            "x": b64url_encode(numbers.x.to_bytes(32, "big")),
            "y": b64url_encode(numbers.y.to_bytes(32, "big")),
        }

    @classmethod
    def generate(cls) -> LocalSigner:
        """A new key, kept nowhere."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, path: Path) -> LocalSigner:
        """The key in this PEM file; raises `Unavailable` when it holds no P-256 key."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except ValueError as exc:
            raise Unavailable(f"{path.name} is not a PEM key; restore it or move it away") from exc
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise Unavailable(f"{path.name} is not a P-256 key; restore it or move it away")
        return cls(key)

    def pem(self) -> bytes:
        """The private key as PKCS#8 PEM."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def jwk(self) -> Mapping[str, str]:
        """The public key."""
        return self._jwk

    async def sign(self, data: bytes) -> bytes:
        """Raw r||s over `data`."""
        r, s = decode_dss_signature(self._key.sign(data, _ES256))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@lru_cache(maxsize=4_096)
def _public_key(x: str, y: str) -> ec.EllipticCurvePublicKey:
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(b64url_decode(x), "big"),
        int.from_bytes(b64url_decode(y), "big"),
        ec.SECP256R1(),
    )
    return numbers.public_key()


class LocalVerifier:
    """ES256 verification in this process."""

    async def verify(self, jwk: Mapping[str, str], data: bytes, signature: bytes) -> bool:
        """Whether the raw r||s signature is this key's over `data`."""
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            key = _public_key(jwk["x"], jwk["y"])
            key.verify(encode_dss_signature(r, s), data, _ES256)
        except (InvalidSignature, ValueError):
            return False
        return True
