"""Trying a question before visitors do: on what is live, or on the draft.

A draft has an index of its own, made beside the event loop once for each of its states and weighed
as the live one is. It decides how long a try waits for it; it refuses nothing, and says so while
the draft has not been looked at.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

from core.gate import Verdict
from core.respond import Response, respond
from core.workshop import Calibration, Workshop
from gateway.context import Services, load_knowledge
from gateway.knowledge.draft import Draft
from kb import Index

Outcome = Literal["answered", "asked_back", "handed_over"]

WAIT_S: Final = 4.0
"""A little longer than the index of Fanlight's own 150 entries takes; whoever asks, asks again."""
_NOT_ANSWERED: Final[dict[str, Outcome]] = {"clarify": "asked_back"}
"""Reasons of a verdict without an answer that are something else than handing over."""


@dataclass(frozen=True, slots=True)
class _Preview:
    """The index of one draft, made like one live index; under way, or done."""

    draft: Draft
    like: str
    making: asyncio.Task[Index]


class Trials:
    """The indexes of the drafts that were tried, the newest of each site."""

    def __init__(self, services: Services, workshop: Workshop) -> None:
        self._services = services
        self._workshop = workshop
        self._previews: dict[str, _Preview] = {}

    async def index(self, site: str, draft: Draft, live: Index) -> Index | None:
        """An index of the draft; None while it is being made. Raises `Unavailable`."""
        preview = self._previews.get(site)
        if not draft.changes(live):
            if preview is not None:
                preview.making.cancel()
                self._forget(site, preview)
            return live
        if preview is None or preview.draft is not draft or preview.like != live.release:
            if preview is not None:
                preview.making.cancel()
            making = asyncio.create_task(self._make(site, draft, live))
            making.add_done_callback(_heard)
            preview = self._previews[site] = _Preview(draft, live.release, making)
        done, _ = await asyncio.wait({preview.making}, timeout=WAIT_S)
        if not done:
            return None
        if preview.making.cancelled() or preview.making.exception() is not None:
            self._forget(site, preview)
        if preview.making.cancelled():
            return None
        return preview.making.result()

    async def close(self) -> None:
        """End what is being made."""
        making = [preview.making for preview in self._previews.values()]
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    def _forget(self, site: str, preview: _Preview) -> None:
        if self._previews.get(site) is preview:
            del self._previews[site]

    async def _make(self, site: str, draft: Draft, live: Index) -> Index:
        senses = live.finder
        like = Calibration(
            live.choices,
            live.answers.choice if live.answers else None,
            live.correction,
            has_head=senses.judgement is not None,
            has_meaning=senses.meaning is not None,
        )
        packed = await self._workshop.preview(site, draft.entries, like)
        made = await asyncio.to_thread(load_knowledge, packed, self._services.embedding)
        return made.index


def _heard(making: asyncio.Task[Index]) -> None:
    """Whoever tries next hears of a failure, if anyone does."""
    if not making.cancelled():
        making.exception()


def tried(
    index: Index, question: str, locale: str | None, threshold: float, today: str
) -> tuple[Response, Outcome]:
    """What a visitor would be told, by the very rules of the chat; `today` is a day in ISO 8601."""
    response = respond(index, question, locale=locale, threshold=threshold, today=today)
    return response, outcome(response.verdict)


def outcome(verdict: Verdict) -> Outcome:
    """What becomes of a question."""
    if verdict.answers:
        return "answered"
    known = (_NOT_ANSWERED[reason] for reason in verdict.reasons if reason in _NOT_ANSWERED)
    return next(known, "handed_over")
