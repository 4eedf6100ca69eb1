"""Fanlight's profile of RFC 9421: what it accepts, a peer library beside it, and attacks on it."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)
from hypothesis import given
from hypothesis import strategies as st

from core.digest import content_digest
from core.encoding import b64url_encode
from core.jose import thumbprint
from core.signatures import (
    MAX_INPUT,
    Component,
    Covered,
    Message,
    SignatureError,
    SignedRequest,
    _of_any,
    covered_by_profile,
    parse_signature_input,
    read_profile,
    signature_base,
)
from gateway.adapters.crypto import LocalSigner, LocalVerifier

GOLDEN: Mapping[str, Any] = json.loads(
    (Path(__file__).parent.parent / "wire/signature.json").read_text(encoding="utf-8")
)
FIELDS = {
    "content-digest": GOLDEN["digest"],
    "authorization": GOLDEN["authorization"],
    "idempotency-key": GOLDEN["idempotency_key"],
    "x-integrity": GOLDEN["x_integrity"],
    "signature-input": GOLDEN["signature_input"],
    "signature": GOLDEN["signature"],
}
INPUT: str = GOLDEN["signature_input"]


def fields(**changes: str | None) -> dict[str, str]:
    """The golden request's fields with some changed, or left out where None."""
    made = {**FIELDS, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return {name: value for name, value in made.items() if value is not None}


def with_input(old: str, new: str) -> dict[str, str]:
    """The golden request's fields with a piece of Signature-Input replaced."""
    assert old in INPUT
    return fields(signature_input=INPUT.replace(old, new))


def test_the_profile_is_read() -> None:
    signed = read_profile(FIELDS)
    assert (signed.created, signed.expires) == (GOLDEN["created"], GOLDEN["expires"])
    assert (signed.nonce, signed.keyid) == (GOLDEN["nonce"], GOLDEN["keyid"])
    assert len(signed.signature) == 64
    assert f"fanlight={signed.covered}" == INPUT


def test_opening_a_session_covers_no_authorization() -> None:
    opening = with_input(' "authorization"', "")
    assert read_profile(opening, opens_session=True).keyid == GOLDEN["keyid"]
    with pytest.raises(SignatureError, match="missing"):
        read_profile(opening)
    with pytest.raises(SignatureError, match="not allowed"):
        read_profile(FIELDS, opens_session=True)


def test_the_algorithm_may_be_named() -> None:
    named = with_input(';tag="', ';alg="ecdsa-p256-sha256";tag="')
    assert read_profile(named).nonce == GOLDEN["nonce"]


def test_a_client_covers_what_its_request_carries() -> None:
    bare = {"content-digest": content_digest(b"")}
    covered = covered_by_profile(bare, created=1, expires=2, nonce="n", keyid="k")
    assert str(covered) == (
        '("@method" "@authority" "@path" "@query" "content-digest")'
        ';created=1;expires=2;nonce="n";keyid="k";tag="fanlight-v1"'
    )


ATTACKS: dict[str, Mapping[str, str]] = {
    "no Signature-Input": fields(signature_input=None),
    "empty Signature-Input": fields(signature_input=""),
    "another label": with_input("fanlight=", "other="),
    "a label in capitals": with_input("fanlight=", "Fanlight="),
    "a second label": fields(signature_input=f"{INPUT}, second=()"),
    "the same label twice": fields(signature_input=f"{INPUT}, {INPUT}"),
    "a comma and nothing": fields(signature_input=f"{INPUT}, "),
    "text after it": fields(signature_input=f"{INPUT} "),
    "text before it": fields(signature_input=f" {INPUT}"),
    "@method left out": with_input('"@method" ', ""),
    "content-digest left out": with_input(' "content-digest"', ""),
    "authorization left out": with_input(' "authorization"', ""),
    "an idempotency key that is not covered": with_input(' "idempotency-key"', ""),
    "a receipt that is not covered": with_input(' "x-integrity"', ""),
    "an idempotency key covered and not sent": fields(idempotency_key=None),
    "a receipt covered and not sent": fields(x_integrity=None),
    "a component too many": with_input('"@path"', '"@path" "host"'),
    "an unknown derived component": with_input('"@path"', '"@path" "@magic"'),
    "a component twice": with_input('"@path"', '"@path" "@path"'),
    "a component in capitals": with_input('"content-digest"', '"Content-Digest"'),
    "a parameter on a component": with_input('"content-digest"', '"content-digest";sf'),
    "req on a component": with_input('"@method"', '"@method";req'),
    "the same component under a parameter": with_input('"@path"', '"@path" "@path";req'),
    "two spaces": with_input('" "', '"  "'),
    "a tab": with_input('" "', '"\t"'),
    "a token for a component": with_input('"@method"', "@method"),
    "another algorithm": with_input(";tag=", ';alg="hmac-sha256";tag='),
    "RSA": with_input(";tag=", ';alg="rsa-v1_5-sha256";tag='),
    "an algorithm that is no string": with_input(";tag=", ";alg;tag="),
    "no created": with_input(f";created={GOLDEN['created']}", ""),
    "no expires": with_input(f";expires={GOLDEN['expires']}", ""),
    "no nonce": with_input(f';nonce="{GOLDEN["nonce"]}"', ""),
    "no keyid": with_input(f';keyid="{GOLDEN["keyid"]}"', ""),
    "no tag": with_input(';tag="fanlight-v1"', ""),
    "another tag": with_input("fanlight-v1", "fanlight-v2"),
    "an unknown parameter": with_input(";tag=", ";magic=1;tag="),
    "a parameter twice": with_input(";tag=", ";created=1;tag="),
    "created as a string": with_input(f"={GOLDEN['created']}", f'="{GOLDEN["created"]}"'),
    "created as a decimal": with_input(f"={GOLDEN['created']}", f"={GOLDEN['created']}.0"),
    "created as true": with_input(f"created={GOLDEN['created']}", "created"),
    "created as ?1": with_input(f"={GOLDEN['created']}", "=?1"),
    "expires as ?0": with_input(f"={GOLDEN['expires']}", "=?0"),
    "created of sixteen digits": with_input(f"={GOLDEN['created']}", "=1767366000000000"),
    "created in other digits": with_input(f"={GOLDEN['created']}", "=١٧٦٧٣٦٦٠٠٠"),
    "created without a value": with_input(f"={GOLDEN['created']}", "="),
    "a parameter without a name": with_input(";tag=", ";=1;tag="),
    "a nonce too short": with_input(GOLDEN["nonce"], GOLDEN["nonce"][1:]),
    "a nonce too long": with_input(GOLDEN["nonce"], GOLDEN["nonce"] + "A"),
    "a nonce in another alphabet": with_input(GOLDEN["nonce"], "+" + GOLDEN["nonce"][1:]),
    "a nonce that is a number": with_input(f'"{GOLDEN["nonce"]}"', "1234567890"),
    "a nonce with a line break": with_input(GOLDEN["nonce"], GOLDEN["nonce"] + "\n"),
    "a keyid that is a number": with_input(f'"{GOLDEN["keyid"]}"', "12"),
    "a keyid that is not ASCII": with_input(GOLDEN["keyid"], "clé"),
    "a forbidden escape": with_input(GOLDEN["keyid"], "a\\b"),
    "an unfinished string": fields(signature_input=INPUT[:-1]),
    "an unfinished list": with_input(");created", ";created"),
    "a member that is no list": with_input("fanlight=(", 'fanlight="'),
    "more than a client ever sends": with_input(GOLDEN["keyid"], "k" * MAX_INPUT),
    "no Signature": fields(signature=None),
    "Signature under another label": fields(
        signature=GOLDEN["signature"].replace("fanlight", "other")
    ),
    "a second signature": fields(signature=f"{GOLDEN['signature']}, second=:AA==:"),
    "a Signature with a parameter": fields(signature=f"{GOLDEN['signature']};a"),
    "half a Signature": fields(signature="fanlight=:"),
    "an empty Signature": fields(signature="fanlight=::"),
    "a Signature in DER": fields(signature=f"fanlight=:{base64.b64encode(b'0' * 70).decode()}:"),
    "a Signature of 63 bytes": fields(
        signature=f"fanlight=:{base64.b64encode(b'0' * 63).decode()}:"
    ),
    "a Signature with a space": fields(signature=GOLDEN["signature"].replace(":z", ": z")),
    "a Signature in base64url": fields(signature=f"fanlight=:{'_' * 86}:"),
    "a Signature that is not ASCII": fields(signature="fanlight=:é:"),
    "a Signature with stray bits": fields(signature=f"fanlight=:{'A' * 85}B==:"),
}


@pytest.mark.parametrize("attacked", ATTACKS.values(), ids=ATTACKS)
def test_what_the_profile_does_not_name_is_refused(attacked: Mapping[str, str]) -> None:
    with pytest.raises(SignatureError):
        read_profile(attacked)


def test_a_refusal_is_short_whatever_was_sent() -> None:
    for attacked in ATTACKS.values():
        with pytest.raises(SignatureError) as refused:
            read_profile(attacked)
        assert len(str(refused.value)) <= 300


@pytest.mark.parametrize("name", ["signature-input", "signature"])
def test_no_character_can_be_left_out(name: str) -> None:
    """Without any one character the field is refused, or says something else than before."""
    whole = read_profile(FIELDS)
    for place in range(len(FIELDS[name])):
        cut = FIELDS[name][:place] + FIELDS[name][place + 1 :]
        try:
            read = read_profile({**FIELDS, name: cut})
        except SignatureError:
            continue
        assert read != whole, f"{name} without its character {place} reads the same"


def test_no_character_can_be_added() -> None:
    whole = read_profile(FIELDS)
    for place in range(len(INPUT) + 1):
        for added in ' \t\n,;="\\)(?0é':
            try:
                read = read_profile(fields(signature_input=INPUT[:place] + added + INPUT[place:]))
            except SignatureError:
                continue
            # A number may be written with leading zeros; what is signed is the number.
            assert read != whole or added == "0"


HUGE: dict[str, str] = {
    "one string": '"' + "a" * 1_000_000,
    "a string of escapes": '"' + '\\"' * 500_000,
    "many components": " ".join(f'"{number}"' for number in range(100_000)),
    "many parameters": '"a"' + "".join(f";p{number}" for number in range(100_000)),
    "one long number": '"a";b=' + "9" * 1_000_000,
    "many commas": '"a"),' * 200_000,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
@pytest.mark.timeout(30)
def test_a_huge_field_is_refused_in_linear_time(text: str) -> None:
    with pytest.raises(SignatureError):
        read_profile(fields(signature_input=f"fanlight=({text}"))
    with pytest.raises(SignatureError):
        parse_signature_input(f"fanlight=({text}")


@pytest.mark.timeout(30)
def test_many_components_are_compared_in_linear_time() -> None:
    names = " ".join(f'"{number}"' for number in range(50_000))
    assert len(parse_signature_input(f"sig=({names})")["sig"].components) == 50_000
    with pytest.raises(SignatureError, match="twice"):
        parse_signature_input(f'sig=({names} "0")')


KEYS = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,9}", fullmatch=True)
STRINGS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
INTEGERS = st.integers(-(10**15) + 1, 10**15 - 1)
PARAMS = st.dictionaries(KEYS, STRINGS | INTEGERS | st.booleans(), max_size=4).map(
    lambda params: tuple(params.items())
)
COMPONENTS = st.builds(Component, STRINGS, PARAMS)
COVERED = st.builds(Covered, st.lists(COMPONENTS, max_size=5, unique=True).map(tuple), PARAMS)


@given(st.dictionaries(KEYS, COVERED, min_size=1, max_size=3))
def test_what_is_written_reads_the_same(members: dict[str, Covered]) -> None:
    text = ", ".join(f"{label}={covered}" for label, covered in members.items())
    assert parse_signature_input(text) == members


@given(st.text() | st.text('fanlight=("@method");created=1,?\\ ', max_size=60))
def test_arbitrary_text_is_parsed_or_refused_plainly(text: str) -> None:
    with suppress(SignatureError):
        members = parse_signature_input(text)
        assert parse_signature_input(", ".join(f"{k}={v}" for k, v in members.items())) == members


@given(
    st.dictionaries(
        st.sampled_from(sorted(FIELDS)), st.text() | st.sampled_from([*FIELDS.values()])
    )
)
def test_arbitrary_fields_raise_nothing_else(sent: dict[str, str]) -> None:
    for opens_session in (False, True):
        with suppress(SignatureError):
            read_profile({**FIELDS, **sent}, opens_session=opens_session)


def outcome(read: Callable[[], SignedRequest]) -> tuple[SignedRequest, str] | None:
    """What was read and the bytes that it signs, or None where it was refused."""
    try:
        signed = read()
    except SignatureError:
        return None
    return signed, str(signed.covered)


INPUTS = st.sampled_from(
    [str(sent["signature-input"]) for sent in ATTACKS.values() if "signature-input" in sent]
    + [INPUT, INPUT.replace(' "authorization"', "")]
)


@given(
    text=INPUTS,
    place=st.integers(0, len(INPUT)),
    cut=st.integers(0, 2),
    added=st.text('0129"();= ,@az\\\n', max_size=2),
    absent=st.sets(st.sampled_from(["authorization", "idempotency-key", "x-integrity"])),
    opens_session=st.booleans(),
)
def test_the_quick_reading_is_the_general_one(
    *, text: str, place: int, cut: int, added: str, absent: set[str], opens_session: bool
) -> None:
    """Two parsers that differ would let a request mean one thing and sign another."""
    changed = text[:place] + added + text[place + cut :]
    sent = {name: value for name, value in FIELDS.items() if name not in absent}
    for spelt in (text, changed):
        sent["signature-input"] = spelt
        quick = outcome(lambda: read_profile(sent, opens_session=opens_session))
        general = outcome(
            lambda: _of_any(sent["signature-input"], sent, opens_session=opens_session)
        )
        assert quick == general or len(spelt) > MAX_INPUT


MESSAGE = Message("POST", "localhost:8000", "/v1/chat", "", FIELDS)
UNSIGNABLE: dict[str, tuple[str, Message, str]] = {
    "a field that is not there": ('("x-missing")', MESSAGE, "not in the message"),
    "an unknown derived component": ('("@magic")', MESSAGE, "not known"),
    "a parameter we do not read": ('("content-digest";key="sha-256")', MESSAGE, "not supported"),
    "a line break in a field": (
        '("authorization")',
        replace(MESSAGE, fields={"authorization": 'Bearer a\n"@path": /other'}),
        "line break",
    ),
    "a line break in the path": ('("@path")', replace(MESSAGE, path="/a\rb"), "line break"),
}


@pytest.mark.parametrize(("params", "message", "reason"), UNSIGNABLE.values(), ids=UNSIGNABLE)
def test_what_cannot_be_signed_is_refused(params: str, message: Message, reason: str) -> None:
    covered = parse_signature_input(f"sig={params}")["sig"]
    with pytest.raises(SignatureError, match=reason):
        signature_base(covered, message)


def test_the_golden_signature_is_made_over_our_base() -> None:
    assert signature_base(read_profile(FIELDS).covered, MESSAGE).decode() == GOLDEN["base"]


async def test_any_change_of_the_request_breaks_the_signature() -> None:
    signed = read_profile(FIELDS)
    changes: list[Callable[[Message], Message]] = [
        lambda message: replace(message, method="PUT"),
        lambda message: replace(message, authority="localhost:8001"),
        lambda message: replace(message, path="/v1/chat/"),
        lambda message: replace(message, query="a=1"),
        *(
            lambda message, name=name: replace(message, fields={**message.fields, name: "other"})
            for name in ("content-digest", "authorization", "idempotency-key", "x-integrity")
        ),
    ]
    verifier = LocalVerifier()
    whole = signature_base(signed.covered, MESSAGE)
    assert await verifier.verify(GOLDEN["jwk"], whole, signed.signature)
    for change in changes:
        changed = signature_base(signed.covered, change(MESSAGE))
        assert not await verifier.verify(GOLDEN["jwk"], changed, signed.signature)


# A peer library: it signs what we read, and reads what we sign.


@dataclass
class PeerRequest:
    """A request as `http-message-signatures` reads one."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


def peer_key() -> tuple[ec.EllipticCurvePrivateKey, LocalSigner, MappingKeyResolver]:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = LocalSigner(key)
    keyid = thumbprint(dict(signer.jwk))
    resolver = MappingKeyResolver(public_keys={keyid: key.public_key()}, private_keys={keyid: key})
    return key, signer, resolver


TARGETS = (("/v1/chat", ""), ("/v1/conversations/c_1/events", "a=1&b=%20x"))


@pytest.mark.parametrize(("path", "query"), TARGETS)
@pytest.mark.parametrize("include_alg", [False, True])
async def test_a_request_signed_by_the_peer_is_accepted(
    path: str, query: str, include_alg: bool
) -> None:
    _, signer, resolver = peer_key()
    sent = {
        "content-digest": content_digest(b"{}"),
        "authorization": "Bearer token",
        "idempotency-key": "key-1",
    }
    url = f"https://chat.example:8443{path}" + (f"?{query}" if query else "")
    request = PeerRequest("POST", url, dict(sent))
    now = datetime.now(UTC)
    HTTPMessageSigner(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=resolver).sign(
        request,
        key_id=thumbprint(dict(signer.jwk)),
        created=now,
        expires=now + timedelta(seconds=30),
        nonce=b64url_encode(bytes(16)),
        label="fanlight",
        tag="fanlight-v1",
        include_alg=include_alg,
        body=b"{}",
        use_existing_digest=True,
        covered_component_ids=(
            *("@method", "@authority", "@path", "@query"),
            *("content-digest", "authorization", "idempotency-key"),
        ),
    )
    lower = {name.lower(): value for name, value in request.headers.items()}
    signed = read_profile(lower)
    base = signature_base(signed.covered, Message("POST", "chat.example:8443", path, query, lower))
    assert signed.expires - signed.created == 30
    assert await LocalVerifier().verify(signer.jwk, base, signed.signature)


@pytest.mark.parametrize(("path", "query"), TARGETS)
async def test_a_request_signed_by_us_is_accepted_by_the_peer(path: str, query: str) -> None:
    _, signer, resolver = peer_key()
    headers = {
        "content-digest": content_digest(b""),
        "authorization": "Bearer token",
        "x-integrity": "a.b.c",
    }
    created = int(datetime.now(UTC).timestamp())
    covered = covered_by_profile(
        headers,
        created=created,
        expires=created + 60,
        nonce=b64url_encode(bytes(16)),
        keyid=thumbprint(dict(signer.jwk)),
    )
    base = signature_base(covered, Message("GET", "chat.example", path, query, headers))
    signature = base64.b64encode(await signer.sign(base)).decode()
    headers |= {"signature-input": f"fanlight={covered}", "signature": f"fanlight=:{signature}:"}
    url = f"https://chat.example{path}" + (f"?{query}" if query else "")
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=resolver
    )
    results = verifier.verify(
        PeerRequest("GET", url, headers), max_age=timedelta(minutes=2), expect_tag="fanlight-v1"
    )
    assert [result.label for result in results] == ["fanlight"]
    assert re.match(r'\("@method" "@authority"', str(covered))
