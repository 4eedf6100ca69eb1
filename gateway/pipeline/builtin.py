"""The stages that Fanlight brings, and the workflow that they make: `workflow.chat`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.telemetry import SILENT, Telemetry
from gateway.pipeline.assemble import Passages
from gateway.pipeline.classify.classifier import Classifier
from gateway.pipeline.classify.stage import Classifying
from gateway.pipeline.classify.tasks import NO_TASKS, Tasks
from gateway.pipeline.disclaimers import SILENT as NO_DISCLAIMERS
from gateway.pipeline.disclaimers import Disclaimers
from gateway.pipeline.models import Model
from gateway.pipeline.prompt import Prompts
from gateway.pipeline.reach import Patience
from gateway.pipeline.route import Preference
from gateway.pipeline.score import Calibrated
from gateway.pipeline.stages import Stage
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
)
"""What `workflow.chat` does where the settings say nothing else."""

NAMES: Final = (*CHAT_STAGES, "classify.keywords")
"""Every stage that `built_in` makes."""


TOOLS: Final[tuple[Tool, ...]] = (KnowledgeSearch(),)
"""Fanlight's own tools."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the stages work with."""

    models: Sequence[Model]
    patience: Patience
    telemetry: Telemetry = SILENT
    prompts: Prompts | None = None
    embedding: Embedding | None = None
    disclaimers: Disclaimers = NO_DISCLAIMERS
    tasks: Tasks = NO_TASKS
    tools: Toolbox = field(default_factory=Toolbox)


def built_in(parts: Parts) -> Mapping[str, Stage]:
    """Every stage of Fanlight's own by its registered name, ready to run."""
    return {
        "classify.examples": Classifying(Classifier(parts.tasks, parts.embedding)),
        "classify.keywords": Classifying(Classifier(parts.tasks)),
        "route.preference": Preference(parts.models),
        "assemble.passages": Passages(parts.prompts),
        "transport.streaming": Streaming(parts.patience, parts.telemetry, tools=parts.tools),
        "score.calibrated": Calibrated(parts.embedding, parts.disclaimers),
    }
