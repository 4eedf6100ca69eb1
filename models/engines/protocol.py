"""What every engine can do, and what it is asked with.

Decides nothing. A prompt is either messages, which the model's own template turns into text, or
text as it is. Log-probabilities are natural logarithms, of the model's own distribution before
sampling.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core.ports import Purpose

type Finish = Literal["stop", "length"]
"""Why a reply ended: by itself or a stop text, or because it was long enough."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen; temperature 0 takes the likeliest each time.

    `logprobs` asks for the log-probability of every token, and of so many of the likeliest. Of
    `top_k` 0 is all tokens, of `repetition_penalty` 1 none.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logprobs: int | None = None
    top_k: int = 0
    repetition_penalty: float = 1.0


@dataclass(frozen=True, slots=True)
class Call:
    """One generation; after `timeout_s` seconds its work is ended.

    `adapters` are the ids of those that change the model for this call, each with its weight.
    """

    prompt: str | tuple[Message, ...]
    sampling: Sampling
    timeout_s: float
    adapters: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Likelihood:
    """One token with its log-probability."""

    token: str
    raw: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenLikelihood:
    """A token that was chosen, and the likeliest that could have been."""

    chosen: Likelihood
    likeliest: tuple[Likelihood, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that went in and came out."""

    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a reply; the last one says why it ended, and how much was used."""

    text: str = ""
    logprobs: tuple[TokenLikelihood, ...] = field(default=())
    finish: Finish | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of length 1, one for each text, and how many tokens they were made of."""

    vectors: list[list[float]]
    tokens: int


class Engine(Protocol):
    """Runs one model. Nothing of it blocks the event loop; loading twice is loading once."""

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""

    @property
    def running(self) -> int:
        """How many calls have work that has not ended."""

    async def load(self) -> None:
        """Bring the model into memory. Raises `BadFile` or `EngineFailed`; then nothing is."""

    async def unload(self) -> None:
        """End what runs, and give the memory back."""

    def generate(self, call: Call) -> AsyncGenerator[Piece]:
        """The reply's pieces as they come; closing it early ends the work.

        Raises `Overflow`, `BadRequest`, `TooLate` or `EngineFailed`.
        """

    async def score(self, prompt: str, continuations: Sequence[str]) -> list[float]:
        """How likely each text is after the prompt: the sum over its tokens' log-probabilities."""

    async def embed(self, texts: Sequence[str], purpose: Purpose = "query") -> Embedded:
        """A vector for each text. Raises `BadRequest` where it is no encoder."""
