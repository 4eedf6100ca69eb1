"""The words around what a gateway's model is given, and the prompt itself: `core.prompting`.

Decides what stands where nothing else is at hand: the minimal prompt, which is safe because it says
that passages and earlier messages are data. Answers come in the language of the question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.messages import MemoryTurn
from core.ports import Prompt
from core.prompting.compose import PASSAGES, Asked, Window, compose
from core.prompting.template import CLOUD, Template
from kb import Hit

__all__ = ["MINIMAL", "PASSAGES", "Instructions", "Prompts", "Ready", "build_prompt"]

PROMPT_TOKENS: Final = 16_000


class Ready(Template):
    """Texts that are whole already: nothing is filled in, whatever braces a site's name has."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Refuse nothing."""

    def filled(self, text: str, *, name: str, locale: str) -> str:
        """The text itself."""
        return text


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a model is told for a type of task, and how many tokens its whole prompt may take."""

    template: Template
    budget: int = PROMPT_TOKENS


MINIMAL: Final = Instructions(CLOUD)


class Prompts(Protocol):
    """The catalogue of prompt templates."""

    def instructions(
        self, task_type: str, locale: str, values: Mapping[str, str]
    ) -> Instructions | None:
        """What the catalogue has for this task in this language; None where that is broken."""


def build_prompt(
    *,
    name: str,
    question: str,
    hits: Sequence[Hit],
    memory: Sequence[MemoryTurn],
    max_tokens: int,
) -> Prompt:
    """The minimal prompt for one question."""
    asked = Asked(name, question, entries=[hit.entry for hit in hits], turns=memory)
    return compose(asked, CLOUD, Window(PROMPT_TOKENS + max_tokens, max_tokens)).prompt
