"""The prompt for the gateway's model: `core.prompting`, as every runtime has it.

Decides the window: far below what models behind a gateway have, and more than a visitor's question
needs. Passages and memory are quoted as data with marks that the text inside cannot close, and the
instructions say that nothing in them is an order. Answers come in the language of the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.messages import MemoryTurn
from core.ports import Prompt
from core.prompting.compose import PASSAGES, Asked, Window, compose
from core.prompting.template import CLOUD
from kb import Hit

__all__ = ["PASSAGES", "build_prompt"]

PROMPT_TOKENS: Final = 16_000


def build_prompt(
    *,
    name: str,
    question: str,
    hits: Sequence[Hit],
    memory: Sequence[MemoryTurn],
    max_tokens: int,
) -> Prompt:
    """The messages that a model is given for one question."""
    asked = Asked(name, question, entries=[hit.entry for hit in hits], turns=memory)
    return compose(asked, CLOUD, Window(PROMPT_TOKENS + max_tokens, max_tokens)).prompt
