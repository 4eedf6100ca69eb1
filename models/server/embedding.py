"""Embeddings in OpenAI's dialect.

Decides their form: numbers, or the bytes of 32-bit floats in base64, lowest first, which OpenAI's
clients ask for. Refuses dimensions that the model does not have: its vectors are not cut.
"""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Sequence
from typing import Final

from models.engines.kept import KeptModel
from models.engines.protocol import Embedded
from models.errors import ModelError, TooLate
from models.server.problems import Refusal
from models.server.replying import House, Status
from models.server.requests import EmbedAsked

_DIGITS: Final = 9
"""Behind the point: a vector of length 1 in 32-bit floats has no more."""


async def embedded(
    house: House, kept: KeptModel, asked: EmbedAsked, timeout_s: float
) -> dict[str, object]:
    """The reply, from a place in the queue to the last vector. Raises `Refusal` or `ModelError`."""
    name, began = kept.model.id, house.ticks()
    status: Status = "cut"
    try:
        texts = asked.texts()
        _check_dimensions(kept, asked.dimensions)
        async with (
            asyncio.timeout(timeout_s),
            house.admissions[name].place(),
            kept.used() as engine,
        ):
            found = await engine.embed(texts, asked.input_type)
        status = "ok"
    except TimeoutError as error:
        status = "failed"
        raise TooLate(f"The model took longer than {timeout_s:g} s.") from error
    except (Refusal, ModelError):
        status = "refused"
        raise
    finally:
        house.figures.requests.labels(name, status).inc()
    house.figures.embedding.labels(name).observe(house.ticks() - began)
    house.figures.texts.labels(name).inc(len(texts))
    house.figures.tokens.labels(name, "prompt").inc(found.tokens)
    return _reply(name, found, packed=asked.encoding_format == "base64")


def _check_dimensions(kept: KeptModel, wanted: int | None) -> None:
    held = kept.model.embedding
    if wanted is not None and held is not None and wanted != held.dimensions:
        raise Refusal(
            400,
            f"dimensions: {kept.model.id} has vectors of {held.dimensions} dimensions, no others.",
            param="dimensions",
        )


def _reply(name: str, found: Embedded, *, packed: bool) -> dict[str, object]:
    rows = [
        {
            "object": "embedding",
            "index": at,
            "embedding": _packed(vector) if packed else [round(x, _DIGITS) for x in vector],
        }
        for at, vector in enumerate(found.vectors)
    ]
    usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return {"object": "list", "data": rows, "model": name, "usage": usage}


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
