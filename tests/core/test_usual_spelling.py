"""The one-pass reading of the usual spelling says what the general parser says, or leaves it be."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from core.signatures import (
    LABEL,
    Message,
    SignatureError,
    SignedRequest,
    _of_any,
    covered_by_profile,
    read_profile,
    signature_base,
)

PRESENT = ("authorization", "idempotency-key", "x-integrity")
SIGNATURE = f"{LABEL}=:{base64.b64encode(bytes(64)).decode()}:"


def fields_with(present: set[str], *, nonce: str, keyid: str, created: int) -> dict[str, str]:
    fields = {"content-digest": "sha-256=:x:", **dict.fromkeys(present, "v")}
    covered = covered_by_profile(
        fields, created=created, expires=created + 60, nonce=nonce, keyid=keyid
    )
    return {**fields, "signature": SIGNATURE, "signature-input": f"{LABEL}={covered}"}


usual = st.builds(
    fields_with,
    st.sets(st.sampled_from(PRESENT)),
    nonce=st.from_regex(r"[A-Za-z0-9_-]{22}", fullmatch=True),
    keyid=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=50),
    created=st.integers(-5, 10**14),
)


@st.composite
def nearly_usual(draw: st.DrawFn) -> dict[str, str]:
    """A usual request with one stretch of its Signature-Input replaced, or a field come or gone."""
    fields = draw(usual)
    text = fields["signature-input"]
    begin = draw(st.integers(0, len(text)))
    end = min(len(text), begin + draw(st.integers(0, 3)))
    put = draw(st.text(' "();=,\\0a-z9@?1', max_size=3))
    fields["signature-input"] = text[:begin] + put + text[end:]
    changed = draw(st.none() | st.sampled_from(PRESENT))
    if changed is not None and fields.pop(changed, None) is None:
        fields[changed] = "v"
    return fields


def outcome(read: SignedRequest | SignatureError, fields: dict[str, str]) -> object:
    if isinstance(read, SignatureError):
        return str(read)
    try:
        return read, signature_base(
            read.covered, Message("POST", "gate.example", "/v1/chat", "", fields)
        )
    except SignatureError as error:
        return read, str(error)


def both(fields: dict[str, str], *, opens_session: bool) -> tuple[object, object]:
    said: list[object] = []
    for general in (False, True):
        try:
            text = fields["signature-input"]
            read = (
                _of_any(text, fields, opens_session=opens_session)
                if general
                else read_profile(fields, opens_session=opens_session)
            )
            said.append(outcome(read, fields))
        except SignatureError as error:
            said.append(outcome(error, fields))
    return said[0], said[1]


@given(usual, st.booleans())
def test_usual_requests_read_alike(fields: dict[str, str], opens_session: bool) -> None:
    quick, general = both(fields, opens_session=opens_session)
    assert quick == general


@given(nearly_usual(), st.booleans())
def test_nearly_usual_requests_read_alike(fields: dict[str, str], opens_session: bool) -> None:
    quick, general = both(fields, opens_session=opens_session)
    assert quick == general
