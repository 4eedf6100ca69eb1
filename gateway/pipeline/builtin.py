"""The stages that Fanlight brings, and the workflow that they make: `workflow.chat`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.model_routing.spend import TopUps
from core.telemetry import SILENT, Telemetry
from gateway.pipeline.assemble import Passages
from gateway.pipeline.classify.classifier import Classifier
from gateway.pipeline.classify.stage import Classifying
from gateway.pipeline.classify.tasks import NO_TASKS, Tasks
from gateway.pipeline.disclaimers import SILENT as NO_DISCLAIMERS
from gateway.pipeline.disclaimers import Disclaimers
from gateway.pipeline.learn.stage import Trajectories
from gateway.pipeline.models import Model
from gateway.pipeline.prompt import Prompts
from gateway.pipeline.reach import Patience
from gateway.pipeline.route import Preference
from gateway.pipeline.score import Calibrated
from gateway.pipeline.stages import Stage, slot_of
from gateway.pipeline.state import TurnState
from gateway.pipeline.tiers.stage import Routing, Tiered
from gateway.pipeline.tools.search import KnowledgeSearch
from gateway.pipeline.tools.tool import Tool
from gateway.pipeline.tools.toolbox import Toolbox
from gateway.pipeline.transport import Streaming
from kb.embed import Embedding

CHAT_STAGES: Final = (
    "classify.examples",
    "route.preference",
    "assemble.passages",
    "transport.streaming",
    "score.calibrated",
    "learn.trajectory",
)
"""What `workflow.chat` does where the settings say nothing else."""

ROUTES: Final = {
    "preference": "route.preference",
    "tiered": "route.tiered",
    "learned": "route.learned",
}
"""The route of each way in which the settings have models chosen."""

NAMES: Final = (*CHAT_STAGES, "classify.keywords", "route.tiered", "route.learned")
"""Every stage that `built_in` makes."""


TOOLS: Final[tuple[Tool, ...]] = (KnowledgeSearch(),)
"""Fanlight's own tools."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the stages work with; `predict` is None where nothing was learnt of the tiers, and
    `purse` where nobody counts money."""

    models: Sequence[Model]
    patience: Patience
    telemetry: Telemetry = SILENT
    prompts: Prompts | None = None
    embedding: Embedding | None = None
    disclaimers: Disclaimers = NO_DISCLAIMERS
    tasks: Tasks = NO_TASKS
    routing: Routing = field(default_factory=Routing)
    predict: Callable[[TurnState], str | None] | None = None
    tools: Toolbox = field(default_factory=Toolbox)
    purse: TopUps | None = None


def chat_stages(mode: str) -> tuple[str, ...]:
    """The stages of `workflow.chat` where the settings have models chosen so."""
    return tuple(
        ROUTES.get(mode, "route.tiered") if slot_of(name) == "route" else name
        for name in CHAT_STAGES
    )


def built_in(parts: Parts) -> Mapping[str, Stage]:
    """Every stage of Fanlight's own by its registered name, ready to run."""
    learned = replace(parts.routing, predict=parts.predict or parts.routing.predict)
    return {
        "classify.examples": Classifying(Classifier(parts.tasks, parts.embedding)),
        "classify.keywords": Classifying(Classifier(parts.tasks)),
        "route.preference": Preference(parts.models, parts.routing.holds),
        "route.tiered": Tiered(parts.models, parts.routing, parts.telemetry),
        "route.learned": Tiered(parts.models, learned, parts.telemetry),
        "assemble.passages": Passages(parts.prompts),
        "transport.streaming": Streaming(
            parts.patience, parts.telemetry, tools=parts.tools, purse=parts.purse
        ),
        "score.calibrated": Calibrated(parts.embedding, parts.disclaimers),
        "learn.trajectory": Trajectories(),
    }
