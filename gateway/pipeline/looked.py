"""What a turn says of its own retrieval: MemoryMeta v1, from the state and the judged turn.

Decides which hits and lent answers count as given to a model and which hits as cited, and that a
turn that is kept with its outcome does not repeat the question, which is kept only with consent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from core.encoding import timestamp
from core.memory_meta import Looked, Used, kept, memory_meta
from core.messages import Turn
from core.redact import redact
from gateway.pipeline.state import TurnState

Tell = Callable[[Mapping[str, Any]], None]
"""Takes each MemoryMeta document as it is made."""


def tell_nobody(_meta: Mapping[str, Any]) -> None:
    """For callers that stream nothing."""


def looked_at(state: TurnState, gate_s: float) -> Looked:
    """What the gate found, in `gate_s` seconds."""
    return Looked(
        conversation_id=state.request.conversation_id,
        turn_id=state.request.turn_id,
        created_at=timestamp(state.clock()),
        query=redact(state.request.question),
        hits=state.response.hits,
        threshold=state.site.threshold,
        timings_ms={"gate": max(0.0, gate_s * 1000)},
        has_vectors=state.site.index.embedding is not None,
    )


def with_memory(turn: Turn, state: TurnState, looked: Looked, answer_s: float, tell: Tell) -> Turn:
    """The turn with its `memory`, which is told with the question, and kept without it."""
    timings = {**looked.timings_ms, "answer": max(0.0, answer_s * 1000)}
    recalled = state.recalled if state.prompt is not None and state.bill.has_calls else ()
    looked = replace(looked, timings_ms=timings, recalled=recalled)
    meta = memory_meta(looked, _used(state, turn))
    tell(meta)
    return replace(turn, memory=kept(meta))


def _used(state: TurnState, turn: Turn) -> Used:
    given = state.passages if turn.model is not None else ()
    hit = state.response.verdict.hit
    if turn.model is not None:
        cited = tuple(one for one in given if one.entry.links)
    else:
        cited = (hit,) if hit is not None and state.response.verdict.answers else ()
    shown = bool(turn.reply)
    return Used(
        given=given,
        cited=cited,
        answered=shown and not turn.choices,
        fallbacks=() if shown else ("fallback_text",),
    )
