"""The gateway's key in a file."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.errors import Unavailable
from gateway.adapters.crypto import LocalSigner, LocalVerifier

AS_PEM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


async def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "gateway.pem"
    first, second = LocalSigner.load_or_create(path), LocalSigner.load_or_create(path)
    assert first.jwk == second.jwk
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    signature = await first.sign(b"data")
    assert await LocalVerifier().verify(second.jwk, b"data", signature)
    assert not await LocalVerifier().verify(second.jwk, b"date", signature)


async def test_a_point_off_the_curve_verifies_nothing() -> None:
    jwk = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}
    assert not await LocalVerifier().verify(jwk, b"data", bytes(64))


@pytest.mark.parametrize("kind", ["garbage", "ed25519", "p384"])
def test_a_file_that_is_no_p256_key_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "gateway.pem"
    if kind == "garbage":
        path.write_bytes(b"not a key")
    elif kind == "ed25519":
        path.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(*AS_PEM))
    else:
        path.write_bytes(ec.generate_private_key(ec.SECP384R1()).private_bytes(*AS_PEM))
    with pytest.raises(Unavailable, match=r"gateway\.pem"):
        LocalSigner.load_or_create(path)
