"""Publishing: from a draft to what visitors are served, without a restart.

It decides the order: the index is built whole, loaded, recorded in the truth, and only then served.
Until then, and whenever a step fails, the last good index goes on serving, and the reason is kept
for the operator. It refuses to build one site twice at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from core.errors import FanlightError
from core.knowledge import DEFAULT_PRIOR, Publication
from core.truth import KnowledgeStore
from core.workshop import Recipe, Workshop
from gateway import problems
from gateway.bell import KNOWLEDGE
from gateway.context import Services, load_knowledge
from gateway.knowledge.draft import Draft
from gateway.shelf import Shelf
from kb import Entry, IndexFormatError

log = logging.getLogger("fanlight")

FIRST_STEP: Final = "reading"
LAST_STEP: Final = "loading"


@dataclass(frozen=True, slots=True)
class Building:
    """How far a build is: `reading`, `calibrating`, `learning`, `writing` or `loading`."""

    step: str
    share: float


async def recipe_of(store: KnowledgeStore, site: str, draft: Draft) -> Recipe:
    """What the site's index is made from when this draft is published; raises `Unavailable`.

    A mark that names an entry which is no more says nothing.
    """
    prior, marks = await store.prior(site), await store.marks(site)
    there = {entry.id for entry in draft.entries}
    return Recipe(
        draft.overlay,
        DEFAULT_PRIOR if prior is None else prior,
        tuple(
            (mark.question, mark.entry_id)
            for mark in marks
            if mark.entry_id is None or mark.entry_id in there
        ),
    )


def published_recipe(draft: Draft, publication: Publication | None) -> Recipe:
    """What was published last, as a recipe; before the first time it is the files alone."""
    if publication is None:
        return Recipe({}, DEFAULT_PRIOR)
    return Recipe(draft.overlay_at(publication.edits), publication.out_of_scope, publication.marks)


class Publisher:
    """The builds of one gateway. `changed` is told the site whenever one gets on."""

    def __init__(
        self,
        services: Services,
        shelf: Shelf,
        workshop: Workshop,
        changed: Callable[[str], None],
    ) -> None:
        self._services = services
        self._store = services.truth.knowledge
        self._shelf = shelf
        self._workshop = workshop
        self._changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._building: dict[str, Building] = {}
        self._failed: dict[str, str] = {}
        self._published: dict[str, Publication | None] = {}
        self.files: dict[str, Sequence[Entry]] = {}
        """The entries of the files that a site's last build found."""

    async def published(self, site: str) -> Publication | None:
        """What was published last, as far as this gateway serves it; raises `Unavailable`."""
        if site not in self._published:
            found = await self._store.published(site)
            self._published.setdefault(site, found)
        return self._published[site]

    def building(self, site: str) -> Building | None:
        """How far the site's build is, if there is one."""
        return self._building.get(site)

    def failed(self, site: str) -> str | None:
        """Why the site's last build did not go live."""
        return self._failed.get(site)

    def start(self, site: str, draft: Draft, author: str) -> Building:
        """Begin to publish a draft; raises `Problem` when the site is being built."""
        if site in self._building:
            raise problems.publishing()
        begun = self._building[site] = Building(FIRST_STEP, 0.0)
        self._failed.pop(site, None)
        self._changed(site)
        task = self._tasks[site] = asyncio.create_task(self._run(site, draft, author))
        task.add_done_callback(lambda _: self._tasks.pop(site, None))
        return begun

    async def close(self) -> None:
        """End what is being built; the next start serves what was published before."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, site: str, draft: Draft, author: str) -> None:
        try:
            await self._publish(site, draft, author)
        except (FanlightError, IndexFormatError) as error:
            self._failed[site] = str(error)
        # The edge of a task that nobody awaits: whatever else went wrong is told and logged.
        except Exception:
            log.exception("publishing failed")
            self._failed[site] = "Something went wrong here; the gateway's log says what."
        finally:
            del self._building[site]
            self._changed(site)

    async def _publish(self, site: str, draft: Draft, author: str) -> None:
        recipe = await recipe_of(self._store, site, draft)
        built = await self._workshop.build(
            site, recipe, lambda step, share: self._report(site, step, share)
        )
        self._report(site, LAST_STEP, 0.0)
        embedding = self._services.embedding
        knowledge = await asyncio.to_thread(load_knowledge, built.packed, embedding)
        publication = Publication(
            site=site,
            author=author,
            at=self._services.clock(),
            release=knowledge.index.release,
            edits=draft.number,
            out_of_scope=recipe.out_of_scope,
            marks=recipe.marks,
        )
        await self._store.publish(publication)
        self._published[site] = publication
        self.files[site] = built.files
        self._shelf.put(site, knowledge)
        self._services.bell.ring(KNOWLEDGE)

    def followed(self, site: str, publication: Publication, files: Sequence[Entry]) -> None:
        """Another process published this, and it is served here now."""
        self._published[site] = publication
        self.files[site] = files
        self._changed(site)

    def _report(self, site: str, step: str, share: float) -> None:
        self._building[site] = Building(step, share)
        self._changed(site)
