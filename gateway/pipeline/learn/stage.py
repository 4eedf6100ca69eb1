"""Stage 6: what is kept of a turn, to learn from it.

Decides the trajectory, out of what the earlier stages left in the state; whose it is, and how much
of it is kept, the caller decides, who knows what the visitor agreed to. It keeps nothing itself.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from core.digest import sha256_hex
from core.messages import Turn
from core.model_routing.caller import WIDGET
from core.trajectory import Trajectory
from gateway.pipeline.state import TurnState


class Trajectories:
    """`learn.trajectory`: how the turn was answered, as figures, names and digests."""

    async def run(self, state: TurnState) -> TurnState:
        """Add the trajectory of a turn that stands."""
        if state.turn is None:
            return state
        return replace(state, trajectory=trajectory_of(state, state.turn))


def trajectory_of(state: TurnState, turn: Turn) -> Trajectory:
    """How a turn was answered, its time taken until now."""
    made = Trajectory(
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        at=state.clock(),
        request_sha256=sha256_hex(state.request.question),
        reply_sha256=sha256_hex(turn.reply),
        source=turn.source,
        confidence=turn.confidence,
        escalated=turn.escalate,
        reasons=turn.reasons,
        channel=state.caller.channel if state.caller else WIDGET,
        locale=state.request.question_locale or state.request.locale,
        total_ms=round(state.watch.total_ms, 3) if state.watch else 0.0,
        first_token_ms=_first(state),
        scores=asdict(state.quality) if state.quality else {},
    )
    return made if state.workflow is None else _worked(state, made)


def _worked(state: TurnState, made: Trajectory) -> Trajectory:
    """The same with what the workflow decided and used, as the turn is billed."""
    decision, profile, written = state.decision, state.profile, state.written
    usage = state.bill.usage
    return replace(
        made,
        task_type=state.task_type,
        complexity=profile.complexity if profile else None,
        workflow=state.workflow,
        tier=decision.tier if decision else None,
        reason=decision.reason if decision else None,
        estimated_micros=decision.estimated_micros if decision else 0,
        model=written.asked if written else None,
        cost_micros=state.bill.micros,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
    )


def _first(state: TurnState) -> float | None:
    first = state.watch.first if state.watch else None
    return None if first is None else round(first, 3)
