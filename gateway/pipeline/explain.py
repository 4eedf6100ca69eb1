"""Why a question would be answered by the model that it would be answered by, step by step.

Runs what decides of a turn, and nothing that asks, counts, spends or keeps: the gate, the
classifier, and of the workflow's route what it says it would do. A route of somebody else's that
does not say is named, and no more is said of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from core.messages import ChatRequest
from core.model_routing.caller import Caller
from core.model_routing.decision import Decision, Step
from core.model_routing.words import dollars
from gateway.pipeline.answer import Pipeline
from gateway.pipeline.stages import Workflow
from gateway.pipeline.state import TurnState


@runtime_checkable
class Explains(Protocol):
    """A route that says what it would do."""

    async def explain(self, state: TurnState) -> Decision:
        """The decision as it would be; nothing changes by asking."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The way of one question. `answered_by` is `kb`, `visitor` (who is asked back), or `model`.

    What would be said of models is told whoever answers; `decision` is None where nobody says.
    """

    question: str
    answered_by: str
    confidence: float
    task_type: str
    complexity: float | None
    workflow: str
    steps: tuple[Step, ...]
    decision: Decision | None

    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        found = self.decision
        return {
            "question": self.question,
            "answered_by": self.answered_by,
            "confidence": round(self.confidence, 4),
            "task_type": self.task_type,
            "complexity": self.complexity,
            "workflow": self.workflow,
            "models": list(found.models) if found else [],
            "tier": found.tier if found else None,
            "reason": found.reason if found else None,
            "estimated_usd": found.estimated_micros / 1e6 if found else 0.0,
            "steps": [asdict(step) for step in self.steps],
        }


async def explain(pipeline: Pipeline, request: ChatRequest, caller: Caller) -> Explained:
    """How this caller's question would be answered now."""
    state = pipeline.judged(request, caller)
    verdict = state.response.verdict
    steps = [_gate(state)]
    answered_by = "kb" if verdict.answers else "visitor" if verdict.choices else "model"
    if pipeline.workflows.classifier is not None:
        state = await pipeline.workflows.classifier.run(state)
    workflow = pipeline.workflows.of(state.task_type)
    profile = state.profile
    if profile is not None:
        sure = f"a confidence of {profile.confidence:.2f}"
        steps.append(Step("task", f"{profile.task_type}, with {sure}: {workflow.name} answers"))
    decision = await _decision(workflow, state)
    told = decision.steps if decision else (Step("route", "its stage does not say what it does"),)
    return Explained(
        question=request.question,
        answered_by=answered_by,
        confidence=verdict.confidence,
        task_type=state.task_type,
        complexity=profile.complexity if profile else None,
        workflow=workflow.name,
        steps=(*steps, *told),
        decision=decision,
    )


def _gate(state: TurnState) -> Step:
    verdict, threshold = state.response.verdict, state.site.threshold
    sure = f"{verdict.confidence:.2f}"
    if verdict.answers and verdict.hit is not None:
        return Step(
            "knowledge base",
            f"answers by {verdict.hit.entry.id} at {sure}: no model is asked. Were one asked:",
        )
    if verdict.choices:
        return Step(
            "knowledge base", f"asks back which of {len(verdict.choices)} entries is meant: no "
            "model is asked. Were one asked:",
        )  # fmt: skip
    return Step("knowledge base", f"is not sure ({sure}, below {threshold:.2f}): a model is asked")


async def _decision(workflow: Workflow, state: TurnState) -> Decision | None:
    route: object = workflow.stages.get("route")
    return await route.explain(state) if isinstance(route, Explains) else None


def in_words(found: Explained) -> list[str]:
    """The steps as lines, and what comes of them."""
    width = max(len(step.what) for step in found.steps)
    lines = [f"{step.what:<{width}}  {step.result}" for step in found.steps]
    decision = found.decision
    if decision and decision.models:
        cost = dollars(decision.estimated_micros)
        lines += ["", f"{decision.models[0]} ({decision.reason}), {cost} at most"]
    elif decision:
        lines += ["", f"no model ({decision.reason}): a person is asked"]
    return lines
