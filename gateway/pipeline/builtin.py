"""The stages that Fanlight brings, and the workflow that they make: `workflow.chat`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.ports import Transport
from gateway.pipeline.assemble import Passages
from gateway.pipeline.score import Grounding
from gateway.pipeline.stages import Stage
from gateway.pipeline.transport import Streaming

CHAT_STAGES: Final = ("assemble.passages", "transport.streaming", "score.grounding")
"""What `workflow.chat` does where the settings say nothing else."""

NAMES: Final = CHAT_STAGES
"""Every stage that `built_in` makes."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the stages work with."""

    model: Transport | None


def built_in(parts: Parts) -> Mapping[str, Stage]:
    """Every stage of Fanlight's own by its registered name, ready to run."""
    return {
        "assemble.passages": Passages(),
        "transport.streaming": Streaming(parts.model),
        "score.grounding": Grounding(),
    }
