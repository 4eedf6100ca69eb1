"""Between our calls and llama.cpp's dialect: what it is asked, and what it says.

Decides what of a chunk is a piece of the reply. Anything that is not its dialect is `EngineFailed`.
"""

from __future__ import annotations

from typing import Any

from models.engines.protocol import Call, Finish, Likelihood, Piece, TokenLikelihood, Usage
from models.errors import BadRequest, EngineFailed, ModelError, Overflow, UnknownAdapter


def body_of(call: Call) -> dict[str, Any]:
    """The request for a call: always streamed, with the prompt's progress, which can be ended."""
    sampling = call.sampling
    body: dict[str, Any] = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "stop": list(sampling.stop),
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
    }
    if call.adapters:
        raise UnknownAdapter("llama.cpp runs no adapters here; `--engine jax` does.")
    if sampling.top_k:
        body["top_k"] = sampling.top_k
    if sampling.repetition_penalty != 1:
        body["repeat_penalty"] = sampling.repetition_penalty
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if isinstance(call.prompt, str):
        body["prompt"] = call.prompt
        if sampling.logprobs is not None:
            body["logprobs"] = max(1, sampling.logprobs)
    else:
        body["messages"] = [{"role": each.role, "content": each.content} for each in call.prompt]
        if sampling.logprobs is not None:
            body |= {"logprobs": True, "top_logprobs": max(1, sampling.logprobs)}
    return body


def error_of(chunk: Any) -> ModelError | None:
    """The error that it says, if any."""
    if not isinstance(chunk, dict) or "error" not in chunk:
        return None
    error = chunk["error"]
    if error.get("type") == "exceed_context_size_error":
        return Overflow(int(error["n_prompt_tokens"]), int(error["n_ctx"]))
    message = str(error.get("message", error))
    return BadRequest(message) if error.get("code") == 400 else EngineFailed(message)


def piece_of(chunk: Any) -> Piece | None:
    """What a chunk adds to the reply; None for one that only tells progress."""
    try:
        usage = chunk.get("usage")
        choice = next(iter(chunk["choices"]), None)
        if choice is None:
            return Piece(usage=_usage(usage)) if usage else None
        delta = choice.get("delta")
        text = (choice.get("text") if delta is None else delta.get("content")) or ""
        logprobs = tuple(
            _likelihoods(each) for each in (choice.get("logprobs") or {}).get("content", ())
        )
        finish = _finish(choice.get("finish_reason"))
        if not (text or logprobs or finish):
            return None
        return Piece(text, logprobs, finish, _usage(usage) if usage else None)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise EngineFailed("llama.cpp said something else than its dialect.") from error


def _finish(reason: str | None) -> Finish | None:
    if reason is None:
        return None
    return "length" if reason == "length" else "stop"


def _usage(usage: dict[str, Any]) -> Usage:
    return Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))


def _likelihoods(row: dict[str, Any]) -> TokenLikelihood:
    return TokenLikelihood(_likelihood(row), tuple(map(_likelihood, row["top_logprobs"])))


def _likelihood(row: dict[str, Any]) -> Likelihood:
    return Likelihood(str(row["token"]), bytes(row["bytes"]), float(row["logprob"]))
