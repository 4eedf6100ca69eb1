"""The wire's edge: what a client may send, checked field by field.

Unknown fields are refused, and so are clients that set a role, tier or escalation they may not.
Texts are capped; a field that is accepted but not built yet refuses any value but its default.
Everything leaves here as a frozen value of `core.messages`.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails
from starlette.requests import Request
from starlette.types import Receive, Scope

from core.errors import Problem
from core.messages import ChatRequest, Consent, EscalationReason, EscalationRequest, MemoryTurn
from core.redact import redact_secrets
from core.subjects import CURSOR, PAGE, Feedback, Place, Signal
from gateway import problems

BODY_S: Final = 10.0
SLOWEST: Final = 100_000
"""Bytes a second that a large body may take beyond `BODY_S`: a slow line that uploads a file."""

MAX_CONTENT = 8_000
MAX_TAIL = 6
MAX_MARK = 2_000
MAX_CONSENT = 1_000
_TURN = r"^t_[0-9a-f]{32}$"
_CONVERSATION = r"^c_[0-9a-f]{32}$"
_TIMESTAMP = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)

TurnId = Annotated[str, StringConstraints(pattern=_TURN)]
ConversationId = Annotated[str, StringConstraints(pattern=_CONVERSATION)]
SiteKey = Annotated[str, StringConstraints(pattern=r"^site_[A-Za-z0-9_]{1,56}$")]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
Content = Annotated[str, StringConstraints(max_length=MAX_CONTENT)]
Question = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CONTENT, pattern=r"\S")]
Confidence = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Thumbprint = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]


def _integral(value: object) -> object:
    """JSON has one kind of number: 512.0 is the integer 512."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integral = BeforeValidator(_integral)


class Body(BaseModel):
    """The base of every body: no unknown field, no silent change of type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ChallengeBody(Body):
    """`POST /v1/challenges`; `without` is for a browser that cannot show that kind."""

    site_key: SiteKey
    thumbprint: Thumbprint
    without: Literal["turnstile"] | None = None


class JwkBody(Body):
    """A public P-256 key."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Thumbprint
    y: Thumbprint


class ConsentBody(Body):
    """What the visitor agreed to.

    `merge`: that what this browser asked before the visitor signed in becomes the signed-in one's.
    """

    memory: bool
    training: bool
    merge: bool = False


class SessionBody(Body):
    """`POST /v1/sessions`; `identity_jwt` is the site's word for a signed-in visitor."""

    site_key: SiteKey
    jwk: JwkBody
    challenge: Annotated[str, StringConstraints(min_length=1, max_length=600)]
    solution: Annotated[str, StringConstraints(pattern=r"^([0-9]{1,20}|[A-Za-z0-9._-]{21,2048})$")]
    identity_jwt: Annotated[str, StringConstraints(max_length=4096)] | None = None
    locale: Locale
    consent: ConsentBody


class EmptyBody(Body):
    """A body that says nothing: `{}`."""


class MessageBody(Body):
    """What the visitor wrote."""

    content: Question
    mode: Literal["text"] = "text"


class MemoryTurnBody(Body):
    """A turn as the browser remembers it; no role but user and assistant."""

    role: Literal["user", "assistant"]
    content: Content
    source: Literal["kb", "local", "cloud", "human"] | None = None
    confidence: Confidence | None = None

    def value(self) -> MemoryTurn:
        """The checked value, without cards and secrets."""
        return MemoryTurn(self.role, redact_secrets(self.content), self.source, self.confidence)


class GateBody(Body):
    """The browser's own verdict: reported, never believed."""

    entry_id: Annotated[str, StringConstraints(max_length=200)] | None = None
    confidence: Confidence | None = None
    index_release: Annotated[str, StringConstraints(max_length=64)] | None = None


class MetadataBody(Body):
    """What the browser says of itself.

    `website` is what stands in a field that no person sees: a signal, and nothing else.
    """

    memory_key: Annotated[str, StringConstraints(max_length=64)] | None = None
    memory_window: Annotated[int, Field(ge=0, le=40), Integral] | None = None
    confidence_threshold: Confidence | None = None
    gate: GateBody | None = None
    website: Annotated[str, StringConstraints(max_length=200)] | None = None


class OptionsBody(Body):
    """How the reply is wanted; `workflow_id` is not built yet and refuses any value but null.

    `clarify` is false once the visitor has meant none of the choices that were offered.
    """

    stream: bool = False
    clarify: bool = True
    max_tokens: Annotated[int, Field(ge=1, le=4096), Integral] = 512
    workflow_id: None = None


class ChatBody(Body):
    """`POST /v1/chat`; `context_id` is not built yet and refuses any value but null."""

    turn_id: TurnId
    conversation_id: ConversationId
    message: MessageBody
    context_id: None = None
    locale: Locale
    question_locale: Locale | None = None
    training_memory: Annotated[list[MemoryTurnBody], Field(max_length=MAX_TAIL)] = []
    metadata: MetadataBody = MetadataBody()
    options: OptionsBody = OptionsBody()

    def value(self) -> ChatRequest:
        """The checked value; cards and secrets leave the texts here, before anything keeps them."""
        return ChatRequest(
            turn_id=self.turn_id,
            conversation_id=self.conversation_id,
            question=redact_secrets(self.message.content),
            locale=self.locale,
            question_locale=self.question_locale,
            training_memory=tuple(turn.value() for turn in self.training_memory),
            gate=self.metadata.gate.model_dump() if self.metadata.gate else None,
            stream=self.options.stream,
            max_tokens=self.options.max_tokens,
            may_clarify=self.options.clarify,
        )


_LEFT: Final = ("contact", "contact_consent")
_BOTH: Final[dict[str, JsonValue]] = {
    "required": list(_LEFT),
    "properties": {name: {"type": "string"} for name in _LEFT},
}
_NEITHER: Final[dict[str, JsonValue]] = {
    "properties": {name: {"type": "null"} for name in _LEFT},
}


class EscalationBody(Body):
    """`POST /v1/escalations`; `contact_consent` is what the visitor agreed to, word for word."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [_BOTH, _NEITHER]})

    turn_id: TurnId
    conversation_id: ConversationId
    question: Question
    fallback_text: Content
    reason: EscalationReason
    confidence: Confidence
    conversation_tail: Annotated[list[MemoryTurnBody], Field(max_length=MAX_TAIL)]
    locale: Locale
    contact: Annotated[str, StringConstraints(max_length=200, pattern=r"\S")] | None = None
    contact_consent: (
        Annotated[str, StringConstraints(max_length=MAX_CONSENT, pattern=r"\S")] | None
    ) = None
    receipt: Annotated[str, StringConstraints(max_length=4096)] | None = None
    timestamp: Annotated[str, StringConstraints(pattern=_TIMESTAMP)]

    def value(self) -> EscalationRequest:
        """The checked value, without cards and secrets; raises `Problem` without a consent.

        When that was given is the browser's word here, and what keeps it says its own time.
        """
        if (self.contact is None) != (self.contact_consent is None):
            raise problems.invalid(
                "contact" if self.contact is None else "contact_consent",
                "A contact is kept with the visitor's consent, and neither without the other.",
                "Send both, the consent as what the visitor agreed to, or leave both out.",
            )
        return EscalationRequest(
            turn_id=self.turn_id,
            conversation_id=self.conversation_id,
            question=redact_secrets(self.question),
            fallback_text=redact_secrets(self.fallback_text),
            reason=self.reason,
            confidence=self.confidence,
            conversation_tail=tuple(turn.value() for turn in self.conversation_tail),
            locale=self.locale,
            contact=redact_secrets(self.contact.strip()) if self.contact else None,
            receipt=self.receipt,
            timestamp=self.timestamp,
            consent=Consent(self.contact_consent, self.timestamp) if self.contact_consent else None,
        )


class ExportBody(Body):
    """`POST /v1/export`; `cursor` is what the page before said comes `next`."""

    # Checked by what reads it, which says what to send instead.
    cursor: Annotated[str, Field(json_schema_extra={"pattern": CURSOR})] | None = None
    limit: Annotated[int, Field(ge=1, le=PAGE), Integral] = PAGE

    def place(self) -> Place | None:
        """Where the page begins; raises `Problem` where the cursor is none."""
        if self.cursor is None:
            return None
        try:
            return Place.read(self.cursor)
        except ValueError as exc:
            raise problems.invalid(
                "cursor",
                "This is no cursor of an export.",
                "Send what the page before gave as `next`, or null for the first page.",
            ) from exc


class FeedbackBody(Body):
    """`POST /v1/feedback`; `text` is the correction, or whatever else there is to say."""

    turn_id: TurnId
    signal: Signal
    text: Annotated[str, StringConstraints(max_length=MAX_MARK)] | None = None

    def value(self) -> Feedback:
        """The checked value, without cards and secrets."""
        return Feedback(self.turn_id, self.signal, redact_secrets(self.text) if self.text else None)


def parse[M: BaseModel](model: type[M], body: bytes) -> M:
    """Check a body against its model; raises `Problem` naming the first field that is wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        raise _as_problem(exc.errors(include_url=False, include_input=False)[0]) from exc


def _as_problem(error: ErrorDetails) -> Problem:
    field = ".".join(str(part) for part in error["loc"])
    if error["type"] == "json_invalid":
        return problems.not_json(error["msg"])
    if error["type"] == "extra_forbidden":
        return problems.invalid(field, "This field is not known.", "Leave it out.")
    if error["type"] == "none_required":
        return problems.invalid(
            field, "This field is not in use yet.", "Leave it out or send null."
        )
    return problems.invalid(field or "body", error["msg"])


async def read_body(request: Request, limit: int, remedy: str = problems.SHORTER_CALL) -> bytes:
    """The request's body; raises `Problem` with the remedy as soon as it passes `limit` bytes."""
    return await receive_body(request.scope, request.receive, limit, remedy)


async def receive_body(
    scope: Scope, receive: Receive, limit: int, remedy: str = problems.SHORTER_CALL
) -> bytes:
    """The same without a `Request`, for what runs at every signed call.

    A body that is not whole in time is refused: whoever sends it holds a connection.
    """
    seconds = BODY_S + limit / SLOWEST
    try:
        async with asyncio.timeout(seconds):
            return await _whole_body(scope, receive, limit, remedy)
    except TimeoutError as exc:
        raise problems.too_slow(seconds) from exc


async def _whole_body(scope: Scope, receive: Receive, limit: int, remedy: str) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise problems.too_large(limit, remedy)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise problems.not_json("The body ended early.")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise problems.too_large(limit, remedy)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def check_media_type(content_type: str) -> None:
    """Raise `Problem` unless the declared type is JSON."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise problems.unsupported_media_type(content_type)


async def read_json[M: BaseModel](
    request: Request, model: type[M], limit: int, remedy: str = problems.SHORTER_CALL
) -> M:
    """Read and check a JSON body of at most `limit` bytes; raises `Problem`.

    `remedy` is what the caller can do about a larger one.
    """
    check_media_type(request.headers.get("content-type", ""))
    return parse(model, await read_body(request, limit, remedy))
