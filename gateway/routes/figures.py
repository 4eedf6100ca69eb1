"""`/v1/operator/figures` on the console's origin: how turns were answered, counted and one by one.

Reads only. Who may is `operator_sessions`' decision, what is counted `gateway.figures`'. Every
refusal is a `Problem` that names the parameter.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import canonical_json, is_id, timestamp
from core.trajectory import Trajectory
from gateway import problems, wire
from gateway.context import Services
from gateway.days import is_time_zone
from gateway.figures import MOST_SPANS, By, Figures, Span, document, spans
from gateway.routes.operator_sessions import OperatorSessions

NO_STORE: Final = {"cache-control": "no-store"}
PATH: Final = "/v1/operator/figures"
ANSWERED: Final = "/v1/escalations/{escalation_id}/answered"

Moment = Annotated[str, StringConstraints(min_length=10, max_length=40)]


class FiguresQuery(wire.Body):
    """`GET /v1/operator/figures?…`: `from` and `to` are RFC 3339, `zone` is IANA's name.

    Without `site` all sites are counted.
    """

    site: Annotated[str, StringConstraints(max_length=64)] = ""
    since: Annotated[Moment, Field(alias="from")]
    until: Annotated[Moment, Field(alias="to")]
    by: By = "day"
    zone: Annotated[str, StringConstraints(max_length=64)] = "UTC"

    def pieces(self) -> list[Span]:
        """The hours or days of the range; raises `Problem`."""
        if not is_time_zone(self.zone):
            raise problems.invalid(
                "zone", "This is no time zone.", "Use a name of IANA's, such as Europe/Madrid."
            )
        since, until = _seconds("from", self.since), _seconds("to", self.until)
        if since >= until:
            raise problems.invalid("to", "The range ends before it begins.", "Swap from and to.")
        try:
            return spans(since, until, self.by, self.zone)
        except ValueError:
            remedy = f"Ask for {MOST_SPANS} at most, or by the day."
            raise problems.invalid("from", "The range has too many pieces.", remedy) from None


def figures_query(params: QueryParams) -> FiguresQuery:
    """The checked query; raises `Problem` naming the parameter that is wrong."""
    return wire.parse(FiguresQuery, canonical_json(dict(params)))


def figure_routes(services: Services) -> list[Route]:
    """The routes of this resource."""
    own = _Figures(services)
    return [
        Route(PATH, own.figures, methods=["GET"]),
        Route(ANSWERED, own.answered, methods=["GET"]),
    ]


class _Figures:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._truth = services.truth
        self._sites = services.settings.sites
        self._sessions = OperatorSessions(services)
        self._figures = Figures(services.truth.figures, services.clock)

    async def figures(self, request: Request) -> Response:
        """`GET /v1/operator/figures`."""
        await self._sessions.reader(request)
        query = figures_query(request.query_params)
        known = tuple(site.key for site in self._sites)
        if query.site and query.site not in known:
            raise problems.not_found("site")
        pieces = query.pieces()
        tallies = await self._figures.counted((query.site,) if query.site else known, pieces)
        named = [{"site": site.key, "name": site.name} for site in self._sites]
        return _json(
            {
                "site": query.site or None,
                "sites": named,
                "by": query.by,
                "zone": query.zone,
                "from": timestamp(pieces[0].since),
                "to": timestamp(pieces[-1].until),
                "at": timestamp(self._services.clock()),
                **document(pieces, tallies),
            }
        )

    async def answered(self, request: Request) -> Response:
        """`GET /v1/escalations/<id>/answered`: how each turn of its conversation was answered."""
        await self._sessions.reader(request)
        name = request.path_params["escalation_id"]
        if not is_id(name, "e"):
            raise problems.not_found("escalation")
        escalation = await self._truth.escalation(name)
        turns = await self._truth.figures.answered(escalation.site, escalation.conversation_id)
        return _json({"items": [_told(turn) for turn in turns]})


def _told(turn: Trajectory) -> dict[str, Any]:
    """A trajectory as the console reads it, without the digests of what was said."""
    told = asdict(turn)
    for name in ("request_sha256", "reply_sha256", "at", "outcome_at"):
        del told[name]
    judged_at = None if turn.outcome_at is None else timestamp(turn.outcome_at)
    return {**told, "created_at": timestamp(turn.at), "outcome_at": judged_at}


def _seconds(name: str, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise problems.invalid(
            name, "This is no time with its offset.", "Write it as 2026-03-12T00:00:00Z."
        )
    return moment.timestamp()


def _json(content: object) -> JSONResponse:
    return JSONResponse(content, headers=NO_STORE)
