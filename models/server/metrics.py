"""The model server's figures, for Prometheus. None has a prompt, a reply or a caller in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_FIRST_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RATES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_STATM: Final = Path("/proc/self/statm")
_PAGE: Final = 4096


class Figures:
    """Counts what the server does."""

    def __init__(self, waiting: Callable[[], int], running: Callable[[], int]) -> None:
        own = self._registry = CollectorRegistry()
        self.requests = Counter(
            "fanlight_model_requests", "Requests by outcome", ("model", "status"), registry=own
        )
        self.first_token = Histogram(
            "fanlight_model_first_token_seconds",
            "Seconds from a request to the first token of its reply",
            ("model",),
            buckets=_FIRST_S,
            registry=own,
        )
        self.rate = Histogram(
            "fanlight_model_tokens_per_second",
            "Tokens a second of one reply, after its first",
            ("model",),
            buckets=_RATES,
            registry=own,
        )
        self.embedding = Histogram(
            "fanlight_model_embedding_seconds",
            "Seconds from a request to the vectors of all its texts",
            ("model",),
            buckets=_FIRST_S,
            registry=own,
        )
        self.texts = Counter(
            "fanlight_model_embedded_texts", "Texts that were embedded", ("model",), registry=own
        )
        self.tokens = Counter("fanlight_model_tokens", "Tokens", ("model", "kind"), registry=own)
        self.loaded = Gauge("fanlight_model_loaded", "1 while in memory", ("model",), registry=own)
        self.memory = Gauge(
            "fanlight_model_memory_bytes",
            "Memory that the model's process has, or is expected to",
            ("model",),
            registry=own,
        )
        gauge = Gauge("fanlight_model_waiting", "Requests that wait for a place", registry=own)
        gauge.set_function(waiting)
        gauge = Gauge("fanlight_model_running", "Requests that run", registry=own)
        gauge.set_function(running)
        if _STATM.exists():
            gauge = Gauge("fanlight_model_resident_bytes", "Memory of the server", registry=own)
            gauge.set_function(_resident)

    def text(self) -> bytes:
        """All of it, in Prometheus's text form."""
        return generate_latest(self._registry)


def _resident() -> float:
    return int(_STATM.read_text(encoding="ascii").split()[1]) * float(_PAGE)
