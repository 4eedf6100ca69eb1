"""What a model server would write first, by `POST <url>/completions` with `logprobs`.

Not every server gives log-probabilities. One that does not, or fails, is left alone for a minute,
so that whoever asks does not wait for it each time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from core.commands.prompt import TEMPERATURE
from core.errors import Unavailable
from core.ports import Clock
from gateway.settings import ModelSettings

LIKELIEST: Final = 5
"""As many as OpenAI's dialect gives of a text."""

REST_S: Final = 60.0
MOST_BYTES: Final = 1 << 16
CONNECT_S: Final = 1.0
READ_S: Final = 2.0


class OpenAiFirstTokens:
    """A `FirstTokens` over httpx's transport; requests carry no redirects, cookies or proxies."""

    def __init__(
        self,
        settings: ModelSettings,
        transport: httpx.AsyncBaseTransport,
        clock: Clock,
        *,
        read_s: float = READ_S,
    ) -> None:
        self._timeout = httpx.Timeout(read_s, connect=CONNECT_S).as_dict()
        self._settings = settings
        self._url = httpx.URL(settings.url.rstrip("/") + "/completions")
        self._transport = transport
        self._clock = clock
        self._rests_until = 0.0

    async def first_tokens(self, prompt: str) -> Mapping[str, float]:
        """Log-probabilities of the likeliest first tokens; raises `Unavailable`."""
        if self._clock() < self._rests_until:
            raise Unavailable("the model server gave no likelihoods a moment ago")
        try:
            return _read(await self._ask(prompt))
        except Unavailable:
            self._rests_until = self._clock() + REST_S
            raise

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _ask(self, prompt: str) -> bytes:
        try:
            response = await self._transport.handle_async_request(self._request(prompt))
            try:
                if response.status_code != 200:
                    raise Unavailable(f"the model server answered {response.status_code}")
                return await _bounded(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as exc:
            raise Unavailable(f"the model server failed: {type(exc).__name__}") from exc

    def _request(self, prompt: str) -> httpx.Request:
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if self._settings.key:
            headers["authorization"] = f"Bearer {self._settings.key.reveal()}"
        body = {
            "model": self._settings.model,
            "prompt": prompt,
            "max_tokens": 1,
            "temperature": TEMPERATURE,
            "logprobs": LIKELIEST,
        }
        content = json.dumps(body).encode()
        extensions = {"timeout": self._timeout}
        return httpx.Request(
            "POST", self._url, headers=headers, content=content, extensions=extensions
        )


async def _bounded(response: httpx.Response) -> bytes:
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise Unavailable("the model server's answer cannot be read")
    body = bytearray()
    async for chunk in response.stream:
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unavailable("the model server's answer is too long")
    return bytes(body)


def _read(body: bytes) -> Mapping[str, float]:
    try:
        told: Any = json.loads(body)["choices"][0]["logprobs"]["top_logprobs"][0]
        return {str(token): min(0.0, float(logprob)) for token, logprob in told.items()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as exc:
        raise Unavailable("the model server gives no log-probabilities") from exc
