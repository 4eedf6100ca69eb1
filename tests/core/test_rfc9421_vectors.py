"""RFC 9421's own examples: our signature base is theirs byte for byte, and their signatures verify.

A vector that was mistyped here could not verify under its key.
"""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import load_der_public_key

from core.encoding import b64url_decode
from core.signatures import Message, SignatureError, parse_signature_input, signature_base

# Appendix B.1: test-key-rsa-pss, test-key-ecc-p256, test-key-ed25519, test-shared-secret.
RSA_PSS = cast(
    rsa.RSAPublicKey,
    load_der_public_key(
        base64.b64decode(
            "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2"
            "+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+"
            "oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq"
            "gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W"
            "Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4"
            "aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI"
            "2wIDAQAB"
        )
    ),
)
P256 = ec.EllipticCurvePublicNumbers(
    int.from_bytes(b64url_decode("qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA")),
    int.from_bytes(b64url_decode("Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0")),
    ec.SECP256R1(),
).public_key()
ED25519 = ed25519.Ed25519PublicKey.from_public_bytes(
    b64url_decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs")
)
SHARED_SECRET = base64.b64decode(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)


def verify_rsa_pss(base: bytes, signature: bytes) -> None:
    RSA_PSS.verify(signature, base, padding.PSS(padding.MGF1(SHA512()), 64), SHA512())


def verify_p256(base: bytes, signature: bytes) -> None:
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    P256.verify(encode_dss_signature(r, s), base, ec.ECDSA(SHA256()))


def verify_ed25519(base: bytes, signature: bytes) -> None:
    ED25519.verify(signature, base)


def verify_hmac(base: bytes, signature: bytes) -> None:
    if not hmac.compare_digest(hmac.digest(SHARED_SECRET, base, "sha256"), signature):
        raise InvalidSignature


REQUEST_DIGEST = (
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+"
    "TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
)
RESPONSE_DIGEST = (
    "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41"
    "QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
)
CLIENT_CERT = (
    ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQ"
    "KDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBD"
    "QTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDM"
    "FkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXm"
    "ckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQY"
    "DVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8B"
    "Af8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQ"
    "GV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0"
    "Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=:"
)
# `test-request` and `test-response` of B.2, and what B.3's proxy forwards.
REQUEST = Message(
    "POST",
    "example.com",
    "/foo",
    "param=Value&Pet=dog",
    {
        "date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "content-type": "application/json",
        "content-digest": REQUEST_DIGEST,
        "content-length": "18",
    },
)
RESPONSE = Message(
    status=200,
    fields={
        "content-type": "application/json",
        "content-digest": RESPONSE_DIGEST,
        "content-length": "23",
    },
)
PROXIED = replace(
    REQUEST, authority="service.internal.example", fields={"client-cert": CLIENT_CERT}
)


@dataclass(frozen=True)
class Vector:
    section: str
    message: Message
    params: str
    lines: tuple[str, ...]
    signature: str
    verify: Callable[[bytes, bytes], None]

    @property
    def base(self) -> str:
        return "\n".join([*self.lines, f'"@signature-params": {self.params}'])


VECTORS = (
    Vector(
        "B.2.1",
        REQUEST,
        '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
        (),
        "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopem"
        "LJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG"
        "52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx"
        "2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6"
        "UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3"
        "+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==",
        verify_rsa_pss,
    ),
    Vector(
        "B.2.2",
        REQUEST,
        '("@authority" "content-digest" "@query-param";name="Pet")'
        ';created=1618884473;keyid="test-key-rsa-pss";tag="header-example"',
        (
            '"@authority": example.com',
            f'"content-digest": {REQUEST_DIGEST}',
            '"@query-param";name="Pet": dog',
        ),
        "LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQ"
        "EdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT"
        "8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SA"
        "RYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd"
        "4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoK"
        "UqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==",
        verify_rsa_pss,
    ),
    Vector(
        "B.2.3",
        REQUEST,
        '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest"'
        ' "content-length");created=1618884473;keyid="test-key-rsa-pss"',
        (
            '"date": Tue, 20 Apr 2021 02:07:55 GMT',
            '"@method": POST',
            '"@path": /foo',
            '"@query": ?param=Value&Pet=dog',
            '"@authority": example.com',
            '"content-type": application/json',
            f'"content-digest": {REQUEST_DIGEST}',
            '"content-length": 18',
        ),
        "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yB"
        "iMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fU"
        "xN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1"
        "pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9"
        "bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5Z"
        "JzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==",
        verify_rsa_pss,
    ),
    Vector(
        "B.2.4",
        RESPONSE,
        '("@status" "content-type" "content-digest" "content-length")'
        ';created=1618884473;keyid="test-key-ecc-p256"',
        (
            '"@status": 200',
            '"content-type": application/json',
            f'"content-digest": {RESPONSE_DIGEST}',
            '"content-length": 23',
        ),
        "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==",
        verify_p256,
    ),
    Vector(
        "B.2.5",
        REQUEST,
        '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
        (
            '"date": Tue, 20 Apr 2021 02:07:55 GMT',
            '"@authority": example.com',
            '"content-type": application/json',
        ),
        "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
        verify_hmac,
    ),
    Vector(
        "B.2.6",
        REQUEST,
        '("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"',
        (
            '"date": Tue, 20 Apr 2021 02:07:55 GMT',
            '"@method": POST',
            '"@path": /foo',
            '"@authority": example.com',
            '"content-type": application/json',
            '"content-length": 18',
        ),
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
        verify_ed25519,
    ),
    Vector(
        "B.3",
        PROXIED,
        '("@path" "@query" "@method" "@authority" "client-cert")'
        ';created=1618884473;keyid="test-key-ecc-p256"',
        (
            '"@path": /foo',
            '"@query": ?param=Value&Pet=dog',
            '"@method": POST',
            '"@authority": service.internal.example',
            f'"client-cert": {CLIENT_CERT}',
        ),
        "xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw==",
        verify_p256,
    ),
)


def base_of(vector: Vector, message: Message) -> bytes:
    """The base as the server makes it: parameters parsed from the field, then written again."""
    return signature_base(parse_signature_input(f"sig={vector.params}")["sig"], message)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.section)
def test_the_signature_base_is_the_one_in_the_rfc(vector: Vector) -> None:
    assert base_of(vector, vector.message) == vector.base.encode()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.section)
def test_the_signature_in_the_rfc_verifies_over_our_base(vector: Vector) -> None:
    vector.verify(base_of(vector, vector.message), base64.b64decode(vector.signature))


@pytest.mark.parametrize("vector", VECTORS[1:], ids=lambda vector: vector.section)
def test_a_changed_message_no_longer_verifies(vector: Vector) -> None:
    changed = replace(
        vector.message,
        authority="other.example",
        status=201,
        fields={name: value + "x" for name, value in vector.message.fields.items()},
    )
    with pytest.raises(InvalidSignature):
        vector.verify(base_of(vector, changed), base64.b64decode(vector.signature))


# B.4: one signature, and what may happen to the message on its way.
TRANSFORMED = Vector(
    "B.4",
    Message(
        "GET",
        "example.org",
        "/demo",
        "name1=Value1&Name2=value2",
        {"date": "Fri, 15 Jul 2022 14:24:55 GMT", "accept": "application/json, */*"},
    ),
    '("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"',
    (
        '"@method": GET',
        '"@path": /demo',
        '"@authority": example.org',
        '"accept": application/json, */*',
    ),
    "ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==",
    verify_ed25519,
)
HARMLESS: dict[str, dict[str, object]] = {
    "unchanged": {},
    "a query parameter and a field added": {
        "query": "name1=Value1&Name2=value2&param=added",
        "fields": {"accept": "application/json, */*", "accept-language": "en-US,en;q=0.5"},
    },
    "fields not covered removed and replaced": {
        "fields": {"accept": "application/json, */*", "referer": "https://developer.example.org/"}
    },
    "space around a value": {"fields": {"accept": " \tapplication/json, */* "}},
    "the authority in capitals": {"authority": "EXAMPLE.ORG"},
}
HARMFUL: dict[str, dict[str, object]] = {
    "another method and authority": {"method": "POST", "authority": "example.com"},
    "another order of a field's values": {"fields": {"accept": "*/*, application/json"}},
    "another path": {"path": "/demo/"},
    "space that is no optional white space": {"fields": {"accept": "\u00a0application/json, */*"}},
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_b4_a_harmless_transformation_still_verifies(change: dict[str, object]) -> None:
    message = replace(TRANSFORMED.message, **change)  # type: ignore[arg-type]
    assert base_of(TRANSFORMED, message) == TRANSFORMED.base.encode()
    verify_ed25519(base_of(TRANSFORMED, message), base64.b64decode(TRANSFORMED.signature))


@pytest.mark.parametrize("change", HARMFUL.values(), ids=HARMFUL)
def test_b4_a_harmful_transformation_does_not_verify(change: dict[str, object]) -> None:
    message = replace(TRANSFORMED.message, **change)  # type: ignore[arg-type]
    with pytest.raises(InvalidSignature):
        verify_ed25519(base_of(TRANSFORMED, message), base64.b64decode(TRANSFORMED.signature))


# Section 2.2: one line each for one request target.
TARGET = Message("POST", "www.example.com", "/path", "param=value", scheme="https", status=503)
DERIVED = (
    ("@method", TARGET, "POST"),
    ("@target-uri", TARGET, "https://www.example.com/path?param=value"),
    ("@authority", TARGET, "www.example.com"),
    ("@scheme", replace(TARGET, scheme="http"), "http"),
    ("@request-target", TARGET, "/path?param=value"),
    ("@request-target", replace(TARGET, query=""), "/path"),
    ("@path", TARGET, "/path"),
    ("@path", replace(TARGET, path=""), "/"),
    ("@query", replace(TARGET, query="queryString"), "?queryString"),
    ("@query", replace(TARGET, query=""), "?"),
    ("@status", TARGET, "503"),
)


@pytest.mark.parametrize(("name", "message", "value"), DERIVED)
def test_a_derived_component_has_the_value_of_section_2_2(
    name: str, message: Message, value: str
) -> None:
    covered = parse_signature_input(f'sig=("{name}")')["sig"]
    line = signature_base(covered, message).decode().split("\n")[0]
    assert line == f'"{name}": {value}'


QUERY = (
    "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace"
    "&fa%C3%A7ade%22%3A%20=something&t=~"
)
QUERY_PARAMS = (
    ("var", "this%20is%20a%20big%0Amultiline%20value"),
    ("bar", "with%20plus%20whitespace"),
    ("fa%C3%A7ade%22%3A%20", "something"),
    ("t", "%7E"),
)


@pytest.mark.parametrize(("name", "value"), QUERY_PARAMS)
def test_a_query_parameter_is_encoded_as_in_section_2_2_8(name: str, value: str) -> None:
    covered = parse_signature_input(f'sig=("@query-param";name="{name}")')["sig"]
    line = signature_base(covered, replace(REQUEST, query=QUERY)).decode().split("\n")[0]
    assert line == f'"@query-param";name="{name}": {value}'


@pytest.mark.parametrize("query", ["", "a=1&a=2"])
def test_a_query_parameter_must_occur_exactly_once(query: str) -> None:
    covered = parse_signature_input('sig=("@query-param";name="a")')["sig"]
    with pytest.raises(SignatureError, match="exactly once"):
        signature_base(covered, replace(REQUEST, query=query))


def test_a_response_can_cover_the_request_that_it_answers() -> None:
    covered = parse_signature_input('sig=("@status" "@method";req "content-digest";req)')["sig"]
    answer = replace(RESPONSE, request=REQUEST)
    assert signature_base(covered, answer).decode().split("\n")[:3] == [
        '"@status": 200',
        '"@method";req: POST',
        f'"content-digest";req: {REQUEST_DIGEST}',
    ]
    with pytest.raises(SignatureError, match="needs the request"):
        signature_base(covered, RESPONSE)
