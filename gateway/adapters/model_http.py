"""A request to a model server whose answer is a stream of server-sent events.

Decides what a status means, what a line may be, and what is done where a server refuses a part of
the request that it can be asked without: it is asked without, and not for that part again. Whatever
else the server does wrong (refuses, resets, sends garbage or half a stream) becomes `Unavailable`
here. Deadlines are the pipeline's; this only bounds the connection.

It talks to httpx's transport, not to its client: there is no redirect to follow, no cookie and no
compression, and a client's work for those costs as much again as the request.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Final, Literal

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

Part = Literal["tools", "logprobs"]
"""A part of a request that a server may not know."""

Body = Callable[[frozenset[Part]], Mapping[str, object]]
"""The request with these parts."""

NAMED: Final[Mapping[Part, tuple[str, ...]]] = {
    "tools": ("tool", "function call"),
    "logprobs": ("logprob",),
}
"""How a refusal names what it does not take."""

_TOO_LONG: Final = "context_length"
"""A refusal that says this is of the length, whatever else it names."""
_REASON: Final = 4_096
_NOT_OF_PARTS: Final = frozenset({401, 408, 429, 502, 503, 504})
_LIMITS: Final = httpx.Limits(max_connections=256, max_keepalive_connections=64)
_HEADERS: Final = {
    "accept": "text/event-stream",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": "fanlight",
}

_log = logging.getLogger("fanlight")


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
        self._refused: frozenset[Part] = frozenset()

    async def events(
        self, body: Body, parts: frozenset[Part] = frozenset()
    ) -> AsyncIterator[list[bytes]]:
        """The data of the answer's events, those that came together at once.

        `parts` are asked for where the server is not known to refuse them. Whoever has had the last
        event calls `finish`. Raises `Unavailable`.
        """
        wanted = asked = parts - self._refused
        try:
            while True:
                response = await self._transport.handle_async_request(self._request(body(asked)))
                try:
                    if response.status_code == 200:
                        self._learn(wanted - asked)
                        async for events in _events(response):
                            yield events
                        return
                    named = await _named(response, asked)
                finally:
                    await response.aclose()
                if not named:
                    raise _failure(response)
                asked -= named
        except httpx.HTTPError as exc:
            raise Unavailable(f"the model server failed: {type(exc).__name__}") from exc

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _learn(self, refused: frozenset[Part]) -> None:
        """It takes the request without these: they are the reason, and not the rest of it."""
        if refused:
            _log.info("a model server at %s takes no %s", self._url.host, " and no ".join(refused))
            self._refused |= refused

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


async def _named(response: httpx.Response, asked: frozenset[Part]) -> frozenset[Part]:
    """What of the parts that it was asked for a refusal names."""
    if not asked or response.status_code in _NOT_OF_PARTS:
        return frozenset()
    said = (await _beginning(response)).lower()
    if _TOO_LONG in said:
        return frozenset()
    return frozenset(part for part in asked if any(word in said for word in NAMED[part]))


async def _beginning(response: httpx.Response) -> str:
    said = b""
    if isinstance(response.stream, httpx.AsyncByteStream):
        async for chunk in response.stream:
            said += chunk
            if len(said) >= _REASON:
                break
    return said[:_REASON].decode("utf-8", "replace")


def _failure(response: httpx.Response) -> Unavailable:
    status = response.status_code
    message = f"the model server answered {status}"
    if status in TAKES_NOT:
        return Declined(message)
    after_s = retry_after_s(response.headers.get("retry-after"), time.time())
    return Unavailable(message, again=status not in IN_VAIN, after_s=after_s)


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
