"""What a model server would write first, by `POST <url>/completions` with `logprobs`.

Not every server gives log-probabilities. One that does not, or fails, is left alone for a minute,
so that whoever asks does not wait for it each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from core.breaker import Breaker, Rule
from core.commands.prompt import TEMPERATURE
from core.ports import Clock
from gateway.adapters.model_calls import Bounds, ModelCalls
from gateway.settings import ModelSettings

LIKELIEST: Final = 5
"""As many as OpenAI's dialect gives of a text."""

REST_S: Final = 60.0
MOST_BYTES: Final = 1 << 16
CONNECT_S: Final = 1.0
READ_S: Final = 2.0
_RULE: Final = Rule(failures=1, rest_s=REST_S, longest_s=REST_S)


class OpenAiFirstTokens:
    """A `FirstTokens` over HTTP."""

    def __init__(
        self,
        settings: ModelSettings,
        transport: httpx.AsyncBaseTransport,
        clock: Clock,
        *,
        read_s: float = READ_S,
    ) -> None:
        self._model = settings.model
        bounds = Bounds(read_s, MOST_BYTES, CONNECT_S)
        breaker = Breaker(clock, _RULE)
        # A server without this route will not have it at the next call either.
        self._calls = ModelCalls(
            settings.url, settings.key, transport, breaker, bounds, forgiven=()
        )

    async def first_tokens(self, prompt: str) -> Mapping[str, float]:
        """Log-probabilities of the likeliest first tokens; raises `Unavailable`."""
        body = {
            "model": self._model,
            "prompt": prompt,
            "max_tokens": 1,
            "temperature": TEMPERATURE,
            "logprobs": LIKELIEST,
        }
        return await self._calls.ask("/completions", body, _read)

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()


def _read(said: Any) -> Mapping[str, float]:
    told = said["choices"][0]["logprobs"]["top_logprobs"][0]
    return {str(token): min(0.0, float(logprob)) for token, logprob in told.items()}
