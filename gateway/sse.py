"""Server-sent events: how an event is written, and a response that carries a stream of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping

from starlette.responses import StreamingResponse

HEARTBEAT_S = 15.0
HEARTBEAT = b": heartbeat\n\n"


def event(name: str, data: Mapping[str, object], event_id: int | None = None) -> bytes:
    """One event; its data is JSON on one line."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{head}event: {name}\ndata: {body}\n\n".encode()


def stream(events: AsyncIterator[bytes]) -> StreamingResponse:
    """A response that nothing on the way may buffer or keep."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
