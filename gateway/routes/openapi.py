"""`GET /openapi.json`: the visitor's API, described from the same models that check it."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway import __version__, wire
from gateway.routes.subjects_openapi import ERASED, EXPORT, MARKED
from gateway.settings import Settings

_BODIES = (
    wire.ChallengeBody,
    wire.SessionBody,
    wire.EmptyBody,
    wire.ChatBody,
    wire.EscalationBody,
    wire.FeedbackBody,
    wire.ExportBody,
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
        "choices": {"type": "array", "items": {"type": "object"}},
        "sentence": {"type": ["array", "null"], "items": {"type": "integer"}},
        "fallback_text": {"type": ["string", "null"]},
        "back_at": {"type": ["string", "null"], "format": "date-time"},
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
        "merged": {"type": "object"},
    },
}
_CHALLENGE = {
    "type": "object",
    "required": ["challenge", "kind", "difficulty", "expires_at"],
    "properties": {
        "challenge": {"type": "string"},
        "kind": {"enum": ["pow", "turnstile"]},
        "difficulty": {"type": "integer", "minimum": 0},
        "expires_at": {"type": "string", "format": "date-time"},
        "turnstile": {
            "type": "object",
            "required": ["sitekey", "action", "cdata"],
            "properties": {name: {"type": "string"} for name in ("sitekey", "action", "cdata")},
        },
    },
}
_REVOKED = {
    "type": "object",
    "required": ["revoked"],
    "properties": {"revoked": {"const": True}},
}
_ESCALATED = {
    "type": "object",
    "required": ["escalated", "escalation_id", "status", "back_at"],
    "properties": {
        "escalated": {"const": True},
        "escalation_id": {"type": "string"},
        "status": {"enum": ["queued", "delivered", "resolved", "failed"]},
        "back_at": {"type": ["string", "null"], "format": "date-time"},
    },
}
_HEALTH = {
    "type": "object",
    "required": ["status", "version", "truth", "cache", "delivery", "disk", "model", "sites"],
    "properties": {
        "status": {"enum": ["ok", "degraded"]},
        "version": {"type": "string"},
        "truth": {"enum": ["ok", "unavailable"]},
        "cache": {"enum": ["ok", "unavailable"]},
        "disk": {"enum": ["ok", "low", "full"]},
        "delivery": {"enum": ["ok", "unavailable", "elsewhere"]},
        "model": {"enum": ["configured", "none"]},
        "sites": {"type": "integer", "minimum": 0},
    },
}
_MONEY: dict[str, Any] = {"type": "number", "minimum": 0}
_SPENT = {
    "type": "object",
    "required": ["spent_usd", "limit_usd", "began_at", "resets_at", "alerts", "used_up"],
    "properties": {
        "spent_usd": _MONEY,
        "limit_usd": {"anyOf": [_MONEY, {"type": "null"}]},
        "began_at": {"type": "string", "format": "date-time"},
        "resets_at": {"type": "string", "format": "date-time"},
        "alerts": {"type": "array", "items": {"type": "number"}},
        "used_up": {"type": "boolean"},
    },
}
USAGE: dict[str, Any] = {
    "type": "object",
    "required": ["object", "site", "currency", "thresholds", "day", "month"],
    "properties": {
        "object": {"const": "usage"},
        "site": {"type": "string"},
        "currency": {"const": "USD"},
        "thresholds": {"type": "array", "items": {"type": "number"}},
        "day": _SPENT,
        "month": _SPENT,
    },
}
_NEAR = {
    "type": "object",
    "required": ["whose", "mark", "spent_usd", "limit_usd"],
    "properties": {
        "whose": {"enum": ["visitor", "user", "api", "console"]},
        "mark": {"type": "string"},
        "spent_usd": _MONEY,
        "limit_usd": _MONEY,
    },
}
_CALLERS = {
    "type": "object",
    "required": ["day", "month"],
    "properties": {one: {"type": "array", "items": _NEAR} for one in ("day", "month")},
}
OPERATORS_USAGE = {
    **USAGE,
    "required": [*USAGE["required"], "name", "callers"],
    "properties": {**USAGE["properties"], "name": {"type": "string"}, "callers": _CALLERS},
}
_KEYS = {
    "type": "object",
    "required": ["keys"],
    "properties": {"keys": {"type": "array", "items": {"type": "object"}}},
}
PROBLEM = {
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


def json_content(schema: dict[str, Any], description: str) -> dict[str, Any]:
    """A response of JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _field(name: str, *, required: bool, pattern: str | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if pattern is not None:
        schema["pattern"] = pattern
    return {"name": name, "in": "header", "required": required, "schema": schema}


def problem_responses(*statuses: int) -> dict[str, Any]:
    """Refusals by their status; each is a problem document."""
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
    refused = problem_responses(*_REFUSALS, 409, 422)
    turn = json_content({"$ref": "#/components/schemas/Turn"}, "The turn.")
    turn["content"]["text/event-stream"] = {"schema": _EVENT}
    escalated = json_content(_ESCALATED, "Committed; a person will be woken.")
    revoke = {"200": json_content(_REVOKED, "The session takes no more calls."), **refused}
    renew = {"200": json_content(_SESSION, "The session."), **refused}
    chat, escalate = {"200": turn, **refused}, {"202": escalated, **refused}
    return {
        "/v1/sessions/renew": {
            "post": _operation("Renew a session", renew, body="EmptyBody", signed=True)
        },
        "/v1/sessions/revoke": {
            "post": _operation("End a session", revoke, body="EmptyBody", signed=True)
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
        **_subject_paths(refused),
    }


def _subject_paths(refused: dict[str, Any]) -> dict[str, Any]:
    marked = {"200": json_content(MARKED, "The mark that stands now."), **refused}
    held = {"200": json_content(EXPORT, "A page of what is held of this visitor."), **refused}
    erased = {"200": json_content(ERASED, "Gone; the visitor's sessions have ended."), **refused}
    return {
        "/v1/feedback": {
            "post": _operation(
                "Mark an answer", marked, body="FeedbackBody", signed=True, idempotent=True
            )
        },
        "/v1/export": {
            "get": _operation("Give out what is held, the first page", held, signed=True),
            "post": _operation(
                "Give out what is held, a page", held, body="ExportBody", signed=True
            ),
        },
        "/v1/erase": {
            "post": _operation(
                "Erase what is held", erased, body="EmptyBody", signed=True, idempotent=True
            )
        },
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
    also = {
        "name": "also",
        "in": "query",
        "description": "More of the visitor's conversations, with commas between.",
        "schema": {"type": "string", "pattern": "^(c_[0-9a-f]{32}(,c_[0-9a-f]{32}){0,14})?$"},
    }
    last = _field("Last-Event-ID", required=False, pattern="^[0-9]{1,18}$")
    operation["parameters"] += [conversation, also, last]
    return operation


def _slack_event(responses: dict[str, Any]) -> dict[str, Any]:
    """Slack's own call: its body is Slack's matter, and its signature is not ours."""
    operation = _operation("Take one of Slack's events", responses)
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    operation["parameters"] = [
        _field("X-Slack-Request-Timestamp", required=True, pattern="^[0-9]{1,12}$"),
        _field("X-Slack-Signature", required=True, pattern="^v0=[0-9a-f]{64}$"),
    ]
    return operation


def _open_paths() -> dict[str, Any]:
    refused = problem_responses(*_REFUSALS)
    challenge = {"200": json_content(_CHALLENGE, "The challenge."), **refused}
    session = {"201": json_content(_SESSION, "The session."), **refused}
    health = {
        "200": json_content(_HEALTH, "It can answer."),
        "503": json_content(_HEALTH, "A part is down."),
    }
    keys = {"200": json_content(_KEYS, "Newest last.")}
    slack = {"200": json_content({"type": "object"}, "Taken, or passed over."), **refused}
    spent = {"200": json_content(USAGE, "This day's and this month's."), **refused}
    usage = _operation("Say what models cost the site", spent)
    usage["security"] = [{"api_key": []}]
    return {
        "/v1/usage": {"get": usage},
        "/v1/challenges": {
            "post": _operation("Ask for a challenge", challenge, body="ChallengeBody")
        },
        "/v1/sessions": {
            "post": _operation("Open a session", session, body="SessionBody", signed=True)
        },
        "/v1/slack/events": {"post": _slack_event(slack)},
        "/health": {"get": _operation("Say how the gateway is", health)},
        "/.well-known/fanlight-keys.json": {"get": _operation("Give the public keys", keys)},
    }


def document(settings: Settings) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the visitor's API."""
    _, defined = models_json_schema(
        [(body, "validation") for body in _BODIES], ref_template="#/components/schemas/{model}"
    )
    schemas = {**defined["$defs"], "Problem": PROBLEM, "Turn": _TURN}
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    api_key = {"type": "http", "scheme": "bearer", "description": "A site's API key; not signed."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fanlight",
            "version": __version__,
            "description": "Every call but a challenge is signed (RFC 9421); see docs/wire.md.",
        },
        "servers": [{"url": settings.public_url}],
        "paths": {**_open_paths(), **_signed_paths()},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": bearer, "api_key": api_key},
        },
    }


def openapi_routes(settings: Settings) -> list[Route]:
    """The route of this resource."""
    made = document(settings)

    async def openapi(request: Request) -> Response:
        return JSONResponse(made)

    return [Route("/openapi.json", openapi)]
