"""Stage 3: what the model is given."""

from __future__ import annotations

from dataclasses import replace

from gateway.pipeline.prompt import build_prompt
from gateway.pipeline.state import TurnState


class Passages:
    """`assemble.passages`: instructions, passages as data, what was said before, the question."""

    async def run(self, state: TurnState) -> TurnState:
        """Add the prompt."""
        prompt = build_prompt(
            name=state.site.name,
            question=state.request.question,
            hits=state.passages,
            memory=state.request.training_memory,
            max_tokens=min(state.request.max_tokens, state.site.max_tokens),
        )
        return replace(state, prompt=prompt)
