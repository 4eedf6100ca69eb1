"""What an owner should mend in a draft: looked at beside the event loop, when an operator asks.

It decides that one look is had at a time for each site, and keeps the last one until the next is
done. A look that failed keeps it too, and says why it failed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from core.errors import FanlightError
from core.workshop import Recipe, Workshop
from gateway.context import Services
from gateway.knowledge.draft import Draft
from kb.finding import Finding

log = logging.getLogger("fanlight")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a draft, worst first, and when, in Unix seconds."""

    draft: Draft
    findings: tuple[Finding, ...]
    at: float


class Checks:
    """The looks of one gateway. `changed` is told the site when one begins and ends."""

    def __init__(
        self, services: Services, workshop: Workshop, changed: Callable[[str], None]
    ) -> None:
        self._clock = services.clock
        self._workshop = workshop
        self._changed = changed
        self._running: dict[str, asyncio.Task[None]] = {}
        self._checked: dict[str, Checked] = {}
        self._failed: dict[str, str] = {}

    def running(self, site: str) -> bool:
        """Whether the site's draft is being looked at."""
        return site in self._running

    def last(self, site: str) -> Checked | None:
        """What was found last."""
        return self._checked.get(site)

    def failed(self, site: str) -> str | None:
        """Why the last look gave nothing."""
        return self._failed.get(site)

    def start(
        self, site: str, draft: Draft, recipe: Recipe, *, threshold: float, today: str
    ) -> None:
        """Look at a draft as it holds on a day (ISO 8601), unless that is under way."""
        if site not in self._running:
            look = partial(self._workshop.check, site, recipe, threshold=threshold, today=today)
            task = asyncio.create_task(self._run(site, draft, look))
            self._running[site] = task
            self._failed.pop(site, None)
            self._changed(site)

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(
        self, site: str, draft: Draft, look: Callable[[], Awaitable[tuple[Finding, ...]]]
    ) -> None:
        try:
            self._checked[site] = Checked(draft, await look(), self._clock())
        except FanlightError as error:
            self._failed[site] = str(error)
        # The edge of a task that nobody awaits: whatever else went wrong is told and logged.
        except Exception:
            log.exception("the draft of %s could not be checked", site)
            self._failed[site] = "Something went wrong here; the gateway's log says what."
        finally:
            del self._running[site]
            self._changed(site)
