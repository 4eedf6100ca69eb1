"""A request to a model server whose answer is a stream of server-sent events.

Decides what a status means, and what a line may be. Whatever the server does wrong (refuses,
resets, sends garbage or half a stream) becomes `Unavailable` here. Deadlines are the pipeline's;
this only bounds the connection.

It talks to httpx's transport, not to its client: there is no redirect to follow, no cookie and no
compression, and a client's work for those costs as much again as the request.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Final

import httpx

from core.errors import Declined, Unavailable
from gateway.adapters.standard_webhooks import retry_after_s

CONNECT_S: Final = 2.0
READ_S: Final = 60.0
END_S: Final = 0.1
"""How long the end of a stream whose last event has come is waited for."""

MAX_LINE: Final = 1 << 20
TAKES_NOT: Final = frozenset({400, 413, 422})
"""What was asked is at fault: another model may take it, and the server is well."""

IN_VAIN: Final = frozenset({401, 403, 404, 405, 410})
"""The key, the model's name or the address is wrong: a person has to mend it."""

_LIMITS: Final = httpx.Limits(max_connections=256, max_keepalive_connections=64)
_HEADERS: Final = {
    "accept": "text/event-stream",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": "fanlight",
}


class ModelHttp:
    """One address of a model server."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        transport: httpx.AsyncBaseTransport | None,
        connect_s: float = CONNECT_S,
    ) -> None:
        self._url = httpx.URL(url)
        self._headers = {**_HEADERS, **headers}
        self._transport = transport or httpx.AsyncHTTPTransport(limits=_LIMITS, trust_env=False)
        self._timeout = httpx.Timeout(READ_S, connect=connect_s).as_dict()

    async def events(self, body: Mapping[str, object]) -> AsyncIterator[list[bytes]]:
        """The data of the answer's events, those that came together at once.

        Whoever has had the last one calls `end`. Raises `Unavailable`.
        """
        try:
            response = await self._transport.handle_async_request(self._request(body))
            try:
                _check_status(response)
                async for events in _events(response):
                    yield events
            finally:
                await response.aclose()
        except httpx.HTTPError as exc:
            raise Unavailable(f"the model server failed: {type(exc).__name__}") from exc

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _request(self, body: Mapping[str, object]) -> httpx.Request:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        extensions = {"timeout": self._timeout}
        return httpx.Request(
            "POST", self._url, headers=self._headers, content=content, extensions=extensions
        )


async def finish(events: AsyncIterator[list[bytes]]) -> None:
    """Read what is left, so that the connection can be used again; the reply is whole without."""
    with suppress(TimeoutError, Unavailable):
        async with asyncio.timeout(END_S):
            async for _ in events:
                pass


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    message = f"the model server answered {status}"
    if status in TAKES_NOT:
        raise Declined(message)
    after_s = retry_after_s(response.headers.get("retry-after"), time.time())
    raise Unavailable(message, again=status not in IN_VAIN, after_s=after_s)


async def _events(response: httpx.Response) -> AsyncIterator[list[bytes]]:
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise Unavailable("the model server's answer cannot be streamed")
    rest = b""
    async for chunk in response.stream:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if max(map(len, lines), default=0) > MAX_LINE or len(rest) > MAX_LINE:
            raise Unavailable("the model server sent a line that is too long")
        found = [line[5:].strip() for line in lines if line.startswith(b"data:")]
        if found:
            yield found
