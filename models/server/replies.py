"""Replies in OpenAI's dialect, whole and in chunks.

Decides their form alone. `chat` replies carry messages, the others text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.engines.protocol import Finish, Likelihood, Piece, TokenLikelihood, Usage


@dataclass(frozen=True, slots=True)
class Heading:
    """What every chunk of a reply repeats."""

    id: str
    created: int
    model: str
    chat: bool

    def chunk(
        self, piece: Piece, *, usage_wanted: bool, at: int = 0, first: bool = False
    ) -> dict[str, object]:
        """A part of the reply; `at` is how many characters came before it."""
        choice: dict[str, object] = {"index": 0, "finish_reason": piece.finish}
        if self.chat:
            delta: dict[str, object] = {"content": piece.text} if piece.text else {}
            choice["delta"] = {"role": "assistant", "content": "", **delta} if first else delta
            choice["logprobs"] = chat_logprobs(piece.logprobs) if piece.logprobs else None
        else:
            choice["text"] = piece.text
            choice["logprobs"] = text_logprobs(piece.logprobs, at) if piece.logprobs else None
        return {
            **self._head(streamed=True),
            "choices": [choice],
            **({"usage": None} if usage_wanted else {}),
        }

    def last(self, usage: Usage) -> dict[str, object]:
        """The chunk that says what was used."""
        return {**self._head(streamed=True), "choices": [], "usage": usage_of(usage)}

    def whole(self, pieces: Sequence[Piece]) -> dict[str, object]:
        """The reply at once."""
        text = "".join(piece.text for piece in pieces)
        tokens = [each for piece in pieces for each in piece.logprobs]
        choice: dict[str, object] = {"index": 0, "finish_reason": finish_of(pieces)}
        if self.chat:
            choice["message"] = {"role": "assistant", "content": text, "refusal": None}
            choice["logprobs"] = chat_logprobs(tokens) if tokens else None
        else:
            choice |= {"text": text, "logprobs": text_logprobs(tokens, 0) if tokens else None}
        return {
            **self._head(streamed=False),
            "choices": [choice],
            "usage": usage_of(used(pieces)),
        }

    def _head(self, *, streamed: bool) -> dict[str, object]:
        kind = "text_completion"
        if self.chat:
            kind = "chat.completion.chunk" if streamed else "chat.completion"
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def finish_of(pieces: Sequence[Piece]) -> Finish:
    """Why a reply ended."""
    return next((piece.finish for piece in reversed(pieces) if piece.finish), "stop")


def used(pieces: Sequence[Piece]) -> Usage:
    """What a reply used."""
    return next((piece.usage for piece in reversed(pieces) if piece.usage), Usage(0, 0))


def usage_of(usage: Usage) -> dict[str, int]:
    """What was used, in the dialect."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }


def chat_logprobs(tokens: Sequence[TokenLikelihood]) -> dict[str, object]:
    """Log-probabilities as chat replies carry them."""
    rows = [
        {**_row(each.chosen), "top_logprobs": [_row(other) for other in each.likeliest]}
        for each in tokens
    ]
    return {"content": rows, "refusal": None}


def text_logprobs(tokens: Sequence[TokenLikelihood], at: int) -> dict[str, object]:
    """Log-probabilities as replies of text carry them."""
    offsets = []
    for each in tokens:
        offsets.append(at)
        at += len(each.chosen.token)
    return {
        "tokens": [each.chosen.token for each in tokens],
        "token_logprobs": [each.chosen.logprob for each in tokens],
        "top_logprobs": [
            {other.token: other.logprob for other in each.likeliest} for each in tokens
        ],
        "text_offset": offsets,
    }


def _row(one: Likelihood) -> dict[str, object]:
    return {"token": one.token, "logprob": one.logprob, "bytes": list(one.raw)}
