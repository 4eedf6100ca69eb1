"""The stage `classify.examples`: adds the profile of the question, which names its workflow."""

from __future__ import annotations

from dataclasses import replace

from gateway.pipeline.classify.classifier import Classifier
from gateway.pipeline.state import TurnState


class Classifying:
    """Classifies the question as it was asked; what was said before changes nothing."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    async def run(self, state: TurnState) -> TurnState:
        """Add the kind of task and its profile."""
        profile = self._classifier.classify(state.request.question)
        return replace(state, task_type=profile.task_type, profile=profile)
