"""The models that a pipeline may ask, each with the breaker that leaves it alone when it fails.

How many tokens a text has, its server says with every reply: the estimate by letters is corrected
by what was told, model by model, so that a tokenizer that is dearer or cheaper is known after one
answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.breaker import Breaker
from core.model_routing.decision import Price
from core.ports import Prompt, Transport
from core.prompting.budget import MESSAGE, estimate

CONTEXT_TOKENS = 8_192
"""What a model can read and write together, where nobody says."""

DEAREST, CHEAPEST = 4.0, 0.5
"""A server that tells more, or less, counts something else than the text."""

WEIGHT = 0.2
"""Of the newest reply; the first counts whole."""


class Measure:
    """How many tokens of a model one estimated token is: `ratio`, 1 until its server has told."""

    __slots__ = ("_told", "ratio")

    def __init__(self) -> None:
        self.ratio = 1.0
        self._told = False

    def learn(self, prompt: Prompt, tokens: int) -> None:
        """Its server counted so many tokens of this prompt."""
        estimated = sum(estimate(each["content"]) + MESSAGE for each in prompt.messages)
        if estimated <= 0 or tokens <= 0:
            return
        now = min(DEAREST, max(CHEAPEST, tokens / estimated))
        self.ratio = self.ratio + WEIGHT * (now - self.ratio) if self._told else now
        self._told = True


@dataclass(frozen=True, slots=True)
class Model:
    """A model by the name that the settings give it; `context_tokens` is what it can read.

    `provider` is the dialect of its server: permissions may name it as `provider/model`.
    """

    name: str
    transport: Transport
    breaker: Breaker
    context_tokens: int = CONTEXT_TOKENS
    measure: Measure = field(default_factory=Measure)
    price: Price = field(default_factory=Price)
    provider: str = ""
