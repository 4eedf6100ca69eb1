"""One suite of signing and verifying: `cryptography` on CPython, WebCrypto in Pyodide."""

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from core.encoding import b64url_encode
from gateway.adapters.crypto import LocalSigner, LocalVerifier
from tests.edge.signing_cases import MESSAGES, VALID, keys, outcomes, signatures
from tests.edge.staging import run_node, staged_worker

KEY = ec.derive_private_key(0x1234567890ABCDEF << 128 | 7, ec.SECP256R1())
LOCAL = LocalSigner(KEY)
OTHER = LocalSigner(ec.derive_private_key(0xFEDCBA, ec.SECP256R1())).jwk
PRIVATE_JWK = {
    **LOCAL.jwk,
    "d": b64url_encode(KEY.private_numbers().private_value.to_bytes(32, "big")),
}
UNFIT = {
    "another's public half": {**PRIVATE_JWK, "x": OTHER["x"], "y": OTHER["y"]},
    "a zero secret": {**PRIVATE_JWK, "d": b64url_encode(bytes(32))},
    "a point off the curve": {**PRIVATE_JWK, "y": OTHER["y"]},
    "another curve": {**PRIVATE_JWK, "crv": "P-384"},
}

needs_node = pytest.mark.needs("node")
PAIRS = ["local", pytest.param("webcrypto", marks=[needs_node, pytest.mark.timeout(400)])]


async def local() -> dict[str, Any]:
    made = {name: (await LOCAL.sign(data)).hex() for name, data in MESSAGES.items()}
    return {"made": made, **await outcomes(LOCAL, LocalVerifier(), OTHER, made)}


@cache
def webcrypto(node: Path) -> dict[str, Any]:
    told = {
        "worker": str(staged_worker()),
        "jwk": PRIVATE_JWK,
        "other": dict(OTHER),
        "foreign": asyncio.run(local())["made"],
        "refused": UNFIT,
    }
    return run_node(node, "run_signing.mjs", told)


@pytest.fixture(params=PAIRS)
def found(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The outcomes of one pair over the suite."""
    if request.param == "local":
        return asyncio.run(local())
    return webcrypto(request.getfixturevalue("node_path"))


@pytest.mark.parametrize(
    "case", [*signatures(b"\1" * 64), *keys(LOCAL.jwk, OTHER), "other data", "no data"]
)
def test_every_verifier_gives_the_same_verdict(found: dict[str, Any], case: str) -> None:
    assert found["verdicts"][case] is (case in VALID)


def test_a_signature_is_64_bytes_and_holds(found: dict[str, Any]) -> None:
    assert found["lengths"] == [64]
    assert found["own held"] == list(MESSAGES)


def test_one_private_key_has_one_public_key(found: dict[str, Any]) -> None:
    assert found["jwk"] == LOCAL.jwk


def test_what_cryptography_signed_holds_everywhere(found: dict[str, Any]) -> None:
    assert found["foreign held"] == list(MESSAGES)


@needs_node
@pytest.mark.timeout(400)
async def test_what_webcrypto_signed_holds_under_cryptography(node_path: Path) -> None:
    signed = (await asyncio.to_thread(webcrypto, node_path))["signed"]
    assert [
        name
        for name, data in MESSAGES.items()
        if await LocalVerifier().verify(LOCAL.jwk, data, bytes.fromhex(signed[name]))
    ] == list(MESSAGES)


@needs_node
@pytest.mark.timeout(400)
def test_webcrypto_refuses_a_key_that_cannot_sign_for_itself(node_path: Path) -> None:
    refusals = webcrypto(node_path)["refusals"]
    assert refusals == dict.fromkeys(UNFIT, "ValueError")
