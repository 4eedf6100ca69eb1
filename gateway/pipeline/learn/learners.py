"""Every site's experience, kept up with the truth.

Decides how often the truth is looked at and how far back. It refuses to end for a store that fails:
it looks again, and goes by what it knows meanwhile. What it knows is made of what the truth holds,
so that every process knows the same, and after a restart knows it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from core.errors import FanlightError
from core.learning import LearningStore
from core.ports import Clock
from gateway.pipeline.learned.experience import Experience
from gateway.pipeline.state import TurnState
from kb.embed import Embedding
from kb.normalise import words

EVERY_S: Final = 60.0
DAYS: Final = 30
"""A lesson that is older says nothing: models and questions change."""
MOST: Final = 1_000
"""Lessons of a site, the newest ones."""
AT_ONCE: Final = 10
"""Lessons between two pauses, so that nobody waits longer than for a few of them."""

_log = logging.getLogger(__name__)


class Learners:
    """The experience of some sites over the same tiers, the cheapest first."""

    def __init__(
        self,
        store: LearningStore,
        sites: Sequence[str],
        tiers: Sequence[str],
        embedding: Embedding,
        clock: Clock,
    ) -> None:
        def embed(text: str) -> Sequence[float] | None:
            return embedding.vector(words(text))

        self._store = store
        self._clock = clock
        self._sites = {
            site: Experience(tiers, embed, embedding.dimensions) for site in dict.fromkeys(sites)
        }

    def predict(self, state: TurnState) -> str | None:
        """The tier that the site's experience has for a question; None where it has none."""
        experience = self._sites.get(state.site.key)
        if experience is None:
            return None
        complexity = state.profile.complexity if state.profile else None
        request = state.request
        return experience.tier(request.question, complexity, request.turn_id)

    async def look(self) -> None:
        """Learn what the truth has that is new; raises `Unavailable`."""
        since = self._clock() - DAYS * 86_400
        for site, experience in self._sites.items():
            lessons = await self._store.lessons(site, since, MOST)
            for number, lesson in enumerate(experience.unlearnt(lessons), 1):
                experience.learn(lesson)
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)

    async def run(self) -> None:
        """Look every minute, until cancelled."""
        while True:
            try:
                await self.look()
            except FanlightError as exc:
                _log.warning("learning: to be looked at again: %s", exc)
            except Exception:  # noqa: BLE001 - it outlives whatever the store gives
                _log.exception("learning: a look failed")
            await asyncio.sleep(EVERY_S)
