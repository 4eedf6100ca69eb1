"""How many tokens a question's prompt and reply will have, before there is a prompt.

Decides what is counted: all that may go into the prompt, so that the estimate is rather too high.
A budget that was held is settled by what the model's server counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

from core.model_routing.permissions import Permissions
from core.prompting.budget import MESSAGE, estimate
from core.prompting.compose import LAST_TURNS, SUMMARY_TOKENS
from core.prompting.quoting import entry_text
from gateway.pipeline.models import Model
from gateway.pipeline.state import TurnState, characters

INSTRUCTIONS: Final = 400
"""Tokens of the instructions; Fanlight's own have 140 to 300, by language."""


def prompt_tokens(state: TurnState, allowed: Permissions, models: Sequence[Model]) -> int:
    """Tokens of the prompt at most: instructions, passages, what was said before, the question.

    Counted as by the dearest tokenizer of the models, and bounded by what the caller may send.
    """
    longest = characters(state)
    texts = [entry_text(hit.entry)[:longest] for hit in state.passages]
    texts += [one.answer for one in state.recalled]
    texts += [one.question for one in state.parts]
    said = [turn.content for turn in state.request.training_memory]
    texts += said[-LAST_TURNS:]
    texts.append(state.request.question)
    counted = INSTRUCTIONS + sum(estimate(text) + MESSAGE for text in texts)
    # Of what was said before the last turns a prompt has a summary, however much it was.
    counted += min(SUMMARY_TOKENS, sum(estimate(text) + MESSAGE for text in said[:-LAST_TURNS]))
    tokens = ceil(counted * max((model.measure.ratio for model in models), default=1.0))
    widest = max((model.context_tokens for model in models), default=tokens)
    return min(tokens, widest, allowed.max_context_tokens or tokens)


def reply_tokens(state: TurnState, allowed: Permissions) -> int:
    """Tokens of the longest reply that the request, the site and the permissions let it have."""
    most = min(state.request.max_tokens, state.site.max_tokens)
    return min(most, allowed.max_output_tokens or most)
