"""What the models of one turn cost so far, counted while they write.

It stands beside the turn's state and is written to as the words come, so that a turn that is cut
short at any moment is billed for what was asked until then. Decides what a call costs whose server
tells no usage: the prompt and the words that came, by the estimate that is corrected model by
model. A model that failed, or was left, before its first word costs nothing here: what its server
bills for that, nobody tells.
"""

from __future__ import annotations

import math

from core.messages import Usage
from core.ports import Piece, Prompt
from core.prompting.budget import estimate
from gateway.pipeline.models import Model, tokens_of


class Call:
    """One call of a model, once it has begun to answer."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self._model: Model | None = None
        self._usage: Usage | None = None
        self._words: list[str] = []

    def hear(self, model: Model | None, piece: Piece) -> None:
        """A piece of the reply came from this model."""
        self._model = model
        self._usage = piece.usage or self._usage
        self._words += (piece.text, piece.reasoning)

    @property
    def usage(self) -> Usage:
        """The tokens that were read and written, as the server told them or as estimated."""
        if self._model is None:
            return Usage(0, 0)
        if self._usage is not None:
            return self._usage
        ratio = self._model.measure.ratio
        read = tokens_of(self._prompt)
        written = estimate("".join(self._words))
        return Usage(math.ceil(read * ratio), math.ceil(written * ratio))

    @property
    def micros(self) -> int:
        """What it cost so far, in millionths of a US dollar."""
        if self._model is None:
            return 0
        return self._model.price.micros(self.usage.prompt_tokens, self.usage.completion_tokens)


class Bill:
    """The calls of one turn."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def call(self, prompt: Prompt) -> Call:
        """A model is about to be asked this."""
        made = Call(prompt)
        self._calls.append(made)
        return made

    @property
    def has_calls(self) -> bool:
        """Whether any model was asked."""
        return bool(self._calls)

    @property
    def micros(self) -> int:
        """What all of them cost so far, in millionths of a US dollar."""
        return sum(each.micros for each in self._calls)

    @property
    def usage(self) -> Usage:
        """The tokens that all of them read and wrote so far."""
        usages = [each.usage for each in self._calls]
        return Usage(
            sum(each.prompt_tokens for each in usages),
            sum(each.completion_tokens for each in usages),
        )
