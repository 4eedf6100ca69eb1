"""Questions in JSON to a model server, each with one answer, a deadline and a limit.

Decides when a server is left alone: after failures in a row, by the breaker that it is given. An
answer that says that the question was wrong counts as none of them, unless none is `forgiven`.
Whatever the server does wrong becomes `Unavailable` here. Requests carry no redirects, cookies or
proxies.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from core.breaker import Breaker
from core.errors import Unavailable
from gateway.settings import Secret

CONNECT_S: Final = 2.0
OF_THE_QUESTION: Final = frozenset({400, 404, 413, 422})
"""What a server that is well says of a question that it does not take."""

_OTHER_FORMS: Final = (
    *(ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError),
)
_SHOWN: Final = 200


class BadAnswer(ValueError):
    """An answer that is no answer to the question; the message says why."""


class _Refused(Unavailable):
    """The question is not taken; the server is well."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long an answer may take, and how many bytes it may have."""

    deadline_s: float
    bytes: int
    connect_s: float = CONNECT_S


class ModelCalls:
    """`POST` to paths below a server's base address."""

    def __init__(
        self,
        url: str,
        key: Secret,
        transport: httpx.AsyncBaseTransport,
        breaker: Breaker,
        bounds: Bounds,
        *,
        forgiven: Collection[int] = OF_THE_QUESTION,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": "fanlight",
        }
        if key:
            self._headers["authorization"] = f"Bearer {key.reveal()}"
        self._transport = transport
        self._breaker = breaker
        self._bounds = bounds
        self._forgiven = forgiven
        connect_s = min(bounds.connect_s, bounds.deadline_s)
        self._timeout = httpx.Timeout(bounds.deadline_s, connect=connect_s).as_dict()

    async def ask[T](self, path: str, body: Mapping[str, object], read: Callable[[Any], T]) -> T:
        """What `read` makes of the server's JSON; raises `Unavailable`.

        `read` raises `BadAnswer`, or what looking into another form raises.
        """
        if not self._breaker.allows():
            raise Unavailable("the model server has failed lately and is left alone for a moment")
        try:
            async with asyncio.timeout(self._bounds.deadline_s):
                found = await self._post(path, json.dumps(body).encode(), read)
        except _Refused as exc:
            self._breaker.succeeded()
            raise Unavailable(str(exc)) from exc
        except (TimeoutError, httpx.TimeoutException) as exc:
            self._breaker.failed()
            detail = f"the model server gave no answer within {self._bounds.deadline_s:g} s"
            raise Unavailable(detail) from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            self._breaker.failed()
            raise Unavailable(f"the model server failed: {type(exc).__name__}: {exc}") from exc
        except Unavailable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _post[T](self, path: str, content: bytes, read: Callable[[Any], T]) -> T:
        request = httpx.Request(
            "POST",
            self._url + path,
            headers=self._headers,
            content=content,
            extensions={"timeout": self._timeout},
        )
        response = await self._transport.handle_async_request(request)
        try:
            said = await self._bounded(response)
        finally:
            await response.aclose()
        if response.status_code != 200:
            raised = _Refused if response.status_code in self._forgiven else Unavailable
            raise raised(f"the model server answered {response.status_code}{_reason(said)}")
        return _read(said, read)

    async def _bounded(self, response: httpx.Response) -> bytes:
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise Unavailable("the model server's answer cannot be read")
        body = bytearray()
        async for chunk in response.stream:
            body += chunk
            if len(body) > self._bounds.bytes:
                raise Unavailable("the model server's answer is too long")
        return bytes(body)


def _read[T](body: bytes, read: Callable[[Any], T]) -> T:
    try:
        return read(json.loads(body))
    except BadAnswer as exc:
        raise Unavailable(f"the model server's answer is of no use: {exc}") from exc
    except _OTHER_FORMS as exc:
        raise Unavailable("the model server's answer has another form") from exc


def _reason(body: bytes) -> str:
    """What a server says of its own refusal, where it says it in one of the usual forms."""
    try:
        said = json.loads(body)
        told = said["error"]
        text = told["message"] if isinstance(told, dict) else told
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return f": {text[:_SHOWN]}" if isinstance(text, str) else ""
