"""What a caller is told when something is wrong, in the form that OpenAI's clients read.

Decides the status for each error. Nothing of a prompt is repeated.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from typing import Final

from starlette.responses import JSONResponse

from models.errors import (
    BadRequest,
    EngineFailed,
    ModelError,
    NoMemory,
    Overflow,
    TooLate,
    UnknownAdapter,
    UnknownModel,
)

_LOG: Final = logging.getLogger("fanlight.models")


@dataclass(eq=False)
class Refusal(Exception):
    """A request that is not served."""

    status: int
    message: str
    kind: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """The error as OpenAI's clients read it."""
        return {
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.code,
            }
        }

    def response(self) -> JSONResponse:
        """The whole answer."""
        return JSONResponse(self.document(), self.status, self.headers)


def busy(waiting: int, retry_s: float) -> Refusal:
    """Too many wait already."""
    seconds = max(1, math.ceil(retry_s))
    return Refusal(
        429,
        f"{waiting} requests wait already. Try again in {seconds} s.",
        "rate_limit_error",
        code="queue_full",
        headers={"retry-after": str(seconds)},
    )


def stopping() -> Refusal:
    """The server is about to end."""
    return Refusal(
        503,
        "The model server is stopping. Try again in a moment.",
        "server_error",
        code="stopping",
        headers={"retry-after": "5"},
    )


def refusal_of(error: ModelError) -> Refusal:
    """What becomes of an engine's or the registry's error."""
    if isinstance(error, Overflow):
        return Refusal(400, str(error), param=error.parameter, code="context_length_exceeded")
    if isinstance(error, UnknownAdapter):
        return Refusal(422, str(error), param=error.parameter, code="adapter_not_found")
    if isinstance(error, BadRequest):
        return Refusal(400, str(error), param=error.parameter)
    if isinstance(error, UnknownModel):
        return Refusal(404, str(error), param="model", code="model_not_found")
    if isinstance(error, TooLate):
        return Refusal(504, str(error), "server_error", code="timeout")
    if isinstance(error, NoMemory):
        return Refusal(503, str(error), "server_error", code="no_memory")
    if isinstance(error, EngineFailed):
        return Refusal(500, str(error), "server_error")
    # It names files of this machine, which are the operator's to know.
    _LOG.error("%s", error)
    return Refusal(500, "The model cannot be loaded. The server's log says why.", "server_error")
