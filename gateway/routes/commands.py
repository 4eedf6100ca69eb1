"""`/v1/classify` on the console's origin: what a command does, and what operators say of it.

Who may ask is `operator_sessions`' decision. Every refusal is a `Problem`; nothing is run.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.commands.feedback import DAYS, Tally, accuracy
from core.commands.labels import Label
from core.encoding import timestamp
from gateway import problems, wire
from gateway.commands import Classifier, Feedback
from gateway.context import Services
from gateway.routes.operator_sessions import OperatorSessions

MOST_CHARACTERS: Final = 4_000
NO_STORE: Final = {"cache-control": "no-store"}
PATH: Final = "/v1/classify"
FEEDBACK: Final = "/v1/classify/feedback"

Command = Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS, pattern=r"\S")]


class ClassifyBody(wire.Body):
    """`POST /v1/classify`."""

    command: Command


class JudgeBody(wire.Body):
    """`POST /v1/classify/feedback`: the `classification` that was given, and what is `expected`."""

    command: Command
    classification: Label
    expected: Label


def command_routes(services: Services, classifier: Classifier) -> list[Route]:
    """The routes of this resource."""
    own = _Commands(services, classifier)
    return [
        Route(PATH, own.classify, methods=["POST"]),
        Route(FEEDBACK, own.judge, methods=["POST"]),
        Route(FEEDBACK, own.judged, methods=["GET"]),
    ]


class _Commands:
    def __init__(self, services: Services, classifier: Classifier) -> None:
        self._sessions = OperatorSessions(services)
        self._classifier = classifier
        self._most = services.settings.limits.body_bytes
        self._feedback = Feedback(
            services.truth.commands, services.clock, services.random, services.telemetry
        )

    async def classify(self, request: Request) -> Response:
        """`POST /v1/classify`."""
        await self._sessions.writer(request)
        body = await wire.read_json(request, ClassifyBody, self._most, problems.SHORTER_TEXTS)
        found = await self._classifier.classify(body.command)
        return _json(
            {
                "classification": found.label,
                "confidence": round(found.confidence, 4),
                "reasoning": found.reasoning,
                "method": found.method,
            }
        )

    async def judge(self, request: Request) -> Response:
        """`POST /v1/classify/feedback`."""
        session = await self._sessions.writer(request)
        body = await wire.read_json(request, JudgeBody, self._most, problems.SHORTER_TEXTS)
        stored = await self._feedback.judge(
            body.command, body.classification, body.expected, session.operator
        )
        return _json({**asdict(stored), "at": timestamp(stored.at)}, status=201)

    async def judged(self, request: Request) -> Response:
        """`GET /v1/classify/feedback`: how the classifier did, day by day."""
        await self._sessions.reader(request)
        return _json(_told(await self._feedback.tallies()))


def _told(tallies: list[Tally]) -> dict[str, object]:
    share = accuracy(tallies)
    return {
        "days": DAYS,
        "accuracy": None if share is None else round(share, 4),
        "by_day": [asdict(each) for each in tallies],
    }


def _json(document: object, status: int = 200) -> JSONResponse:
    return JSONResponse(document, status_code=status, headers=NO_STORE)
