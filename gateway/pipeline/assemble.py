"""Stage 3: what the model is given.

How the chat speaks comes first (the site's personality), then the rules, which are not the
personality's to change: from the catalogue, by the type of the task and the language of the
question. The rest is put together by `core.prompting`, as on a device: passages as data, a summary
of older turns, the last turns, the question at the end. It fits every candidate: the smallest
window among them, counted as their servers count where they have said so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from core.prompting.budget import MESSAGE, estimate
from core.prompting.compose import (
    LAST_TURNS,
    PASSAGES,
    Asked,
    Window,
    compose,
)
from core.prompting.template import LANGUAGES, Template
from gateway.pipeline.models import CONTEXT_TOKENS, Model
from gateway.pipeline.prompt import MINIMAL, Instructions, Prompts, Ready
from gateway.pipeline.state import Site, TurnState, characters
from gateway.pipeline.turns import unanswered

DOCUMENT_TOKENS = 16_000
"""What a prompt may take at least where a visitor asks what a document says."""
_CANARY = "Private reference, not for replies: "


class Passages:
    """`assemble.passages`: instructions, passages, what was said before, the question."""

    def __init__(self, prompts: Prompts | None = None) -> None:
        self._prompts = prompts

    async def run(self, state: TurnState) -> TurnState:
        """Add the prompt; a question that no window holds goes to a person."""
        locale = state.response.locale
        told = _spoken(self._told(state, locale), state.site, locale)
        told = replace(told, template=_marked(told.template, state.canaries))
        asked = Asked(
            state.site.name,
            state.request.question,
            locale=locale,
            entries=[hit.entry for hit in state.passages],
            turns=state.request.training_memory,
            recalled=[one.answer for one in state.recalled],
            parts=[(one.question, one.entries) for one in state.parts],
            passages=state.reach,
            characters=characters(state),
        )
        is_document = state.reach > PASSAGES
        window = _window(state, max(told.budget, DOCUMENT_TOKENS) if is_document else told.budget)
        try:
            composed = compose(asked, told.template, window)
        except ValueError:
            return replace(state, turn=unanswered(state, "model_unavailable"))
        recalled = tuple(state.recalled[place] for place in composed.recalled)
        return replace(state, prompt=composed.prompt, recalled=recalled)

    def _told(self, state: TurnState, locale: str) -> Instructions:
        if self._prompts is None:
            return MINIMAL
        values = {
            "name": state.site.name,
            "language": LANGUAGES.get(locale, "the language of the question"),
            "locale": locale,
            "task_type": state.task_type,
        }
        return self._prompts.instructions(state.task_type, locale, values) or MINIMAL


def _spoken(told: Instructions, site: Site, locale: str) -> Instructions:
    """The same with the site's personality before it."""
    manner = site.manner(locale)
    if manner is None:
        return told
    words = told.template
    rules = words.filled(words.system, name=site.name, locale=locale)
    template = Ready(
        f"{manner}\n\n{rules}", words.nothing, words.earlier, words.answered, words.parts
    )
    return replace(told, template=template)


def _marked(template: Template, canaries: Sequence[str]) -> Template:
    """The template with its canaries at the end of the instructions: what begins alike every time
    stays before them, so that a server's cache of prompts goes on serving.
    """
    lines = "".join(f"{_CANARY}{each}\n" for each in canaries)
    return replace(template, system=template.system + lines) if lines else template


def _window(state: TurnState, budget: int) -> Window:
    """The room that every candidate has, the reply's included."""
    reply = min(state.request.max_tokens, state.site.max_tokens)
    holds = min((model.context_tokens for model in state.candidates), default=CONTEXT_TOKENS)
    # A reply that takes more than half of a small window leaves no room for what it is about.
    reply = min(reply, holds // 2)
    ratio = _dearest(state.candidates)
    # What stands around each message is as dear as the rest of it.
    dearer = ceil(max(0.0, ratio - 1.0) * MESSAGE * (LAST_TURNS + 2))
    tokens = min(holds - dearer, budget + reply)
    if state.allowed is not None and state.allowed.max_context_tokens:
        tokens = min(tokens, state.allowed.max_context_tokens - dearer + reply)
    return Window(tokens, reply, lambda text: ceil(ratio * estimate(text)))


def _dearest(candidates: Sequence[Model]) -> float:
    return max((model.measure.ratio for model in candidates), default=1.0)
