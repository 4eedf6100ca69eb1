"""What a batch is given to do, and what it tells of it.

A job reads its prompt piece by piece, so that others go on between two pieces.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.decoder.decoder import Decoder
from models.engines.protocol import Finish, Sampling


@dataclass(frozen=True, slots=True)
class Token:
    """One more token, with its log-probability; the likeliest as (token, log-probability)."""

    token: int
    logprob: float
    likeliest: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The reply is over; `tokens` were chosen, with the one that ended it."""

    finish: Finish
    tokens: int


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-probabilities of the continuations, in their order."""

    logprobs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be done."""

    message: str


type Told = Token | Ended | Scored | Failed


class Job:
    """Work for one row; `told` is called from the batch's thread, and must not block."""

    def __init__(
        self, prompt: Sequence[int], adapters: Mapping[str, float], told: Callable[[Told], None]
    ) -> None:
        self.prompt = prompt
        self.adapters = adapters
        self.told = told
        self._unwanted = threading.Event()

    @property
    def unwanted(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._unwanted.is_set()

    def end(self) -> None:
        """Want it no more: it leaves the batch before the next step."""
        self._unwanted.set()

    def read(self, decoder: Decoder, row: int) -> Iterator[None]:
        """Read in a row, one piece each time this is asked to go on."""
        at = 0
        while at < len(self.prompt):
            at += decoder.read(row, self.prompt[at:], at, self.adapters)
            yield


class Generation(Job):
    """A reply, token by token; `seed` decides what is drawn."""

    def __init__(
        self,
        prompt: Sequence[int],
        adapters: Mapping[str, float],
        told: Callable[[Told], None],
        *,
        sampling: Sampling,
        seed: int,
    ) -> None:
        super().__init__(prompt, adapters, told)
        self.sampling = sampling
        self.seed = seed


class Scoring(Job):
    """How likely each continuation is after the prompt, which is read once."""

    def __init__(
        self,
        prompt: Sequence[int],
        adapters: Mapping[str, float],
        told: Callable[[Told], None],
        *,
        continuations: Sequence[Sequence[int]],
    ) -> None:
        super().__init__(prompt[:-1], adapters, told)
        self._last = prompt[-1]
        self._continuations = continuations

    def read(self, decoder: Decoder, row: int) -> Iterator[None]:
        """Read the prompt, then each continuation in the place of the one before."""
        yield from super().read(decoder, row)
        start, scores = len(self.prompt), []
        for following in self._continuations:
            tokens, at, total = [self._last, *following[:-1]], 0, 0.0
            while at < len(following):
                found = decoder.judge(row, tokens[at:], following[at:], start + at, self.adapters)
                total += float(found.sum())
                at += len(found)
                yield
            scores.append(total)
        self.told(Scored(tuple(scores)))
