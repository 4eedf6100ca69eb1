"""Stage 5, the scorer: how far a model's reply may be believed, and whether it may be shown.

A reply that a validator does not let pass becomes the safe fallback: a turn without it, for which a
person is asked. Any other gets the estimated probability that it is right (`core.confidence`), and
the site's threshold decides. What was answered to others is nothing that a reply is grounded in: it
may be quoted, and raises no confidence. It never changes a word of what the model wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.confidence import FITTED, Closeness, Look, Scorer
from core.gate import must_escalate
from gateway.pipeline.disclaimers import SILENT, Disclaimers
from gateway.pipeline.state import TurnState
from gateway.pipeline.turns import from_model, unanswered
from gateway.pipeline.validate import flaws
from kb import Hit
from kb.embed import Embedding

UNSAFE = "unsafe_reply"
"""Why a person is asked where a reply was not let pass."""
_DATA: Final = re.compile(r"<(?:passage 1|part 1|answered 1|earlier)>")
"""Where the instructions end, and what they are about begins."""


class Calibrated:
    """`score.calibrated`: the confidence that was fitted on labelled turns, and the validators."""

    def __init__(
        self, embedding: Embedding | None = None, disclaimers: Disclaimers = SILENT
    ) -> None:
        self._scorer = Scorer(Closeness(embedding), FITTED)
        self._disclaimers = disclaimers

    async def run(self, state: TurnState) -> TurnState:
        """Add the judged turn, and what it was judged by."""
        written = state.written
        if written is None:
            return state
        quoted = [*_known(state), *(one.answer for one in state.recalled)]
        found = flaws(written.reply, quoted, _instructions(state), state.canaries)
        look = self._scorer.look(
            state.request.question,
            _known(state),
            written.reply,
            logprob=written.logprob,
            parts=_parts(state),
        )
        if found:
            quality = look.quality.unsafe()
            return replace(state, turn=unanswered(state, UNSAFE), quality=quality, flaws=found)
        reasons = must_escalate(written.reply, look.confidence, state.site.threshold)
        made = from_model(state, written, look.confidence, reasons)
        asked, own = state.request.question, state.site.disclaimers
        said = self._disclaimers.of(asked, written.reply, _language(state), own)
        return replace(state, turn=replace(made, disclaimers=said), quality=look.quality)

    def look(
        self, question: str, hits: Sequence[Hit], reply: str, logprob: float | None = None
    ) -> Look:
        """What the scorer makes of a reply over these hits."""
        return self._scorer.look(question, texts_of(hits), reply, logprob=logprob)


def _known(state: TurnState) -> list[str]:
    """What the reply may be grounded in: what was retrieved, and what tools gave."""
    return [*texts_of(state.passages), *state.told]


def _parts(state: TurnState) -> list[str]:
    """The parts of the question, each with what was found for it."""
    known = {hit.entry.id: f"{hit.entry.question}\n{hit.entry.answer}" for hit in state.passages}
    return [
        "\n".join([part.question, *(known[name] for name in part.entries if name in known)])
        for part in state.parts
    ]


def texts_of(hits: Sequence[Hit]) -> list[str]:
    """The hits as the model is given them: question, then answer."""
    return [f"{hit.entry.question}\n{hit.entry.answer}" for hit in hits]


def _instructions(state: TurnState) -> str:
    """What the model was told, up to the passages, which it may well repeat.

    Without the canaries, which are looked for by themselves: the rest is the same in every turn.
    """
    prompt = state.prompt
    if prompt is None or not prompt.messages or prompt.messages[0].get("role") != "system":
        return ""
    told = _DATA.split(prompt.messages[0].get("content", ""), maxsplit=1)[0]
    for canary in state.canaries:
        told = told.replace(canary, "")
    return told


def _language(state: TurnState) -> str:
    return state.request.question_locale or state.request.locale
