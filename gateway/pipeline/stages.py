"""The frame of the pipeline: stages in six slots, workflows of them, and which workflow answers.

A stage is registered as `<slot>.<name>`, such as `score.calibrated`; a workflow has at most one of
a slot, and they run in the order of the slots. A workflow that is declared names only what it does
otherwise than `workflow.chat`, which alone classifies: what a task is decides who answers it. It
refuses, with a `ValueError` that names them, a stage that nobody has registered, two of a slot, a
workflow twice, a task type that two workflows claim, and a classifier in another workflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from core.telemetry import Telemetry, stage
from gateway.pipeline.state import TurnState

SLOTS: Final = ("classify", "route", "assemble", "transport", "score", "learn")
DEFAULT: Final = "workflow.chat"


class Stage(Protocol):
    """One step of a turn."""

    async def run(self, state: TurnState) -> TurnState:
        """The state with what this stage adds; `turn` in it where nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A workflow of the settings: what it does otherwise than the default, and for which tasks."""

    name: str
    stages: tuple[str, ...] = ()
    task_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """Stages by their slots, in the order of the slots."""

    name: str
    stages: Mapping[str, Stage]

    async def run(self, state: TurnState, telemetry: Telemetry) -> TurnState:
        """Run what is left to do: once the turn stands, only what learns from it."""
        state = replace(state, workflow=self.name)
        for slot, one in self.stages.items():
            if state.turn is None or slot == "learn":
                with stage(telemetry, slot):
                    state = await one.run(state)
                    telemetry.note(**_found(slot, state))
        return state


@dataclass(frozen=True, slots=True)
class Workflows:
    """The registry: from a task type to the workflow that answers it, else the default."""

    default: Workflow
    by_task_type: Mapping[str, Workflow] = field(default_factory=dict)
    classifier: Stage | None = None

    def of(self, task_type: str) -> Workflow:
        """The workflow of a task type."""
        return self.by_task_type.get(task_type, self.default)

    async def run(self, state: TurnState, telemetry: Telemetry) -> TurnState:
        """Classify where somebody does, then run the workflow that answers such a task."""
        if self.classifier is not None:
            with stage(telemetry, "classify"):
                state = await self.classifier.run(state)
                telemetry.note(**_found("classify", state))
        return await self.of(state.task_type).run(state, telemetry)

    async def learn(self, state: TurnState, telemetry: Telemetry) -> TurnState:
        """Learn from a turn that stands without any workflow, as the default one does."""
        learner = self.default.stages.get("learn")
        if learner is None:
            return state
        with stage(telemetry, "learn"):
            return await learner.run(state)


def _found(slot: str, state: TurnState) -> dict[str, object]:
    """What a trace says of a slot: what it decided, in names and numbers."""
    found: dict[str, object] = {}
    if slot == "classify" and state.profile is not None:
        found = {"task": state.task_type, "complexity": round(state.profile.complexity, 3)}
    elif slot == "route" and state.decision is not None:
        decision = state.decision
        found = {"tier": decision.tier or "none", "reason": decision.reason}
        found |= {
            "models": ",".join(decision.models),
            "estimated_micros": decision.estimated_micros,
        }
    elif slot == "transport":
        usage = state.bill.usage
        found = {"model": state.written.asked if state.written else "none"}
        found |= {"read": usage.prompt_tokens, "written": usage.completion_tokens}
        found["micros"] = state.bill.micros
    elif slot == "score" and state.turn is not None:
        found = {"confidence": round(state.turn.confidence, 3)}
    return found


def slot_of(name: str) -> str:
    """The slot that a registered name stands in; raises `ValueError` when there is no such slot."""
    slot, _, rest = name.partition(".")
    if slot not in SLOTS or not rest:
        raise ValueError(f"{name!r} is no stage: a name begins with one of {', '.join(SLOTS)}")
    return slot


def build_workflows(
    catalogue: Mapping[str, Stage], default: Sequence[str], declared: Iterable[Declared] = ()
) -> Workflows:
    """The registry over the stages of a catalogue; `default` names those of `workflow.chat`."""
    # What is declared for the default itself holds for all that build on it.
    ordered = sorted(declared, key=lambda one: one.name != DEFAULT)
    base = _chosen(DEFAULT, default, catalogue)
    by_task_type: dict[str, Workflow] = {}
    seen: set[str] = set()
    for one in ordered:
        if one.name in seen:
            raise ValueError(f"{one.name} is declared twice")
        seen.add(one.name)
        own = _chosen(one.name, one.stages, catalogue)
        if one.name == DEFAULT:
            base |= own
        elif "classify" in own:
            raise ValueError(f"{one.name} names a classifier, which only {DEFAULT} has")
        made = _in_order(one.name, base | own)
        for task_type in one.task_types:
            if task_type in by_task_type:
                raise ValueError(f"{by_task_type[task_type].name} and {one.name} claim {task_type}")
            by_task_type[task_type] = made
    return Workflows(_in_order(DEFAULT, base), by_task_type, base.get("classify"))


def _chosen(
    workflow: str, names: Iterable[str], catalogue: Mapping[str, Stage]
) -> dict[str, Stage]:
    chosen: dict[str, Stage] = {}
    for name in names:
        slot = slot_of(name)
        if name not in catalogue:
            raise ValueError(f"{workflow} names {name}, which nobody has registered")
        if slot in chosen:
            raise ValueError(f"{workflow} names two stages of the slot {slot}")
        chosen[slot] = catalogue[name]
    return chosen


def _in_order(name: str, stages: Mapping[str, Stage]) -> Workflow:
    slots = [slot for slot in SLOTS if slot in stages and slot != "classify"]
    return Workflow(name, {slot: stages[slot] for slot in slots})
