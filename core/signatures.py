"""HTTP Message Signatures (RFC 9421): the signature base, and Fanlight's strict profile of it.

It decides which bytes a signature covers, and refuses whatever the profile does not name: another
label, a second signature, a component missing from the covered set or added to it, an unknown
parameter, another algorithm. It verifies nothing: the key and the arithmetic are behind
`core.ports.Verifier`, so that the same lines run on CPython, in Pyodide and in a Worker.

The profile ("Every later call" in the wire contract): label `fanlight`, tag `fanlight-v1`, the
components of `REQUIRED`, `authorization` save where a session is opened, and `idempotency-key` and
`x-integrity` exactly when the request carries them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, product
from urllib.parse import parse_qsl, quote, unquote

LABEL = "fanlight"
TAG = "fanlight-v1"
ALGORITHM = "ecdsa-p256-sha256"
REQUIRED = ("@method", "@authority", "@path", "@query", "content-digest")
WHEN_PRESENT = ("idempotency-key", "x-integrity")
MAX_LIFETIME_S = 60
MAX_INPUT = 2_048

Bare = str | int | bool

_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f\x7f-\U0010ffff]|\\["\\])*)"')
_INTEGER = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22}\Z")


class SignatureError(ValueError):
    """The signature fields are malformed or outside the profile; the message says how."""


@dataclass(frozen=True, slots=True)
class Component:
    """A component identifier: a field name or derived component, with its parameters."""

    name: str
    params: tuple[tuple[str, Bare], ...] = ()
    text: str = field(default="", compare=False, repr=False)
    """The serialised form, where it is known already."""

    def __str__(self) -> str:
        return self.text or _serialise(self.name) + _serialise_params(self.params)


@dataclass(frozen=True, slots=True)
class Covered:
    """One parsed member of `Signature-Input`: what is covered, and the signature's parameters."""

    components: tuple[Component, ...]
    params: tuple[tuple[str, Bare], ...]
    text: str = field(default="", compare=False, repr=False)
    """The serialised form, where it is known already."""

    def __str__(self) -> str:
        inner = " ".join(map(str, self.components))
        return self.text or f"({inner}){_serialise_params(self.params)}"


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP message as far as signatures see it.

    `fields` has lower-case names and values already joined by ", " where a field came twice.
    `query` is without its question mark. `request` is the request that a response answers.
    """

    method: str = ""
    authority: str = ""
    path: str = "/"
    query: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "https"
    status: int = 0
    request: Message | None = None


def signature_base(covered: Covered, message: Message) -> bytes:
    """The bytes that a signature signs (RFC 9421, section 2.5).

    Raises `SignatureError` when a covered component is not in the message, or has a line break,
    with which one component could pass for two.
    """
    lines = []
    for component in covered.components:
        value = _value(component, message)
        if "\n" in value or "\r" in value:
            raise SignatureError(f"the value of {component} has a line break")
        lines.append(f"{component.text or component}: {value}")
    lines.append(f'"@signature-params": {covered.text or covered}')
    return "\n".join(lines).encode("utf-8")


def _value(component: Component, message: Message) -> str:
    name = component.name
    if component.params or name == "@query-param":
        return _parametrised(component, message)
    derive = _DERIVED.get(name)
    if derive is not None:
        return derive(message)
    if name.startswith("@"):
        raise SignatureError(f"the derived component {name} is not known")
    if name not in message.fields:
        raise SignatureError(f"the covered field {name} is not in the message")
    return message.fields[name].strip(" \t")


def _parametrised(component: Component, message: Message) -> str:
    params = dict(component.params)
    if params.pop("req", False):
        if message.request is None:
            raise SignatureError(f"{component} needs the request that this response answers")
        message = message.request
    if component.name == "@query-param":
        return _query_param(str(params.get("name", "")), message.query)
    if params:
        raise SignatureError(f"parameters of {component} are not supported")
    return _value(Component(component.name), message)


def _target(message: Message) -> str:
    return message.path + (f"?{message.query}" if message.query else "")


_DERIVED: Mapping[str, Callable[[Message], str]] = {
    "@method": lambda message: message.method,
    "@authority": lambda message: message.authority.lower(),
    "@path": lambda message: message.path or "/",
    "@query": lambda message: f"?{message.query}",
    "@scheme": lambda message: message.scheme,
    "@request-target": _target,
    "@target-uri": lambda message: f"{message.scheme}://{message.authority}{_target(message)}",
    "@status": lambda message: str(message.status),
}


def _query_param(name: str, query: str) -> str:
    wanted = unquote(name)
    found = [value for key, value in parse_qsl(query, keep_blank_values=True) if key == wanted]
    if len(found) != 1:
        raise SignatureError(f"the query parameter {name} must occur exactly once")
    return quote(found[0], safe="*-._").replace("~", "%7E")


def parse_signature_input(text: str) -> dict[str, Covered]:
    """Parse a `Signature-Input` field; raises `SignatureError` when it is malformed."""
    members: dict[str, Covered] = {}
    position = 0
    while True:
        label, position = _match(_KEY, text, position, "a label")
        position = _expect(text, position, "=(")
        components, position = _inner_list(text, position)
        params, position = _params(text, position)
        if label in members:
            raise SignatureError(f"the label {label} occurs twice")
        members[label] = Covered(components, params)
        if position == len(text):
            return members
        comma = _COMMA.match(text, position)
        if comma is None:
            raise SignatureError(f"unexpected text in Signature-Input at {position}")
        position = comma.end()


def _inner_list(text: str, position: int) -> tuple[tuple[Component, ...], int]:
    components: dict[Component, None] = {}
    while not text.startswith(")", position):
        if components:
            position = _expect(text, position, " ")
        name, position = _string(text, position)
        params, position = _params(text, position)
        component = Component(name, params)
        if component in components:
            raise SignatureError(f"the component {component} occurs twice")
        components[component] = None
    return tuple(components), position + 1


def _params(text: str, position: int) -> tuple[tuple[tuple[str, Bare], ...], int]:
    params: dict[str, Bare] = {}
    while text.startswith(";", position):
        key, position = _match(_KEY, text, position + 1, "a parameter")
        if key in params:
            raise SignatureError(f"the parameter {key} occurs twice")
        params[key] = True
        if text.startswith("=", position):
            params[key], position = _bare(text, position + 1)
    return tuple(params.items()), position


def _bare(text: str, position: int) -> tuple[Bare, int]:
    if text.startswith('"', position):
        return _string(text, position)
    if text.startswith(("?0", "?1"), position):
        return text[position + 1] == "1", position + 2
    integer = _INTEGER.match(text, position)
    if integer is None:
        raise SignatureError(f"a parameter's value at {position} is of no known kind")
    return int(integer.group()), integer.end()


def _string(text: str, position: int) -> tuple[str, int]:
    found = _STRING.match(text, position)
    if found is None:
        raise SignatureError(f"expected a quoted string at {position}")
    return re.sub(r"\\(.)", r"\1", found.group(1)), found.end()


def _match(pattern: re.Pattern[str], text: str, position: int, what: str) -> tuple[str, int]:
    found = pattern.match(text, position)
    if found is None:
        raise SignatureError(f"expected {what} at {position}")
    return found.group(), found.end()


def _expect(text: str, position: int, literal: str) -> int:
    if not text.startswith(literal, position):
        raise SignatureError(f"expected {literal!r} at {position}")
    return position + len(literal)


def _serialise(value: Bare) -> str:
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _serialise_params(params: Sequence[tuple[str, Bare]]) -> str:
    parts = [
        f";{key}" + ("" if value is True else f"={_serialise(value)}") for key, value in params
    ]
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request's signature as the profile reads it: what to verify, with which key, and when."""

    covered: Covered
    signature: bytes
    created: int
    expires: int
    nonce: str
    keyid: str


def read_profile(fields: Mapping[str, str], *, opens_session: bool = False) -> SignedRequest:
    """Read the signature of a request under Fanlight's profile.

    `fields` are the request's header fields, lower-case. Raises `SignatureError` with the reason
    when anything is missing, extra or malformed.
    """
    text = fields.get("signature-input", "")
    if len(text) > MAX_INPUT:
        raise SignatureError(f"Signature-Input may have {MAX_INPUT} characters at most")
    usual = _USUAL.fullmatch(text)
    if usual is not None and _covers_what_it_must(usual, fields, opens_session=opens_session):
        return _of_usual(usual, fields)
    return _of_any(text, fields, opens_session=opens_session)


_USUAL = re.compile(
    rf"{LABEL}=("
    r'\("@method" "@authority" "@path" "@query" "content-digest"'
    r'( "authorization")?( "idempotency-key")?( "x-integrity")?\)'
    r";created=([1-9][0-9]{0,14});expires=([1-9][0-9]{0,14})"
    rf';nonce="([A-Za-z0-9_-]{{22}})";keyid="([A-Za-z0-9_-]*)";tag="{TAG}")'
)
"""The profile as our own clients spell it, which is its canonical form too: read in one pass.

Whatever does not match, right or wrong, is left to the general parser and its reasons.
"""

_OPTIONAL = ("authorization", *WHEN_PRESENT)
_USUAL_COMPONENTS = {
    chosen: tuple(
        Component(name, text=f'"{name}"') for name in (*REQUIRED, *compress(_OPTIONAL, chosen))
    )
    for chosen in product((False, True), repeat=len(_OPTIONAL))
}


def _covers_what_it_must(
    usual: re.Match[str], fields: Mapping[str, str], *, opens_session: bool
) -> bool:
    return (
        (usual[2] is None) == opens_session
        and (usual[3] is None) == ("idempotency-key" not in fields)
        and (usual[4] is None) == ("x-integrity" not in fields)
    )


def _of_usual(usual: re.Match[str], fields: Mapping[str, str]) -> SignedRequest:
    text, authorization, key, receipt, created, expires, nonce, keyid = usual.groups()
    components = _USUAL_COMPONENTS[bool(authorization), bool(key), bool(receipt)]
    signed_at, until = int(created), int(expires)
    params: tuple[tuple[str, Bare], ...] = (
        ("created", signed_at),
        ("expires", until),
        ("nonce", nonce),
        ("keyid", keyid),
        ("tag", TAG),
    )
    covered = Covered(components, params, text)
    return SignedRequest(covered, _signature(fields), signed_at, until, nonce, keyid)


def _of_any(text: str, fields: Mapping[str, str], *, opens_session: bool) -> SignedRequest:
    inputs = parse_signature_input(text)
    if list(inputs) != [LABEL]:
        raise SignatureError(f"Signature-Input must have exactly one member, {LABEL}")
    covered = inputs[LABEL]
    _check_components(covered, fields, opens_session=opens_session)
    params = dict(covered.params)
    if params.pop("alg", ALGORITHM) != ALGORITHM:
        raise SignatureError(f"the algorithm must be {ALGORITHM}")
    if set(params) != {"created", "expires", "nonce", "keyid", "tag"}:
        raise SignatureError("the parameters must be created, expires, nonce, keyid and tag")
    created, expires = params["created"], params["expires"]
    nonce, keyid = params["nonce"], params["keyid"]
    if type(created) is not int or type(expires) is not int:
        raise SignatureError("created and expires must be integers")
    if not isinstance(nonce, str) or _NONCE.match(nonce) is None:
        raise SignatureError("nonce must be 128 bits of base64url")
    if not isinstance(keyid, str) or params["tag"] != TAG:
        raise SignatureError(f"keyid must be a string and tag must be {TAG}")
    return SignedRequest(covered, _signature(fields), created, expires, nonce, keyid)


def _check_components(covered: Covered, fields: Mapping[str, str], *, opens_session: bool) -> None:
    wanted = set(REQUIRED) | {name for name in WHEN_PRESENT if name in fields}
    if not opens_session:
        wanted.add("authorization")
    got = {component.name for component in covered.components}
    if any(component.params for component in covered.components) or got != wanted:
        missing, extra = sorted(wanted - got), sorted(got - wanted)
        raise SignatureError(f"the covered set is wrong: missing {missing}, not allowed {extra}")


def _signature(fields: Mapping[str, str]) -> bytes:
    value = fields.get("signature", "")
    prefix = f"{LABEL}=:"
    if not (value.startswith(prefix) and value.endswith(":")):
        raise SignatureError(f"Signature must have exactly one member, {LABEL}")
    text = value[len(prefix) : -1]
    try:
        signature = base64.b64decode(text, validate=True)
    except ValueError as exc:
        raise SignatureError("the signature is not base64") from exc
    # Stray bits in the last digit would let one signature be written in several ways.
    if len(signature) != 64 or base64.b64encode(signature).decode() != text:
        raise SignatureError("an ES256 signature is 64 bytes of base64")
    return signature


def covered_by_profile(
    fields: Mapping[str, str], *, created: int, expires: int, nonce: str, keyid: str
) -> Covered:
    """What a client covers for a request with these fields (for clients and tests)."""
    names = [*REQUIRED]
    names += [name for name in ("authorization", *WHEN_PRESENT) if name in fields]
    params = (
        ("created", created),
        ("expires", expires),
        ("nonce", nonce),
        ("keyid", keyid),
        ("tag", TAG),
    )
    return Covered(tuple(Component(name) for name in names), params)
