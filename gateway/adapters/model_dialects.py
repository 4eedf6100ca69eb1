"""What a model's server may speak, by the name that the settings give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import httpx

from core.ports import Transport
from gateway.adapters.anthropic_dialect import AnthropicTransport
from gateway.adapters.openai_dialect import OpenAiTransport
from gateway.settings import ModelSettings

DIALECTS: Final[
    Mapping[str, Callable[[ModelSettings, httpx.AsyncBaseTransport | None, float], Transport]]
] = {"openai": OpenAiTransport, "anthropic": AnthropicTransport}
