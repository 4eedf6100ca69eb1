"""A PagerDuty account on this machine: its Events API v2 as documented, and its incidents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.gateway.serving import served

KEY = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
BODY_LIMIT = 512 * 1024

EVENT = jsonschema_rs.validator_for(
    json.loads((Path(__file__).parent / "pagerduty_event.json").read_text()),
    validate_formats=True,
)


@dataclass
class Account:
    """The events that were taken, what is open, and how often somebody was paged."""

    events: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Response] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    pages: int = 0
    url: str = ""

    async def enqueue(self, request: Request) -> Response:
        if self.refusals:
            return self.refusals.pop(0)
        body = await request.body()
        event = json.loads(body)
        if len(body) > BODY_LIMIT or not EVENT.is_valid(event):
            return invalid(*(str(error.message) for error in EVENT.iter_errors(event)))
        if event["routing_key"] != KEY:
            return invalid("'routing_key' is unknown")
        self.events.append(event)
        key = event["dedup_key"]
        if event["event_action"] == "trigger":
            self.pages += key not in self.open
            self.open.add(key)
        else:
            self.open.discard(key)
        taken = {"status": "success", "message": "Event processed", "dedup_key": key}
        return JSONResponse(taken, status_code=202)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v2/enqueue", self.enqueue, methods=["POST"])])


def invalid(*errors: str) -> Response:
    """How PagerDuty refuses an event."""
    said = {"status": "invalid event", "message": "Event object is invalid", "errors": [*errors]}
    return JSONResponse(said, status_code=400)


@contextmanager
def account(*refusals: Response) -> Iterator[Account]:
    """A running account."""
    made = Account(refusals=list(refusals))
    with served(made.app()) as origin:
        made.url = origin
        yield made
