"""The gateway's key in a file."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.errors import Unavailable
from gateway.adapters.crypto import LocalSigner, LocalVerifier

AS_PEM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


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
        LocalSigner.load(path)
