"""`GET /openapi.json` on the console's origin: the operators' API, from the models that check it.

It says who may call (a session's cookie; for changes the session's token too) and what comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.commands.labels import LABELS
from gateway import __version__, wire
from gateway.configuration.table import LENT
from gateway.routes import bank, commands, knowledge_wire, operator_wire, routing
from gateway.routes.embed import EmbedQuery
from gateway.routes.figures import ANSWERED, FiguresQuery
from gateway.routes.figures import PATH as FIGURES
from gateway.routes.openapi import OPERATORS_USAGE, PROBLEM, json_content, problem_responses
from gateway.routes.operations import (
    COUNT,
    FLAG,
    NUMBER_OR_NULL,
    SHARE,
    TEXT,
    TEXT_OR_NULL,
    TIME,
    TIME_OR_NULL,
    Operation,
    Schema,
    list_of,
    object_of,
    one_of,
    or_null,
    ref,
)
from gateway.routes.personality_openapi import PERSONALITIES, PERSONALITY_SCHEMAS
from gateway.settings import Settings

REFUSALS: Final = (400, 401, 403, 404, 409, 413, 415, 429, 503)

_LINE: Final = {"entry_id": TEXT, "locale": TEXT, "question": TEXT}
_LENT: Final = {"id": TEXT, "question": TEXT, "answer": TEXT, "locale": TEXT}
_NEAR: Final = {**_LINE, "confidence": SHARE}
_FIELDS: Final = {
    "question": TEXT,
    "answer": TEXT,
    "variants": list_of(TEXT),
    "links": list_of(object_of(title=TEXT, url=TEXT)),
    "tags": list_of(TEXT),
    "escalate": FLAG,
    "valid_from": TEXT,
    "valid_until": TEXT,
}
_TIMES: Final = object_of(median=NUMBER_OR_NULL, p95=NUMBER_OR_NULL)
_SPENT: Final = {
    "turns": COUNT, "prompt_tokens": COUNT, "completion_tokens": COUNT, "cost_micros": COUNT,
}  # fmt: skip
_SUMMARY: Final = {
    **_SPENT, "escalated": COUNT, "answered": {"type": "object", "additionalProperties": COUNT},
    "tiers": list_of(object_of(tier=TEXT_OR_NULL, **_SPENT)), "total_ms": _TIMES,
    "first_token_ms": _TIMES,
}  # fmt: skip
_REASONS: Final = list_of(object_of(reason=TEXT, turns=COUNT))
_BUILDING: Final = object_of(
    step=one_of("reading", "calibrating", "learning", "writing", "loading"), share=SHARE
)
SCHEMAS: Final[Mapping[str, Schema]] = {
    "Session": object_of(operator=TEXT, csrf=TEXT),
    "Usage": object_of(items=list_of(OPERATORS_USAGE)),
    "Escalation": object_of(id=TEXT, site=TEXT, question=TEXT, status=TEXT, created_at=TIME),
    "Escalations": object_of(items=list_of(ref("Escalation")), next=TEXT_OR_NULL),
    "Reply": object_of(
        id=TEXT, escalation_id=TEXT, author=TEXT, content=TEXT, created_at=TIME, resolved=FLAG
    ),
    "Resent": object_of(resent=COUNT),
    "EmbeddedSites": object_of(
        sites=list_of(
            object_of(
                site=TEXT, name=TEXT, locales=list_of(TEXT), default_locale=TEXT, accent=TEXT,
                theme=TEXT, origins=list_of(TEXT), preview=TEXT,
            )
        )
    ),
    "Snippets": object_of(
        site=TEXT, gateway=TEXT, origins=list_of(TEXT), snippet=TEXT, pinned=TEXT, src=TEXT,
        integrity=TEXT, csp={"type": "object", "additionalProperties": TEXT}, settings=TEXT,
        page_allowed={"type": ["boolean", "null"]},
        guides=list_of(
            object_of(
                name=TEXT, title=TEXT, page=TEXT,
                steps=list_of(object_of(text=TEXT, code=TEXT, language=TEXT)),
            )
        ),
    ),
    "Site": object_of(
        site=TEXT, name=TEXT, locales=list_of(TEXT), default_locale=TEXT, entries=COUNT,
        release=TEXT, published_at=TIME_OR_NULL, changes=COUNT, unpublished=FLAG, threshold=SHARE,
        out_of_scope=SHARE, marks=COUNT, building=or_null(_BUILDING), failed=TEXT_OR_NULL,
    ),
    "Sites": object_of(sites=list_of(ref("Site"))),
    "Entry": object_of(
        id=TEXT, locale=TEXT, **_FIELDS, origin=one_of("file", "console"),
        state=one_of("live", "changed", "new", "removed"), author=TEXT_OR_NULL, at=TIME_OR_NULL,
        number=COUNT,
    ),
    "Entries": object_of(items=list_of(ref("Entry")), next=TEXT_OR_NULL, total=COUNT),
    "WholeEntry": {
        "allOf": [
            ref("Entry"),
            object_of(
                history=list_of(
                    object_of(
                        at=TIME, author=TEXT,
                        action=one_of("created", "edited", "removed", "restored"),
                        entry=or_null(object_of(**_FIELDS)),
                    )
                ),
                file=or_null(object_of(**_FIELDS)),
            ),
        ]
    },
    "Tried": object_of(
        question=TEXT, draft=FLAG, outcome=one_of("answered", "asked_back", "handed_over"),
        confidence=SHARE, threshold=SHARE,
        answer=or_null(object_of(entry_id=TEXT, locale=TEXT, text=TEXT)),
        candidates=list_of(object_of(**_NEAR, reasons=list_of(TEXT))), built=FLAG,
    ),
    "Building": object_of(building=_BUILDING),
    "Findings": object_of(
        findings=list_of(
            object_of(
                kind=TEXT, severity=one_of("error", "warning", "advice"), **_LINE,
                other=or_null(object_of(**_LINE)), text=TEXT, remedy=TEXT,
            )
        ),
        checked_at=TIME_OR_NULL, running=FLAG, failed=TEXT_OR_NULL,
    ),
    "Unanswered": object_of(
        items=list_of(
            object_of(
                question=TEXT, locale=TEXT, count=COUNT, first_at=TIME, last_at=TIME,
                similar=list_of(TEXT), nearest=or_null(object_of(**_NEAR)),
                escalations=list_of(TEXT),
            )
        ),
        days=COUNT,
    ),
    "Mark": object_of(id=TEXT, question=TEXT, entry_id=TEXT_OR_NULL, author=TEXT, at=TIME),
    "Marks": object_of(items=list_of(ref("Mark"))),
    "Import": object_of(
        import_id=TEXT, source=TEXT, added=list_of(object_of(**_LINE)),
        changed=list_of(object_of(**_LINE)), removed=list_of(object_of(**_LINE)), unchanged=COUNT,
        problems=list_of(TEXT),
    ),
    "Imported": {
        "allOf": [
            ref("Site"),
            object_of(left_out=list_of(object_of(entry_id=TEXT, locale=TEXT))),
        ]
    },
    "Classification": object_of(
        classification=one_of(*LABELS), confidence=SHARE, reasoning=TEXT,
        method=one_of("ensemble", "head", "keywords", "default"),
    ),
    "Judgement": object_of(
        id=TEXT, command=TEXT, given=one_of(*LABELS), expected=one_of(*LABELS), author=TEXT,
        at=TIME,
    ),
    "Explained": object_of(
        site=TEXT, channel=one_of("widget", "api", "console"), question=TEXT,
        answered_by=one_of("kb", "visitor", "model"), confidence=SHARE, task_type=TEXT,
        complexity=or_null(SHARE), workflow=TEXT, models=list_of(TEXT), tier=TEXT_OR_NULL,
        reason=TEXT_OR_NULL, estimated_usd={"type": "number", "minimum": 0},
        steps=list_of(object_of(what=TEXT, result=TEXT)),
    ),
    "Figures": object_of(
        site=TEXT_OR_NULL, sites=list_of(object_of(site=TEXT, name=TEXT)), by=one_of("hour", "day"),
        zone=TEXT, **{"from": TIME, "to": TIME}, at=TIME, total=object_of(**_SUMMARY),
        spans=list_of(object_of(**{"from": TIME, "to": TIME}, **_SUMMARY)),
        models=list_of(object_of(model=TEXT, tier=TEXT_OR_NULL, **_SPENT)),
        confidence=list_of(
            object_of(
                **{"from": SHARE, "to": SHARE}, turns=COUNT, mean=or_null(SHARE), judged=COUNT,
                good=COUNT,
            )
        ),
        reasons=_REASONS, choices=_REASONS,
    ),
    "Answered": object_of(
        items=list_of(
            object_of(
                turn_id=TEXT, conversation_id=TEXT, created_at=TIME, source=TEXT, confidence=SHARE,
                escalated=FLAG, reasons=list_of(TEXT), channel=TEXT, locale=TEXT,
                total_ms={"type": "number"}, task_type=TEXT_OR_NULL, complexity=or_null(SHARE),
                workflow=TEXT_OR_NULL, tier=TEXT_OR_NULL, model=TEXT_OR_NULL, reason=TEXT_OR_NULL,
                estimated_micros=COUNT, cost_micros=COUNT, prompt_tokens=COUNT,
                completion_tokens=COUNT, first_token_ms=NUMBER_OR_NULL,
                scores={"type": "object", "additionalProperties": SHARE}, outcome=NUMBER_OR_NULL,
                outcome_at=TIME_OR_NULL,
            )
        )
    ),
    "Bank": object_of(
        lends=one_of(*LENT),
        items=list_of(object_of(**_LENT, by=one_of("person", "model"), at=TIME)),
    ),
    "Accuracy": object_of(
        days=COUNT, accuracy=or_null(SHARE),
        by_day=list_of(object_of(day=TEXT, count=COUNT, right=COUNT)),
    ),
}  # fmt: skip


_SESSION, _ONE = "/v1/operator/session", "/v1/escalations/{escalation_id}"
_SITE, _ENTRIES = "/v1/knowledge/{site}", "/v1/knowledge/{site}/entries"
_ENTRY = f"{_ENTRIES}/{{entry_id}}/{{locale}}"
_FINDINGS, _MARKS, _IMPORTS = f"{_SITE}/findings", f"{_SITE}/marks", f"{_SITE}/imports"
EVENTS: Final = "/v1/events"

OPERATIONS: Final = (
    Operation("post", _SESSION, "Log in", {204: None}, operator_wire.LogInBody),
    Operation("get", _SESSION, "Say who is logged in", {200: "Session"}),
    Operation("delete", _SESSION, "Log out", {204: None}),
    Operation(
        "get",
        "/v1/escalations",
        "List escalations",
        {200: "Escalations"},
        query=operator_wire.ListingQuery,
    ),
    Operation("get", _ONE, "Read an escalation", {200: "Escalation"}),
    Operation("post", f"{_ONE}/replies", "Reply", {201: "Reply"}, operator_wire.ReplyBody),
    Operation(
        "post", f"{_ONE}/resolve", "Resolve an escalation", {204: None}, operator_wire.ResolveBody
    ),
    Operation("post", f"{_ONE}/resend", "Send it to its targets again", {202: "Resent"}),
    Operation("get", ANSWERED, "Say how its turns were answered", {200: "Answered"}),
    Operation(
        "get", FIGURES, "Count how turns were answered", {200: "Figures"}, query=FiguresQuery
    ),
    Operation("get", bank.BANK, "List answers that are lent", {200: "Bank"}),
    Operation("delete", bank.ITEM, "Lend an answer no more", {204: None}),
    Operation("get", EVENTS, "Hear of changes", {200: None}),
    Operation("get", "/v1/usage", "Say what models cost the sites", {200: "Usage"}),
    Operation("get", "/v1/embed", "List sites to embed", {200: "EmbeddedSites"}),
    Operation(
        "get",
        routing.PATH,
        "Say why a model is chosen",
        {200: "Explained"},
        query=routing.ExplainQuery,
    ),
    Operation(
        "get", "/v1/embed/{site}", "Say what embeds a site", {200: "Snippets"}, query=EmbedQuery
    ),
)
KNOWLEDGE: Final = (
    Operation("get", "/v1/knowledge", "List sites", {200: "Sites"}),
    Operation(
        "get", _ENTRIES, "List entries", {200: "Entries"}, query=knowledge_wire.EntriesQuery
    ),
    Operation("post", _ENTRIES, "Add an entry", {201: "Entry"}, knowledge_wire.NewEntryBody),
    Operation("get", _ENTRY, "Read an entry", {200: "WholeEntry"}),
    Operation("put", _ENTRY, "Write an entry anew", {200: "Entry"}, knowledge_wire.EditBody),
    Operation("delete", _ENTRY, "Remove an entry", {200: "Entry", 204: None}),
    Operation("post", f"{_ENTRY}/undo", "Take back the newest edit", {200: "Entry", 204: None}),
    Operation("post", f"{_SITE}/publish", "Publish", {202: "Building"}),
    Operation("post", f"{_SITE}/try", "Try a question", {200: "Tried"}, knowledge_wire.TryBody),
    Operation("get", _FINDINGS, "Say what was found", {200: "Findings"}),
    Operation("post", _FINDINGS, "Look for findings", {202: "Findings"}),
    Operation(
        "get", f"{_SITE}/unanswered", "Count what was missed", {200: "Unanswered"},
        query=knowledge_wire.MissedQuery,
    ),
    Operation("get", _MARKS, "List marks", {200: "Marks"}),
    Operation("post", _MARKS, "Mark a question", {201: "Mark"}, knowledge_wire.MarkBody),
    Operation("delete", f"{_MARKS}/{{mark}}", "Remove a mark", {204: None}),
    Operation(
        "put", f"{_SITE}/prior", "Declare the prior", {200: "Site"}, knowledge_wire.PriorBody
    ),
    Operation("post", _IMPORTS, "See an import", {200: "Import"}, knowledge_wire.ImportBody),
    Operation("post", f"{_IMPORTS}/{{import_id}}", "Make an import", {200: "Imported"}),
)  # fmt: skip
COMMANDS: Final = (
    Operation(
        "post", commands.PATH, "Say what a command does", {200: "Classification"},
        commands.ClassifyBody,
    ),
    Operation(
        "post", commands.FEEDBACK, "Judge a classification", {201: "Judgement"},
        commands.JudgeBody,
    ),
    Operation("get", commands.FEEDBACK, "Say how often it was right", {200: "Accuracy"}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class There:
    """Which of the calls that not every gateway has are there."""

    desk: bool = False
    commands: bool = False
    personalities: bool = False


def console_document(settings: Settings, there: There) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the operators' API, without the calls that are not there."""
    operations = (
        *OPERATIONS,
        *(KNOWLEDGE if there.desk else ()),
        *(COMMANDS if there.commands else ()),
        *(PERSONALITIES if there.personalities else ()),
    )
    bodies = [operation.takes for operation in operations if operation.takes]
    _, defined = models_json_schema(
        [(body, "validation") for body in bodies], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    cookie = {"type": "apiKey", "in": "cookie", "name": "__Host-fanlight_operator"}
    token = {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Fanlight, for operators", "version": __version__},
        "servers": [{"url": settings.console_url}],
        "paths": paths,
        "components": {
            "schemas": {**defined["$defs"], **SCHEMAS, **PERSONALITY_SCHEMAS, "Problem": PROBLEM},
            "securitySchemes": {"session": cookie, "csrf": token},
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    responses = problem_responses(*REFUSALS)
    for status, name in operation.gives.items():
        said = operation.summary
        responses[str(status)] = json_content(ref(name), said) if name else {"description": said}
    if operation.path == EVENTS:
        responses["200"]["content"] = {"text/event-stream": {"schema": TEXT}}
    described: dict[str, Any] = {"summary": operation.summary, "responses": responses}
    if operation.takes is not None:
        schema = ref(operation.takes.__name__)
        content = {"application/json": {"schema": schema}}
        described["requestBody"] = {"required": True, "content": content}
    if operation.takes is not operator_wire.LogInBody:
        change = operation.method != "get"
        described["security"] = [{"session": [], **({"csrf": []} if change else {})}]
    described["parameters"] = [*_in_path(operation.path), *_in_query(operation.query)]
    return described


def _in_path(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]


def _in_query(query: type[wire.Body] | None) -> list[dict[str, Any]]:
    described = query.model_json_schema() if query else {"properties": {}}
    needed = described.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": schema}
        for name, schema in described["properties"].items()
    ]


def console_openapi_routes(settings: Settings, there: There) -> list[Route]:
    """The route of this resource."""
    made = console_document(settings, there)

    async def openapi(request: Request) -> Response:
        return JSONResponse(made)

    return [Route("/openapi.json", openapi)]
