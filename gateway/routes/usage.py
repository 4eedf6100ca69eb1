"""`GET /v1/usage`: what models have cost, for a site's own server and for operators.

A site's API key sees that site; an operator's session sees all of them. Decides how money is shown:
in US dollars to the millionth, with what is held for turns under way in it. Operators also see who
is nearest their own limit, by marks: nothing here says which visitor it is.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import timestamp
from core.model_routing.periods import MICROS, PERIODS
from gateway.context import Services
from gateway.front import Front
from gateway.pipeline.budget_use import Near, Spent
from gateway.pipeline.spending import Spending
from gateway.routes.completions import Completions
from gateway.routes.operator_sessions import OperatorSessions

_NO_STORE = {"cache-control": "no-store"}


async def usage(spending: Spending, site: str) -> dict[str, object]:
    """What a site has spent this day and this month; raises `Unavailable`."""
    periods: dict[str, object] = {
        one.period: _shown(one) for one in await spending.use.of_site(site)
    }
    told = {"object": "usage", "site": site, "currency": "USD"}
    return {**told, "thresholds": list(spending.use.shares), **periods}


async def usage_with_callers(spending: Spending, site: str, name: str) -> dict[str, object]:
    """The same with the callers who are nearest their own limits; raises `Unavailable`."""
    near = {one: await spending.use.nearest(site, one) for one in PERIODS}
    callers = {one: [_shown_near(each) for each in found] for one, found in near.items()}
    return {**await usage(spending, site), "name": name, "callers": callers}


def _shown(spent: Spent) -> dict[str, object]:
    return {
        "spent_usd": spent.micros / MICROS,
        "limit_usd": spent.limit / MICROS if spent.limit else None,
        "began_at": timestamp(spent.began),
        "resets_at": timestamp(spent.resets),
        "alerts": list(spent.alerts),
        "used_up": spent.used_up,
    }


def _shown_near(near: Near) -> dict[str, object]:
    return {
        "whose": near.whose,
        "mark": near.mark,
        "spent_usd": near.micros / MICROS,
        "limit_usd": near.limit / MICROS,
    }


def usage_routes(front: Front) -> list[Route]:
    """The route for a site's own server."""
    keys = Completions(front)

    async def own(request: Request) -> Response:
        site = await keys.site(request)
        return JSONResponse(await usage(front.spending, site.key), headers=_NO_STORE)

    return [Route("/v1/usage", own, methods=["GET"])]


def console_usage_routes(services: Services, spending: Spending) -> list[Route]:
    """The route on the console's origin."""
    sessions = OperatorSessions(services)

    async def every(request: Request) -> Response:
        await sessions.reader(request)
        items = [
            await usage_with_callers(spending, site.key, site.name)
            for site in services.settings.sites
        ]
        return JSONResponse({"items": items}, headers=_NO_STORE)

    return [Route("/v1/usage", every, methods=["GET"])]
