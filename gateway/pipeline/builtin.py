"""The stages that Fanlight brings, and the workflow that they make: `workflow.chat`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.ports import Transport
from gateway.pipeline.assemble import Passages
from gateway.pipeline.disclaimers import SILENT, Disclaimers
from gateway.pipeline.score import Calibrated
from gateway.pipeline.stages import Stage
from gateway.pipeline.transport import Streaming
from kb.embed import Embedding

CHAT_STAGES: Final = ("assemble.passages", "transport.streaming", "score.calibrated")
"""What `workflow.chat` does where the settings say nothing else."""

NAMES: Final = CHAT_STAGES
"""Every stage that `built_in` makes."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the stages work with."""

    model: Transport | None
    embedding: Embedding | None = None
    disclaimers: Disclaimers = SILENT


def built_in(parts: Parts) -> Mapping[str, Stage]:
    """Every stage of Fanlight's own by its registered name, ready to run."""
    return {
        "assemble.passages": Passages(),
        "transport.streaming": Streaming(parts.model),
        "score.calibrated": Calibrated(parts.embedding, parts.disclaimers),
    }
