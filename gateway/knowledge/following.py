"""Following: what another process published is served by this one too, without a restart.

It decides when to look: when the bell says that something was published, and now and then all the
same. The index is found in the data folder where it was built, and built where it is not. What
cannot be loaded leaves the last good index serving, and is tried again at the next look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from core.errors import FanlightError
from core.knowledge import Publication
from core.workshop import Recipe, Workshop
from gateway.bell import KNOWLEDGE
from gateway.context import Services, load_knowledge
from gateway.knowledge.draft import overlay
from gateway.shelf import Shelf
from kb import Entry, IndexFormatError

log = logging.getLogger("fanlight")

LOOK_S: Final = 60.0

type Told = Callable[[str, Publication, Sequence[Entry]], None]
"""Told the site, what is served now, and the entries of the files beneath it."""


async def live_recipe(services: Services, publication: Publication) -> Recipe:
    """What a publication's index is made from; raises `Unavailable`."""
    edits = await services.truth.knowledge.edits(publication.site, 0)
    live = overlay(edit for edit in edits if edit.number <= publication.edits)
    return Recipe(live, publication.out_of_scope, publication.marks)


class Follower:
    """Keeps one process' shelf at what was published last."""

    def __init__(
        self, services: Services, shelf: Shelf, workshop: Workshop, told: Told | None = None
    ) -> None:
        self._services = services
        self._shelf = shelf
        self._workshop = workshop
        self._told = told
        self._followed: dict[str, Publication] = {}

    async def run(self) -> None:
        """Look until the process stops."""
        bell = self._services.bell
        with bell.listen(KNOWLEDGE) as ear:
            while not bell.closed:
                for site in list(self._shelf):
                    await self._look(site)
                await ear.wait(LOOK_S)

    async def _look(self, site: str) -> None:
        try:
            await self._follow(site)
        except (FanlightError, IndexFormatError) as error:
            log.warning("what was published for %s is not served here yet: %s", site, error)

    async def _follow(self, site: str) -> None:
        found = await self._services.truth.knowledge.published(site)
        if found is None or found == self._followed.get(site):
            return
        if found.release != self._shelf[site].index.release:
            recipe = await live_recipe(self._services, found)
            built = await self._workshop.build(site, recipe, lambda _step, _share: None)
            embedding = self._services.embedding
            knowledge = await asyncio.to_thread(load_knowledge, built.packed, embedding)
            self._shelf.put(site, knowledge)
            if self._told is not None:
                self._told(site, found, built.files)
        self._followed[site] = found
