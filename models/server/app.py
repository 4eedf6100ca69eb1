"""The model server's ASGI application.

`GET /v1/models`, `POST /v1/chat/completions`, `POST /v1/completions`, `POST /v1/embeddings` in
OpenAI's dialect, `/health` and `/metrics`; `POST /v1/models/NAME/warm` loads a model before it is
asked. Refuses early: a wrong key, a body that is no JSON or too large, a host name that a browser
may have been led to; then what it does not understand, by name; then what it has no place for. A
caller who hangs up ends the work.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.engines.kept import KeptModel
from models.engines.room import Room
from models.errors import ModelError
from models.server.admission import Admission
from models.server.embedding import embedded
from models.server.metrics import Figures
from models.server.problems import Refusal, refusal_of, stopping
from models.server.replies import Heading
from models.server.replying import Begun, House, begin, gone_before, warmed
from models.server.requests import ChatAsked, EmbedAsked, TextAsked, read

MOST_BODY: Final = 1 << 20
_HUNG_UP: Final = 499

type Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server allows: `at_once` and `queue` for each model.

    `temperature` holds where a request does not say.
    """

    at_once: int = 2
    queue: int = 32
    timeout_s: float = 120.0
    temperature: float = 0.0


@dataclass
class Serving:
    """The models that are served, and how; `key` is what callers must show, if any."""

    models: Mapping[str, KeptModel]
    limits: Limits
    clock: Callable[[], float]
    ticks: Callable[[], float]
    key: str = ""
    hosts: Sequence[str] = ("*",)
    new_id: Callable[[], str] = lambda: secrets.token_hex(12)
    room: Room = field(default_factory=Room)
    stopping: bool = False
    house: House = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        places = {name: Admission(limits.at_once, limits.queue, self.ticks) for name in self.models}
        self.house = House(places, Figures(self.waiting, self.running), self.ticks)

    def model(self, name: str, *, embeds: bool = False) -> KeptModel:
        """A model by its name; it embeds, or it writes. Raises `Refusal`."""
        found = self.models.get(name)
        if found is None:
            known = ", ".join(self.models)
            raise Refusal(
                404,
                f"There is no model {name!r} here. Served: {known}.",
                param="model",
                code="model_not_found",
            )
        if embeds != (found.model.kind == "embed"):
            does, way = ("writes", "chat/completions") if embeds else ("embeds", "embeddings")
            raise Refusal(400, f"{name} {does} text: ask it at /v1/{way}.", param="model")
        return found

    def waiting(self) -> int:
        """How many calls wait, for any model."""
        return sum(each.waiting for each in self.house.admissions.values())

    def running(self) -> int:
        """How many calls run."""
        return sum(each.running for each in self.house.admissions.values())

    def stop(self) -> None:
        """Take nothing new: the process is about to end."""
        self.stopping = True


def create_app(serving: Serving) -> Starlette:
    """The application; when it ends, so do the engines."""
    app = _Endpoints(serving)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(serving.room.watch())
        yield
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for model in serving.models.values():
            await model.close()

    return Starlette(
        routes=[
            Route("/v1/chat/completions", _guarded(app.chat, serving), methods=["POST"]),
            Route("/v1/completions", _guarded(app.text, serving), methods=["POST"]),
            Route("/v1/embeddings", _guarded(app.embeddings, serving), methods=["POST"]),
            Route("/v1/models", _guarded(app.models, serving), methods=["GET"]),
            Route("/v1/models/{name}/warm", _guarded(app.warm, serving), methods=["POST"]),
            Route("/metrics", _guarded(app.metrics, serving), methods=["GET"]),
            Route("/health", app.health, methods=["GET"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(serving.hosts))],
        exception_handlers={404: _nothing_here, 405: _nothing_here},
        lifespan=lifespan,
    )


class _Endpoints:
    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def chat(self, request: Request) -> Response:
        return await self._reply(request, ChatAsked, chat=True)

    async def text(self, request: Request) -> Response:
        return await self._reply(request, TextAsked, chat=False)

    async def embeddings(self, request: Request) -> Response:
        serving = self._serving
        if serving.stopping:
            raise stopping()
        asked = read(EmbedAsked, await _body(request))
        kept = serving.model(asked.model, embeds=True)
        work = embedded(serving.house, kept, asked, serving.limits.timeout_s)
        return JSONResponse(await gone_before(request, work))

    async def models(self, _request: Request) -> Response:
        rows = [
            {
                "id": name,
                "object": "model",
                "created": 0,
                "owned_by": "fanlight",
                "version": kept.model.version,
                "kind": kept.model.kind,
                "context": kept.model.context,
                "licence": kept.model.licence,
            }
            for name, kept in self._serving.models.items()
        ]
        return JSONResponse({"object": "list", "data": rows})

    async def warm(self, request: Request) -> Response:
        serving = self._serving
        if serving.stopping:
            raise stopping()
        kept = serving.model(request.path_params["name"])
        await gone_before(request, warmed(kept, serving.limits.timeout_s))
        return JSONResponse({"id": kept.model.id, "loaded": kept.loaded})

    async def metrics(self, _request: Request) -> Response:
        serving = self._serving
        for name, kept in serving.models.items():
            serving.house.figures.loaded.labels(name).set(int(kept.loaded))
            taken = kept.memory if kept.loaded else 0
            serving.house.figures.memory.labels(name).set(taken)
        return Response(serving.house.figures.text(), media_type="text/plain; version=0.0.4")

    async def health(self, _request: Request) -> Response:
        serving = self._serving
        body = {
            "status": "stopping" if serving.stopping else "ok",
            "models": {name: {"loaded": kept.loaded} for name, kept in serving.models.items()},
            "waiting": serving.waiting(),
            "running": serving.running(),
        }
        return JSONResponse(body, 503 if serving.stopping else 200)

    async def _reply(
        self, request: Request, kind: type[ChatAsked | TextAsked], *, chat: bool
    ) -> Response:
        serving = self._serving
        if serving.stopping:
            raise stopping()
        asked = read(kind, await _body(request))
        kept = serving.model(asked.model)
        call = asked.call(serving.limits.temperature, serving.limits.timeout_s)
        prefix = "chatcmpl" if chat else "cmpl"
        made_at = int(serving.clock())
        heading = Heading(f"{prefix}-{serving.new_id()}", made_at, kept.model.id, chat)
        beginning = begin(serving.house, kept, call)
        if asked.stream:
            begun = await gone_before(request, beginning)
            return begun.streamed(heading, usage_wanted=asked.usage_wanted)
        return JSONResponse(await gone_before(request, _whole(beginning, heading)))


async def _whole(beginning: Coroutine[Any, Any, Begun], heading: Heading) -> dict[str, object]:
    return await (await beginning).whole(heading)


def _guarded(endpoint: Endpoint, serving: Serving) -> Endpoint:
    """Ask for the key, and turn what is refused into an answer."""

    async def guarded(request: Request) -> Response:
        try:
            _check_key(request, serving.key)
            return await endpoint(request)
        except Refusal as refusal:
            return refusal.response()
        except ModelError as error:
            return refusal_of(error).response()
        except ClientDisconnect:
            return Response(status_code=_HUNG_UP)  # nobody reads it

    return guarded


def _check_key(request: Request, key: str) -> None:
    given = request.headers.get("authorization", "").encode("latin-1")
    if key and not hmac.compare_digest(given, f"Bearer {key}".encode()):
        raise Refusal(
            401,
            "Send the server's key: Authorization: Bearer …",
            "authentication_error",
            code="invalid_api_key",
            headers={"www-authenticate": "Bearer"},
        )


async def _body(request: Request) -> bytes:
    """The body. A page in a browser cannot send JSON to another origin without asking first."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal(415, "Send JSON, as application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise Refusal(413, f"The body is larger than {MOST_BODY} bytes.")
    return bytes(body)


async def _nothing_here(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    message = f"There is no {request.method} {request.url.path} here."
    return Refusal(status, message, headers=dict(getattr(error, "headers", None) or {})).response()
