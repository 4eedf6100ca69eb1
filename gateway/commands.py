"""The command classifier: what a command would do, within two seconds, whatever is missing.

Decides whom to ask: head and rules always; a model only where they are not sure, and only if the
fit found that it helps. A model that is late, or fails, is done without. What is sent to a model,
and what is kept of a command, is without what looks like a secret.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from core.commands.ensemble import Classification, Judged, conclude, judge
from core.commands.feedback import (
    DAY_S,
    DAYS,
    MOST_READ,
    CommandStore,
    Judgement,
    Tally,
    accuracy,
    by_day,
)
from core.commands.head import Head, Shares
from core.commands.labels import Label
from core.commands.parts import Part, parts_of
from core.commands.prompt import prompt_of, shares_of
from core.encoding import new_id
from core.errors import Unavailable
from core.ports import Clock, FirstTokens, Random
from core.redact import redact_secrets
from core.telemetry import ACCURACY, CLASSIFIED, CLASSIFYING, JUDGED, SILENT, Telemetry

LIMIT_S: Final = 2.0
"""For the whole of a classification (S1); the model gets what is left after `OWN_S`."""

OWN_S: Final = 0.2
SURE: Final = 0.9
"""From here on no model is asked."""

MOST_ASKED: Final = 4
"""Parts of one command that a model is asked about."""

_log = logging.getLogger("fanlight")


class Classifier:
    """Classifies commands. `head` None: by keywords; `model` None: without likelihoods."""

    def __init__(
        self,
        head: Head | None,
        model: FirstTokens | None = None,
        *,
        telemetry: Telemetry = SILENT,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._head = head
        self._model = model if head is not None and head.together.model > 0 else None
        self._telemetry = telemetry
        self._model_s = max(0.0, limit_s - OWN_S)

    async def classify(self, command: str) -> Classification:
        """What the command does; always an answer, and never later than the limit."""
        with self._telemetry.timed(CLASSIFYING):
            parts = parts_of(command)
            judged = [judge(part, self._head) for part in parts]
            told = await self._told(judged)
            if told:
                judged = [judge(part, self._head, told.get(part)) for part in parts]
            found = conclude(judged)
        self._telemetry.count(CLASSIFIED, classification=found.label, method=found.method)
        return found

    async def _told(self, judged: Sequence[Judged]) -> Mapping[Part, Shares]:
        """What the model makes of the parts that nobody is sure of; nothing where it is late."""
        unsure = [
            each.part for each in judged if each.confidence < SURE and each.part.kind != "opaque"
        ]
        asked = list(dict.fromkeys(unsure))[:MOST_ASKED]
        if self._model is None or not asked:
            return {}
        try:
            async with asyncio.timeout(self._model_s), asyncio.TaskGroup() as group:
                tasks = {part: group.create_task(self._ask(self._model, part)) for part in asked}
        except TimeoutError:
            _log.info("a command is classified without the model: it took too long")
            return {}
        return {part: shares for part, task in tasks.items() if (shares := task.result())}

    async def _ask(self, model: FirstTokens, part: Part) -> Shares | None:
        try:
            return shares_of(await model.first_tokens(redact_secrets(prompt_of(part))))
        except Unavailable as error:
            _log.info("a command is classified without the model: %s", error)
            return None


class Feedback:
    """What operators say of classifications."""

    def __init__(
        self, store: CommandStore, clock: Clock, random: Random, telemetry: Telemetry = SILENT
    ) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._telemetry = telemetry

    async def judge(self, command: str, given: Label, expected: Label, author: str) -> Judgement:
        """Store what a person said; raises `Unavailable`."""
        at = self._clock()
        name = new_id("f", int(at * 1000), self._random(10))
        judgement = Judgement(name, redact_secrets(command), given, expected, author, at)
        await self._store.judge(judgement)
        self._telemetry.count(JUDGED, given=given, expected=expected)
        await self.tallies()
        return judgement

    async def tallies(self) -> list[Tally]:
        """How the classifier did over the last days; raises `Unavailable`."""
        since = self._clock() - DAYS * DAY_S
        found = by_day(await self._store.judgements(since, MOST_READ))
        share = accuracy(found)
        if share is not None:
            self._telemetry.hold(ACCURACY, share)
        return found
