"""What passes between a server and an engine in a process of its own.

Decides the form of every message: four bytes of length, then JSON. No message makes the reader run
anything: an engine that a hostile file has taken over gains nothing in the server by what it sends.
Refuses frames that no engine has reason to send.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from models.engines.jax import JaxSettings
from models.engines.llama import LlamaSettings
from models.engines.onnx import OnnxSettings
from models.engines.protocol import (
    Call,
    Embedded,
    Likelihood,
    Message,
    Piece,
    Sampling,
    TokenLikelihood,
    Usage,
)
from models.errors import (
    BadFile,
    BadRequest,
    EngineFailed,
    ModelError,
    Overflow,
    TooLate,
    UnknownAdapter,
)
from models.registry.model import Embedding

LENGTH: Final = struct.Struct(">I")
LONGEST: Final = 64 << 20

type Frame = dict[str, Any]
type Settings = LlamaSettings | JaxSettings | OnnxSettings

_MESSAGE_ERRORS: Final[Mapping[str, Callable[[str], ModelError]]] = {
    "BadFile": BadFile,
    "EngineFailed": EngineFailed,
    "TooLate": TooLate,
    "UnknownAdapter": UnknownAdapter,
}


def packed(frame: Frame) -> bytes:
    """A frame as it is sent."""
    body = json.dumps(frame, separators=(",", ":")).encode()
    return LENGTH.pack(len(body)) + body


def length_of(head: bytes) -> int:
    """How long the frame is that begins so. Raises `EngineFailed` where it is none."""
    (length,) = LENGTH.unpack(head)
    if length > LONGEST:
        raise EngineFailed("The model's process sent something else than a frame.")
    return int(length)


def unpacked(body: bytes) -> Frame:
    """A frame as it was meant. Raises `EngineFailed`."""
    try:
        frame = json.loads(body)
    except ValueError as error:
        raise EngineFailed("The model's process sent something else than a frame.") from error
    if not isinstance(frame, dict):
        raise EngineFailed("The model's process sent something else than a frame.")
    return frame


def settings_to(settings: Settings) -> Frame:
    """How a model is run."""
    if isinstance(settings, LlamaSettings):
        return {"llama.cpp": asdict(settings)}
    if isinstance(settings, OnnxSettings):
        return {"onnx": asdict(settings)}
    adapters = [[name, str(path)] for name, path in settings.adapters]
    return {"jax": {**asdict(settings), "adapters": adapters}}


def settings_from(frame: Frame) -> Settings:
    """The same, read."""
    if "llama.cpp" in frame:
        return LlamaSettings(**frame["llama.cpp"])
    if "onnx" in frame:
        fields = frame["onnx"]
        return OnnxSettings(**{**fields, "embedding": Embedding(**fields["embedding"])})
    fields = frame["jax"]
    adapters = tuple((name, Path(path)) for name, path in fields["adapters"])
    return JaxSettings(**{**fields, "adapters": adapters})


def call_to(call: Call) -> Frame:
    """A call."""
    return asdict(call)


def call_from(frame: Frame) -> Call:
    """The same, read."""
    prompt, sampling = frame["prompt"], frame["sampling"]
    return Call(
        prompt if isinstance(prompt, str) else tuple(Message(**each) for each in prompt),
        Sampling(**{**sampling, "stop": tuple(sampling["stop"])}),
        frame["timeout_s"],
        tuple((name, weight) for name, weight in frame["adapters"]),
    )


def piece_to(piece: Piece) -> list[Any]:
    """A part of a reply; most are a text and nothing else."""
    if not (piece.logprobs or piece.finish or piece.usage):
        return [piece.text]
    usage = [piece.usage.prompt, piece.usage.completion] if piece.usage else None
    likely = [
        [_likelihood_to(each.chosen), [_likelihood_to(other) for other in each.likeliest]]
        for each in piece.logprobs
    ]
    return [piece.text, likely, piece.finish, usage]


def piece_from(row: Sequence[Any]) -> Piece:
    """The same, read. Raises `EngineFailed` where it is none."""
    try:
        if len(row) == 1:
            return Piece(str(row[0]))
        text, likely, finish, usage = row
        return Piece(
            str(text),
            tuple(
                TokenLikelihood(_likelihood_from(chosen), tuple(map(_likelihood_from, others)))
                for chosen, others in likely
            ),
            finish if finish in {"stop", "length"} else None,
            Usage(int(usage[0]), int(usage[1])) if usage else None,
        )
    except (LookupError, TypeError, ValueError) as error:
        raise EngineFailed("The model's process sent something else than a piece.") from error


def embedded_to(embedded: Embedded) -> Frame:
    """Vectors, and how many tokens they were made of."""
    return {"vectors": embedded.vectors, "tokens": embedded.tokens}


def embedded_from(value: Any) -> Embedded:
    """The same, read. Raises `EngineFailed` where it is none."""
    try:
        vectors = [numbers_from(each) for each in listed(value["vectors"])]
        return Embedded(vectors, int(value["tokens"]))
    except (LookupError, TypeError, ValueError) as error:
        raise EngineFailed("The model's process sent something else than vectors.") from error


def error_to(error: Exception) -> Frame:
    """What went wrong. Nothing of an error that is not ours crosses but what it says."""
    if isinstance(error, Overflow):
        return {"kind": "Overflow", "tokens": error.tokens, "context": error.context}
    kind = type(error).__name__
    if kind in _MESSAGE_ERRORS:
        return {"kind": kind, "text": str(error)}
    if isinstance(error, BadRequest):
        return {"kind": "BadRequest", "text": str(error), "parameter": error.parameter}
    return {"kind": "EngineFailed", "text": f"{kind}: {error}"}


def error_from(frame: Mapping[str, Any]) -> ModelError:
    """The same, read."""
    try:
        kind = frame["kind"]
        if kind == "Overflow":
            return Overflow(int(frame["tokens"]), int(frame["context"]))
        if kind == "BadRequest":
            return BadRequest(str(frame["text"]), frame["parameter"])
        return _MESSAGE_ERRORS[kind](str(frame["text"]))
    except (LookupError, TypeError, ValueError):
        return EngineFailed("The model's process failed, and did not say how.")


def listed(value: Any) -> list[Any]:
    """A list. Raises `EngineFailed` where it is none."""
    if not isinstance(value, list):
        raise EngineFailed("The model's process sent something else than a list.")
    return value


def numbers_from(value: Any) -> list[float]:
    """A list of numbers. Raises `EngineFailed` where it is none."""
    try:
        return [float(each) for each in listed(value)]
    except (TypeError, ValueError) as error:
        raise EngineFailed("The model's process sent something else than numbers.") from error


def _likelihood_to(one: Likelihood) -> list[Any]:
    return [one.token, one.raw.decode("latin-1"), one.logprob]


def _likelihood_from(row: Sequence[Any]) -> Likelihood:
    token, raw, logprob = row
    return Likelihood(str(token), str(raw).encode("latin-1"), float(logprob))
