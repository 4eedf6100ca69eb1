"""`GET /openapi.json`: the visitor's API, described from the same models that check it."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway import __version__, wire
from gateway.settings import Settings

_BODIES = (
    wire.ChallengeBody,
    wire.SessionBody,
    wire.EmptyBody,
    wire.ChatBody,
    wire.EscalationBody,
)

_ID = {"type": "string"}
_TURN = {
    "type": "object",
    "required": ["id", "conversation_id", "reply", "confidence", "escalate", "reasons", "source"],
    "properties": {
        "id": _ID,
        "conversation_id": _ID,
        "reply": {"type": "string"},
        "reasoning": {"type": ["string", "null"]},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "escalate": {"type": "boolean"},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "source": {"enum": ["kb", "local", "cloud", "human"]},
        "model": {"type": ["string", "null"]},
        "citations": {"type": "array", "items": {"type": "object"}},
        "disclaimers": {"type": "array", "items": {"type": "string"}},
        "usage": {"type": ["object", "null"]},
        "memory": {"type": ["object", "null"]},
        "created_at": {"type": "string", "format": "date-time"},
    },
}
_SESSION = {
    "type": "object",
    "required": ["access_token", "expires_in", "subject", "sid", "quota"],
    "properties": {
        "access_token": {"type": "string"},
        "expires_in": {"type": "integer"},
        "subject": {"type": "string"},
        "sid": {"type": "string"},
        "quota": {"type": "object"},
    },
}
_CHALLENGE = {
    "type": "object",
    "required": ["challenge", "kind", "difficulty", "expires_at"],
    "properties": {
        "challenge": {"type": "string"},
        "kind": {"enum": ["pow"]},
        "difficulty": {"type": "integer", "minimum": 0},
        "expires_at": {"type": "string", "format": "date-time"},
    },
}
_ESCALATED = {
    "type": "object",
    "required": ["escalated", "escalation_id", "status"],
    "properties": {
        "escalated": {"const": True},
        "escalation_id": {"type": "string"},
        "status": {"enum": ["queued", "delivered", "resolved", "failed"]},
    },
}
_HEALTH = {
    "type": "object",
    "required": ["status", "version", "truth", "delivery", "model", "sites"],
    "properties": {
        "status": {"enum": ["ok", "degraded"]},
        "version": {"type": "string"},
        "truth": {"enum": ["ok", "unavailable"]},
        "delivery": {"enum": ["ok", "unavailable", "elsewhere"]},
        "model": {"enum": ["configured", "none"]},
        "sites": {"type": "integer", "minimum": 0},
    },
}
_KEYS = {
    "type": "object",
    "required": ["keys"],
    "properties": {"keys": {"type": "array", "items": {"type": "object"}}},
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
        "remedy": {"type": "string"},
        "server_time": {"type": "string", "format": "date-time"},
    },
}

_EVENT = {
    "type": "object",
    "description": "One server-sent event; its data is JSON.",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string"},
        "data": {"type": "string"},
    },
}
_SIGNED_FIELDS = ("Content-Digest", "Signature-Input", "Signature")


def _json(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _field(name: str, *, required: bool, pattern: str | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if pattern is not None:
        schema["pattern"] = pattern
    return {"name": name, "in": "header", "required": required, "schema": schema}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {"description": "A problem document (RFC 9457).", "content": content}
        for status in statuses
    }


def _operation(
    summary: str,
    responses: dict[str, Any],
    *,
    body: str | None = None,
    signed: bool = False,
    idempotent: bool = False,
) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": summary, "responses": responses}
    if body is not None:
        schema = {"$ref": f"#/components/schemas/{body}"}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    parameters = [_field(name, required=True) for name in _SIGNED_FIELDS] if signed else []
    if idempotent:
        pattern = "^[A-Za-z0-9_-]{1,64}$"
        parameters.append(_field("Idempotency-Key", required=True, pattern=pattern))
        parameters.append(_field("X-Integrity", required=False))
    if parameters:
        operation["parameters"] = parameters
    if signed and summary != "Open a session":
        operation["security"] = [{"bearer": []}]
    return operation


_REFUSALS = (400, 401, 403, 404, 413, 415, 429, 503)


def _signed_paths() -> dict[str, Any]:
    refused = _problems(*_REFUSALS, 409, 422)
    turn = _json({"$ref": "#/components/schemas/Turn"}, "The turn.")
    turn["content"]["text/event-stream"] = {"schema": _EVENT}
    escalated = _json(_ESCALATED, "Committed; a person will be woken.")
    renew = {"200": _json(_SESSION, "The session."), **refused}
    chat, escalate = {"200": turn, **refused}, {"202": escalated, **refused}
    return {
        "/v1/sessions/renew": {
            "post": _operation("Renew a session", renew, body="EmptyBody", signed=True)
        },
        "/v1/chat": {
            "post": _operation(
                "Ask a question", chat, body="ChatBody", signed=True, idempotent=True
            )
        },
        "/v1/escalations": {
            "post": _operation(
                "Wake a person", escalate, body="EscalationBody", signed=True, idempotent=True
            )
        },
        "/v1/conversations/{conversation_id}/events": {"get": _events(refused)},
    }


def _events(refused: dict[str, Any]) -> dict[str, Any]:
    stream = {
        "description": "human_reply, escalation_status, turn_revised, reauth, bye.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
    nothing = {"description": "Nothing is open and nothing was missed."}
    responses = {"200": stream, "204": nothing, **refused}
    operation = _operation("Read a conversation's events", responses, signed=True)
    conversation = {
        "name": "conversation_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^c_[0-9a-f]{32}$"},
    }
    last = _field("Last-Event-ID", required=False, pattern="^[0-9]{1,18}$")
    operation["parameters"] += [conversation, last]
    return operation


def _open_paths() -> dict[str, Any]:
    refused = _problems(*_REFUSALS)
    challenge = {"200": _json(_CHALLENGE, "The challenge."), **refused}
    session = {"201": _json(_SESSION, "The session."), **refused}
    health = {"200": _json(_HEALTH, "It can answer."), "503": _json(_HEALTH, "A part is down.")}
    keys = {"200": _json(_KEYS, "Newest last.")}
    return {
        "/v1/challenges": {
            "post": _operation("Ask for a challenge", challenge, body="ChallengeBody")
        },
        "/v1/sessions": {
            "post": _operation("Open a session", session, body="SessionBody", signed=True)
        },
        "/health": {"get": _operation("Say how the gateway is", health)},
        "/.well-known/fanlight-keys.json": {"get": _operation("Give the public keys", keys)},
    }


def document(settings: Settings) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the visitor's API."""
    _, defined = models_json_schema(
        [(body, "validation") for body in _BODIES], ref_template="#/components/schemas/{model}"
    )
    schemas = {**defined["$defs"], "Problem": _PROBLEM, "Turn": _TURN}
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fanlight",
            "version": __version__,
            "description": "Every call but a challenge is signed (RFC 9421); see docs/wire.md.",
        },
        "servers": [{"url": settings.public_url}],
        "paths": {**_open_paths(), **_signed_paths()},
        "components": {"schemas": schemas, "securitySchemes": {"bearer": bearer}},
    }


def openapi_routes(settings: Settings) -> list[Route]:
    """The route of this resource."""
    made = document(settings)

    async def openapi(request: Request) -> Response:
        return JSONResponse(made)

    return [Route("/openapi.json", openapi)]
