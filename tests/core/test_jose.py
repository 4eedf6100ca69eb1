"""Thumbprints and compact JWS, with joserfc as the peer."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from core import jose
from core.encoding import b64url_decode, b64url_encode, canonical_json
from gateway.adapters.crypto import LocalSigner, LocalVerifier

# RFC 9449 (DPoP), sections 4.1 and 6.1: a P-256 key and its RFC 7638 thumbprint.
DPOP = {
    "kty": "EC",
    "crv": "P-256",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
}
DPOP_THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
# RFC 7515, appendix A.3: a JWS under ES256.
A3_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
A3_TOKEN = (
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
PAYLOAD: dict[str, object] = {"turn_id": "t_1", "text": "שלום", "n": 0.5, "none": None}


def token_of(header: object, payload: object = PAYLOAD, signature: bytes = bytes(64)) -> str:
    return ".".join(
        (
            b64url_encode(canonical_json(header)),
            b64url_encode(canonical_json(payload)),
            b64url_encode(signature),
        )
    )


HEADER = {"alg": "ES256", "kid": "k", "typ": "x+jwt"}


def test_the_thumbprint_is_the_one_in_rfc_9449() -> None:
    assert jose.thumbprint(DPOP) == DPOP_THUMBPRINT


def test_a_thumbprint_counts_the_required_members_alone() -> None:
    assert jose.thumbprint({**DPOP, "kid": "other", "use": "sig"}) == DPOP_THUMBPRINT


def test_the_peer_has_the_same_thumbprint() -> None:
    key = ECKey.generate_key("P-256", private=False)
    public = {name: str(value) for name, value in key.as_dict(private=False).items()}
    assert jose.thumbprint(public) == key.thumbprint()


def test_a_public_key_keeps_its_four_members() -> None:
    assert jose.public_jwk(DPOP) == DPOP


BAD_KEYS: dict[str, dict[str, object]] = {
    "a private key": {**DPOP, "d": "AA"},
    "a key id too many": {**DPOP, "kid": "k"},
    "no y": {name: value for name, value in DPOP.items() if name != "y"},
    "RSA": {**DPOP, "kty": "RSA"},
    "another curve": {**DPOP, "crv": "P-384"},
    "x too short": {**DPOP, "x": DPOP["x"][:-2]},
    "x too long": {**DPOP, "x": DPOP["x"] + "AA"},
    "x in padded base64": {**DPOP, "x": DPOP["x"] + "="},
    "x with stray bits": {**DPOP, "x": DPOP["x"][:-1] + "t"},
    "y that is no text": {**DPOP, "y": 1},
    "y that is null": {**DPOP, "y": None},
    "kty that is a list": {**DPOP, "kty": ["EC"]},
}


@pytest.mark.parametrize("jwk", BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_key_that_is_no_bare_p256_point_is_refused(jwk: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"jwk|base64url"):
        jose.public_jwk(jwk)


async def test_the_peer_verifies_our_token() -> None:
    signer = LocalSigner.generate()
    kid = jose.thumbprint(dict(signer.jwk))
    signed = jose.signing_input(PAYLOAD, kid, "fanlight-receipt+jwt")
    token = jose.join(signed, await signer.sign(signed))
    peer = jws.deserialize_compact(token, ECKey.import_key(dict(signer.jwk)), ["ES256"])
    assert json.loads(peer.payload or b"") == PAYLOAD
    assert peer.headers() == {"alg": "ES256", "kid": kid, "typ": "fanlight-receipt+jwt"}


async def test_we_verify_the_peers_token() -> None:
    key = ECKey.generate_key("P-256")
    token = jws.serialize_compact(HEADER, json.dumps(PAYLOAD), key, ["ES256"])
    taken = jose.split(token)
    public: dict[str, Any] = key.as_dict(private=False)
    jwk = jose.public_jwk({name: public[name] for name in jose.JWK_MEMBERS})
    assert (taken.kid, taken.typ, taken.payload) == ("k", "x+jwt", PAYLOAD)
    assert await LocalVerifier().verify(jwk, taken.signed, taken.signature)
    assert not await LocalVerifier().verify(DPOP, taken.signed, taken.signature)


async def test_the_signature_of_rfc_7515_appendix_a3_verifies() -> None:
    signed, _, signature = A3_TOKEN.rpartition(".")
    jwk = jose.public_jwk(A3_KEY)
    assert await LocalVerifier().verify(jwk, signed.encode(), b64url_decode(signature))
    with pytest.raises(ValueError, match="alg, kid and typ"):
        jose.split(A3_TOKEN)


def test_a_token_comes_apart_as_it_was_joined() -> None:
    token = jose.join(jose.signing_input(PAYLOAD, "k", "x+jwt"), bytes(range(64)))
    taken = jose.split(token)
    assert jose.join(taken.signed, taken.signature) == token
    assert taken == jose.CompactJws("k", "x+jwt", PAYLOAD, taken.signed, bytes(range(64)))


DEEP = b64url_encode(b"[" * 200_000)
BAD_TOKENS: dict[str, str] = {
    "nothing": "",
    "two parts": "a.b",
    "four parts": token_of(HEADER) + ".AA",
    "no algorithm": token_of({**HEADER, "alg": "none"}),
    "no signature": token_of(HEADER, signature=b""),
    "an HMAC": token_of({**HEADER, "alg": "HS256"}),
    "ES384": token_of({**HEADER, "alg": "ES384"}, signature=bytes(96)),
    "es256 in small letters": token_of({**HEADER, "alg": "es256"}),
    "a key in the header": token_of({**HEADER, "jwk": DPOP}),
    "crit in the header": token_of({**HEADER, "crit": ["exp"]}),
    "no kid": token_of({"alg": "ES256", "typ": "x"}),
    "a kid that is a number": token_of({**HEADER, "kid": 1}),
    "a typ that is null": token_of({**HEADER, "typ": None}),
    "a header that is a list": token_of(["alg", "kid", "typ"]),
    "a payload that is a list": token_of(HEADER, []),
    "a payload that is a number": token_of(HEADER, 1),
    "a signature in DER": token_of(HEADER, signature=bytes(70)),
    "a padded signature": token_of(HEADER) + "==",
    "a signature with stray bits": token_of(HEADER)[:-1] + "B",
    "a header that is not JSON": "AAAA." + token_of(HEADER).partition(".")[2],
    "a header nested too deeply": f"{DEEP}.AAAA.AAAA",
    "a payload nested too deeply": f"{token_of(HEADER).split('.')[0]}.{DEEP}.AAAA",
    "a line break at the end": token_of(HEADER) + "\n",
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_token_of_another_form_is_refused(token: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which flaw is told first does not matter
        jose.split(token)


@given(st.text(max_size=60) | st.lists(st.binary(max_size=30), min_size=3, max_size=3))
def test_arbitrary_text_is_split_or_refused(given_: str | list[bytes]) -> None:
    text = given_ if isinstance(given_, str) else ".".join(map(b64url_encode, given_))
    with suppress(ValueError):
        jose.split(text)
